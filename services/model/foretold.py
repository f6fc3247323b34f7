"""How well a version foretells what can be seen: whether somebody applies within four weeks.

Nobody sees a hidden state, but everybody sees an application. At a moment the version gives each
person a chance of at least one in the weeks that follow, by the rates of the states that it takes
the person to be in; afterwards it is known who did.
"""

import math
from collections.abc import Iterator, Sequence

from services.contract.event import MACHINE_THRESHOLD, Event
from services.contract.phases import DAY_MS
from services.model.filter import Probabilities
from services.model.fold import fold_onto
from services.model.path import Path
from services.model.version import STATES, Model

WITHIN_DAYS = 28
_KINDS = ("application_start", "application")
_TYPES = frozenset({"application_started", "applied"})


def foretold(
    events: Sequence[Event], model: Model, moments_ms: Sequence[int]
) -> Iterator[tuple[float, bool]]:
    """(the chance that was given, whether it came about) at each moment at which one is scored.

    Args:
        events: of one person, in canonical order; those after a moment tell what came.
        model: the version.
        moments_ms: in order.
    """
    state = None
    done = 0
    for at in moments_ms:
        while done < len(events) and events[done].occurred_ms <= at:
            state = fold_onto(state, events[done], model)
            done += 1
        if state is None or state.score is None:
            continue
        path = Path(state, model, at + 1)
        yield chance(path.probabilities_at(at), model), _came(events[done:], at)


def chance(p: Probabilities, model: Model) -> float:
    """Of at least one application within the weeks, if nobody changes state meanwhile."""
    rates = model.parameters.rates_per_day
    per_day = [sum(rates[kind][i] for kind in _KINDS) for i in range(STATES)]
    total = 0.0
    for g, z in enumerate(model.parameters.frailty.points):
        for i in range(STATES):
            total += p[g * STATES + i] * -math.expm1(-z * per_day[i] * WITHIN_DAYS)
    return total


def _came(later: Sequence[Event], at_ms: int) -> bool:
    until_ms = at_ms + WITHIN_DAYS * DAY_MS
    for event in later:
        if event.occurred_ms > until_ms:
            return False
        if event.type in _TYPES and event.machine.p < MACHINE_THRESHOLD:
            return True
    return False
