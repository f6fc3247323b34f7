"""Whom an interval held for at a moment: the members of a segment, the people in a phase.

A page is read in the order of people, so that whoever stays is on exactly one page, whatever is
written meanwhile. It looks at so many intervals at most: where something holds for few of very
many, they are found by the moment itself if that is quicker, or the page is a shorter one.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    ScalarSelect,
    Select,
    Subquery,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.sql import ColumnElement

from services.api.people import held
from services.contract.phases import IntervalKind
from services.contract.tables import interval, person

LOOKED_AT_MAX = 5_000
"""Intervals that are looked at for one page."""


class Asked(NamedTuple):
    """What a page is of. ``known_at_ms`` None: as known when the page is read.

    What is foretold is rewritten by whatever happens next and not kept, so pages ahead are read
    as known at each page's own time.
    """

    kind: IntervalKind
    key: str
    as_of_ms: int
    known_at_ms: int | None


class PeoplePage(NamedTuple):
    """Of each: ``person_id``, ``public_id``, the interval's bounds, and the event that began it."""

    rows: Sequence[Row[Any]]
    next_id: int | None
    """After which person the next page begins; None: this was the last."""


def people_in(
    connection: Connection, workspace_id: int, asked: Asked, after_id: int, limit: int
) -> PeoplePage:
    """Up to ``limit`` people after ``after_id``; fewer, though more follow, where they are rare."""
    told: dict[str, Any] = {
        "workspace": workspace_id,
        "kind": asked.kind,
        "key": asked.key,
        "after": after_id,
        "as_of": asked.as_of_ms,
        "known_at": asked.known_at_ms,
        "limit": limit + 1,
        "look_at": LOOKED_AT_MAX,
    }
    now = asked.known_at_ms is None
    rows = connection.execute(_page(_LOOKED, now=now), told).all()
    if len(rows) > limit:
        return PeoplePage(rows[:limit], rows[limit - 1].person_id)
    reached = connection.execute(_REACHED, told).scalar()
    if reached is None:
        return PeoplePage(rows, None)
    for found, number in _BY_TIME:
        if int(connection.execute(number, told).scalar_one()) < LOOKED_AT_MAX:
            rows = connection.execute(_page(found, now=now), told).all()
            return PeoplePage(rows[:limit], rows[limit - 1].person_id if rows[limit:] else None)
    # Of the person reached last not every interval may have been looked at.
    last_id = max(reached - 1, after_id + 1)
    return PeoplePage([row for row in rows if row.person_id <= last_id], last_id)


_OF_KEY = (
    interval.c.workspace_id == bindparam("workspace"),
    interval.c.kind == bindparam("kind"),
    interval.c.key == bindparam("key"),
)
_AS_OF = bindparam("as_of", type_=BigInteger)
_FOLLOWING = (*_OF_KEY, interval.c.person_id > bindparam("after"))
# Made once: to put a statement together takes longer than the database needs to answer it.
_LOOKED = (
    select(interval)
    .where(*_FOLLOWING)
    .order_by(interval.c.person_id, interval.c.valid_from_ms)
    .limit(bindparam("look_at"))
    .subquery("looked")
)
_REACHED = (
    select(interval.c.person_id)
    .where(*_FOLLOWING)
    .order_by(interval.c.person_id, interval.c.valid_from_ms)
    .offset(bindparam("look_at") - 1)
    .limit(1)
)
_BEGUN = interval.c.valid_from_ms <= _AS_OF
_ENDLESS = interval.c.valid_to_ms.is_(None)
_ENDS_LATER = interval.c.valid_to_ms > _AS_OF


def _number(*conditions: ColumnElement[bool]) -> Select[Any]:
    """How many intervals meet one of the conditions, of each as many as are looked at at most."""
    return select(sum(map(_number_of, conditions), start=literal(0)))


def _number_of(condition: ColumnElement[bool]) -> ScalarSelect[int]:
    some = select(interval.c.id).where(*_OF_KEY, condition).limit(bindparam("look_at")).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


_BY_TIME = (
    (select(interval).where(*_FOLLOWING, _BEGUN).subquery("timely"), _number(_BEGUN)),
    (
        select(interval).where(*_FOLLOWING, or_(_ENDLESS, _ENDS_LATER)).subquery("timely"),
        _number(_ENDLESS, _ENDS_LATER),
    ),
)
"""Intervals by when they begin, or end, and how many these are."""


@cache
def _page(source: Subquery, *, now: bool) -> Select[Any]:
    """The people of a page, only these looked up as persons."""
    known_at = None if now else bindparam("known_at", type_=BigInteger)
    page = select(source).where(held(_AS_OF, known_at, source))
    # The sum keeps the order from being taken for the index's, which leads through everybody.
    place = source.c.person_id if source is _LOOKED else source.c.person_id + 0
    found = page.order_by(place).limit(bindparam("limit")).subquery("page")
    return (
        select(
            found.c.person_id,
            found.c.valid_from_ms,
            found.c.valid_to_ms,
            found.c.event_id,
            person.c.public_id,
        )
        .join(person, person.c.id == found.c.person_id)
        .where(person.c.workspace_id == bindparam("workspace"))
        .order_by(found.c.person_id)
    )
