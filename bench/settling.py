"""The rows of many persons made of a few kinds of them, by PostgreSQL itself.

Of each kind every row is brought there once, with holes where a person's number goes. One
statement then makes the rows of tens of thousands.
"""

import base64
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from services.contract import tables
from services.contract.event import Event, encode
from services.model.interval import Interval
from services.model.version import load
from services.runtime.bulk import Row, insert_rows
from services.runtime.database import writing

NOBODY = 0x5EED_0F_0A_70_3A
"""Stands where a person's number goes."""
NAME = f"u{NOBODY}"
PERSONS_AT_ONCE = 10_000
AT_ONCE = 2

_staged = MetaData()
_event = Table(
    "kind_event",
    _staged,
    Column("of", Integer, index=True),
    Column("number", BigInteger),
    Column("type", Text),
    Column("channel", Text),
    Column("content_id", Text),
    Column("at_ms", BigInteger),
    Column("before", LargeBinary),
    Column("between", LargeBinary),
    Column("after", LargeBinary),
    prefixes=["UNLOGGED"],
)
_state = Table(
    "kind_state",
    _staged,
    Column("of", Integer, index=True),
    Column("first_ms", BigInteger),
    Column("last_ms", BigInteger),
    Column("number", BigInteger),
    Column("before", LargeBinary),
    Column("after", LargeBinary),
    Column("announced", Text),
    Column("due_ms", BigInteger),
    prefixes=["UNLOGGED"],
)
_interval = Table(
    "kind_interval",
    _staged,
    Column("of", Integer, index=True),
    Column("kind", Text),
    Column("key", Text),
    Column("from_ms", BigInteger),
    Column("to_ms", BigInteger),
    Column("number", BigInteger),
    prefixes=["UNLOGGED"],
)

_SETTLE = """
INSERT INTO person (id, workspace_id, public_id, first_ms, first_event_id, created_ms)
SELECT i, 1, 'p_' || lpad(to_hex(i), 16, '0'), k.first_ms, int8send(i) || int8send(0), 0
FROM settlers CROSS JOIN LATERAL (SELECT * FROM kind_state WHERE of = i % :kinds OFFSET 0) k;

INSERT INTO identity (id, workspace_id, namespace, value, person_id, shared)
SELECT i, 1, 'user_id', 'u' || i, i, false FROM settlers;

INSERT INTO identity_link (id, workspace_id, identity_id, person_id, known_from_ms)
SELECT i, 1, i, i, 0 FROM settlers;

INSERT INTO event (workspace_id, event_id, identity_id, type, channel, content_id,
                   occurred_ms, received_ms, digest, payload)
SELECT 1, int8send(i) || int8send(k.number), i, k.type, k.channel, k.content_id,
       k.at_ms, k.at_ms, '12345678',
       k.before || convert_to(encode(int8send(i) || int8send(k.number), 'base64'), 'UTF8')
       || k.between || convert_to('u' || i, 'UTF8') || k.after
FROM settlers CROSS JOIN LATERAL (SELECT * FROM kind_event WHERE of = i % :kinds OFFSET 0) k;

INSERT INTO person_state (person_id, workspace_id, state, model_version, version, last_ms,
                          last_event_id, events, announced, due_ms)
SELECT i, 1, k.before || int8send(i) || int8send(k.number) || k.after, :model, 1, k.last_ms,
       int8send(i) || int8send(k.number), k.number + 1, k.announced, k.due_ms
FROM settlers CROSS JOIN LATERAL (SELECT * FROM kind_state WHERE of = i % :kinds OFFSET 0) k;

INSERT INTO interval (workspace_id, person_id, kind, key, valid_from_ms, valid_to_ms,
                      known_from_ms, event_id)
SELECT 1, i, k.kind, k.key, k.from_ms, k.to_ms, k.from_ms, int8send(i) || int8send(k.number)
FROM settlers CROSS JOIN LATERAL (SELECT * FROM kind_interval WHERE of = i % :kinds OFFSET 0) k;
"""


@dataclass(frozen=True)
class Kind:
    """What somebody did, and what the scorer made of it; it is the person :data:`NOBODY`'s."""

    events: tuple[Event, ...]
    state: bytes
    announced: str
    due_ms: int | None
    intervals: tuple[Interval, ...]


def event_id(person: int, number: int) -> bytes:
    """Of somebody's event, from 0."""
    return person.to_bytes(8, "big") + number.to_bytes(8, "big")


def settle(engine: Engine, kinds: Sequence[Kind], persons: int) -> None:
    """All rows of persons 1 and so on, who take turns in the kinds."""
    _staged.create_all(engine)
    with writing(engine).begin() as db:
        for table, rows in (
            (_event, [row for n, kind in enumerate(kinds) for row in _events(n, kind)]),
            (_state, [_of_state(n, kind) for n, kind in enumerate(kinds)]),
            (_interval, [row for n, kind in enumerate(kinds) for row in _intervals(n, kind)]),
        ):
            insert_rows(db, table, tuple(table.c.keys()), rows)
    for table in _staged.sorted_tables:
        _analyse(engine, table)
    for index in tables.interval.indexes:
        index.drop(engine)
    with ThreadPoolExecutor(AT_ONCE) as workers:
        firsts = range(1, persons + 1, PERSONS_AT_ONCE)
        some = [range(i, min(i + PERSONS_AT_ONCE, persons + 1)) for i in firsts]
        [*workers.map(lambda numbers: _settle(engine, numbers, len(kinds)), some)]
        [*workers.map(lambda index: index.create(engine), tables.interval.indexes)]
    _staged.drop_all(engine)


def _settle(engine: Engine, numbers: range, kinds: int) -> None:
    with writing(engine).begin() as db:
        db.execute(text("CREATE TEMPORARY TABLE settlers (i BIGINT) ON COMMIT DROP"))
        listed = text(
            "INSERT INTO settlers SELECT generate_series(CAST(:a AS BIGINT), CAST(:b AS BIGINT))"
        )
        db.execute(listed, {"a": numbers[0], "b": numbers[-1]})
        for statement in _SETTLE.strip().split(";\n"):
            db.execute(text(statement.rstrip(";")), _wanted(statement, kinds))


def _wanted(statement: str, kinds: int) -> dict[str, object]:
    given = {"kinds": kinds, "model": load().version}
    return {name: value for name, value in given.items() if f":{name}" in statement}


def _analyse(engine: Engine, table: Table) -> None:
    with writing(engine).begin() as db:
        db.execute(text(f"ANALYZE {table.name}"))


def _events(of: int, kind: Kind) -> Iterator[Row]:
    for n, one in enumerate(kind.events):
        before, rest = encode(one).split(base64.b64encode(one.event_id))
        between, after = rest.split(NAME.encode())
        told = (one.type, one.channel, one.content_id, one.occurred_ms)
        yield (of, n, *told, before, between, after)


def _of_state(of: int, kind: Kind) -> Row:
    number = len(kind.events) - 1
    before, after = kind.state.split(event_id(NOBODY, number))
    edges = (kind.events[0].occurred_ms, kind.events[-1].occurred_ms)
    return (of, *edges, number, before, after, kind.announced, kind.due_ms)


def _intervals(of: int, kind: Kind) -> Iterator[Row]:
    for one in kind.intervals:
        number = None if one.event_id is None else int.from_bytes(one.event_id[8:], "big")
        yield (of, one.kind, one.key, one.from_ms, one.to_ms, number)
