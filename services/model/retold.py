"""A life told anew for rules that were not there: weighed as before, and not searched again.

Where it takes more than :mod:`services.model.hindsight` has to tell what a rule came to (all that
is kept of probabilities, engagement, mail, consent), all events are folded once more. But when
phases and latency states changed is stored, and to find that out is most of what folding costs.
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.contract.event import Event
from services.model.course import Course
from services.model.hindsight import Drawn, Rings
from services.model.rulebook import Rulebook
from services.model.state import PersonState
from services.model.timeline import advance_onto, join
from services.model.version import Model


class Life(NamedTuple):
    """What is stored of somebody."""

    state: PersonState
    """After the last event."""
    course: Course
    events: Sequence[Event]
    """All, in canonical order and as judged by those near them."""


def retell(life: Life, rulebook: Rulebook, model: Model) -> Drawn | None:
    """Draw the rules of a rulebook, and what they ask to be kept.

    Args:
        life: of a person.
        rulebook: these rules and no others.
        model: the version that made the state.

    Returns:
        None where it does not lead to what is stored: then all is to be folded.
    """
    if not life.events:
        return None
    state, pieces = advance_onto(None, life.events, model, rulebook, None, life.course)
    if not _is_same(state, life.state):
        return None
    drawn = join(one for one in pieces if one.kind == "segment")
    forgot = bool(rulebook.memories.keys) and not _was_always_followed(state)
    return Drawn(drawn, _kept(state, rulebook), forgot=forgot)


def _was_always_followed(state: PersonState) -> bool:
    """From the first event on: nothing was forgotten."""
    return state.score is not None and state.score.since_ms == state.first_ms


def _kept(state: PersonState, rulebook: Rulebook) -> Rings:
    keys = rulebook.memories.keys
    return {key: list(kept) for key, kept in state.rings_ms.items() if key in keys}


def _is_same(told: PersonState, stored: PersonState) -> bool:
    """Whether it came out as it is stored: the last event, and every bit of the probabilities."""
    if (told.at_ms, told.at_id, told.events) != (stored.at_ms, stored.at_id, stored.events):
        return False
    now, before = told.score, stored.score
    if now is None or before is None:
        return now is before
    return now.p == before.p and now.since_ms == before.since_ms
