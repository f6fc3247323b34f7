"""``kentering dispatch``: tell others of changes, by webhook and in a Kafka topic."""

import signal

import click

from services.cli.children import end_with_parent
from services.cli.networks import own_networks
from services.contract.topics import CHANGES
from services.dispatch.dispatcher import Dispatcher
from services.dispatch.readers import LEASE_S
from services.runtime.database import open_database
from services.runtime.health import HealthServer
from services.runtime.kafka_log import KafkaLog
from services.runtime.settings import from_environment
from services.runtime.telemetry import configure_logging


@click.command(name="dispatch")
@click.option(
    "--topic/--no-topic",
    default=True,
    show_default=True,
    help="Whether changes are copied into Kafka; embedded, there is none.",
)
@click.option("--health-host", default="0.0.0.0", show_default=True)  # noqa: S104 - for probes
@click.option(
    "--health-port", default=8004, show_default=True, help="For /healthz, /readyz and /metrics."
)
def command(*, topic: bool, health_host: str, health_port: int) -> None:
    """Send webhooks, and copy changes into Kafka, until SIGTERM; several may run."""
    configure_logging("dispatch")
    settings = from_environment()
    networks = own_networks(settings)
    # Whoever takes over from a frozen process does not wait longer than for its lease.
    engine = open_database(settings.database_url, frozen_s=round(LEASE_S))
    kafka = KafkaLog(settings.kafka, CHANGES.name) if topic else None
    dispatcher = Dispatcher(engine, networks, kafka)

    def leave(*_: object) -> None:
        dispatcher.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    end_with_parent(leave)
    health = HealthServer(health_port, dispatcher.why_not_ready, health_host)
    dispatcher.run()
    if kafka is not None:
        kafka.close()
    engine.dispose()
    health.close()
