"""Who is in a phase or a segment now, in the order asked for, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection, Row, select

from services.api.counts import count_at
from services.api.cursors import CursorMoment, pack_cursor
from services.api.dashboard.because import Because, Told
from services.api.dashboard.movers import name_of, readable
from services.api.dashboard.texts import Words
from services.api.latest_in import Came, among, latest_in
from services.api.people import known_as, states_of
from services.api.people_in import Asked
from services.api.standing import standing_of
from services.api.wire import INT64_MAX
from services.contract.phases import Phase
from services.contract.tables import person
from services.contract.tables.unguessed import unguessed
from services.model.engagement import IN_ALL, present
from services.model.path import Path
from services.model.state import PersonState
from services.model.version import Model

PAGE = 50
RANKED_MAX = 2_000
"""People who are put in the order of a number that moves by itself: those who came last."""
FOUND_MAX = 100
"""People with an identity of one value; it may be another's in another namespace."""

Order = Literal["latest", "openness", "engagement"]


class Place(msgspec.Struct, array_like=True):
    """Where a page begins; every page is of the moment of the first."""

    at_ms: CursorMoment
    after_id: Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)] = 0
    """The last person of the page before; 0: this is the first."""
    from_ms: Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)] = 0
    """When that person came in."""
    value: float = 0.0
    """Their openness or engagement, where that is the order."""


@dataclass(frozen=True)
class Listed:
    """One of the people."""

    person: str
    name: str
    known_as: str
    """Their surest identity that people read, where the name is another."""
    phase: Phase | None
    openness: float | None
    engagement: float | None
    """Both None: not scored."""
    since_ms: int
    until_ms: int | None
    """None: not soon, if nothing more happens."""
    why: str
    """Why they are in the segment; empty in a list of another kind."""


@dataclass(frozen=True)
class PeoplePage:
    """Up to :data:`PAGE` people."""

    people: list[Listed]
    count: int
    """On all pages together."""
    at_ms: int
    next: str | None
    """The cursor of the next page."""
    ranked: int | None
    """So many, who came last, were put in order; None: everybody was."""
    shared: list[str]
    """Why all of the page are in the segment."""
    tells_why: bool


class _Stands(msgspec.Struct, frozen=True):
    """A person's numbers at a moment."""

    openness: float | None
    engagement: float | None


class Lists:
    """The lists of a workspace; with ``because`` they tell why somebody is in one."""

    def __init__(
        self,
        connection: Connection,
        workspace_id: int,
        model: Model,
        words: Words,
        because: Because | None = None,
    ) -> None:
        self._db, self._workspace_id = connection, workspace_id
        self._model, self._words, self._because = model, words, because

    def page(self, asked: Asked, order: Order, place: Place) -> PeoplePage:
        """The people for whom an interval of the asked kind and key holds, in an order."""
        count = count_at(self._db, self._workspace_id, asked.kind, asked.key, place.at_ms)
        if order == "latest":
            after = Came(place.from_ms, place.after_id) if place.after_id else None
            found = latest_in(self._db, self._workspace_id, asked, after, PAGE)
            further = found.next
            following = None
            if further is not None:
                following = Place(place.at_ms, further.person_id, further.from_ms)
            return self._shown(found.rows, count, place, following, partly=False)
        return self._ranked(asked, order, count, place)

    def found(self, asked: Asked, value: str) -> PeoplePage:
        """Who of them is known by exactly this value."""
        query = known_as(self._workspace_id, value).limit(FOUND_MAX)
        ids = list(self._db.execute(query).scalars())
        rows = among(self._db, self._workspace_id, asked, ids)
        return self._shown(rows, len(rows), Place(asked.as_of_ms), None, partly=False)

    def _ranked(self, asked: Asked, order: Order, count: int, place: Place) -> PeoplePage:
        candidates = latest_in(self._db, self._workspace_id, asked, None, RANKED_MAX)
        states = states_of(self._db, self._workspace_id, [r.person_id for r in candidates.rows])
        ranked = []
        for row in candidates.rows:
            stands = self._stands(states.get(row.person_id), place.at_ms)
            value = stands.openness if order == "openness" else stands.engagement
            ranked.append((-1.0 if value is None else value, row.person_id, row))
        ranked.sort(key=lambda one: (-one[0], one[1]))
        if place.after_id:
            last = (-place.value, place.after_id)
            ranked = [one for one in ranked if (-one[0], one[1]) > last]
        following = None
        if len(ranked) > PAGE:
            value, person_id, row = ranked[PAGE - 1]
            following = Place(place.at_ms, person_id, row.valid_from_ms, value)
        rows = [row for _, _, row in ranked[:PAGE]]
        partly = candidates.next is not None
        return self._shown(rows, count, place, following, partly=partly)

    def _shown(
        self,
        rows: Sequence[Row[Any]],
        count: int,
        place: Place,
        following: Place | None,
        *,
        partly: bool,
    ) -> PeoplePage:
        ids = [row.person_id for row in rows]
        states, identities, phases = standing_of(
            self._db, self._workspace_id, ids, place.at_ms, None
        )
        told = Told([], {}) if self._because is None else self._because.of(rows, states)
        people = []
        for row in rows:
            theirs, state = identities[row.person_id], states.get(row.person_id)
            name, known = name_of(state, theirs, row.public_id, self._words), readable(theirs)
            stands = self._stands(state, place.at_ms)
            phase = phases.get(row.person_id)
            people.append(
                Listed(
                    person=row.public_id,
                    name=name,
                    known_as="" if known[:80] == name else known,
                    phase=None if phase is None else phase.key,
                    openness=stands.openness,
                    engagement=stands.engagement,
                    since_ms=row.valid_from_ms,
                    until_ms=row.valid_to_ms,
                    why=told.own.get(row.person_id, ""),
                )
            )
        return PeoplePage(
            people=people,
            count=count,
            at_ms=place.at_ms,
            next=None if following is None else pack_cursor(following),
            ranked=RANKED_MAX if partly else None,
            shared=told.shared,
            tells_why=self._because is not None,
        )

    def _stands(self, state: PersonState | None, at_ms: int) -> _Stands:
        if state is None or state.score is None:
            return _Stands(None, None)
        moment = max(at_ms, state.at_ms)
        chances = Path(state, self._model, moment).states_at(moment)
        kept = {IN_ALL: state.engagement[IN_ALL]} if IN_ALL in state.engagement else {}
        engaged = present(kept, moment, self._model).get(IN_ALL, 0.0)
        return _Stands(chances[1] + chances[2], engaged)


def persons_known_as(connection: Connection, workspace_id: int, value: str) -> list[str]:
    """The public ids of who is known by exactly this value, over all lists."""
    query = select(person.c.public_id).where(
        person.c.workspace_id == unguessed(workspace_id),
        person.c.erased_ms.is_(None),
        person.c.id.in_(known_as(workspace_id, value)),
    )
    return list(connection.execute(query.order_by(person.c.id).limit(FOUND_MAX)).scalars())
