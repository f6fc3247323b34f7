"""Boundaries announced when they come, a million persons being known.

Three times the real scorer has nothing to read and much to announce: one mailing's windows all
close in the same millisecond; so many boundaries come each second; it was away for days. Persons
lie in the tables before (:mod:`bench.known`). Rates are of persons' boundaries: at each, phase,
latency state and membership may change, and every one that does is a row of the feed. Last a
worker of its own shows what it holds (:mod:`bench.resident`).
"""

import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, func, select

from bench.figures import Figure, Target, percentile
from bench.known import Kind, kinds, know, prepare
from bench.processes import cpu_s
from bench.resident import resident
from services.contract import tables
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.version import load
from services.runtime.clock import now_ms
from services.runtime.database import open_database
from services.runtime.migrations import migrate
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.scorer.consume import POLL_S, Scorer
from services.scorer.positions import positions
from tests.servers.postgres import Postgres, run_postgres

KNOWN = 1_000_000
MAILED = 100_000
AWAY = 30_000
AWAY_DAYS = 3
PACE = 5_000
PACE_S = 10
VISITING = 100_000
"""Persons of whom an event each waits for the worker that is looked at last."""
WAITING = 20_000
"""Persons of whom it has a boundary to announce."""
RATE_MIN = Target(5_000, at_least=True)
DELAY_S_MAX = Target(1.0)
MEMORY_MB_MAX = Target(250)
FAR_MS = 100 * DAY_MS
SEED = 11


class Size(NamedTuple):
    """How many persons each part has."""

    known: int = KNOWN
    mailed: int = MAILED
    away: int = AWAY
    pace: int = PACE
    pace_s: int = PACE_S
    visiting: int = VISITING
    waiting: int = WAITING


def measure(folder: Path) -> list[Figure]:
    """On SQLite, and on PostgreSQL."""
    figures = announce(f"sqlite:///{folder / 'kentering.db'}", folder / "sqlite", None)
    with run_postgres() as server:
        server.execute("CREATE DATABASE bench")
        figures += announce(server.url("bench"), folder / "postgres", server)
    return figures


def announce(url: str, folder: Path, server: Postgres | None, size: Size = Size()) -> list[Figure]:  # noqa: B008
    """All three in one database."""
    migrate(url)
    engine = open_database(url)
    real_ms = now_ms()
    # What is announced by a clock that is set lies before what a worker finds by the real one.
    paced_ms = real_ms - DAY_MS
    away_ms = paced_ms - DAY_MS
    mailed_ms = away_ms - AWAY_DAYS * DAY_MS
    prepare(engine, mailed_ms - FAR_MS)
    people = kinds()
    for index in tables.interval.indexes:
        index.drop(engine)
    rng = random.Random(SEED)
    free = know(engine, ((rng.choice(people), mailed_ms) for _ in range(size.mailed)))
    free = know(engine, _away(rng, people, size.away, mailed_ms), free)
    free = know(engine, _paced(rng, people, size, paced_ms), free)
    free = know(engine, ((rng.choice(people), real_ms - 1) for _ in range(size.waiting)), free)
    visitors = free
    free = know(engine, _visiting(rng, people, size.visiting, real_ms), free, named=True)
    visiting = range(visitors, free)
    know(engine, _later(rng, people, size.known - free + 1, real_ms), free)
    for index in tables.interval.indexes:
        index.create(engine)
    if server is not None:
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
            db.exec_driver_sql("VACUUM ANALYZE")
    database = "SQLite" if server is None else "PostgreSQL"
    measure = f"Announcing into {database}, {size.known:,} persons known"
    SqliteLog(folder).close()
    bench = _Bench(engine, folder, server)
    figures = _mailing(bench, measure, mailed_ms)
    figures += _after_days(bench, measure, mailed_ms, away_ms)
    figures += _steady(bench, measure, paced_ms, size)
    bench.close()
    peak_mb = resident(url, folder.with_name(f"{folder.name}-worker"), visiting)
    name = f"scorer on {database}, {size.known:,} persons known, most while scoring and announcing"
    return [*figures, Figure("Memory", name, peak_mb, "MB", MEMORY_MB_MAX)]


class _Bench:
    """The real scorer with an empty log, and a clock that is set, and stands or goes."""

    def __init__(self, engine: Engine, folder: Path, server: Postgres | None) -> None:
        self.engine, self._server = engine, server
        self._clock_ms = 0
        self._started_s: float | None = None
        self._reader = SqliteLogReader(folder, positions(engine))
        self._scorer = Scorer(engine, self._reader, load(), clock=self.now_ms)

    def now_ms(self) -> int:
        """What the scorer takes for the time."""
        gone_s = 0.0 if self._started_s is None else time.monotonic() - self._started_s
        return self._clock_ms + int(gone_s * 1000)

    def set_clock(self, at_ms: int) -> None:
        """Let it stand at a moment."""
        self._clock_ms, self._started_s = at_ms, None

    def start_clock(self) -> None:
        """Let it go."""
        self._started_s = time.monotonic()

    def close(self) -> None:
        self._reader.close()
        self.engine.dispose()

    def step(self, timeout_s: float) -> None:
        self._scorer.step(timeout_s)

    def all_at_once(self) -> tuple[float, float, float, int]:
        """(seconds, our CPU, the database's, changes) to announce whatever is due."""
        before = self.position()
        began = time.perf_counter(), time.process_time(), self._server_cpu_s()
        while self._due():
            self._scorer.step(0)
        ended = time.perf_counter(), time.process_time(), self._server_cpu_s()
        wall_s, own_s, server_s = (b - a for a, b in zip(began, ended, strict=True))
        return wall_s, own_s, server_s, self.position() - before

    def _due(self) -> bool:
        row = tables.person_state.c
        with self.engine.connect() as db:
            query = select(row.person_id).where(row.due_ms <= self.now_ms()).limit(1)
            return db.execute(query).first() is not None

    def position(self) -> int:
        """The feed's next position."""
        with self.engine.connect() as db:
            row = tables.feed_position.c
            return db.execute(select(row.next).where(row.id == 1)).scalar_one()

    def told(self, position: int) -> list[tuple[int, int]]:
        """(valid_ms, person) of changes from a position on, in order."""
        row = tables.change.c
        query = select(row.valid_ms, row.person_id).where(row.position >= position)
        with self.engine.connect() as db:
            return [tuple(one) for one in db.execute(query.order_by(row.position))]

    def _server_cpu_s(self) -> float:
        return 0.0 if self._server is None else cpu_s(self._server.pid)


