"""How many are in a phase, a latency state or a segment, at any moment, without scanning them.

Hourly sums give every whole hour; from the nearest one to the moment the intervals that begin or
end are counted themselves.
"""

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from services.api.people import believed
from services.contract.phases import HOUR_MS
from services.contract.tables import count_delta, interval
from services.contract.tables.unguessed import unguessed, workspace_asked


def count_at(connection: Connection, workspace_id: int, kind: str, key: str, at_ms: int) -> int:
    """How many intervals hold at a moment, as known now."""
    hour_ms = (at_ms + HOUR_MS // 2) // HOUR_MS * HOUR_MS
    asked = {"workspace": workspace_id, "kind": kind, "key": key, "hour_ms": hour_ms}
    between = {"after_ms": min(hour_ms, at_ms), "until_ms": max(hour_ms, at_ms)}
    at_hour, grown = connection.execute(_COUNT_NEAR, asked | between).one()
    return int(at_hour + grown if hour_ms < at_ms else at_hour - grown)


def count_believed(
    connection: Connection,
    workspace_id: int,
    kind: str,
    key: str,
    at_ms: int,
    known_at_ms: int,
) -> int:
    """How many intervals held at a moment as it was believed at another; scans them."""
    query = (
        select(func.count())
        .select_from(interval)
        .where(
            interval.c.workspace_id == unguessed(workspace_id),
            interval.c.kind == kind,
            interval.c.key == key,
            interval.c.valid_from_ms <= at_ms,
            or_(interval.c.valid_to_ms.is_(None), interval.c.valid_to_ms > at_ms),
            believed(known_at_ms),
        )
    )
    return int(connection.execute(query).scalar_one())


def trend(
    connection: Connection,
    workspace_id: int,
    kind: str,
    key: str,
    from_ms: int,
    step_ms: int,
    points: int,
) -> list[int]:
    """Counts at ``from_ms``, ``from_ms + step_ms``, …; both are whole hours."""
    # What lies on a moment lies in the step that ends there.
    bucket = (count_delta.c.hour_ms - from_ms - 1) // step_ms
    query = (
        select(bucket, func.sum(count_delta.c.delta))
        .where(
            count_delta.c.workspace_id == unguessed(workspace_id),
            count_delta.c.kind == kind,
            count_delta.c.key == key,
            count_delta.c.hour_ms > from_ms,
            count_delta.c.hour_ms <= from_ms + (points - 1) * step_ms,
        )
        .group_by(bucket)
    )
    grown = {int(number): int(total) for number, total in connection.execute(query)}
    asked = {"workspace": workspace_id, "kind": kind, "key": key, "hour_ms": from_ms}
    count = int(connection.execute(_COUNT_UNTIL, asked).scalar_one())
    counts = [count]
    for i in range(points - 1):
        count += grown.get(i, 0)
        counts.append(count)
    return counts


def _is_asked(table: Table) -> ColumnElement[bool]:
    return and_(
        table.c.workspace_id == workspace_asked(),
        table.c.kind == bindparam("kind"),
        table.c.key == bindparam("key"),
    )


def _is_between(moment: Column[int]) -> ColumnElement[bool]:
    return and_(moment > bindparam("after_ms"), moment <= bindparam("until_ms"))


# Made once: to put a statement together takes longer than the database needs to answer it.
_COUNT_UNTIL = select(func.coalesce(func.sum(count_delta.c.delta), 0)).where(
    _is_asked(count_delta), count_delta.c.hour_ms <= bindparam("hour_ms")
)
_BEGINS, _ENDS = _is_between(interval.c.valid_from_ms), _is_between(interval.c.valid_to_ms)
# Those that begin and those that end are asked for in one: PostgreSQL then finds the rows of both
# in their indexes first, and reads ahead. They lie all over the disk.
_COUNT_NEAR = select(
    _COUNT_UNTIL.scalar_subquery(),
    select(func.count().filter(_BEGINS) - func.count().filter(_ENDS))
    .select_from(interval)
    .where(_is_asked(interval), or_(_BEGINS, _ENDS), interval.c.known_to_ms.is_(None))
    .scalar_subquery(),
)
"""At a whole hour, and by how much it grows between two moments."""
