"""``kentering tracker``: HTTP in, spool out."""

import click

from services.cli.gate import open_gate
from services.cli.serve import Server
from services.cli.spool import open_spool
from services.runtime.settings import from_environment
from services.runtime.telemetry import configure_logging
from services.tracker.app import create_app
from services.tracker.relay import READER
from services.tracker.snapshot_source import HttpSnapshotSource


@click.command(name="tracker")
@click.option("--host", default="0.0.0.0", show_default=True)  # noqa: S104 - it is a public door
@click.option("--port", default=8000, show_default=True)
def command(host: str, port: int) -> None:
    """Collect events into the spool until SIGTERM; needs no database and no broker."""
    configure_logging("tracker")
    settings = from_environment()
    if not settings.internal_key:
        raise click.ClickException("KENTERING_INTERNAL_KEY is needed to fetch the snapshot")
    gate = open_gate(settings)
    log = open_spool(settings, settings.spool, READER)
    source = HttpSnapshotSource(settings.api_url, settings.internal_key)
    tracker = create_app(
        log,
        source,
        settings.data,
        settings.public_url,
        gate,
        sns_host=settings.sns_host,
        withdrawal_source=source.withdrawals,
    )
    server = Server(tracker, leave=tracker.leave, address=(host, port), protocol=tracker.protocol)
    try:
        server.run()
    finally:
        source.close()
        log.close()
