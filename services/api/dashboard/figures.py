"""The numbers of the first page: people in each phase, past, now and ahead."""

from dataclasses import dataclass

from sqlalchemy import Connection

from services.api.counts import count_at, trend
from services.api.segment_store import find_segments, progress_of
from services.contract.phases import DAY_MS, HOUR_MS, PHASES, IntervalKind

STEP_MS = 2 * DAY_MS
PAST_STEPS = 91
AHEAD_STEPS = 45
WEEK_MS = 7 * DAY_MS
MONTH_MS = 28 * DAY_MS


@dataclass(frozen=True)
class Figure:
    """A phase or segment: how many now, what changed, and the curve through now."""

    key: str
    """The phase, or the segment's."""
    now: int
    week: int
    """Now less a week ago."""
    expected: int
    """In four weeks, if nothing more happens."""
    from_ms: int
    now_ms: int
    past: tuple[int, ...]
    """From ``from_ms``, every :data:`STEP_MS`, up to the present hour."""
    ahead: tuple[int, ...]
    """The steps after it."""

    def moment(self, index: int) -> int:
        """The moment of a step."""
        return self.from_ms + index * STEP_MS


@dataclass(frozen=True)
class SegmentFigure:
    """A segment and its number of members now."""

    key: str
    name: str
    count: int | None
    """None: its first version is being filled."""
    progress: float


def figure(
    connection: Connection, workspace_id: int, kind: IntervalKind, key: str, now_ms: int
) -> Figure:
    """The numbers of a phase, or of a segment's version."""
    hour_ms = now_ms - now_ms % HOUR_MS
    from_ms = hour_ms - (PAST_STEPS - 1) * STEP_MS
    points = PAST_STEPS + AHEAD_STEPS
    counts = trend(connection, workspace_id, kind, key, from_ms, STEP_MS, points)

    def at(at_ms: int) -> int:
        return count_at(connection, workspace_id, kind, key, at_ms)

    now = at(now_ms)
    return Figure(
        key=key,
        now=now,
        week=now - at(now_ms - WEEK_MS),
        expected=at(now_ms + MONTH_MS),
        from_ms=from_ms,
        now_ms=hour_ms,
        past=(*counts[: PAST_STEPS - 1], now),
        ahead=tuple(counts[PAST_STEPS:]),
    )


def phase_figures(connection: Connection, workspace_id: int, now_ms: int) -> list[Figure]:
    """The numbers of all phases, in their order."""
    return [figure(connection, workspace_id, "phase", phase, now_ms) for phase in PHASES]


def segment_figures(connection: Connection, workspace_id: int, now_ms: int) -> list[SegmentFigure]:
    """All segments with their members now."""
    return [
        SegmentFigure(
            key=found.newest.key,
            name=found.newest.name,
            count=None
            if found.live is None
            else count_at(connection, workspace_id, "segment", str(found.live.id), now_ms),
            progress=progress_of(connection, workspace_id, found.newest),
        )
        for found in find_segments(connection, workspace_id)
    ]
