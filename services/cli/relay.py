"""``kentering relay``: copy the tracker's spool into Kafka."""

import signal
import threading

import click

from services.contract.topics import EVENTS
from services.runtime.health import HealthServer
from services.runtime.kafka_log import KafkaLog
from services.runtime.settings import from_environment
from services.runtime.telemetry import configure_logging
from services.tracker.relay import Relay

# Together below the ten seconds that whoever sends SIGTERM usually waits.
_BATCH_PATIENCE_S = 3
_CLOSE_PATIENCE_S = 3


@click.command(name="relay")
@click.option(
    "--health-port", default=8002, show_default=True, help="For /healthz, /readyz and /metrics."
)
@click.option(
    "--delivery-timeout",
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="How long Kafka may take to acknowledge before a batch is sent again.",
)
def command(health_port: int, delivery_timeout: int) -> None:
    """Copy the tracker's spool into Kafka until SIGTERM; one relay per spool."""
    configure_logging("relay")
    settings = from_environment()
    asked_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_stop.set())
    kafka = KafkaLog(
        settings.kafka,
        EVENTS.name,
        delivery_timeout_ms=delivery_timeout * 1000,
        request_timeout_ms=min(10, delivery_timeout) * 1000,
    )
    relay = Relay(settings.spool, kafka)
    # A daemon: nothing is lost by leaving it behind, as positions follow acknowledgements.
    worker = threading.Thread(target=relay.run, name="relay", daemon=True)
    health = HealthServer(health_port, relay.why_not_ready)
    worker.start()
    while worker.is_alive() and not asked_to_stop.wait(0.5):
        pass
    relay.stop()
    worker.join(_BATCH_PATIENCE_S)
    kafka.close()
    worker.join(_CLOSE_PATIENCE_S)
    health.close()
    if not asked_to_stop.is_set():
        raise click.ClickException("the relay ended by itself; see the log above")
