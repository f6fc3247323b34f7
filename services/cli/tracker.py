"""``kentering tracker``: HTTP in, spool out."""

import gc
import time
from types import FrameType

import click
import uvicorn

from services.runtime.settings import from_environment
from services.runtime.sqlite_log import SqliteLog
from services.runtime.telemetry import configure_logging
from services.tracker.app import Tracker, create_app
from services.tracker.relay import READER
from services.tracker.snapshot_source import HttpSnapshotSource

# Together with the writer's own patience below the ten seconds that whoever sends SIGTERM waits.
_NOT_READY_FIRST_S = 1.0
_REQUESTS_PATIENCE_S = 3


class _Server(uvicorn.Server):
    """Says not ready for a moment before it stops listening, so that nobody is turned away."""

    def __init__(self, config: uvicorn.Config, tracker: Tracker) -> None:
        super().__init__(config)
        self._tracker = tracker
        self._leave_at_s: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Leave on the first signal, at once on the second."""
        if self._leave_at_s is not None or not self.started:
            super().handle_exit(sig, frame)
            return
        self._leave_at_s = time.monotonic() + _NOT_READY_FIRST_S
        self._tracker.leave()

    async def on_tick(self, counter: int) -> bool:
        """Stop listening once the moment has passed."""
        if self._leave_at_s is not None and time.monotonic() >= self._leave_at_s:
            self.should_exit = True
        return await super().on_tick(counter)


@click.command(name="tracker")
@click.option("--host", default="0.0.0.0", show_default=True)  # noqa: S104 - it is a public door
@click.option("--port", default=8000, show_default=True)
def command(host: str, port: int) -> None:
    """Collect events into the spool until SIGTERM; needs no database and no broker."""
    configure_logging("tracker")
    settings = from_environment()
    if not settings.internal_key:
        raise click.ClickException("KENTERING_INTERNAL_KEY is needed to fetch the snapshot")
    log = SqliteLog(settings.spool, readers=[READER])
    source = HttpSnapshotSource(settings.api_url, settings.internal_key)
    tracker = create_app(log, source, settings.data, settings.public_url)
    config = uvicorn.Config(
        tracker,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,  # it would name people: tokens and addresses stand in the paths
        log_config=None,
        server_header=False,
        proxy_headers=False,  # nobody's address is used for anything
        timeout_graceful_shutdown=_REQUESTS_PATIENCE_S,
    )
    gc.freeze()  # what lives as long as the process need not be looked through again and again
    try:
        _Server(config, tracker).run()
    finally:
        source.close()
        log.close()
