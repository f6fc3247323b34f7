"""Events per second through the scorer into each database, and where its time goes.

The scorer reads a spool that holds a simulated year in the order of time. The first part makes
it warm, the rest is measured. Its clock is the stream's, so that predictions come due among the
events as they do in real life, only faster. Parts are timed from outside, by processor time of
the thread; what is not read, fold or announce is writing, the database's answers included.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from sqlalchemy import Engine

from bench.figures import Figure, Target
from bench.processes import cpu_s
from bench.stream import PEOPLE, Arrival, stream
from services.api.segment_store import create_segment
from services.api.workspaces import create_workspace
from services.contract.event import decode
from services.model.version import load
from services.runtime.database import open_database, writing
from services.runtime.event_log import Stored
from services.runtime.migrations import migrate
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.scorer import chores, consume, folding, save, states
from services.scorer.announce import prepare_feed
from services.scorer.build import build_step
from services.scorer.consume import Scorer
from services.scorer.positions import positions
from tests.servers.postgres import Postgres, run_postgres

MEASURED = 50_000
WORKERS = 2
EVENTS_PER_S_MIN = 10_000
EVENT_US_MAX = 46
"""Of the worker's processor, beside PostgreSQL."""
CPU_OF_ONE_MAX = 1.15
APPEND = 1_000
SEGMENTS: dict[str, dict[str, Any]] = {
    "ready": {"type": "phase", "any_of": ["think", "do"]},
    "looked": {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 14},
    "north": {"type": "attribute", "name": "region", "op": "is", "value": "Noord"},
}
# Whose function, its name, and the part that its time belongs to.
PARTS = (
    (consume, "sort_out", "read"),
    (states, "decode_state", "fold"),
    (folding, "advance_onto", "fold"),
    (folding, "go_on", "fold"),
    (folding, "encode_state", "fold"),
    (save, "encode_state", "fold"),
    (chores, "announce_due", "announce"),
)


@dataclass
class Stopwatch:
    """Processor seconds of this thread per part."""

    taken_s: dict[str, float] = field(default_factory=dict)

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time added to a part."""

        def run(*arguments: Any, **named: Any) -> Any:
            begin = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                self.taken_s[part] = self.taken_s.get(part, 0) + time.thread_time() - begin

        return run


@dataclass(frozen=True)
class Scored:
    """What one worker took for so many events."""

    events: int
    wall_s: float
    parts_s: dict[str, float]
    """Its own processor time, per part."""
    server_s: float
    """The processor time of the database's own processes."""

    @property
    def per_s(self) -> float:
        """Events a second."""
        return self.events / self.wall_s

    @property
    def event_us(self) -> float:
        """The worker's processor time per event, in microseconds."""
        return sum(self.parts_s.values()) / self.events * 1e6


def measure(folder: Path) -> list[Figure]:
    """Into SQLite, and into PostgreSQL."""
    arrivals = stream()
    spool = folder / "spool"
    fill(spool, arrivals)
    figures = _score(f"sqlite:///{folder / 'kentering.db'}", spool, arrivals, None)
    with run_postgres() as server:
        server.execute("CREATE DATABASE bench")
        alone = _score(server.url("bench"), spool, arrivals, server)
        server.execute("CREATE DATABASE together")
        together = _score_together(server.url("together"), folder, arrivals, alone[1].value)
    return figures + alone + together


def _score_together(
    url: str, folder: Path, arrivals: list[Arrival], alone_us: float
) -> list[Figure]:
    """Two workers, a process each, on the two halves of the stream.

    ``alone_us``: what an event takes of the processor where one worker does them all.
    """
    migrate(url)
    engine = open_database(url)
    prepare(engine, arrivals[0].received_ms)
    engine.dispose()
    halves = [folder / f"half-{i}" for i in range(WORKERS)]
    for i, half in enumerate(halves):
        fill(half, [a for a in arrivals if a.record.key[0] % WORKERS == i])
    spawning = multiprocessing.get_context("spawn")
    begin = spawning.Barrier(WORKERS)
    with ProcessPoolExecutor(WORKERS, spawning, initializer=_share, initargs=(begin,)) as pool:
        measured = list(pool.map(_work, [url] * WORKERS, halves))
    wall_s = max(end for _, end, _ in measured) - min(begun for begun, _, _ in measured)
    event_us = mean(event_us for _, _, event_us in measured)
    measure = f"Scorer into PostgreSQL, {WORKERS} workers, {MEASURED:,} events"
    target, limit = Target(EVENTS_PER_S_MIN, at_least=True), Target(CPU_OF_ONE_MAX)
    return [
        Figure(measure, "events", MEASURED / wall_s, "/s", target),
        Figure(measure, "CPU per event", event_us, "µs"),
        Figure(measure, "CPU as multiple of one worker's", event_us / alone_us, "×", limit),
    ]


def _share(begin: Any) -> None:
    """In a worker: keep what all of them wait at."""
    global _begin  # noqa: PLW0603  how a pool hands over what cannot be pickled
    _begin = begin


