"""How the number of a segment's members moves."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from services.api.context import Here
from services.api.counts import trend
from services.api.needs import SegmentsReader
from services.api.problem import Problem, described
from services.api.segment_shapes import SegmentKey
from services.api.segment_store import find_segment
from services.api.wire import Moment, Out, rfc3339
from services.contract.phases import DAY_MS, HOUR_MS

router = APIRouter(prefix="/v1/segments", tags=["segments"])

POINTS_MAX = 500
_STEPS: dict[str, int] = {"hour": HOUR_MS, "day": DAY_MS, "week": 7 * DAY_MS}


class PointOut(Out):
    """How many were, are or will be in the segment at a whole hour."""

    at: str
    count: int
    ahead: bool = Field(description="True where it is what comes if nothing more happens.")


class TrendOut(Out):
    """The number of members through time, as known now."""

    segment: str
    version: int | None = Field(
        description="The one that is counted; null, and no points: none is in force yet."
    )
    points: list[PointOut]


@router.get(
    "/{key}/trend",
    summary="The number of members through time",
    responses=described(400, 401, 403, 404, 503),
)
def get_trend(
    here: Here,
    credential: SegmentsReader,
    key: SegmentKey,
    from_: Annotated[
        Moment, Query(alias="from", description="The first point is the whole hour this lies in.")
    ],
    to: Annotated[
        Moment,
        Query(
            description="No point lies after it; it may be in the future. Not before `from`, and "
            f"such that there are at most {POINTS_MAX} points."
        ),
    ],
    step: Annotated[
        Literal["hour", "day", "week"], Query(description="From one point to the next.")
    ] = "day",
) -> TrendOut:
    """Past and ahead. Points lie on whole hours, from the one that `from` lies in."""
    step_ms, now_ms = _STEPS[step], here.clock()
    from_ms = from_ - from_ % HOUR_MS
    points = (to - from_ms) // step_ms + 1
    if to < from_ or points > POINTS_MAX:
        text = f"That would be {points} points, and may be {POINTS_MAX} at most."
        if to < from_:
            text = "`to` must not lie before `from`."
        raise Problem(400, "bad_range", text)
    with here.glancing.connect() as connection:
        found = find_segment(connection, credential.workspace_id, key)
        if found.live is None:
            return TrendOut(segment=key, version=None, points=[])
        counts = trend(
            connection,
            credential.workspace_id,
            "segment",
            str(found.live.id),
            from_ms,
            step_ms,
            points,
        )
    moments = range(from_ms, from_ms + points * step_ms, step_ms)
    told = [
        {"at": rfc3339(at_ms), "count": count, "ahead": at_ms > now_ms}
        for at_ms, count in zip(moments, counts, strict=True)
    ]
    version = found.live.number
    return TrendOut.model_validate({"segment": key, "version": version, "points": told})
