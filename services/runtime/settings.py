"""What a process is told by its environment, read once, at start."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of every process; each reads only what it needs. All have working defaults."""

    database_url: str
    """``KENTERING_DATABASE_URL``: sqlite:///FILE or postgresql+psycopg://…"""
    kafka: str
    """``KENTERING_KAFKA``: bootstrap servers; only relay, scorer and topics use it."""
    data: Path
    """``KENTERING_DATA``: folder for the spool and the snapshot's copy."""
    api_url: str
    """``KENTERING_API_URL``: where the tracker fetches its snapshot."""
    public_url: str
    """``KENTERING_PUBLIC_URL``: where browsers and mailers reach the tracker."""
    tracker_url: str
    """``KENTERING_TRACKER_URL``: where the API reaches the tracker; by default ``public_url``."""
    internal_key: str
    """``KENTERING_INTERNAL_KEY``: shared by the product's own processes; no default."""

    trusted_proxies: str
    """``KENTERING_TRUSTED_PROXIES``: networks of our own proxies, as ``10.0.0.0/8, fd00::/8``."""
    requests_per_address: float
    """``KENTERING_REQUESTS_PER_ADDRESS``: so many a second at most; 0 sets no limit."""
    events_per_key: float
    """``KENTERING_EVENTS_PER_KEY``: so many a second at most; 0 sets no limit."""
    requests_per_key: int
    """``KENTERING_REQUESTS_PER_KEY``: an api key's, so many a minute at most; 0 sets no limit."""

    sns_host: str
    """``KENTERING_SNS_HOST``: one more host, as HOST:PORT, that speaks for Amazon SNS."""

    webhook_networks: str
    """``KENTERING_WEBHOOK_NETWORKS``: of your own, that webhooks may go to, as ``10.1.0.0/16``."""

    spool_gb_max: float
    """``KENTERING_SPOOL_GB_MAX``: space that the spool's records may take, in units of 2**30."""
    spool_free_percent_min: float
    """``KENTERING_SPOOL_FREE_PERCENT_MIN``: how much of its disk must stay free."""
    spool_keep_minutes: float
    """``KENTERING_SPOOL_KEEP_MINUTES``: how long records stay when every reader is done."""

    @property
    def spool(self) -> Path:
        """The folder of the tracker's spool, which is also the embedded default's log."""
        return self.data / "spool"


def from_environment() -> Settings:
    """Settings from ``KENTERING_*`` variables."""
    get = os.environ.get
    data = Path(get("KENTERING_DATA", "data"))
    public_url = get("KENTERING_PUBLIC_URL", "http://localhost:8000")
    return Settings(
        database_url=get("KENTERING_DATABASE_URL", f"sqlite:///{data / 'kentering.db'}"),
        kafka=get("KENTERING_KAFKA", "localhost:9092"),
        data=data,
        api_url=get("KENTERING_API_URL", "http://localhost:8001"),
        public_url=public_url,
        tracker_url=get("KENTERING_TRACKER_URL", public_url),
        internal_key=get("KENTERING_INTERNAL_KEY", ""),
        trusted_proxies=get("KENTERING_TRUSTED_PROXIES", ""),
        requests_per_address=float(get("KENTERING_REQUESTS_PER_ADDRESS", "200")),
        events_per_key=float(get("KENTERING_EVENTS_PER_KEY", "20000")),
        requests_per_key=int(get("KENTERING_REQUESTS_PER_KEY", "12000")),
        sns_host=get("KENTERING_SNS_HOST", ""),
        webhook_networks=get("KENTERING_WEBHOOK_NETWORKS", ""),
        spool_gb_max=float(get("KENTERING_SPOOL_GB_MAX", "20")),
        spool_free_percent_min=float(get("KENTERING_SPOOL_FREE_PERCENT_MIN", "10")),
        spool_keep_minutes=float(get("KENTERING_SPOOL_KEEP_MINUTES", "60")),
    )