def _work(url: str, spool: Path) -> tuple[float, float, float]:
    """In a worker: score a half.

    Returns when its measured part began and ended, in monotonic seconds, and what an event of it
    took of the processor, in microseconds.
    """
    engine = open_database(url)
    reader = SqliteLogReader(spool, positions(engine))
    clock = StreamsClock(reader)
    scorer = Scorer(engine, reader, load(), clock=clock.now_ms)
    while reader.lag() > MEASURED // WORKERS:
        scorer.step(0)
    left = reader.lag()
    assert left > 0
    _begin.wait()
    begun, begun_cpu_s = time.monotonic(), time.process_time()
    while reader.lag():
        scorer.step(0)
    ended, event_us = time.monotonic(), (time.process_time() - begun_cpu_s) / left * 1e6
    reader.close()
    engine.dispose()
    # As if it had been exactly its share: it was warm at the end of a batch, not of a record.
    return begun, begun + (ended - begun) * (MEASURED // WORKERS) / left, event_us


class StreamsClock:
    """The time by the last record that a reader polled."""

    def __init__(self, reader: SqliteLogReader, watch: Stopwatch | None = None) -> None:
        self._poll = watch.timed("read", reader.poll) if watch else reader.poll
        self._now_ms = 0
        reader.poll = self._poll_and_look  # type: ignore[method-assign]

    def now_ms(self) -> int:
        """UTC milliseconds."""
        return self._now_ms

    def _poll_and_look(self, records_max: int, timeout_s: float) -> list[Stored]:
        records = self._poll(records_max, timeout_s)
        if records:
            self._now_ms = decode(records[-1].value).received_ms
        return records


def _score(url: str, spool: Path, arrivals: list[Arrival], server: Postgres | None) -> list[Figure]:
    scored = score(url, spool, arrivals, SEGMENTS, server)
    return _figures(server is not None, scored)


def score(
    url: str,
    spool: Path,
    arrivals: list[Arrival],
    segments: Mapping[str, Any],
    server: Postgres | None,
) -> Scored:
    """One worker, warm, through the last ``MEASURED`` of the spool's events."""
    migrate(url)
    engine = open_database(url)
    reader = SqliteLogReader(spool, positions(engine))
    watch = Stopwatch()
    clock = StreamsClock(reader, watch)
    with _timed_parts(watch):
        scorer = Scorer(engine, reader, load(), clock=clock.now_ms)
        prepare(engine, arrivals[0].received_ms, segments)
        while reader.lag() > MEASURED:
            scorer.step(0)
        watch.taken_s.clear()
        events = reader.lag()
        began = time.perf_counter(), time.process_time(), _server_cpu_s(server)
        while reader.lag():
            scorer.step(0)
        ended = time.perf_counter(), time.process_time(), _server_cpu_s(server)
    reader.close()
    engine.dispose()
    wall_s, used_s, server_s = (b - a for a, b in zip(began, ended, strict=True))
    parts_s = watch.taken_s | {"write": used_s - sum(watch.taken_s.values())}
    return Scored(events, wall_s, parts_s, server_s)


def _figures(is_postgres: bool, scored: Scored) -> list[Figure]:
    database = "PostgreSQL" if is_postgres else "SQLite"
    measure = f"Scorer into {database}, {scored.events:,} events of {PEOPLE:,} known persons"
    target = Target(EVENTS_PER_S_MIN, at_least=True)
    limit = Target(EVENT_US_MAX) if is_postgres else None
    figures = [
        Figure(measure, "events", scored.per_s, "/s", target),
        Figure(measure, "CPU per event", scored.event_us, "µs", limit),
    ]
    figures += [
        Figure(measure, f"  of that {part}", scored.parts_s[part] / scored.events * 1e6, "µs")
        for part in ("read", "fold", "write", "announce")
    ]
    if is_postgres:
        per_event = scored.server_s / scored.events * 1e6
        figures.append(Figure(measure, "PostgreSQL's own CPU per event", per_event, "µs"))
    return figures


def _server_cpu_s(server: Postgres | None) -> float:
    return 0.0 if server is None else cpu_s(server.pid)


def fill(spool: Path, arrivals: list[Arrival]) -> None:
    log = SqliteLog(spool)
    for start in range(0, len(arrivals), APPEND):
        log.append([arrival.record for arrival in arrivals[start : start + APPEND]])
    log.close()


def prepare(engine: Engine, now_ms: int, segments: Mapping[str, Any] = SEGMENTS) -> None:
    """A workspace with segments in force, and the feed that a scorer begins with."""
    create_workspace(engine, "Bench", "Europe/Amsterdam", None, now_ms)
    with writing(engine).begin() as connection:
        prepare_feed(connection)
        for key, rule in segments.items():
            create_segment(connection, 1, key, key, rule, "bench", now_ms)
        while build_step(connection, load(), now_ms):
            pass


@contextmanager
def _timed_parts(watch: Stopwatch) -> Iterator[None]:
    with ExitStack() as stack:
        for module, name, part in PARTS:
            function = getattr(module, name)
            stack.callback(setattr, module, name, function)
            setattr(module, name, watch.timed(part, function))
        yield
