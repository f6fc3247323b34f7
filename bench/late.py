"""What an event costs that comes late, by how long its person's history is.

One person per length of history, a hundred events a day. Then events that belong some time before
the last one, each in a transaction of its own: processor time in SQLite, which works in this
process, and the rows that PostgreSQL touched. A late event shall cost by what came after it; the
length of what came before shall not matter.
"""

import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, insert

from bench.figures import Figure, Target
from services.contract import tables
from services.contract.event import Consent, Event, Identity, encode, event_id_of, record_key
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.version import load
from services.runtime.database import open_database, writing
from services.runtime.event_log import Stored
from services.runtime.migrations import migrate
from services.scorer.announce import prepare_feed
from services.scorer.batch import apply
from services.scorer.record import sort_out
from tests.servers.postgres import run_postgres

LENGTHS = (1_000, 10_000, 100_000)
A_DAY = 100
LATENESS = {
    "in order": 0,
    "1 hour late": HOUR_MS,
    "1 day late": DAY_MS,
    "7 days late": 7 * DAY_MS,
    "70 days late": 70 * DAY_MS,
    "700 days late": 700 * DAY_MS,
}
TIMES = 7
RATIO_MAX = 1.5
LAST_MS = 1_780_000_000_000
BATCH = 2_000
_TYPES = ("page", "page", "read", "page", "vacancy_viewed", "site_search", "play")
_MODEL = load()


def measure(folder: Path) -> list[Figure]:
    """Into SQLite for time, into PostgreSQL for rows."""
    figures = _in(f"sqlite:///{folder / 'late.db'}", "ms of processor time", _Timed)
    with run_postgres() as server:
        server.execute("CREATE DATABASE late")
        return figures + _in(server.url("late"), "rows touched", _Counted)


class _Timed:
    """Milliseconds of processor time of a transaction."""

    def __init__(self, db: Connection) -> None:
        del db
        self._begin_s = time.process_time()

    def found(self) -> float:
        return (time.process_time() - self._begin_s) * 1000


class _Counted:
    """Rows that PostgreSQL read, live or dead, by index or not, and wrote, in a transaction."""

    _QUERY = (
        "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_upd"
        " + n_tup_del), 0) FROM pg_stat_xact_user_tables"
    )

    def __init__(self, db: Connection) -> None:
        self._db = db
        # What the connection did before is counted too, until the server has taken it over.
        self._before = self._now()

    def found(self) -> float:
        return self._now() - self._before

    def _now(self) -> float:
        return float(self._db.exec_driver_sql(self._QUERY).scalar_one())


def _in(url: str, unit: str, meter: type[_Timed | _Counted]) -> list[Figure]:
    migrate(url)
    engine = writing(open_database(url))
    with engine.begin() as db:
        prepare_feed(db)
        space = {"id": 1, "public_id": "ws", "name": "W", "time_zone": "UTC", "created_ms": 0}
        db.execute(insert(tables.workspace).values(space))
    position = 0
    for length in LENGTHS:
        events = _history(length)
        for begin in range(0, length, BATCH):
            position = _score(engine, events[begin : begin + BATCH], position, None)[0]
    if engine.dialect.name == "postgresql":
        with engine.connect() as db:
            db.exec_driver_sql("ANALYZE")
    figures: list[Figure] = []
    for name, late_ms in LATENESS.items():
        found: dict[int, float] = {}
        for length in LENGTHS:
            if late_ms * A_DAY / DAY_MS >= length:
                continue
            spent = []
            for n in range(TIMES):
                one = _event(length, f"{name}-{n}", LAST_MS - late_ms + (n + 1) * 997)
                position, took = _score(engine, [one], position, meter)
                spent.append(took)
            found[length] = statistics.median(spent)
        figures += _told(name, unit, found)
    engine.dispose()
    return figures


def _told(name: str, unit: str, found: dict[int, float]) -> list[Figure]:
    measure = f"A late event, {unit}"
    figures = [
        Figure(measure, f"{name}, of {length:,} events", value, "")
        for length, value in found.items()
    ]
    if len(found) > 1:
        ratio = found[max(found)] / found[min(found)]
        figures.append(
            Figure(measure, f"{name}, longest history over shortest", ratio, "×", Target(RATIO_MAX))
        )
    return figures


def _history(length: int) -> list[Event]:
    rng = random.Random(length)
    step_ms = DAY_MS // A_DAY
    return [
        _event(length, f"{n}", LAST_MS - (length - n - 1) * step_ms, rng.choice(_TYPES))
        for n in range(length)
    ]


def _event(length: int, name: str, at_ms: int, type_: str = "page") -> Event:
    return Event(
        v=1,
        workspace_id=1,
        event_id=event_id_of(1, 1, f"{length}-{name}"),
        source_id=1,
        type=type_,
        identities=(Identity("user_id", f"{length}"),),
        occurred_ms=at_ms,
        received_ms=LAST_MS + DAY_MS,
        channel="website",
        consent=Consent(measure=True, profile=True),
    )


def _score(
    engine: Engine, events: Sequence[Event], position: int, meter: type[_Timed | _Counted] | None
) -> tuple[int, float]:
    """(position after them, what the transaction cost)."""
    records = [
        Stored(0, position + n, record_key(event), encode(event)) for n, event in enumerate(events)
    ]
    batch = sort_out(records)
    with engine.begin() as db:
        meant = meter(db) if meter is not None else None
        apply(db, "late", batch, _MODEL, LAST_MS + DAY_MS)
        cost = 0.0 if meant is None else meant.found()
    return position + len(events), cost
