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
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.sql import ColumnElement

from services.api.people import believed, held
from services.contract.phases import IntervalKind
from services.contract.tables import count_delta, event, interval, person
from services.contract.tables.unguessed import workspace_asked

PASSED_MAX = 20_000
"""Intervals that are passed over for one page, as many as lie there if they lie as its first do."""
SAMPLED = 100
"""Intervals by which it is told how thickly they lie."""
FOUND_BY_TIME_MAX = 300
"""Intervals that are read where they are found by the moment: each lies on a page of its own."""
_LAST = literal_column(str(2**63 - 1), BigInteger)


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
    """Of each: ``person_id``, ``public_id``, the interval's bounds, and the event that began it.

    Of that its ``event_id``; and, if they were asked for, its ``type``, ``channel``, ``content_id``
    and ``occurred_ms``, which are None where it is known no more, or silence began it.
    """

    rows: Sequence[Row[Any]]
    next_id: int | None
    """After which person the next page begins; None: this was the last."""


NOBODY = PeoplePage((), None)


def people_in(
    connection: Connection,
    workspace_id: int,
    asked: Asked,
    after_id: int,
    limit: int,
    *,
    events: bool = False,
) -> PeoplePage:
    """Up to ``limit`` people after ``after_id``; fewer, though more follow, where they are rare.

    Args:
        connection: the database.
        workspace_id: whose.
        asked: what the page is of.
        after_id: of the last person on the page before; 0: this is the first.
        limit: so many people at most.
        events: with what is known of each event.
    """
    told: dict[str, Any] = {
        "workspace": workspace_id,
        "kind": asked.kind,
        "key": asked.key,
        "after": after_id,
        "as_of": asked.as_of_ms,
        "known_at": asked.known_at_ms,
        "limit": limit + 1,
        "sampled": SAMPLED,
        "samples": PASSED_MAX // SAMPLED,
        "few": FOUND_BY_TIME_MAX,
    }
    now = asked.known_at_ms is None
    rows, reach = _answer(connection, _walk(now=now, events=events), told)
    if len(rows) > limit:
        return PeoplePage(rows[:limit], rows[limit - 1].person_id)
    if reach is None or connection.execute(_ANY, {**told, "after": reach}).first() is None:
        return PeoplePage(rows, None)
    abouts = connection.execute(_ABOUT, told).one()
    for some, about in zip(_BY_TIME, abouts, strict=True):
        if about >= FOUND_BY_TIME_MAX:
            continue
        timely, number = _answer(connection, _page(some, now=now, events=events), told)
        if number < FOUND_BY_TIME_MAX:  # else not all of them were read
            return PeoplePage(
                timely[:limit], timely[limit - 1].person_id if timely[limit:] else None
            )
    return PeoplePage(rows, reach)


def _answer(
    connection: Connection, statement: Select[Any], told: dict[str, Any]
) -> tuple[Sequence[Row[Any]], Any]:
    """Who was found, and what each row says besides."""
    found = connection.execute(statement, told).all()
    return found if found[0].person_id is not None else (), found[0].besides


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
    select(interval.c.person_id)
    .where(*_FOLLOWING)
    .order_by(interval.c.person_id, interval.c.valid_from_ms)
    .limit(bindparam("sampled"))
    .subquery("sample")
)
_FIRST, _LAST_SAMPLED = func.min(_SAMPLE.c.person_id), func.max(_SAMPLE.c.person_id)
_REACH = select(
    case(
        (
            func.count() == bindparam("sampled"),
            _FIRST + (_LAST_SAMPLED - _FIRST + 1) * bindparam("samples"),
        )
    ).label("besides")
).select_from(_SAMPLE)
"""The person up to whom a page looks, by how thickly the first intervals lie; NULL: there are no
more than these, and all are looked at."""
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
_END = func.coalesce(interval.c.valid_to_ms, _LAST)
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
            .limit(bindparam("few"))
            .subquery()
            for condition in conditions
        ]
        self.timely = union_all(*map(select, ways)).cte("timely")
        self.number = select(func.count().label("besides")).select_from(self.timely)
        """Of all ways together, of each as many as are read at most."""


_BY_TIME = (
    _Some(interval.c.valid_from_ms.desc(), _BEGUN),
    _Some(interval.c.valid_to_ms, _ENDLESS, _ENDS_LATER),
)


@cache
def _walk(*, now: bool, events: bool) -> Select[Any]:
    """Who is found from one person to another; each condition on a bound is one of the index.

    Besides, each row says up to which person was looked.
    """
    # The moment comes from a query of its own: by what PostgreSQL thinks to know of it, it would
    # now and then read all that a key has of such moments, and sort it.
    as_of = select(_AS_OF).scalar_subquery()
    looked = _REACH.cte("looked")
    reach = select(func.coalesce(looked.c.besides, _LAST)).scalar_subquery()
    walk = (
        select(interval)
        .where(*_FOLLOWING, interval.c.person_id <= reach)
        .where(interval.c.valid_from_ms <= as_of, as_of < _END)
        .where(believed(_known_at(now=now)))
        .order_by(interval.c.person_id)
        .limit(bindparam("limit"))
    )
    return _beside(select(looked), _shown(walk.subquery("walk"), events=events))


@cache
def _page(some: _Some, *, now: bool, events: bool) -> Select[Any]:
    """Who is found among some intervals; besides, each row says how many intervals these are."""
    follows = some.timely.c.person_id > bindparam("after")
    holds = held(_AS_OF, _known_at(now=now), some.timely)
    found = select(some.timely).where(follows, holds).subquery("among")
    return _beside(some.number, _shown(found, events=events))


def _beside(told: Select[Any], shown: Select[Any]) -> Select[Any]:
    """People, each with what else is told; with nobody in the only row where nobody is found.

    In one statement: another may see other intervals.
    """
    besides, found = told.subquery("told"), shown.subquery("found")
    both = besides.outerjoin(found, literal(1) == 1)
    return select(besides, found).select_from(both).order_by(found.c.person_id)


def _known_at(*, now: bool) -> ColumnElement[int] | None:
    return None if now else bindparam("known_at", type_=BigInteger)


_INTERVAL = ("person_id", "valid_from_ms", "valid_to_ms", "event_id")
_EVENT = ("type", "channel", "content_id", "occurred_ms")


def _shown(source: Subquery, *, events: bool) -> Select[Any]:
    """The people of a page, only these looked up as persons."""
    # The sum keeps the order from being taken for an index's, which leads through everybody.
    found = select(source).order_by(source.c.person_id + 0).limit(bindparam("limit"))
    one = found.subquery("page").c
    people = (
        select(*one[_INTERVAL], person.c.public_id)
        .join(person, person.c.id == one.person_id)
        .where(person.c.workspace_id == workspace_asked())
        .order_by(one.person_id)
    )
    if not events:
        return people
    began = and_(event.c.workspace_id == workspace_asked(), event.c.event_id == one.event_id)
    return people.outerjoin(event, began).add_columns(*event.c[_EVENT])