def _later(
    rng: random.Random, people: list[Kind], count: int, end_ms: int
) -> Iterator[tuple[Kind, int]]:
    """Hardly anything comes of these before the end of the run."""
    for _ in range(count):
        yield rng.choice(people), end_ms + HOUR_MS + rng.randrange(FAR_MS)


def _visiting(
    rng: random.Random, people: list[Kind], count: int, begin_ms: int
) -> Iterator[tuple[Kind, int]]:
    """Their last events lie before a moment, and their next boundaries after it."""
    for _ in range(count):
        kind = rng.choice(people)
        yield kind, begin_ms + rng.randrange(-kind.last_ms)


def _paced(
    rng: random.Random, people: list[Kind], size: Size, begin_ms: int
) -> Iterator[tuple[Kind, int]]:
    """As many boundaries each second, evenly spread."""
    for i in range(size.pace * size.pace_s):
        yield rng.choice(people), begin_ms + i * 1000 // size.pace


def _away(
    rng: random.Random, people: list[Kind], count: int, before_ms: int
) -> Iterator[tuple[Kind, int]]:
    """Boundaries all over the days after ``before_ms``."""
    for _ in range(count):
        yield rng.choice(people), before_ms + 1 + rng.randrange(AWAY_DAYS * DAY_MS)


def _mailing(bench: _Bench, measure: str, mailed_ms: int) -> list[Figure]:
    bench.set_clock(mailed_ms)
    before = bench.position()
    boundaries = _due_until(bench.engine, mailed_ms)
    figures = _rate(bench, measure, "one mailing's windows", boundaries)
    told = bench.told(before)
    assert {at for at, _ in told} == {mailed_ms}
    assert len({person for _, person in told}) == boundaries
    return figures


def _due_until(engine: Engine, at_ms: int) -> int:
    row = tables.person_state.c
    with engine.connect() as db:
        return db.execute(select(func.count()).where(row.due_ms <= at_ms)).scalar_one()


def _rate(bench: _Bench, measure: str, what: str, boundaries: int) -> list[Figure]:
    wall_s, own_s, server_s, changes = bench.all_at_once()
    figures = [
        Figure(measure, what, boundaries / wall_s, "boundaries/s", RATE_MIN),
        Figure(measure, "  changes of them", changes / wall_s, "/s"),
        Figure(measure, "  CPU per boundary", own_s / boundaries * 1e6, "µs"),
    ]
    if server_s:
        per = server_s / boundaries * 1e6
        figures.append(Figure(measure, "  PostgreSQL's own CPU per boundary", per, "µs"))
    return figures


def _steady(bench: _Bench, measure: str, paced_ms: int, size: Size) -> list[Figure]:
    """So many boundaries each second, spread over it; how late each was readable."""
    bench.set_clock(paced_ms - 1)
    bench.all_at_once()
    before = bench.position()
    bench.start_clock()
    delays_ms: list[int] = []
    while bench.now_ms() < paced_ms + size.pace_s * 1000 + 1_000:
        bench.step(POLL_S)
        seen_ms = bench.now_ms()
        told = bench.told(before)
        delays_ms += [seen_ms - at for at, _ in told]
        before += len(told)
    assert len(delays_ms) >= size.pace * size.pace_s
    name = f"latest of {size.pace:,} due a second"
    return [
        Figure(measure, name, max(delays_ms) / 1000, "s", DELAY_S_MAX),
        Figure(measure, "  99 of 100 within", percentile(delays_ms, 0.99) / 1000, "s"),
    ]


def _after_days(bench: _Bench, measure: str, mailed_ms: int, end_ms: int) -> list[Figure]:
    """Everything of the days in which nobody announced; each with the time at which it came."""
    edge, state = tables.interval.c, tables.person_state.c
    wanted = set()
    with bench.engine.connect() as db:
        for column in (edge.valid_from_ms, edge.valid_to_ms):
            query = (
                select(column, edge.person_id)
                .join_from(tables.interval, tables.person_state, edge.person_id == state.person_id)
                .where(column > mailed_ms, column <= end_ms, column > state.last_ms)
            )
            wanted |= {tuple(one) for one in db.execute(query)}
    before = bench.position()
    bench.set_clock(end_ms)
    figures = _rate(bench, measure, f"after {AWAY_DAYS} days away", len(wanted))
    told = bench.told(before)
    assert set(told) == wanted
    late = sum(later[0] < earlier[0] for earlier, later in pairwise(told))
    return [*figures, Figure(measure, "  told after a later one", late, "changes", Target(0))]
