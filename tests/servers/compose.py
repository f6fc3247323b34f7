"""Runs docker-compose.yml without containers, on the real Kafka and PostgreSQL."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers.compose_file import ComposeFile, Service
from tests.servers.kafka import JAVA
from tests.servers.kafka import _jars as jars
from tests.servers.postgres import run_postgres
from tests.servers.process import is_open, need, start, wait_until

_HEALTH_EVERY_S = 0.5  # each look is a process of its own
# Read by the image's own scripts; no settings of the broker.
_NOT_PROPERTIES = {"KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_VERSION"}


def kafka_properties(environment: Mapping[str, str]) -> dict[str, str]:
    """``server.properties`` as the apache/kafka image makes them of its environment.

    ``KAFKA_A_B`` is ``a.b``; two underscores stand for one, three for a hyphen.
    """
    return {
        name.removeprefix("KAFKA_")
        .lower()
        .replace("_", ".")
        .replace("...", "-")
        .replace("..", "_"): value
        for name, value in environment.items()
        if name.startswith("KAFKA_") and name not in _NOT_PROPERTIES
    }


class Composition:
    """All services of a compose file, each a process of this machine."""

    def __init__(self, file: ComposeFile, folder: Path, stack: ExitStack) -> None:
        self._file = file
        self._folder = folder
        self._stack = stack
        self._running: list[tuple[Service, subprocess.Popen[bytes]]] = []

    def address(self, service: str, port: int) -> str:
        """Where a service's port is reached: ``127.0.0.1:…``."""
        return f"127.0.0.1:{self._file.port(service, port)}"

    def environment(self, service: str) -> dict[str, str]:
        """What a service's processes are told."""
        return self._file.replicas(service)[0].environment

    def up(self) -> None:
        """Start all, each as soon as what it depends on lets it, and wait until all are ready."""
        for name in self._file.names():
            for service in self._file.replicas(name):
                for needed, condition in service.depends_on.items():
                    if condition == "service_healthy":
                        self._await(needed)
                self._start(service)
        for name in {service.name for service, _ in self._running}:
            self._await(name)

    def stop(self) -> dict[str, int]:
        """SIGTERM to each of our processes, and how they ended: name → exit status.

        Raises:
            subprocess.TimeoutExpired: one took longer than its ``stop_grace_period``.
        """
        for _, process in self._running:
            process.send_signal(signal.SIGTERM)
        return {f"{s.name}-{s.replica}": p.wait(s.grace_s) for s, p in self._running}

    def _start(self, service: Service) -> None:
        if service.name == "kafka":
            self._start_kafka(service)
        elif service.name == "postgres":
            server = self._stack.enter_context(run_postgres())
            server.execute(f"CREATE DATABASE {service.environment['POSTGRES_DB']}")
            self._file.know_port("postgres", 5432, server.port)
        elif not service.healthcheck:
            self._run_to_its_end(service)
        else:
            command = [_program(service.command[0]), *service.command[1:]]
            self._running.append((service, self._start_process(service, command)))

    def _run_to_its_end(self, service: Service) -> None:
        done = subprocess.run(
            [_program(service.command[0]), *service.command[1:]],
            env={**os.environ, **service.environment},
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{service.name}:\n{done.stdout}\n{done.stderr}"

    def _start_kafka(self, service: Service) -> None:
        """As the image does: make the properties, format the folder, start the broker."""
        file = self._folder / "server.properties"
        properties = kafka_properties(service.environment)
        file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        java = [need("java", "openjdk-17-jre-headless"), *JAVA, "-cp", f"{jars()}/*"]
        cluster = f"--cluster-id={service.environment['CLUSTER_ID']}"
        subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", cluster, "-c", file],
            check=True,
            capture_output=True,
            timeout=60,
        )
        process = self._start_process(service, [*java, "kafka.Kafka", file])
        port = self._file.port("kafka", 9092)
        log = self._log(service)
        wait_until(lambda: is_open("127.0.0.1", port), "Kafka", process=process, log=log)

    def _start_process(
        self, service: Service, command: Sequence[str | Path]
    ) -> subprocess.Popen[bytes]:
        process = start(command, self._log(service), env=service.environment)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def _await(self, name: str) -> None:
        for service, process in self._running:
            if service.name == name:
                wait_until(
                    lambda service=service: _is_healthy(service),
                    f"{name} to be healthy",
                    every_s=_HEALTH_EVERY_S,
                    process=process,
                    log=self._log(service),
                )

    def _log(self, service: Service) -> Path:
        return self._folder / f"{service.name}-{service.replica}.log"


def _is_healthy(service: Service) -> bool:
    program, *rest = service.healthcheck
    done = subprocess.run([_program(program), *rest], check=False, capture_output=True, timeout=10)
    return done.returncode == 0


def _program(name: str) -> str:
    """A program of this environment, as the image has it on its PATH."""
    return str(Path(sys.executable).parent / name)


@contextmanager
def run_compose(
    file: Path, variables: Mapping[str, str], folder: Path, more: str = ""
) -> Iterator[Composition]:
    """Everything that the compose file starts, ready; gone afterwards.

    Args:
        file: the compose file.
        variables: what ``.env`` would hold; ``tracker:8000`` in one is where that is reached.
        folder: for volumes and the processes' output.
        more: further services, as they are written below those of the file.
    """
    with ExitStack() as stack:
        composition = Composition(ComposeFile(file, variables, folder, more), folder, stack)
        composition.up()
        yield composition
