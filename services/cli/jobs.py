"""``kentering jobs``: work on imports and exports."""

import signal
import threading

import click

from services.api.door import Door
from services.api.exports.run import Exporting
from services.api.imports.run import Importing
from services.api.in_force import InForce
from services.api.jobs.work import Run, Worker
from services.cli.children import end_with_parent
from services.model.version import load
from services.runtime.clock import now_ms
from services.runtime.database import open_database
from services.runtime.health import HealthServer
from services.runtime.settings import from_environment
from services.runtime.telemetry import configure_logging


@click.command("jobs")
@click.option("--health-host", default="0.0.0.0", show_default=True)  # noqa: S104 - for probes
@click.option(
    "--health-port", default=8004, show_default=True, help="For /healthz, /readyz and /metrics."
)
def command(health_host: str, health_port: int) -> None:
    """Work on imports and exports until SIGTERM; several may run, each job is worked on by one."""
    configure_logging("jobs")
    settings = from_environment()
    engine = open_database(settings.database_url)
    door = Door(settings.tracker_url, settings.internal_key)
    runs: dict[str, Run] = {"import": Importing(door), "export": Exporting(InForce(engine, load()))}
    worker = Worker(engine, runs, now_ms)
    health = HealthServer(health_port, worker.why_not_ready, health_host)
    work = threading.Thread(target=worker.run, name="jobs")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    end_with_parent(worker.stop)
    work.start()
    work.join()
    engine.dispose()
    health.close()
