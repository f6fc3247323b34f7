"""How well a score says who is active: areas, calibration, and intervals by drawing people anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bench.detection.tracks import Floats, Ints

BINS = 10
_DRAWS = 200
_SEED = 20_240_101


class Interval(NamedTuple):
    """A value with the bounds that 95 % of the draws lie in."""

    value: float
    low: float
    high: float


def area(score: Floats, positive: Floats, weight: Floats) -> float:
    """AUC: how probably a positive has a higher score than a negative; ties count half."""
    return Ranking(score, positive).area(weight)


class Ranking:
    """Scores in order, sorted once for many weights."""

    def __init__(self, score: Floats, positive: Floats) -> None:
        self._order = np.argsort(score, kind="stable")
        self._begins = np.flatnonzero(np.diff(score[self._order], prepend=np.nan) != 0)
        self._positive = positive[self._order]

    def area(self, weight: Floats) -> float:
        """AUC with each sample weighed so."""
        weight = weight[self._order]
        for_one = np.add.reduceat(weight * self._positive, self._begins)
        for_none = np.add.reduceat(weight * (1 - self._positive), self._begins)
        below = np.cumsum(for_none) - for_none / 2
        total = for_one.sum() * for_none.sum()
        return float((for_one * below).sum() / total) if total else float("nan")


@dataclass(frozen=True)
class Bin:
    """Samples of like probability: the mean of what was said, and the share that was so."""

    count: int
    said: float
    was: float


def reliability(p: Floats, positive: Floats) -> list[Bin]:
    """Ten bins of equal width, without empty ones."""
    index = np.minimum((p * BINS).astype(int), BINS - 1)
    return [
        Bin(int(here.sum()), float(p[here].mean()), float(positive[here].mean()))
        for here in (index == bin_ for bin_ in range(BINS))
        if here.any()
    ]


def calibration_error(p: Floats, positive: Floats, weight: Floats) -> float:
    """Mean distance of what was said from what was so, over the bins."""
    index = np.minimum((p * BINS).astype(int), BINS - 1)
    gap = np.bincount(index, weight * (p - positive), minlength=BINS)
    return float(np.abs(gap).sum() / weight.sum())


def median(days: Floats, weight: Floats) -> float:
    """The weighted median; infinite where half or more were missed."""
    order = np.argsort(days)
    reached = np.cumsum(weight[order]) >= weight.sum() / 2
    return float(days[order][np.argmax(reached)]) if len(days) else float("nan")


@dataclass(frozen=True)
class Draws:
    """People drawn anew, with replacement: how often each one came, per draw."""

    times: Ints

    @classmethod
    def of(cls, people: int) -> "Draws":
        """The same draws for as many people."""
        rng = np.random.default_rng(_SEED)
        share = np.full(people, 1 / people)
        return cls(np.array([rng.multinomial(people, share) for _ in range(_DRAWS)]))

    def interval(self, person: Ints, statistic: Callable[[Floats], float]) -> Interval:
        """A statistic of weighted samples, ``person`` saying whose each is."""
        values = [statistic(times[person].astype(float)) for times in self.times]
        low, high = np.quantile(np.array(values), [0.025, 0.975], method="nearest")
        return Interval(statistic(np.ones(len(person))), float(low), float(high))


def mean(values: Floats, weight: Floats) -> float:
    """The weighted mean."""
    return float((values * weight).sum() / weight.sum())


def log_odds_to_p(log_odds: Sequence[float] | Floats) -> Floats:
    """Probabilities."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(log_odds))))
