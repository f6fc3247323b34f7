"""What is read for :mod:`services.model.retold`: lives told anew for new rules."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from services.contract.event import Event
from services.model.behaviour import judged
from services.model.course import Course
from services.model.hindsight import Drawn
from services.model.interval import Interval
from services.model.retold import Life, retell
from services.model.rulebook import Rulebook
from services.model.state import decode_state
from services.model.version import Model
from services.scorer.stored import Stored, steps_of
from services.scorer.sweeps import histories_of


class Lives(NamedTuple):
    """What was read of some persons."""

    stored: Mapping[int, Stored]
    steps: Mapping[int, list[Interval]]
    events: Mapping[int, list[Event]]


class Retelling:
    """A way to fill, see ``services/scorer/filling.py``.

    Args:
        db: the transaction.
        workspace_id: whose.
        rulebook: the rules to draw and no others.
        model: the version in force.
    """

    def __init__(self, db: Connection, workspace_id: int, rulebook: Rulebook, model: Model) -> None:
        self._db = db
        self._workspace_id = workspace_id
        self._rulebook = rulebook
        self._model = model

    def read(self, stored: Mapping[int, Stored]) -> Lives:
        """All that there is of them."""
        if not stored:
            return Lives({}, {}, {})
        steps = steps_of(self._db, self._workspace_id, stored, ("phase", "latency"))
        return Lives(stored, steps, histories_of(self._db, self._workspace_id, stored))

    def draw(self, lives: Lives) -> dict[int, Drawn]:
        """Those whose lives lead to what is stored."""
        drawn: dict[int, Drawn] = {}
        for person, one in lives.stored.items():
            course = Course(lives.steps.get(person, ()))
            events = judged(lives.events.get(person, []))
            life = Life(decode_state(one.state), course, events)
            found = retell(life, self._rulebook, self._model)
            if found is not None:
                drawn[person] = found
        return drawn

    def finish(self, lives: Lives, drawn: dict[int, Drawn]) -> dict[int, Drawn]:  # noqa: ARG002  a way's
        """Nothing is left to be read."""
        return drawn
