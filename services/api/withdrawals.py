"""What trackers ask every second: who took consent back since they last asked."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Engine, select

from services.api.context import Here
from services.api.problem import described
from services.api.snapshot import need_internal_key
from services.api.wire import INT64_MAX
from services.contract import withdrawal as wire
from services.contract.tables import feed_position, withdrawal
from services.contract.withdrawal import PAGE_MAX, Page, Withdrawal

_NUMBERS = 2
"""The row of ``feed_position`` that withdrawals get their numbers from."""

router = APIRouter(tags=["internal"])


def load_withdrawals(engine: Engine, after: int) -> Page:
    """The withdrawals after a number, oldest first, ``PAGE_MAX`` at most."""
    row, feed = withdrawal.c, feed_position.c
    query = (
        select(row.number, row.workspace_id, row.mark, row.measure_ms, row.profile_ms)
        .where(row.number > after)
        .order_by(row.number)
        .limit(PAGE_MAX)
    )
    with engine.connect() as connection:
        # First how far it goes, then what there is: so nothing is taken for read that is not.
        following = connection.execute(select(feed.next).where(feed.id == _NUMBERS)).scalar()
        found = connection.execute(query).all()
    newest = 0 if following is None else following - 1
    reached = found[-1].number if found else max(after, newest)
    withdrawals = tuple(
        Withdrawal(one.workspace_id, bytes(one.mark), one.measure_ms, one.profile_ms)
        for one in found
    )
    return Page(reached, max(newest, reached) if found else newest, withdrawals)


@router.get(
    "/internal/withdrawals",
    summary="Who took consent back",
    response_class=Response,
    responses={
        200: {
            "description": "Marks that name nobody, with when consent was taken back.",
            "content": {"application/msgpack": {"schema": {"type": "string"}}},
        },
        **described(400, 401, 503),
    },
    openapi_extra={"security": [{"internal": []}]},
)
def get_withdrawals(
    request: Request,
    here: Here,
    after: Annotated[int, Query(ge=0, le=INT64_MAX, description="`reached` of the page before.")],
) -> Response:
    """For trackers only, by the internal key."""
    need_internal_key(request, here)
    page = load_withdrawals(here.engine, after)
    headers = {"Cache-Control": "private, no-store"}
    return Response(wire.encode(page), headers=headers, media_type="application/msgpack")
