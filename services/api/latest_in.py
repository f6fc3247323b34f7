"""Whom an interval holds for at a moment, as known now, whoever came into it last first.

The order is an index's, so a page costs the same however many there are. It looks at so many
intervals at most: where few of very many still hold, a page is a shorter one.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, or_, select, tuple_

from services.api.people_in import Asked
from services.contract.tables import interval, person

LOOKED_AT_MAX = 5_000
"""Intervals that are looked at for one page."""


class Came(NamedTuple):
    """When somebody came in, and who: the place of a page's last row."""

    from_ms: int
    person_id: int


class LatestPage(NamedTuple):
    """Of each: ``person_id``, ``public_id``, the interval's bounds, and the event that began it."""

    rows: Sequence[Row[Any]]
    next: Came | None
    """After whom the next page begins; None: this was the last."""


def latest_in(
    connection: Connection, workspace_id: int, asked: Asked, after: Came | None, limit: int
) -> LatestPage:
    """Up to ``limit`` people after a place; fewer, though more follow, where they are rare."""
    looked = _looked(workspace_id, asked, after).limit(LOOKED_AT_MAX).subquery("looked")
    still = or_(looked.c.valid_to_ms.is_(None), looked.c.valid_to_ms > asked.as_of_ms)
    order = (looked.c.valid_from_ms.desc(), looked.c.person_id.desc())
    found = select(looked).where(still).order_by(*order).limit(limit + 1).subquery("found")
    query = (
        select(found, person.c.public_id)
        .join(person, person.c.id == found.c.person_id)
        .where(person.c.workspace_id == workspace_id)
        .order_by(found.c.valid_from_ms.desc(), found.c.person_id.desc())
    )
    rows = connection.execute(query).all()
    if len(rows) > limit:
        last = rows[limit - 1]
        return LatestPage(rows[:limit], Came(last.valid_from_ms, last.person_id))
    edge = _looked(workspace_id, asked, after).offset(LOOKED_AT_MAX - 1).limit(1)
    reached = connection.execute(edge).one_or_none()
    following = None if reached is None else Came(reached.valid_from_ms, reached.person_id)
    return LatestPage(rows, following)


def among(
    connection: Connection, workspace_id: int, asked: Asked, person_ids: Collection[int]
) -> Sequence[Row[Any]]:
    """Those of some people for whom it holds, the latest first."""
    query: Select[Any] = (
        select(*_OF_INTERVAL, person.c.public_id)
        .join(person, person.c.id == interval.c.person_id)
        .where(
            *_of(workspace_id, asked),
            interval.c.person_id.in_(person_ids),
            person.c.workspace_id == workspace_id,
            or_(interval.c.valid_to_ms.is_(None), interval.c.valid_to_ms > asked.as_of_ms),
        )
        .order_by(interval.c.valid_from_ms.desc(), interval.c.person_id.desc())
    )
    return connection.execute(query).all()


def _of(workspace_id: int, asked: Asked) -> tuple[Any, ...]:
    return (
        interval.c.workspace_id == workspace_id,
        interval.c.kind == asked.kind,
        interval.c.key == asked.key,
        interval.c.known_to_ms.is_(None),
        interval.c.valid_from_ms <= asked.as_of_ms,
    )


def _looked(workspace_id: int, asked: Asked, after: Came | None) -> Select[Any]:
    row = interval.c
    query = select(*_OF_INTERVAL).where(*_of(workspace_id, asked))
    if after is not None:
        # The first condition is the second's, said so that the index's order begins there.
        query = query.where(
            row.valid_from_ms <= after.from_ms,
            tuple_(row.valid_from_ms, row.person_id) < (after.from_ms, after.person_id),
        )
    return query.order_by(row.valid_from_ms.desc(), row.person_id.desc())


_OF_INTERVAL = (
    interval.c.person_id,
    interval.c.valid_from_ms,
    interval.c.valid_to_ms,
    interval.c.event_id,
)
