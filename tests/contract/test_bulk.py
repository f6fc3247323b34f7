"""Many rows at once: the same in as out, on both databases."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select

from services.contract import tables
from services.runtime.bulk import (
    among,
    delete_rows,
    insert_fresh,
    insert_rows,
    pairs,
    rows_of,
    update_rows,
)
from services.runtime.database import meanwhile, open_database, writing

CONSENT = (
    "workspace_id",
    "identity_id",
    "purpose",
    "granted",
    "answered",
    "asserted",
    "text_version",
    "said_ms",
    "source_id",
    "event_id",
    "recorded_ms",
)
STATE = ("person_id", "workspace_id", "state", "settled", "model_version", "version", "last_ms")
REST = ("last_event_id", "events", "announced", "due_ms")
STATES = [
    (1, 1, b"\x00\\x,{}\"'\xff", None, 'a "quoted" \\ {text}, NULL', -(2**53), 0, b"", 1, "", None),
    (2, 1, b"", b"\x00" * 70_000, "é 😀", 2**62, 5, b"x" * 16, 2**31 - 1, "NULL", -7),
]


@pytest.fixture
def db(database_url: str) -> Iterator[Connection]:
    engine = open_database(database_url)
    with writing(engine).begin() as connection:
        yield connection
    engine.dispose()


def _states(db: Connection) -> list[tuple[object, ...]]:
    row = tables.person_state.c
    names = (*STATE, *REST)
    return rows_of(db, select(*(row[name] for name in names)).order_by(row.person_id))


def test_rows_come_back_as_they_were(db: Connection) -> None:
    insert_rows(db, tables.person_state, (*STATE, *REST), STATES)
    assert _states(db) == STATES
    insert_rows(db, tables.person_state, (*STATE, *REST), STATES, skip_known=True)
    changed = [(None, b"new", 1), (9, b"", 2)]
    update_rows(db, tables.person_state, "person_id", ("due_ms", "state"), changed)
    assert [(row[-1], row[2]) for row in _states(db)] == [(None, b"new"), (9, b"")]
    delete_rows(db, tables.person_state, "person_id", [2, 3])
    assert [row[0] for row in _states(db)] == [1]


def test_truths_and_nothing_are_kept_apart(db: Connection) -> None:
    rows = [
        (1, 1, "measure", True, False, True, None, 5, -1, b"1" * 16, 6),
        (1, 2, "measure", False, True, False, "v1", 5, 2, b"2" * 16, 6),
    ]
    insert_rows(db, tables.consent, CONSENT, rows)
    row = tables.consent.c
    found = db.execute(select(*(row[name] for name in CONSENT)).order_by(row.identity_id)).all()
    assert [tuple(one) for one in found] == rows


def test_fresh_are_those_that_were_not_there(db: Connection) -> None:
    columns = ("workspace_id", "event_id", "type", "channel", "occurred_ms", "received_ms")
    rows = [(1, bytes([i]) * 16, "page", "website", i, i, bytes([i]) * 8, b"{}") for i in range(4)]
    names = (*columns, "digest", "payload")
    assert insert_fresh(db, tables.event, names, rows[:2], "event_id") == {b"\0" * 16, b"\1" * 16}
    assert insert_fresh(db, tables.event, names, rows, "event_id") == {b"\2" * 16, b"\3" * 16}
    assert insert_fresh(db, tables.event, names, rows, "event_id") == set()


@pytest.mark.parametrize("asked", [[], [2], [1, 2, 3]])
def test_many_are_asked_for_at_once(db: Connection, asked: list[int]) -> None:
    insert_rows(db, tables.person_state, (*STATE, *REST), STATES)
    row = tables.person_state.c
    found = rows_of(db, select(row.person_id).where(among(db, row.person_id, asked)))
    assert {one for (one,) in found} == {1, 2} & set(asked)
    listed, person_id, from_ms = pairs(db, [(one, 3) for one in asked])
    late = (row.person_id == person_id) & (row.last_ms >= from_ms)
    query = select(row.person_id).join_from(listed, tables.person_state, late)
    assert {one for (one,) in rows_of(db, query)} == {2} & set(asked)


def test_texts_are_asked_for_as_they_are(db: Connection) -> None:
    insert_rows(db, tables.person_state, (*STATE, *REST), STATES)
    row = tables.person_state.c
    texts = [one[4] for one in STATES]
    assert len(rows_of(db, select(row.person_id).where(among(db, row.model_version, texts)))) == 2


def test_what_is_computed_meanwhile_waits_for_the_database(db: Connection) -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.extend(db.execute(select(1)).scalars())
        return len(asked)

    assert meanwhile(db, ask, lambda: "own") == (1, "own")
    with pytest.raises(ZeroDivisionError):
        meanwhile(db, ask, lambda: 1 // 0)
    assert len(asked) == 2  # the connection is free again
    with pytest.raises(ZeroDivisionError):
        meanwhile(db, lambda: 1 // 0, lambda: "own")
