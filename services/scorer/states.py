"""What is stored of persons: the state after the last event, and states from before."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, bindparam, delete, select

from services.contract import tables
from services.contract.event import Event
from services.model.state import PersonState, decode_state
from services.runtime.bulk import among

Announced = dict[str, str]
"""What the change feed said last: ``phase``, ``latency`` and ``segment:KEY`` → value."""

Place = tuple[int, bytes]
"""(occurred_ms, event_id): an event's place in the canonical order."""


@dataclass(frozen=True, slots=True)
class Head:
    """How a stored person stands towards the change feed."""

    version: int
    announced: Announced
    due_ms: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """What is stored of a person before this batch."""

    state: PersonState
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
            decode_state(bytes(state)),
            Head(version, msgspec.json.decode(announced), due_ms),
            (at, bytes(event_id)),
            None if settled is None else bytes(settled),
        )
        for person, state, version, at, event_id, announced, due_ms, settled in db.execute(
            query
        ).all()
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
        for person, version, announced, due_ms in db.execute(query).all()
    }


def bases_of(
    db: Connection, late: Mapping[int, Place], held: Mapping[int, Held]
) -> dict[int, tuple[Place, PersonState]]:
    """For each person the newest state kept from before a place; later checkpoints are deleted."""
    row = tables.checkpoint.c
    if not late:
        return {}
    query = select(row.person_id, row.occurred_ms, row.event_id, row.state).where(
        among(db, row.person_id, late)
    )
    found: dict[int, tuple[Place, PersonState]] = {}
    stale: list[dict[str, object]] = []
    newest: dict[int, tuple[Place, bytes]] = {}
    for person, at, event_id, state in db.execute(query).all():
        where = (at, bytes(event_id))
        if where > late[person]:
            stale.append({"person": person, "at": at, "event": bytes(event_id)})
        elif person not in newest or where > newest[person][0]:
            newest[person] = (where, bytes(state))
    for person, (where, state) in newest.items():
        found[person] = (where, decode_state(state))
    for person, before in late.items():
        settled = held[person].settled
        if settled is None:
            continue
        state = decode_state(settled)
        where = (state.at_ms, state.at_id)
        if where < before and (person not in found or where > found[person][0]):
            found[person] = (where, state)
    if stale:
        db.execute(
            delete(tables.checkpoint).where(
                row.person_id == bindparam("person"),
                row.occurred_ms == bindparam("at"),
                row.event_id == bindparam("event"),
            ),
            stale,
        )
    return found
