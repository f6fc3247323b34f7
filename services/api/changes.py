"""The change feed: who moved, when and why, in an order that never skips."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Select, and_, or_

from services.api.context import Context, Here
from services.api.feed import check_reached
from services.api.needs import ChangesReader
from services.api.problem import described
from services.api.segment_store import check_named
from services.api.wire import INT64_MAX, Out
from services.contract.change import CHANGE_TYPES, ChangeType, select_changes, told
from services.contract.phases import ChangeReason
from services.contract.tables import change

router = APIRouter(prefix="/v1", tags=["changes"])


class ChangeOut(Out):
    """One announced change."""

    position: int = Field(examples=[4711])
    type: ChangeType
    person: str
    segment: str | None = Field(description="The segment's key, for a change of membership.")
    namespace: str | None = Field(
        description="What kind of identity was linked or unlinked; null where persons were merged "
        "or parted."
    )
    before: str | None = Field(
        description="What was told last: the phase or state before; `member` of a segment that was "
        "left; for an identity the person whose it was. After a late event it need not be what "
        "held just before `valid_at`."
    )
    after: str | None = Field(
        description="The same, after. `erased` for a person; null where nothing holds any more."
    )
    valid_at: str = Field(description="Since when it holds.")
    recorded_at: str = Field(description="When we came to know.")
    reason: ChangeReason
    event: str | None
    person_version: int
    trigger: str | None = Field(description="The trigger that hands the person over.")
    content: str | None = Field(
        description="What they are handed over with; `valid_at` is then the moment."
    )


class ChangesOut(Out):
    """A page of the feed; go on with `after=next`."""

    changes: list[ChangeOut]
    next: int


Types = Annotated[
    list[ChangeType] | None,
    Query(
        max_length=len(CHANGE_TYPES),
        description="Only changes of these types; given once for each.",
    ),
]
Segment = Annotated[
    str | None,
    Query(
        max_length=64,
        description="Only changes of membership of this segment. One that there never was is "
        "refused; what was told of a deleted one stays.",
    ),
]


def check_segment(here: Context, workspace_id: int, segment: str | None) -> None:
    """Whether there is, or was, the segment whose changes somebody asks for.

    Raises:
        Problem: 400, there never was.
    """
    if segment is not None:
        with here.engine.connect() as connection:
            check_named(connection, workspace_id, [segment], ever=True)


def wanted(workspace_id: int, types: list[ChangeType] | None, segment: str | None) -> Select[Any]:
    """The changes of a workspace that somebody asks for, and always who was erased."""
    query = select_changes(workspace_id)
    if types:
        query = query.where(change.c.kind.in_([*types, "person"]))
    if segment is not None:
        member = and_(change.c.kind == "segment", change.c.key == segment)
        query = query.where(or_(member, change.c.kind == "person"))
    return query


@router.get("/changes", summary="The change feed", responses=described(400, 401, 403, 503))
def list_changes(
    here: Here,
    credential: ChangesReader,
    after: Annotated[
        int, Query(ge=0, le=INT64_MAX, description="The last position already seen.")
    ] = 0,
    types: Types = None,
    segment: Segment = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ChangesOut:
    """Oldest first. Once a position was read, nothing appears before it any more.

    Who was erased (`person`) is always told: forget them. What the feed said of them is gone.
    """
    check_segment(here, credential.workspace_id, segment)
    query = wanted(credential.workspace_id, types, segment).where(change.c.position > after)
    with here.engine.connect() as connection:
        check_reached(connection, after)
        rows = connection.execute(query.order_by(change.c.position).limit(limit)).all()
    return ChangesOut(
        changes=[ChangeOut(**told(row)._asdict()) for row in rows],
        next=rows[-1].position if rows else after,
    )
