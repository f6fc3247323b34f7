"""Persons folded anew from the event table, a few at a time, beside what is stored of them."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select

from services.contract import tables
from services.contract.tables.unguessed import unguessed
from services.model.interval import Interval
from services.model.version import Model
from services.runtime.bulk import among
from services.scorer.folding import Folded, fold_persons
from services.scorer.segments import Segments

PERSONS_MAX = 500
EVENTS_MAX = 20_000
"""In memory at a time, unless one person has more."""

_person, _state, _interval = tables.person.c, tables.person_state.c, tables.interval.c


class Known(NamedTuple):
    """A person to fold."""

    id: int
    public_id: str
    events: int
    """As many as were folded into what is stored."""


def next_persons(db: Connection, workspace_id: int, after_id: int) -> list[Known]:
    """Persons in the order of their ids, as many as may be in memory at a time; none: the end."""
    events = func.coalesce(_state.events, 0)
    # Told of both: PostgreSQL merges the two, and would go through all states from the first on.
    theirs = and_(_state.person_id == _person.id, _state.person_id > after_id)
    query = (
        select(_person.id, _person.public_id, events)
        .join_from(tables.person, tables.person_state, theirs, isouter=True)
        .where(_person.workspace_id == workspace_id, _person.id > after_id)
        .order_by(_person.id)
        .limit(PERSONS_MAX)
    )
    taken: list[Known] = []
    total = 0
    for row in db.execute(query).all():
        one = Known(*row)
        total += one.events
        if taken and total > EVENTS_MAX:
            break
        taken.append(one)
    return taken


def how_many(db: Connection, workspace_id: int) -> int:
    """Persons of a workspace, those included that were merged into others."""
    query = select(func.count()).where(_person.workspace_id == workspace_id)
    return int(db.execute(query).scalar_one())


def fold_anew(
    db: Connection, workspace_id: int, persons: Sequence[int], segments: Segments, model: Model
) -> list[Folded]:
    """What the events of persons say, whatever is stored of them; nothing is written."""
    return fold_persons(db, workspace_id, {}, persons, segments, model, {})


def states_of(db: Connection, persons: Sequence[int]) -> dict[int, bytes]:
    """The stored state of each person who has one."""
    query = select(_state.person_id, _state.state).where(among(db, _state.person_id, persons))
    return {person: bytes(state) for person, state in db.execute(query).all()}


def intervals_of(
    db: Connection, workspace_id: int, persons: Sequence[int]
) -> dict[int, list[Interval]]:
    """What is stored of persons as now known."""
    query = select(
        _interval.person_id,
        _interval.kind,
        _interval.key,
        _interval.valid_from_ms,
        _interval.valid_to_ms,
        _interval.event_id,
    ).where(
        _interval.workspace_id == unguessed(workspace_id),
        among(db, _interval.person_id, persons),
        _interval.known_to_ms.is_(None),
    )
    found: dict[int, list[Interval]] = {person: [] for person in persons}
    for person, kind, key, from_ms, to_ms, event_id in db.execute(query).all():
        cause = None if event_id is None else bytes(event_id)
        found[person].append(Interval(kind, key, from_ms, to_ms, cause))
    return found
