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
    literal_column,
    select,
    union_all,
)
from sqlalchemy.sql import ColumnElement

from services.api.people import believed, held
from services.contract.phases import IntervalKind
from services.contract.tables import count_delta, interval, person
from services.contract.tables.unguessed import workspace_asked

PASSED_MAX = 20_000
"""Intervals that are passed over for one page, as many as lie there if they lie as at its start."""
NEARBY = 2_000
"""So many at first."""
SAMPLED = 100
"""Intervals by which it is told how thickly they lie."""
FOUND_BY_TIME_MAX = 300
"""Intervals that are read where they are found by the moment: each lies on a page of its own."""
_LAST = 2**63 - 1


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


NOBODY = PeoplePage((), None)


def people_in(
    connection: Connection, workspace_id: int, asked: Asked, after_id: int, limit: int
) -> PeoplePage:
    """Up to ``limit`` people after ``after_id``; fewer, though more follow, where they are rare."""
    sampled = min(SAMPLED, PASSED_MAX)
    told: dict[str, Any] = {
        "workspace": workspace_id,
        "kind": asked.kind,
        "key": asked.key,
        "after": after_id,
        "as_of": asked.as_of_ms,
        "known_at": asked.known_at_ms,
        "limit": limit + 1,
        "sampled": sampled,
    }
    now = asked.known_at_ms is None
    # Nearby is enough where many are in; to look far at once would go through everything there
    # for those alone whose interval has no end.
    near = {**told, "samples": min(NEARBY, PASSED_MAX) // sampled}
    rows = connection.execute(_walk(_NEARBY, now=now), near).all()
    if len(rows) > limit:
        return PeoplePage(rows[:limit], rows[limit - 1].person_id)
    reach = connection.execute(select(_REACH), {**told, "samples": PASSED_MAX // sampled}).scalar()
    rows = connection.execute(_walk(_FAR, now=now), {**told, "reach": reach}).all()
    if len(rows) > limit:
        return PeoplePage(rows[:limit], rows[limit - 1].person_id)
    if reach == _LAST or connection.execute(_ANY, {**told, "after": reach}).first() is None:
        return PeoplePage(rows, None)
    few = _few_by_time(connection, told)
    if few is None:
        return PeoplePage(rows, reach)
    rows = connection.execute(_page(few, now=now), told).all()
    return PeoplePage(rows[:limit], rows[limit - 1].person_id if rows[limit:] else None)


def _few_by_time(connection: Connection, told: dict[str, Any]) -> Subquery | None:
    """The intervals among which all who are in are found by the moment; None: they are too many."""
    abouts = connection.execute(_ABOUT, told).one()
    for some, about in zip(_BY_TIME, abouts, strict=True):
        if about >= FOUND_BY_TIME_MAX:
            continue
        if connection.execute(some.number, told).scalar_one() < FOUND_BY_TIME_MAX:
            return some.timely
    return None


_OF_KEY = (
    interval.c.workspace_id == workspace_asked(),
    interval.c.kind == bindparam("kind"),
    interval.c.key == bindparam("key"),
)
_AS_OF = bindparam("as_of", type_=BigInteger)
_FOLLOWING = (*_OF_KEY, interval.c.person_id > bindparam("after"))
# Made once: to put a statement together takes longer than the database needs to answer it.
_ANY = select(interval.c.person_id).where(*_FOLLOWING).limit(1)
_SAMPLE = (
    select(interval.c.person_id - bindparam("after"))
    .where(*_FOLLOWING)
    .order_by(interval.c.person_id, interval.c.valid_from_ms)
    .offset(bindparam("sampled") - 1)
    .limit(1)
)
_REACH: ColumnElement[int] = func.coalesce(
    bindparam("after") + _SAMPLE.scalar_subquery() * bindparam("samples"),
    literal_column(str(_LAST), BigInteger),
)
"""The person up to whom a page looks, by how thickly the first intervals lie; the last there can be
where there are no more than these."""
_NEARBY, _FAR = select(_REACH).scalar_subquery(), bindparam("reach", type_=BigInteger)
_HOURS = count_delta.c
_UNTIL = _HOURS.hour_ms <= _AS_OF
_COMING = func.sum(_HOURS.delta).filter(_HOURS.delta > 0)
_ABOUT = select(
    func.coalesce(_COMING.filter(_UNTIL), 0),
    func.coalesce(func.sum(_HOURS.delta).filter(_UNTIL), 0)
    + func.coalesce(_COMING.filter(~_UNTIL), 0),
).where(
    _HOURS.workspace_id == workspace_asked(),
    _HOURS.kind == bindparam("kind"),
    _HOURS.key == bindparam("key"),
)
"""Of each way of ``_BY_TIME`` about how many there are, by the buckets of the counts: to count them
in their indexes PostgreSQL looks at the row of each that was written lately."""
_BEGUN = interval.c.valid_from_ms <= _AS_OF
_ENDLESS = interval.c.valid_to_ms.is_(None)
_ENDS_LATER = interval.c.valid_to_ms > _AS_OF
_END = func.coalesce(interval.c.valid_to_ms, literal_column(str(_LAST), BigInteger))
"""As the index of members has it: last of all, where there is none."""


class _Some:
    """A few intervals by when they begin, or end.

    They are asked for in the order of their index, and what else they shall meet is looked at
    afterwards: else another index would be taken now and then, and all of a key gone through.
    """

    def __init__(self, moment: ColumnElement[int], *conditions: ColumnElement[bool]) -> None:
        ways = [
            select(interval)
            .where(*_OF_KEY, condition)
            .order_by(moment)
            .limit(FOUND_BY_TIME_MAX)
            .subquery()
            for condition in conditions
        ]
        self.number = select(sum(map(_number_of, ways), start=literal(0)))
        """How many there are, of each way as many as are read at most."""
        self.timely = union_all(*map(select, ways)).subquery("timely")


def _number_of(way: Subquery) -> ScalarSelect[int]:
    return select(func.count()).select_from(way).scalar_subquery()


_BY_TIME = (
    _Some(interval.c.valid_from_ms.desc(), _BEGUN),
    _Some(interval.c.valid_to_ms, _ENDLESS, _ENDS_LATER),
)


@cache
def _walk(reach: ColumnElement[int], *, now: bool) -> Select[Any]:
    """Who is found from one person to another; each condition on a bound is one of the index."""
    # The moment comes from a query of its own: by what PostgreSQL thinks to know of it, it would
    # now and then read all that a key has of such moments, and sort it.
    as_of = select(_AS_OF).scalar_subquery()
    walk = (
        select(interval)
        .where(*_FOLLOWING, interval.c.person_id <= reach)
        .where(interval.c.valid_from_ms <= as_of, as_of < _END)
        .where(believed(_known_at(now=now)))
        .order_by(interval.c.person_id)
        .limit(bindparam("limit"))
    )
    return _shown(walk.subquery("walk"))


@cache
def _page(source: Subquery, *, now: bool) -> Select[Any]:
    """Who is found among some intervals."""
    follows = source.c.person_id > bindparam("after")
    holds = held(_AS_OF, _known_at(now=now), source)
    return _shown(select(source).where(follows, holds).subquery("found"))


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
        .where(person.c.workspace_id == workspace_asked())
        .order_by(one.person_id)
    )
