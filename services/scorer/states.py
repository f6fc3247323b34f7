"""What is stored of persons: the state after the last event, and states from before."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import BigInteger, Connection, LargeBinary, bindparam, delete, select, tuple_

from services.contract import tables
from services.contract.event import Event
from services.contract.phases import DAY_MS
from services.model.state import PersonState, decode_state
from services.runtime.bulk import among, rows_of

CHECKPOINT_EVENTS = 256
"""After so many events of a person their state is kept, and after so many more again."""

Announced = dict[str, str]
"""What the change feed said last: ``phase``, ``latency`` and ``segment:KEY`` → value."""

Place = tuple[int, bytes]
"""(occurred_ms, event_id): an event's place in the canonical order."""


class Head(NamedTuple):
    """How a stored person stands towards the change feed."""

    version: int
    announced: Announced
    due_ms: int | None


class Held(NamedTuple):
    """What is stored of a person before this batch."""

    state: PersonState
    stored: bytes
    """The same as it is stored: folding changes the other."""
    head: Head
    last: Place
    settled: bytes | None
    """A state of ``SETTLED_MS`` before the last event, or longer."""


def place(event: Event) -> Place:
    """The event's place in the canonical order."""
    return event.occurred_ms, event.event_id


def load(db: Connection, persons: Iterable[int]) -> dict[int, Held]:
    """The stored states of persons; those without one are left out."""
    row = tables.person_state.c
    query = select(
        row.person_id,
        row.state,
        row.version,
        row.last_ms,
        row.last_event_id,
        row.announced,
        row.due_ms,
        row.settled,
    ).where(among(db, row.person_id, persons))
    return {
        person: Held(
            decode_state(state),
            state,
            Head(version, msgspec.json.decode(announced), due_ms),
            (at, event_id),
            settled,
        )
        for person, state, version, at, event_id, announced, due_ms, settled in rows_of(db, query)
    }


def heads(db: Connection, persons: Collection[int]) -> dict[int, Head]:
    """How persons stand towards the feed now; those without a state are left out."""
    row = tables.person_state.c
    if not persons:
        return {}
    query = select(row.person_id, row.version, row.announced, row.due_ms).where(
        among(db, row.person_id, persons)
    )
    return {
        person: Head(version, msgspec.json.decode(announced), due_ms)
        for person, version, announced, due_ms in rows_of(db, query)
    }


def last_versions(db: Connection, persons: Collection[int]) -> dict[int, int]:
    """What was last told of persons who were nobody for a while: they go on after it."""
    column = tables.person.c
    if not persons:
        return {}
    query = select(column.id, column.version).where(
        among(db, column.id, persons), column.version.is_not(None)
    )
    return {row.id: row.version for row in db.execute(query)}


def bases_of(
    db: Connection, late: Mapping[int, Place], held: Mapping[int, Held]
) -> dict[int, tuple[Place, PersonState]]:
    """For each person the newest state kept from before a place; later checkpoints are deleted.

    One checkpoint a person is read, however many there are.
    """
    long = {person: at for person, at in late.items() if _may_have_checkpoints(held[person])}
    found = {person: base for person, at in long.items() if (base := _newest(db, person, at))}
    if long:
        after = tuple_(_kept.occurred_ms, _kept.event_id) > tuple_(
            bindparam("at", type_=BigInteger), bindparam("event", type_=LargeBinary)
        )
        stale = [{"person": person, "at": at[0], "event": at[1]} for person, at in long.items()]
        db.execute(
            delete(tables.checkpoint).where(_kept.person_id == bindparam("person"), after), stale
        )
    for person, before in late.items():
        settled = held[person].settled
        if settled is None:
            continue
        state = decode_state(settled)
        where = (state.at_ms, state.at_id)
        if where < before and (person not in found or where > found[person][0]):
            found[person] = (where, state)
    return found


_kept = tables.checkpoint.c


def _may_have_checkpoints(held: Held) -> bool:
    return held.state.events >= CHECKPOINT_EVENTS


def _newest(db: Connection, person: int, until: Place) -> tuple[Place, PersonState] | None:
    """The person's newest checkpoint up to a place."""
    query = (
        select(_kept.occurred_ms, _kept.event_id, _kept.state)
        .where(
            _kept.person_id == person,
            tuple_(_kept.occurred_ms, _kept.event_id) <= until,
        )
        .order_by(_kept.occurred_ms.desc(), _kept.event_id.desc())
        .limit(1)
    )
    row = db.execute(query).one_or_none()
    return None if row is None else ((row[0], bytes(row[1])), decode_state(bytes(row[2])))


def alike_in_age(begins_ms: Mapping[int, int]) -> Iterator[tuple[int, list[int]]]:
    """(earliest beginning, persons), few groups in which beginnings are about equally long ago.

    What is read of persons from their beginnings on is read in these groups: one who goes far
    back does not have everybody's past read.
    """
    newest_ms = max(begins_ms.values(), default=0)
    groups: dict[int, list[int]] = defaultdict(list)
    for person, begin_ms in begins_ms.items():
        groups[((newest_ms - begin_ms) // DAY_MS).bit_length()].append(person)
    for persons in groups.values():
        yield min(begins_ms[person] for person in persons), persons
