"""The record: a person's own events, through the links that say whose they are."""

from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select

from services.contract import event as envelope
from services.contract.event import Event
from services.contract.tables import event, identity_link
from services.contract.vault import open_payload

EVENTS_FOLDED_MAX = 20_000
"""Of one person for one answer: the newest are kept."""


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
) -> list[Event]:
    """A person's events in canonical order, oldest first."""
    query = (
        own_events(workspace_id, person_id, as_of_ms, known_at_ms)
        .order_by(event.c.occurred_ms.desc(), event.c.event_id.desc())
        .limit(EVENTS_FOLDED_MAX)
    )
    rows = connection.execute(query).all()
    return [envelope.decode(open_payload(row.payload)) for row in reversed(rows)]
