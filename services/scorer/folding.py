"""Persons moved on by their events: from stored state to stored state.

An event after the person's last one is folded onto the state. One that belongs earlier, or a
change of what is whose, folds anew: from the nearest checkpoint before it, or from the first
event.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection, bindparam, delete, select

from services.contract import tables
from services.contract.event import Event
from services.contract.phases import ChangeReason
from services.model.state import PersonState, decode_state, encode_state
from services.model.timeline import Interval, Rulebook, advance, join
from services.model.version import Model
from services.runtime.bulk import Row, among, insert_rows, update_rows
from services.scorer.record import events_of
from services.scorer.segments import Segments

CHECKPOINT_EVENTS = 256

Announced = dict[str, str]
"""What the change feed said last: ``phase``, ``latency`` and ``segment:KEY`` → value."""

Place = tuple[int, bytes]
"""(occurred_ms, event_id): an event's place in the canonical order."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is stored of a person before this batch."""

    state: PersonState
    version: int
    last: Place
    announced: Announced
    due_ms: int | None


@dataclass(slots=True)
class Folded:
    """A person after this batch."""

    person_id: int
    state: PersonState | None
    """None: nothing is left of the person, who was merged into another."""
    version: int
    cut_ms: int | None
    """Everything from here on is new; None: everything."""
    intervals: list[Interval]
    rulebook: Rulebook
    announced: Announced
    look_ms: int = 0
    """Stored intervals from here on matter: the cut, or an unannounced boundary before it."""
    remade: ChangeReason | None = None
    """Why the person was folded anew, where it was not for an event."""
    checkpoints: list[tuple[Place, bytes]] = field(default_factory=list)
    first: Place | None = None
    """The person's first event, where all were folded."""
    due_ms: int | None = None
    """When the next predicted boundary is to be announced."""


def place(event: Event) -> Place:
    """The event's place in the canonical order."""
    return event.occurred_ms, event.event_id


def fold_persons(
    db: Connection,
    workspace_id: int,
    arrived: Mapping[int, Sequence[Event]],
    anew: Collection[int],
    segments: Segments,
    model: Model,
) -> list[Folded]:
    """Fold new events into their persons.

    Args:
        db: a transaction that has the persons locked.
        workspace_id: whose.
        arrived: new events per person, in any order.
        anew: persons to fold from their first event on, new events or not.
        segments: the rules to keep.
        model: the version.
    """
    persons = sorted(arrived.keys() | set(anew))
    held = load(db, persons)
    late = {
        person: min(map(place, events))
        for person, events in arrived.items()
        if person not in anew and person in held and min(map(place, events)) < held[person].last
    }
    bases = _checkpoints(db, late)
    histories = events_of(db, workspace_id, [*anew, *late]) if anew or late else {}
    folded: list[Folded] = []
    for person in persons:
        rulebook = segments.rulebook_for(person)
        before = held.get(person)
        if person in anew:
            base, events = None, histories.get(person, [])
        elif person in late:
            start, base = bases.get(person, (None, None))
            events = [e for e in histories[person] if start is None or place(e) > start]
        else:
            base = before.state if before else None
            events = sorted(arrived[person], key=place)
        one = _fold(person, base, events, rulebook, model)
        one.version = (before.version if before else 0) + 1
        one.announced = before.announced if before else {}
        one.remade = "merged" if person in anew else None
        if one.cut_ms is not None and before is not None:
            one.look_ms = min(one.cut_ms, before.due_ms or one.cut_ms)
        folded.append(one)
    return folded


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
    ).where(among(db, row.person_id, persons))
    return {
        person: Held(
            decode_state(bytes(state)),
            version,
            (at, bytes(event_id)),
            msgspec.json.decode(announced),
            due_ms,
        )
        for person, state, version, at, event_id, announced, due_ms in db.execute(query)
    }


