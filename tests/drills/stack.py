"""The product with several trackers, whose processes can be killed, frozen and started again."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import func, select

from services.contract import tables
from services.runtime.database import open_database
from tests.integration.product import INTERNAL_KEY, KENTERING
from tests.servers.kafka import Kafka
from tests.servers.process import free_port, start, wait_until
from tests.servers.web import LOCAL

PATIENCE_S = 120


@dataclass
class Service:
    """One process of ours."""

    name: str
    port: int
    command: list[str]
    told: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; it may take a while until it is ready."""
        self.process = start(self.command, self.log, env=self.told)

    def kill(self) -> None:
        """End it as a power cut of the process would, and start it again at once."""
        self.end(signal.SIGKILL)
        self.deaths += 1
        self.start()

    def end(self, number: int) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def status(self, path: str = "/readyz") -> int:
        """The HTTP status of a page; 0 if nobody answers."""
        try:
            return httpx.get(f"{self.url}{path}", timeout=5, **LOCAL).status_code
        except httpx.TransportError:
            return 0

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = httpx.get(f"{self.url}/metrics", timeout=5, **LOCAL).text.splitlines()
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith((f"{name} ", f"{name}{{"))
        )

    def await_ready(self) -> None:
        wait_until(
            lambda: self.status() == 200,
            self.name,
            timeout_s=PATIENCE_S,
            process=self.process,
            log=self.log,
        )


@dataclass
class Stack:
    """Trackers with a spool and a relay each, one Kafka, one scorer, one database."""

    kafka: Kafka
    trackers: list[Service]
    relays: list[Service]
    scorer: Service
    api: Service
    server_key: str
    api_key: str
    database_url: str
    folder: Path

    def await_stored(self, wanted: set[bytes], timeout_s: float = PATIENCE_S) -> set[bytes]:
        """Event ids in the event table, once the wanted ones are there or time is up."""
        engine = open_database(self.database_url)
        query = select(tables.event.c.event_id)
        found: set[bytes] = set()

        def has_all() -> bool:
            nonlocal found
            with engine.connect() as db:
                count = db.execute(select(func.count()).select_from(tables.event)).scalar_one()
                if count >= len(wanted):
                    found = {bytes(one) for one in db.execute(query).scalars()}
            return wanted <= found

        try:
            wait_until(has_all, f"{len(wanted)} events to be stored", timeout_s=timeout_s)
        except AssertionError:
            with engine.connect() as db:
                found = {bytes(one) for one in db.execute(query).scalars()}
        finally:
            engine.dispose()
        return found

    def stored_rows(self) -> int:
        """Rows of the event table."""
        engine = open_database(self.database_url)
        with engine.connect() as db:
            count = db.execute(select(func.count()).select_from(tables.event)).scalar_one()
        engine.dispose()
        return int(count)

    def data(self, number: int) -> Path:
        """The data folder of a tracker."""
        return self.folder / f"data-{number}"


@contextmanager
def run_stack(
    folder: Path, kafka: Kafka, database_url: str, trackers: int, delivery_timeout_s: int
) -> Iterator[Stack]:
    """Everything ready, with one workspace; gone afterwards."""
    ports = {
        name: free_port()
        for name in (
            "api",
            "scorer",
            *(f"{n}-{i}" for n in ("tracker", "relay") for i in range(trackers)),
        )
    }
    told = {
        "KENTERING_DATABASE_URL": database_url,
        "KENTERING_KAFKA": kafka.bootstrap,
        "KENTERING_INTERNAL_KEY": INTERNAL_KEY,
        "KENTERING_API_URL": f"http://127.0.0.1:{ports['api']}",
        "KENTERING_TRACKER_URL": f"http://127.0.0.1:{ports['tracker-0']}",
        "KENTERING_PUBLIC_URL": f"http://127.0.0.1:{ports['tracker-0']}",
        "KENTERING_SPOOL_FREE_PERCENT_MIN": "0",
        # Trimming belongs to what is drilled, and a soak must not fill the disk.
        "KENTERING_SPOOL_KEEP_MINUTES": "0.2",
    }
    _run(["migrate"], told)
    _run(["topics"], told)
    made = json.loads(_run(["workspace", "create", "Drill", "--json"], told))
    key = made["server_key"]
    with ExitStack() as stack:

        def service(name: str, command: list[str], data: Path | None = None) -> Service:
            more = {} if data is None else {"KENTERING_DATA": str(data)}
            made = Service(
                name, ports[name], [KENTERING, *command], told | more, folder / f"{name}.log"
            )
            stack.callback(_end, made)
            return made

        api = service("api", ["api", "--port", str(ports["api"])])
        api.await_ready()
        scorer = service("scorer", ["scorer", "--health-port", str(ports["scorer"])])
        collecting: list[Service] = []
        relaying: list[Service] = []
        for number in range(trackers):
            data = folder / f"data-{number}"
            name = f"tracker-{number}"
            listen = ["--host", "127.0.0.1", "--port", str(ports[name])]
            collecting.append(service(name, ["tracker", *listen], data))
            name = f"relay-{number}"
            options = ["--health-port", str(ports[name])]
            options += ["--delivery-timeout", str(delivery_timeout_s)]
            relaying.append(service(name, ["relay", *options], data))
        for one in (*collecting, *relaying, scorer):
            one.await_ready()
        for one in collecting:
            wait_until(lambda one=one: _takes(one, key), f"{one.name} to know the key")
        yield Stack(
            kafka, collecting, relaying, scorer, api, key, made["api_key"], database_url, folder
        )


def _takes(tracker: Service, key: str) -> bool:
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(
        f"{tracker.url}/v1/batch", json={"batch": []}, headers=headers, timeout=5, **LOCAL
    )
    return answer.status_code == 200


def _end(service: Service) -> None:
    service.process.send_signal(signal.SIGCONT)
    service.process.kill()
    service.process.wait()


def _run(command: list[str], told: dict[str, str]) -> str:
    done = subprocess.run(
        [KENTERING, *command],
        env={**os.environ, **told},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout
