"""A segment that 100,000 made-up persons come into and leave again."""

import random
from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Connection, Engine, Table, select, text, update

from bench import columns
from services.api.segment_store import create_segment
from services.api.workspaces import create_workspace
from services.contract.phases import HOUR_MS, hour_until
from services.contract.tables import count_delta, interval, person, person_state, segment_version
from services.runtime.bulk import Row, insert_rows
from services.runtime.database import writing

PERSONS = 100_000
STRETCHES = 5
SEGMENT = "crowd"

_PAST_H, _AHEAD_H = 500 * 24, 200 * 24
_ROWS = 20_000
_RULE = {"type": "phase", "any_of": ["do"]}


def fill(engine: Engine, now_ms: int) -> str:
    """Fill a migrated, empty database; the API key of its workspace.

    Each person has STRETCHES stays, each of some hours to months, between 500 days ago and 200
    days ahead.
    """
    made = create_workspace(engine, "Crowd", "Europe/Amsterdam", None, now_ms)
    stays = list(_stays(now_ms))
    deltas: Counter[int] = Counter()
    for _, begin, end, _ in stays:
        deltas[hour_until(begin)] += 1
        deltas[hour_until(end)] -= 1
    with writing(engine).begin() as db:
        create_segment(db, 1, SEGMENT, "Crowd", _RULE, "bench", 0)
        live = {"status": "live", "built_to": PERSONS, "live_ms": 0}
        db.execute(update(segment_version).values(live))
        key = str(db.execute(select(segment_version.c.id)).scalar_one())
        _fill_persons(db)
        of_whom = ("workspace_id", "kind", "key")
        names = (*of_whom, "person_id", "valid_from_ms", "valid_to_ms", "known_from_ms")
        _insert(db, interval, names, [(1, "segment", key, *stay) for stay in stays])
        hourly = [(1, "segment", key, *one) for one in deltas.items()]
        _insert(db, count_delta, columns.COUNT_DELTA, hourly)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("ANALYZE"))
    return made.api_key


def _stays(now_ms: int) -> Iterator[tuple[int, int, int, int]]:
    """(person, from, to, known since), all in UTC milliseconds."""
    rng = random.Random(7)
    for number in range(1, PERSONS + 1):
        edges = sorted(rng.sample(range(-_PAST_H, _AHEAD_H), STRETCHES * 2))
        for begin_h, end_h in zip(edges[::2], edges[1::2], strict=True):
            begin = now_ms + begin_h * HOUR_MS + rng.randrange(HOUR_MS)
            yield number, begin, now_ms + (end_h + 1) * HOUR_MS, min(begin, now_ms)


def _fill_persons(db: Connection) -> None:
    numbers = range(1, PERSONS + 1)
    _insert(db, person, columns.PERSON, [(i, 1, f"p_{i:016x}", 0, b"", 0) for i in numbers])
    state = {"workspace_id": 1, "state": b"", "model_version": "none", "version": 1}
    state |= {"last_ms": 0, "last_event_id": b"", "events": 1, "announced": "{}"}
    values = tuple(state.values())
    _insert(db, person_state, ("person_id", *state), [(i, *values) for i in numbers])


def _insert(db: Connection, table: Table, names: tuple[str, ...], rows: list[Row]) -> None:
    for begin in range(0, len(rows), _ROWS):
        insert_rows(db, table, names, rows[begin : begin + _ROWS])
