"""``kentering scorer``: read the log, fold, store what holds and announce what changed."""

import signal
import threading
from collections.abc import Callable

import click
import structlog
from sqlalchemy import Engine

from services.cli.children import end_with_parent
from services.contract.topics import EVENTS
from services.model.version import load
from services.runtime.clock import now_ms
from services.runtime.database import open_database
from services.runtime.event_log import LogReader
from services.runtime.health import HealthServer
from services.runtime.kafka_log_reader import KafkaLogReader
from services.runtime.reader_position import save_reader_position
from services.runtime.settings import Settings, from_environment
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.runtime.steady_clock import SteadyClock
from services.runtime.telemetry import configure_logging
from services.scorer.consume import READER, Scorer
from services.scorer.positions import positions

GROUP = "scorer"
LOG_PAUSE_S = 0.5


@click.command(name="scorer")
@click.option(
    "--log",
    type=click.Choice(["kafka", "spool"]),
    default="kafka",
    show_default=True,
    help="Where events come from: Kafka, or this machine's spool (the embedded default).",
)
@click.option("--health-host", default="0.0.0.0", show_default=True)  # noqa: S104 - for probes
@click.option(
    "--health-port", default=8003, show_default=True, help="For /healthz, /readyz and /metrics."
)
def command(log: str, health_host: str, health_port: int) -> None:
    """Score events until SIGTERM; as many workers as the topic has partitions may run."""
    configure_logging("scorer")
    settings = from_environment()
    stop = threading.Event()
    clock = SteadyClock(now_ms)
    scorer: Scorer | None = None

    def leave(*_: object) -> None:
        stop.set()
        if scorer is not None:
            scorer.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)

    end_with_parent(leave)

    def why_not_ready() -> str | None:
        if clock.has_drifted():
            return "clock drifted"
        return "no log yet" if scorer is None else scorer.why_not_ready()

    health = HealthServer(health_port, why_not_ready, health_host)
    engine = open_database(settings.database_url)
    reader = _open_when_there(lambda: _reader(log, settings, engine), stop)
    if reader is not None:
        committed = _committed(log, settings, reader)
        scorer = Scorer(engine, reader, load(), committed, clock.now_ms)
        if stop.is_set():
            scorer.stop()
        scorer.run()
        reader.close()
    engine.dispose()
    health.close()


def _reader(log: str, settings: Settings, engine: Engine) -> LogReader:
    if log == "spool":
        return SqliteLogReader(settings.spool, positions(engine))
    return KafkaLogReader(settings.kafka, EVENTS.name, GROUP, positions(engine))


def _committed(log: str, settings: Settings, reader: LogReader) -> Callable[[int, int], None]:
    """The spool's writer trims what is scored; Kafka's retention does without us."""
    if log == "kafka":
        return lambda _partition, _following: None
    return lambda _partition, following: save_reader_position(
        settings.spool, READER, reader.log_id, following
    )


def _open_when_there(open_log: Callable[[], LogReader], stop: threading.Event) -> LogReader | None:
    """The log, as soon as it is there; None when stopped before."""
    told = False
    while not stop.is_set():
        try:
            return open_log()
        except OSError as error:
            if not told:
                structlog.get_logger().warning("waiting for the log", reason=str(error))
                told = True
            stop.wait(LOG_PAUSE_S)
    return None
