"""The record: a person's own events, through the links that say whose they are."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    or_,
    select,
    tuple_,
)

from services.contract import event as envelope
from services.contract.event import Event
from services.contract.sweeps import as_swept
from services.contract.tables import event, identity_link
from services.contract.tables.unguessed import unguessed
from services.contract.vault import open_payload
from services.model.behaviour import WINDOW_MS, is_hit, judged

EVENTS_FOLDED_MAX = 20_000
"""Of one person, in memory at once."""

Asked = int | ColumnElement[int]
"""A number, or the parameter of a statement that stands for one."""


def own_events(
    workspace_id: Asked, person_id: Asked, as_of_ms: Asked | None, known_at_ms: Asked | None
) -> Select[Any]:
    """The query for a person's events up to a moment, as known now or as once known."""
    mine = unguessed(workspace_id)
    ties = [
        identity_link.c.workspace_id == mine,
        identity_link.c.person_id == person_id,
        event.c.workspace_id == mine,
        event.c.identity_id == identity_link.c.identity_id,
        or_(
            identity_link.c.valid_from_ms.is_(None),
            event.c.occurred_ms >= identity_link.c.valid_from_ms,
        ),
        or_(
            identity_link.c.valid_to_ms.is_(None),
            event.c.occurred_ms < identity_link.c.valid_to_ms,
        ),
    ]
    if as_of_ms is not None:
        ties.append(event.c.occurred_ms <= as_of_ms)
    if known_at_ms is None:
        ties.append(identity_link.c.known_to_ms.is_(None))
    else:
        ties += [
            event.c.received_ms <= known_at_ms,
            identity_link.c.known_from_ms <= known_at_ms,
            or_(
                identity_link.c.known_to_ms.is_(None),
                identity_link.c.known_to_ms > known_at_ms,
            ),
        ]
    return select(event.c.payload, event.c.occurred_ms, event.c.event_id).where(and_(*ties))


def events_of(
    connection: Connection,
    workspace_id: int,
    person_id: int,
    as_of_ms: int | None = None,
    known_at_ms: int | None = None,
    newest: int = EVENTS_FOLDED_MAX,
) -> list[Event]:
    """A person's newest events in canonical order, oldest first, each with what it is taken for.

    That may depend on those just after it, so these are looked at too. Of more than ``newest`` the
    others are left out: for who needs all of them there is :func:`history_of`.
    """
    told = _told(workspace_id, person_id, as_of_ms, known_at_ms, newest)
    query = _history(until=as_of_ms is not None, now=known_at_ms is None, newest=True)
    rows = connection.execute(query, told).all()
    stored = [envelope.decode(open_payload(row.payload)) for row in reversed(rows)]
    events = judged(as_swept(connection, workspace_id, stored, known_at_ms))
    return [event for event in events if as_of_ms is None or event.occurred_ms <= as_of_ms]


def history_of(
    connection: Connection,
    workspace_id: int,
    person_id: int,
    as_of_ms: int | None = None,
    known_at_ms: int | None = None,
) -> Iterator[Event]:
    """The same of all of a person's events: ``EVENTS_FOLDED_MAX`` are read at once."""
    asked = _told(workspace_id, person_id, as_of_ms, known_at_ms, EVENTS_FOLDED_MAX)
    query = _history(until=as_of_ms is not None, now=known_at_ms is None, newest=False)
    place = tuple_(event.c.occurred_ms, event.c.event_id)
    rows = connection.execute(query, asked).all()
    stored = [envelope.decode(open_payload(row.payload)) for row in rows]
    told: tuple[int, bytes] = (-1, b"")
    while True:
        more = len(rows) == EVENTS_FOLDED_MAX
        known = judged(as_swept(connection, workspace_id, stored, known_at_ms))
        for one in known:
            # What those that are not read yet may still tell of waits for them.
            if more and one.occurred_ms >= known[-1].occurred_ms - WINDOW_MS:
                break
            if as_of_ms is not None and one.occurred_ms > as_of_ms:
                return
            if (one.occurred_ms, one.event_id) > told:
                told = one.occurred_ms, one.event_id
                yield one
        if not more:
            return
        last = stored[-1]
        further = query.where(place > (last.occurred_ms, last.event_id))
        rows = connection.execute(further, asked).all()
        stored = [one for one in stored if one.occurred_ms >= told[0] - WINDOW_MS]
        stored += [envelope.decode(open_payload(row.payload)) for row in rows]


# Made once: to put a statement together takes longer than the database needs to answer it.
@cache
def _history(*, until: bool, now: bool, newest: bool) -> Select[Any]:
    """A person's first events, or their newest: with a bound in time, and as once known, or not."""
    workspace, person, until_ms, known_at, limit = (
        bindparam(name, type_=BigInteger)
        for name in ("workspace", "person", "until", "known_at", "number")
    )
    own = own_events(workspace, person, until_ms if until else None, None if now else known_at)
    order = (event.c.occurred_ms, event.c.event_id)
    return own.order_by(*(place.desc() if newest else place for place in order)).limit(limit)


def _told(
    workspace_id: int, person_id: int, as_of_ms: int | None, known_at_ms: int | None, number: int
) -> dict[str, int | None]:
    # What is taken for a person's may depend on what comes just after it.
    until_ms = None if as_of_ms is None else as_of_ms + WINDOW_MS
    person = {"workspace": workspace_id, "person": person_id}
    return {**person, "until": until_ms, "known_at": known_at_ms, "number": number}


def as_taken(
    connection: Connection,
    workspace_id: int,
    person_id: int,
    shown: Sequence[Event],
    known_at_ms: int | None,
) -> list[Event]:
    """Some of a person's events, each with what it is taken for by those near it."""
    if not any(is_hit(one) or one.click_id is not None for one in shown):
        return list(shown)
    moments_ms = [one.occurred_ms for one in shown]
    query = own_events(workspace_id, person_id, max(moments_ms) + WINDOW_MS, known_at_ms)
    near = query.where(event.c.occurred_ms >= min(moments_ms) - WINDOW_MS).order_by(
        event.c.occurred_ms, event.c.event_id
    )
    rows = connection.execute(near.limit(EVENTS_FOLDED_MAX)).all()
    stored = [envelope.decode(open_payload(row.payload)) for row in rows]
    known = judged(as_swept(connection, workspace_id, stored, known_at_ms))
    found = {one.event_id: one for one in known}
    return [found.get(one.event_id, one) for one in shown]