def _checkpoints(db: Connection, late: Mapping[int, Place]) -> dict[int, tuple[Place, PersonState]]:
    """For each person the newest checkpoint before a place; later ones are deleted."""
    row = tables.checkpoint.c
    if not late:
        return {}
    query = select(row.person_id, row.occurred_ms, row.event_id, row.state).where(
        among(db, row.person_id, late)
    )
    bases: dict[int, tuple[Place, PersonState]] = {}
    stale: list[dict[str, object]] = []
    newest: dict[int, tuple[Place, bytes]] = {}
    for person, at, event_id, state in db.execute(query):
        where = (at, bytes(event_id))
        if where > late[person]:
            stale.append({"person": person, "at": at, "event": bytes(event_id)})
        elif person not in newest or where > newest[person][0]:
            newest[person] = (where, bytes(state))
    for person, (where, state) in newest.items():
        bases[person] = (where, decode_state(state))
    if stale:
        db.execute(
            delete(tables.checkpoint).where(
                row.person_id == bindparam("person"),
                row.occurred_ms == bindparam("at"),
                row.event_id == bindparam("event"),
            ),
            stale,
        )
    return bases


def _fold(
    person_id: int,
    base: PersonState | None,
    events: Sequence[Event],
    rulebook: Rulebook,
    model: Model,
) -> Folded:
    if not events:
        return Folded(person_id, None, 0, None, [], rulebook, {})
    one = Folded(
        person_id,
        base,
        version=0,
        cut_ms=None if base is None else events[0].occurred_ms,
        intervals=[],
        rulebook=rulebook,
        announced={},
        first=place(events[0]) if base is None else None,
    )
    state, begin = base, 0
    while begin < len(events):
        done = 0 if state is None else state.events
        end = min(begin + CHECKPOINT_EVENTS - done % CHECKPOINT_EVENTS, len(events))
        until_ms = events[end].occurred_ms if end < len(events) else None
        state, pieces = advance(state, events[begin:end], model, rulebook, until_ms)
        one.intervals += pieces
        if state.events % CHECKPOINT_EVENTS == 0:
            one.checkpoints.append((place(events[end - 1]), encode_state(state)))
        begin = end
    one.state = state
    one.intervals = join(one.intervals)
    return one


def save(db: Connection, workspace_id: int, folded: Sequence[Folded], model: Model) -> None:
    """Write states and checkpoints, and forget those of persons that are no more."""
    gone = [one.person_id for one in folded if one.state is None]
    anew = [one.person_id for one in folded if one.cut_ms is None and one.version > 1]
    for table, persons in ((tables.person_state, gone), (tables.checkpoint, anew)):
        if persons:
            db.execute(delete(table).where(among(db, table.c.person_id, persons)))
    made: list[Row] = []
    kept: list[Row] = []
    for one in folded:
        if one.state is not None:
            row = _row(workspace_id, one, one.state, model)
            (made if one.version == 1 else kept).append((*row, one.person_id))
    insert_rows(db, tables.person_state, (*_STATE, "person_id"), made)
    update_rows(db, tables.person_state, "person_id", _STATE, kept)
    checkpoints = [
        (one.person_id, *where, workspace_id, state)
        for one in folded
        for where, state in one.checkpoints
    ]
    columns = ("person_id", "occurred_ms", "event_id", "workspace_id", "state")
    insert_rows(db, tables.checkpoint, columns, checkpoints)
    firsts = [(*one.first, one.person_id) for one in folded if one.first is not None]
    update_rows(db, tables.person, "id", ("first_ms", "first_event_id"), firsts)


_STATE = (
    "workspace_id",
    "state",
    "model_version",
    "version",
    "last_ms",
    "last_event_id",
    "events",
    "announced",
    "due_ms",
)


def _row(workspace_id: int, one: Folded, state: PersonState, model: Model) -> Row:
    return (
        workspace_id,
        encode_state(state),
        model.version,
        one.version,
        state.at_ms,
        state.at_id,
        state.events,
        msgspec.json.encode(one.announced).decode(),
        one.due_ms,
    )
