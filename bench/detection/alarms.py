"""When a score gives alarm: thresholds at an equal rate of false alarms, and what is caught.

An alarm is a score going over a threshold. It lasts until the score falls under a second one,
half of the first (of the probability, where the score is log-odds); only then another can come.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.detection.life import ACTIVE, BEGIN_MS, Truth
from bench.detection.tracks import WARM_DAYS, Floats, Ints, Track
from services.contract.phases import DAY_MS

FALSE_PER_YEAR = 0.10
"""Alarms per year of people who are not active."""
MISS_DAYS = 60.0
"""What a spell counts that is never noticed, or later."""
_SPAN_MS = 1 << 42
_HALVINGS = 18

Leave = Callable[[float], float]
"""The second threshold by the first."""


def half(enter: float) -> float:
    """Half the points."""
    return enter / 2


def half_probability(enter: float) -> float:
    """The log-odds of half the probability."""
    p = 0.5 / (1 + np.exp(-enter))
    return float(np.log(p / (1 - p)))


@dataclass(frozen=True)
class Spells:
    """Active stays that began after the first days and long enough before the end to be judged."""

    person: Ints
    from_ms: Ints
    to_ms: Ints
    quiet_years: float
    """Person-years without being active, after the first days."""
    truths: list[Truth]

    @property
    def people(self) -> int:
        """How many were followed."""
        return len(self.truths)


def spells_of(truths: list[Truth]) -> Spells:
    """The spells of all people."""
    warm_ms = BEGIN_MS + WARM_DAYS * DAY_MS
    last_ms = max(truth.end_ms for truth in truths)
    found: list[tuple[int, int, int]] = []
    quiet_ms = 0
    for person, truth in enumerate(truths):
        for stay in truth.stays:
            if stay.state != ACTIVE:
                quiet_ms += max(stay.to_ms - max(stay.from_ms, warm_ms), 0)
            elif stay.from_ms >= warm_ms and stay.from_ms < last_ms - MISS_DAYS * DAY_MS:
                found.append((person, stay.from_ms, stay.to_ms))
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    years = quiet_ms / DAY_MS / 365.25
    return Spells(table[:, 0], table[:, 1], table[:, 2], years, truths)


class Alarms:
    """What a track would have raised, by threshold."""

    def __init__(self, track: Track, spells: Spells, leave: Leave) -> None:
        self._track, self._spells, self._leave = track, spells, leave
        self._first = np.diff(track.person, prepend=-1) != 0
        self._begins = np.maximum.accumulate(np.where(self._first, np.arange(len(track.person)), 0))
        self._key = track.person * _SPAN_MS + track.t_ms
        self._quiet = _quiet(track, spells)

    def threshold(self, per_year: float = FALSE_PER_YEAR) -> float:
        """The smallest one, nearly, with at most so many false alarms."""
        low, high = float(self._track.value.min()), float(self._track.value.max()) + 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if self.false_per_year(middle) <= per_year:
                high = middle
            else:
                low = middle
        return high

    def false_per_year(self, enter: float) -> float:
        """Alarms per person-year of who is not active."""
        raised, _ = self._switches(enter)
        return int((raised & self._quiet).sum()) / self._spells.quiet_years

    def days(self, enter: float) -> Floats:
        """For each spell the days until the score stands over the threshold; infinite: never."""
        raised, _ = self._switches(enter)
        spells = self._spells
        began = spells.person * _SPAN_MS + spells.from_ms
        alarms = self._key[raised]
        at = np.searchsorted(alarms, began)
        following = np.append(alarms, np.iinfo(np.int64).max)[at] - spells.person * _SPAN_MS
        caught = following < spells.to_ms
        return np.where(caught, (following - spells.from_ms) / DAY_MS, np.inf)

    def _switches(self, enter: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """(whether an alarm is raised, whether one stands) at each moment of the track."""
        value = self._track.value
        over, under = value >= enter, value < self._leave(enter)
        index = np.arange(len(value))
        told = np.maximum.accumulate(np.where(over | under, index, -1))
        on = (told >= self._begins) & over[np.maximum(told, 0)]
        raised = on & ~np.where(self._first, False, np.roll(on, 1))
        return raised, on


def _quiet(track: Track, spells: Spells) -> npt.NDArray[np.bool_]:
    """Whether an alarm at each moment of the track would be a false one that counts."""
    stays = [
        (person * _SPAN_MS + stay.from_ms, stay.state != ACTIVE)
        for person, truth in enumerate(spells.truths)
        for stay in truth.stays
    ]
    begins = np.array([begin for begin, _ in stays])
    quiet = np.array([is_quiet for _, is_quiet in stays])
    at = np.searchsorted(begins, track.person * _SPAN_MS + track.t_ms, "right") - 1
    warm: npt.NDArray[np.bool_] = track.t_ms >= BEGIN_MS + WARM_DAYS * DAY_MS
    return quiet[at] & warm
