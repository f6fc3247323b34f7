"""What a person did and got, newest first."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import tuple_

from services.api.cursors import pack_cursor, unpack_cursor
from services.api.opening import AskedPersonAt
from services.api.person_view import IdentityOut
from services.api.problem import described
from services.api.record import as_taken, own_events
from services.api.wire import Cursor, Limit, Out, rfc3339
from services.contract import event as envelope
from services.contract.event import Channel, Event, EventType
from services.contract.tables import event
from services.contract.vault import open_payload

router = APIRouter(prefix="/v1/persons", tags=["persons"])


class MachineOut(Out):
    """How probably software did it, and why we think so."""

    p: float
    reasons: list[str]


class EventOut(Out):
    """One thing that happened."""

    id: str = Field(examples=["5f0c2d1e9b8a77665544332211009988"])
    type: EventType
    channel: Channel
    at: str
    received_at: str
    content_id: str | None
    content_type: str | None
    message_id: str | None
    identities: list[IdentityOut]
    machine: MachineOut
    properties: dict[str, Any]


class TimelineOut(Out):
    """A page of a person's events, newest first."""

    events: list[EventOut]
    next: str | None


class _TimelineCursor(msgspec.Struct, array_like=True):
    occurred_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    event_id: bytes


@router.get(
    "/{person_id}/timeline",
    summary="A person's events, newest first",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_timeline(asked: AskedPersonAt, cursor: Cursor = None, limit: Limit = 50) -> TimelineOut:
    """Everything the record holds of this person, over all channels and identities."""
    with asked.opened() as (connection, row):
        whose = (row.public_id, str(asked.as_of_ms), str(asked.known_at_ms))
        place = None if cursor is None else unpack_cursor(cursor, _TimelineCursor, *whose)
        query = own_events(asked.workspace_id, row.id, asked.as_of_ms, asked.known_at_ms)
        if place is not None:
            before = tuple_(event.c.occurred_ms, event.c.event_id)
            query = query.where(before < (place.occurred_ms, place.event_id))
        query = query.order_by(event.c.occurred_ms.desc(), event.c.event_id.desc())
        rows = connection.execute(query.limit(limit + 1)).all()
        events = [envelope.decode(open_payload(r.payload)) for r in rows[:limit]]
        taken = as_taken(connection, asked.workspace_id, row.id, events, asked.known_at_ms)
    shown = [show_event(one) for one in taken]
    if len(rows) <= limit:
        return TimelineOut(events=shown, next=None)
    last = rows[limit - 1]
    following = _TimelineCursor(last.occurred_ms, last.event_id)
    return TimelineOut(events=shown, next=pack_cursor(following, *whose))


def show_event(found: Event) -> EventOut:
    """An event as an answer."""
    return EventOut(
        id=found.event_id.hex(),
        type=found.type,
        channel=found.channel,
        at=rfc3339(found.occurred_ms),
        received_at=rfc3339(found.received_ms),
        content_id=found.content_id,
        content_type=found.content_type,
        message_id=found.message_id,
        identities=[IdentityOut(namespace=i.namespace, value=i.value) for i in found.identities],
        machine=MachineOut(p=found.machine.p, reasons=list(found.machine.reasons)),
        properties=found.properties,
    )
