"""People of whom nothing was heard for as long as their workspace keeps anybody: erased.

A few are looked at in a turn, in the order of their ids, round after round. Nothing is done while
events wait to be scored: there may be one of theirs among them.
"""

from typing import NamedTuple

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.erasure import ERASED
from services.contract.event import VERSION, Event, encode, event_id_of
from services.contract.ledger import possessions
from services.contract.phases import DAY_MS
from services.model.version import Model
from services.runtime.bulk import among
from services.scorer.announce import publish
from services.scorer.erasing import erase_people
from services.scorer.identities import lock
from services.scorer.owners import hold_persons
from services.scorer.record import Arrived

MONTH_MS = DAY_MS * 487 // 16
"""A twelfth of a year of 365.25 days."""
LOOKED_AT_MAX = 1_000
"""Persons looked at in one turn."""
ERASED_MAX = 20
"""Persons erased in one transaction."""

_state, _workspace = tables.person_state.c, tables.workspace.c


class Place(NamedTuple):
    """How far a round has come."""

    workspace_id: int = 0
    person_id: int = 0


def erase_silent(db: Connection, model: Model, place: Place, now_ms: int) -> Place | None:
    """Look at the next few persons, and erase those whose time is over.

    Args:
        db: a transaction that holds the version in force.
        model: that version.
        place: where to go on.
        now_ms: UTC milliseconds.

    Returns:
        Where to go on; None: everybody was looked at.
    """
    query = (
        select(_workspace.id, _workspace.retention_months)
        .where(_workspace.id >= place.workspace_id, _workspace.retention_months.is_not(None))
        .order_by(_workspace.id)
        .limit(1)
    )
    kept = db.execute(query).one_or_none()
    if kept is None:
        return None
    workspace_id, months = kept
    after_id = place.person_id if workspace_id == place.workspace_id else 0
    persons = (
        select(_state.person_id, _state.last_ms)
        .where(_state.workspace_id == workspace_id, _state.person_id > after_id)
        .order_by(_state.person_id)
        .limit(LOOKED_AT_MAX)
    )
    looked_at = db.execute(persons).all()
    heard_ms = now_ms - months * MONTH_MS
    due = [person for person, last_ms in looked_at if last_ms <= heard_ms][:ERASED_MAX]
    if due:
        _erase(db, workspace_id, due, months, model, now_ms)
    if len(due) == ERASED_MAX:
        return Place(workspace_id, due[-1])
    if len(looked_at) == LOOKED_AT_MAX:
        return Place(workspace_id, looked_at[-1].person_id)
    return Place(workspace_id + 1)


def _erase(
    db: Connection, workspace_id: int, persons: list[int], months: int, model: Model, now_ms: int
) -> None:
    lock(db, workspace_id)
    hold_persons(db, persons)
    # With the locks in hand: somebody may have been heard of meanwhile.
    query = select(_state.person_id, _state.last_ms).where(
        _state.workspace_id == workspace_id,
        among(db, _state.person_id, persons),
        _state.last_ms <= now_ms - months * MONTH_MS,
    )
    words = [
        word
        for person, last_ms in db.execute(query).all()
        if (word := _word(db, workspace_id, person, last_ms, months, now_ms)) is not None
    ]
    arrived = [Arrived(word, encode(word)) for word in words]
    farewell = erase_people(db, workspace_id, arrived, model, now_ms)
    publish(db, [(workspace_id, change) for change in farewell.changes], now_ms)


def _word(
    db: Connection, workspace_id: int, person: int, last_ms: int, months: int, now_ms: int
) -> Event | None:
    held = possessions(db, workspace_id, person)
    if not held.identities:
        return None
    spans = [[s.identity.namespace, s.identity.value, *s[1:]] for s in held.spans]
    return Event(
        v=VERSION,
        workspace_id=workspace_id,
        event_id=event_id_of(workspace_id, 0, f"retention:{person}:{last_ms}"),
        source_id=0,
        type=ERASED,
        identities=held.identities,
        occurred_ms=last_ms + months * MONTH_MS,
        received_ms=now_ms,
        channel="website",
        server_only=True,
        properties={"reason": "retention", "spans": spans},
    )
