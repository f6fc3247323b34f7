"""Whom an interval held for at a moment: the members of a segment, the people in a phase.

A page is read in the order of people, so that whoever stays is on exactly one page, whatever is
written meanwhile. Who came and went before, or comes later, is passed over in the index alone, and
a page passes so many over at most: where something holds for few of very many, they are found by
the moment itself if they are few enough for that, or the page is a shorter one.
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
    union_all,
)
from sqlalchemy.sql import ColumnElement

from services.api.people import believed, held
from services.contract.phases import IntervalKind
from services.contract.tables import interval, person

PASSED_MAX = 20_000
"""Intervals that are passed over for one page, as many as lie there if they lie as at its start."""
SAMPLED = 100
"""Intervals by which it is told how thickly they lie."""
FOUND_BY_TIME_MAX = 1_000
"""Intervals that are read where they are found by the moment."""
_ANYBODY = 2**63 - 1


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
    }
    now = asked.known_at_ms is None
    reach = _reach(connection, told)
    told["reach"] = _ANYBODY if reach is None else reach
    rows = connection.execute(_walk(now=now), told).all()
    if len(rows) > limit:
        return PeoplePage(rows[:limit], rows[limit - 1].person_id)
    beyond = {**told, "after": reach}
    if reach is None or connection.execute(_ANY, beyond).first() is None:
        return PeoplePage(rows, None)
    for found, number in _BY_TIME:
        if connection.execute(number, told).scalar_one() < FOUND_BY_TIME_MAX:
            rows = connection.execute(_page(found, now=now), told).all()
            return PeoplePage(rows[:limit], rows[limit - 1].person_id if rows[limit:] else None)
    return PeoplePage(rows, reach)


def _reach(connection: Connection, told: dict[str, Any]) -> int | None:
    """The person up to whom a page looks; None: there are so few intervals that it is all."""
    sampled = min(SAMPLED, PASSED_MAX)
    last = connection.execute(_SAMPLE, {**told, "sampled": sampled}).scalar()
    after: int = told["after"]
    return None if last is None else after + (last - after) * (PASSED_MAX // sampled)


_OF_KEY = (
    interval.c.workspace_id == bindparam("workspace"),
    interval.c.kind == bindparam("kind"),
    interval.c.key == bindparam("key"),
)
_AS_OF = bindparam("as_of", type_=BigInteger)
_FOLLOWING = (*_OF_KEY, interval.c.person_id > bindparam("after"))
# Made once: to put a statement together takes longer than the database needs to answer it.
_ANY = select(interval.c.person_id).where(*_FOLLOWING).limit(1)
_SAMPLE = (
    select(interval.c.person_id)
    .where(*_FOLLOWING)
    .order_by(interval.c.person_id, interval.c.valid_from_ms)
    .offset(bindparam("sampled") - 1)
    .limit(1)
)
_BEGUN = interval.c.valid_from_ms <= _AS_OF
_ENDLESS = interval.c.valid_to_ms.is_(None)
_ENDS_LATER = interval.c.valid_to_ms > _AS_OF


def _number(*conditions: ColumnElement[bool]) -> Select[Any]:
    """How many intervals meet one of the conditions, of each as many as are read at most."""
    return select(sum(map(_number_of, conditions), start=literal(0)))


def _number_of(condition: ColumnElement[bool]) -> ScalarSelect[int]:
    some = select(interval.c.key).where(*_OF_KEY, condition).limit(FOUND_BY_TIME_MAX).subquery()
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
def _walk(*, now: bool) -> Select[Any]:
    """Who is found from one person to another; each condition on a bound is one of the index."""
    # The moment comes from a query of its own: by what PostgreSQL thinks to know of it, it would
    # now and then read all that a key has of such moments, and sort it.
    as_of = select(_AS_OF).scalar_subquery()
    ways = [
        select(interval)
        .where(*_FOLLOWING, interval.c.person_id <= bindparam("reach"))
        .where(interval.c.valid_from_ms <= as_of, ends)
        .where(believed(_known_at(now=now)))
        .order_by(interval.c.person_id)
        .limit(bindparam("limit"))
        .subquery()
        for ends in (_ENDLESS, interval.c.valid_to_ms > as_of)
    ]
    return _shown(union_all(*map(select, ways)).subquery("walk"))


@cache
def _page(source: Subquery, *, now: bool) -> Select[Any]:
    """Who is found among some intervals."""
    return _shown(select(source).where(held(_AS_OF, _known_at(now=now), source)).subquery("found"))


def _known_at(*, now: bool) -> ColumnElement[int] | None:
    return None if now else bindparam("known_at", type_=BigInteger)


def _shown(source: Subquery) -> Select[Any]:
    """The people of a page, only these looked up as persons."""
    # The sum keeps the order from being taken for an index's, which leads through everybody.
    found = select(source).order_by(source.c.person_id + 0).limit(bindparam("limit"))
    one = found.subquery("page").c
    return (
        select(one.person_id, one.valid_from_ms, one.valid_to_ms, one.event_id, person.c.public_id)
        .join(person, person.c.id == one.person_id)
        .where(person.c.workspace_id == bindparam("workspace"))
        .order_by(one.person_id)
    )
