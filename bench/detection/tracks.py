"""How a score moves: every person's track, and the score on the weekly days of looking."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.detection.life import BEGIN_MS, Truth
from services.contract.phases import DAY_MS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WARM_DAYS = 90
"""A person's first days are not judged: nothing is known of anybody yet."""
LOOK_EVERY_DAYS = 7


@dataclass(frozen=True)
class Track:
    """One score of all people: moments ordered by (person, time), and what it was then.

    Just before an event and just after it are two moments. Between two moments a score moves one
    way only, or as good as.
    """

    person: Ints
    t_ms: Ints
    value: Floats
    looks: Floats
    """The score at each of :class:`Looks`."""


@dataclass(frozen=True)
class Looks:
    """When it is asked of everybody who is active: (person, time), and the true state."""

    person: Ints
    t_ms: Ints
    state: Ints


def looks_of(truths: list[Truth]) -> Looks:
    """Once a week for everybody, from the end of the first days on."""
    person: list[int] = []
    t_ms: list[int] = []
    state: list[int] = []
    for index, truth in enumerate(truths):
        for at in range(BEGIN_MS + WARM_DAYS * DAY_MS, truth.end_ms, LOOK_EVERY_DAYS * DAY_MS):
            person.append(index)
            t_ms.append(at)
            state.append(truth.state_at(at))
    return Looks(np.array(person), np.array(t_ms), np.array(state))
