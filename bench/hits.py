"""Hits that are on disk when they are answered, on one core, beside a bare uvicorn answer.

The tracker and the bare application run on one core, wrk on the other. They take turns, several
times over, with the very same requests, and medians are told; a share is the median of each
turn's own share, so that a slow moment of the machine weighs on both. Rates are wrk's, processor
time is what the kernel counted.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import httpx

from bench.figures import Figure, Target
from bench.processes import SERVER_CORE, cpu_s, pinned, resident_mb, resident_mb_max
from bench.requests import BATCH_EVENTS, KINDS, SNAPSHOT, Requests
from bench.wrk import run_wrk, write_requests
from services.contract.snapshot import encode
from tests.integration.product import KENTERING
from tests.servers.process import free_port, start, stop, wait_until

ROUNDS = 5
ROUND_S = 2
BATCH_ROUND_S = 6
SHARE_MIN = 40
CPU_US_MAX = 78
CPU_OF_BARE_MAX = 1.5
BATCH_EVENTS_PER_S_MIN = 50_000
BATCH_CPU_US_MAX = 19
MEMORY_MB_MAX = 100
MEASURE = "Durable hits, tracker on one core, beside a bare uvicorn answer"


@dataclass(frozen=True)
class Server:
    """A process that listens."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Round:
    """One run against one server."""

    requests: int
    per_s: float
    cpu_us: float
    """Processor time per request, in microseconds."""


def measure(folder: Path) -> list[Figure]:
    """All kinds of hits, batches, and the tracker's memory."""
    figures: list[Figure] = []
    with run_tracker(folder) as tracker, run_bare(folder) as bare:
        at_rest = resident_mb(tracker.pid)
        sent = 0
        for kind in KINDS:
            file = folder / "hits.requests"
            write_requests(file, Requests(tracker.port).of(kind))
            run_wrk(tracker.url, file, 1)  # warm
            turns = [
                (_round(tracker, file, ROUND_S), _round(bare, file, ROUND_S)) for _ in range(ROUNDS)
            ]
            sent += sum(ours.requests for ours, _ in turns)
            figures += _figures(kind, turns)
        _check_stored(folder, sent)
        figures += _batches(folder, tracker)
        peak = resident_mb_max(tracker.pid)
    limit = Target(MEMORY_MB_MAX)
    return [
        *figures,
        Figure("Memory", "tracker alone, at rest", at_rest, "MB", limit),
        Figure("Memory", "tracker alone, most under full load", peak, "MB", limit),
    ]


def _round(server: Server, file: Path, seconds: float) -> Round:
    begin_s = cpu_s(server.pid)
    answered = run_wrk(server.url, file, seconds)
    used_s = cpu_s(server.pid) - begin_s
    return Round(answered.requests, answered.per_s, used_s / answered.requests * 1e6)


def _figures(kind: str, turns: list[tuple[Round, Round]]) -> list[Figure]:
    def figure(name: str, unit: str, of: Callable[[Round, Round], float]) -> Figure:
        return Figure(MEASURE, f"{kind}: {name}", median(of(*turn) for turn in turns), unit)

    share = figure("share of bare's rate", "%", lambda ours, bare: ours.per_s / bare.per_s * 100)
    cpu = figure("CPU per hit", "µs", lambda ours, _: ours.cpu_us)
    times = figure("CPU as multiple of bare's", "×", lambda ours, bare: ours.cpu_us / bare.cpu_us)
    return [
        figure("rate", "/s", lambda ours, _: ours.per_s),
        figure("bare uvicorn's rate", "/s", lambda _, bare: bare.per_s),
        replace(share, target=Target(SHARE_MIN, at_least=True)),
        replace(cpu, target=Target(CPU_US_MAX)),
        figure("bare uvicorn's CPU", "µs", lambda _, bare: bare.cpu_us),
        replace(times, target=Target(CPU_OF_BARE_MAX)),
    ]


def _batches(folder: Path, tracker: Server) -> list[Figure]:
    file = folder / "batch.requests"
    write_requests(file, Requests(tracker.port).batches())
    one = _round(tracker, file, BATCH_ROUND_S)
    name = f"Batches of {BATCH_EVENTS} events, tracker on one core"
    return [
        Figure(
            name,
            "events",
            one.per_s * BATCH_EVENTS,
            "/s",
            Target(BATCH_EVENTS_PER_S_MIN, at_least=True),
        ),
        Figure(name, "CPU per event", one.cpu_us / BATCH_EVENTS, "µs", Target(BATCH_CPU_US_MAX)),
    ]


def _check_stored(folder: Path, sent: int) -> None:
    """An answer counts only if its hit is in the spool."""
    connection = sqlite3.connect(folder / "data" / "spool" / "log.db")
    stored = connection.execute("SELECT count(*) FROM record").fetchone()[0]
    connection.close()
    if stored < sent:
        raise RuntimeError(f"{sent} hits were answered, {stored} are in the spool")


@contextmanager
def run_tracker(folder: Path) -> Iterator[Server]:
    """``kentering tracker`` with the keys of :mod:`bench.requests`; its API is away."""
    data = folder / "data"
    data.mkdir()
    (data / "snapshot.json").write_bytes(encode(SNAPSHOT))
    told = {
        "KENTERING_DATA": str(data),
        "KENTERING_API_URL": "http://127.0.0.1:9",
        "KENTERING_INTERNAL_KEY": "inside",
        "KENTERING_EVENTS_PER_KEY": "1e9",  # never reached, but asked for every event
    }
    port = free_port()
    command = [KENTERING, "tracker", "--host", "127.0.0.1", "--port", str(port)]
    with run_server(command, folder / "tracker.log", port, told) as server:
        yield server


@contextmanager
def run_bare(folder: Path) -> Iterator[Server]:
    """uvicorn with :mod:`bench.bare`, set as the tracker sets it."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", "bench.bare:app", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--lifespan", "off", "--ws", "none"),
        *("--no-access-log", "--no-server-header", "--no-proxy-headers"),
    ]
    with run_server(command, folder / "bare.log", port, {}) as server:
        yield server


@contextmanager
def run_server(command: list[str], log: Path, port: int, told: dict[str, str]) -> Iterator[Server]:
    """A process on the servers' core that answers ``/readyz`` on a port."""
    process = start(pinned(SERVER_CORE, command), log, env=told)
    server = Server(port, process.pid)
    try:
        wait_until(lambda: _answers(server.url), command[1], process=process, log=log)
        yield server
    finally:
        stop(process, 15, 10)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
