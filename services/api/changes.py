"""The change feed: who moved, when and why, in an order that never skips."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Row, Select, and_, select

from services.api.context import Here
from services.api.needs import ChangesReader
from services.api.problem import described
from services.api.wire import INT64_MAX, Out, rfc3339
from services.contract.phases import ChangeReason
from services.contract.tables import change, person

router = APIRouter(prefix="/v1", tags=["changes"])

ChangeType = Literal["phase", "latency", "segment", "identity"]


class ChangeOut(Out):
    """One announced change."""

    position: int = Field(examples=[4711])
    type: ChangeType
    person: str
    segment: str | None = Field(description="The segment's key, for a change of membership.")
    before: str | None
    after: str | None
    valid_at: str = Field(description="Since when it holds.")
    recorded_at: str = Field(description="When we came to know.")
    reason: ChangeReason
    event: str | None
    person_version: int


class ChangesOut(Out):
    """A page of the feed; go on with `after=next`."""

    changes: list[ChangeOut]
    next: int


@router.get("/changes", summary="The change feed", responses=described(400, 401, 403, 503))
def list_changes(
    here: Here,
    credential: ChangesReader,
    after: Annotated[
        int, Query(ge=0, le=INT64_MAX, description="The last position already seen.")
    ] = 0,
    types: Annotated[list[ChangeType] | None, Query(max_length=4)] = None,
    segment: Annotated[
        str | None, Query(max_length=64, description="Only members of this segment.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ChangesOut:
    """Oldest first. Once a position was read, nothing appears before it any more."""
    query = select_changes(credential.workspace_id).where(change.c.position > after)
    if types:
        query = query.where(change.c.kind.in_(types))
    if segment is not None:
        query = query.where(change.c.kind == "segment", change.c.key == segment)
    with here.engine.connect() as connection:
        rows = connection.execute(query.order_by(change.c.position).limit(limit)).all()
    return ChangesOut(
        changes=[_show(row) for row in rows], next=rows[-1].position if rows else after
    )


def select_changes(workspace_id: int) -> Select[Any]:
    """Changes of a workspace with the public id of their person."""
    return (
        select(change, person.c.public_id)
        .join(
            person, and_(person.c.workspace_id == workspace_id, person.c.id == change.c.person_id)
        )
        .where(change.c.workspace_id == workspace_id)
    )


def _show(row: Row[Any]) -> ChangeOut:
    return ChangeOut(
        position=row.position,
        type=row.kind,
        person=row.public_id,
        segment=row.key or None,
        before=row.before,
        after=row.after,
        valid_at=rfc3339(row.valid_ms),
        recorded_at=rfc3339(row.recorded_ms),
        reason=row.reason,
        event=None if row.event_id is None else row.event_id.hex(),
        person_version=row.person_version,
    )
