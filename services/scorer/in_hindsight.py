"""What is read for :mod:`services.model.hindsight`: new rules drawn without folding anybody."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.event import LISTED, Event
from services.model.behaviour import judged
from services.model.glimpse import glimpse
from services.model.hindsight import Drawn, Hindsight, Person
from services.model.interval import Interval
from services.model.rules.early import lists_of
from services.model.rules.memory import BY_HAND
from services.model.state import PersonState
from services.scorer.causes import Causes
from services.scorer.stored import Stored, steps_of
from services.scorer.sweeps import histories_of


class Seen(NamedTuple):
    """What was read of some persons."""

    stored: Mapping[int, Stored]
    states: Mapping[int, PersonState]
    """Glimpses of them."""
    steps: Mapping[int, list[Interval]]
    fitting: list[int]
    """Those of whom it may be enough,"""
    events: Mapping[int, list[Event]]
    """and what they did of what the rules ask about."""


class InHindsight:
    """A way to fill, see ``services/scorer/filling.py``.

    Args:
        db: the transaction.
        workspace_id: whose.
        hindsight: of the rules to draw, which it is enough for.
    """

    def __init__(self, db: Connection, workspace_id: int, hindsight: Hindsight) -> None:
        self._db = db
        self._workspace_id = workspace_id
        self._hindsight = hindsight
        self._types = _types(db, workspace_id, hindsight)

    def read(self, stored: Mapping[int, Stored]) -> Seen:
        """What is mostly enough."""
        hindsight = self._hindsight
        states = {person: glimpse(one.state) for person, one in stored.items()}
        asked = [person for person, state in states.items() if _needs_steps(state, hindsight)]
        steps = steps_of(self._db, self._workspace_id, asked, hindsight.kinds)
        fitting = [
            person
            for person, state in states.items()
            if hindsight.fits(state, steps.get(person, ()))
        ]
        return Seen(stored, states, steps, fitting, self._events(fitting, self._types))

    def draw(self, seen: Seen) -> dict[int, Drawn]:
        """Those of whom it is."""
        return self._drawn(seen, seen.fitting, seen.events, whole=self._types is None)

    def finish(self, seen: Seen, drawn: dict[int, Drawn]) -> dict[int, Drawn]:
        """The same, with what began each piece, and those of whom all events tell enough."""
        if self._types is not None:
            others = [person for person in seen.fitting if person not in drawn]
            drawn |= self._drawn(seen, others, self._events(others, None), whole=True)
        causes = Causes(self._db, self._workspace_id, seen.states, drawn)
        return {
            person: causes.told(person, one)
            for person, one in drawn.items()
            if causes.agree(person, one)
        }

    def _drawn(
        self,
        seen: Seen,
        persons: Collection[int],
        events: Mapping[int, list[Event]],
        *,
        whole: bool,
    ) -> dict[int, Drawn]:
        drawn: dict[int, Drawn] = {}
        for person in persons:
            told = judged(events.get(person, []))
            steps = seen.steps.get(person, ())
            found = self._hindsight.draw(Person(seen.states[person], steps, told, whole))
            if found is not None:
                drawn[person] = found
        return drawn

    def _events(
        self, persons: Collection[int], types: Collection[str] | None
    ) -> dict[int, list[Event]]:
        if not persons or types == frozenset():
            return {}
        return histories_of(self._db, self._workspace_id, persons, types=types)


def _needs_steps(state: PersonState, hindsight: Hindsight) -> bool:
    """Whether phases and latency states matter of somebody."""
    score = state.score
    return hindsight.reads_steps or score is None or score.since_ms != state.first_ms


def _types(db: Connection, workspace_id: int, hindsight: Hindsight) -> frozenset[str] | None:
    """The types of events that matter: lists by hand where there are any of these segments."""
    keys = {
        place.removeprefix(BY_HAND) for _, rule in hindsight.segments for place in lists_of(rule)
    }
    row = tables.event.c
    query = select(row.event_id).where(
        row.workspace_id == workspace_id, row.type == LISTED, row.content_id.in_(sorted(keys))
    )
    types = hindsight.types
    if types is None or db.execute(query.limit(1)).first() is None:
        return types
    return types | {LISTED}
