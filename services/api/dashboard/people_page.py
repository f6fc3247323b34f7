"""Who is in a phase or a segment now, a page at a time."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from sqlalchemy import Connection

from services.api.counts import count_at
from services.api.dashboard.movers import name_of
from services.api.people import identities_of, states_of
from services.api.people_in import Asked, people_in
from services.api.wire import CursorMoment, pack_cursor
from services.contract.event import primary
from services.contract.phases import IntervalKind

PAGE = 50


class Place(msgspec.Struct, array_like=True):
    """Where a page begins; every page is of the moment of the first."""

    at_ms: CursorMoment
    after_id: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


@dataclass(frozen=True)
class Listed:
    """One of the people."""

    person: str
    name: str
    known_as: str
    """Their surest identity, where the name is another."""
    since_ms: int


@dataclass(frozen=True)
class PeoplePage:
    """Up to :data:`PAGE` people, in the order in which we came to know them."""

    people: list[Listed]
    count: int
    """On all pages together."""
    next: str | None
    """The cursor of the next page."""


def people_page(
    connection: Connection, workspace_id: int, kind: IntervalKind, key: str, place: Place
) -> PeoplePage:
    """The people for whom an interval of this kind and key holds at the place's moment."""
    asked = Asked(kind, key, place.at_ms, place.at_ms)
    found = people_in(connection, workspace_id, asked, place.after_id, PAGE)
    ids = [row.person_id for row in found.rows]
    identities = identities_of(connection, workspace_id, ids)
    states = states_of(connection, workspace_id, ids)
    people = []
    for row in found.rows:
        theirs = identities[row.person_id]
        name = name_of(states.get(row.person_id), theirs, row.public_id)
        surest = primary(tuple(theirs)).value if theirs else ""
        known_as = "" if surest[:80] == name else surest
        people.append(Listed(row.public_id, name, known_as, row.valid_from_ms))
    return PeoplePage(
        people=people,
        count=count_at(connection, workspace_id, kind, key, place.at_ms),
        next=pack_cursor(Place(place.at_ms, found.next_id)) if found.next_id is not None else None,
    )
