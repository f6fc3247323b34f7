"""The record: a person's own events, through the links that say whose they are."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select, tuple_

from services.contract import event as envelope
from services.contract.event import Event
from services.contract.sweeps import as_swept
from services.contract.tables import event, identity_link
from services.contract.vault import open_payload
from services.model.behaviour import WINDOW_MS, is_hit, judged

EVENTS_FOLDED_MAX = 20_000
"""Of one person, in memory at once."""


def own_events(
    workspace_id: int, person_id: int, as_of_ms: int | None, known_at_ms: int | None
) -> Select[Any]:
    """The query for a person's events up to a moment, as known now or as once known."""
    ties = [
        identity_link.c.workspace_id == workspace_id,
        identity_link.c.person_id == person_id,
        event.c.workspace_id == workspace_id,
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
    until_ms = None if as_of_ms is None else as_of_ms + WINDOW_MS
    query = (
        own_events(workspace_id, person_id, until_ms, known_at_ms)
        .order_by(event.c.occurred_ms.desc(), event.c.event_id.desc())
        .limit(newest)
    )
    rows = connection.execute(query).all()
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
    until_ms = None if as_of_ms is None else as_of_ms + WINDOW_MS
    place = tuple_(event.c.occurred_ms, event.c.event_id)
    query = (
        own_events(workspace_id, person_id, until_ms, known_at_ms)
        .order_by(event.c.occurred_ms, event.c.event_id)
        .limit(EVENTS_FOLDED_MAX)
    )
    rows = connection.execute(query).all()
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
        rows = connection.execute(query.where(place > (last.occurred_ms, last.event_id))).all()
        stored = [one for one in stored if one.occurred_ms >= told[0] - WINDOW_MS]
        stored += [envelope.decode(open_payload(row.payload)) for row in rows]


def events_by_id(
    connection: Connection, workspace_id: int, ids: Iterable[bytes | None]
) -> dict[bytes, Row[Any]]:
    """Some events without their payloads; those that are known no more are left out."""
    wanted = {bytes(one) for one in ids if one is not None}
    row = event.c
    shown = (row.event_id, row.type, row.channel, row.content_id, row.occurred_ms)
    query: Select[Any] = select(*shown).where(
        row.workspace_id == workspace_id, row.event_id.in_(wanted)
    )
    return {bytes(one.event_id): one for one in connection.execute(query)} if wanted else {}


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
