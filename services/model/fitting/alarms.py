"""When a score would have raised an alarm, and the threshold for a wanted rate of alarms.

An alarm goes on at a threshold and off below a share of it, after a minimum stay, as the signals
of a version do. What silence does is looked at when it ends: a score that silence takes over a
threshold counts from the next step on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.model.fitting.history import Floats, Ints
from services.model.fitting.pack import Batch
from services.model.fitting.scores import Score, scatter

_ROUNDS = 4
_TRIED = 12


@dataclass(frozen=True, slots=True)
class Manner:
    """How alarms end."""

    leave_share: float
    """Of the threshold: below it an alarm ends,"""
    stay_days: float
    """if it has lasted so long."""


def starts(score: Score, packed: Sequence[Batch], threshold: float, manner: Manner) -> np.ndarray:
    """(steps,) whether an alarm began at each step."""
    flat = np.zeros(len(score.after))
    for batch in packed:
        cells = np.zeros(batch.gaps.shape)
        for row, columns, began in _starts(score, batch, np.array([threshold]), manner):
            cells[row, columns] = began[0]
        scatter(batch, cells, flat)
    began_: np.ndarray = flat > 0
    return began_


def counted(
    score: Score,
    packed: Sequence[Batch],
    thresholds: Floats,
    manner: Manner,
    weights: Floats,
) -> Floats:
    """(thresholds,) the sum of ``weights`` (steps,) over the steps at which an alarm began."""
    total = np.zeros(len(thresholds))
    for batch in packed:
        heavy = weights[batch.steps]
        for row, columns, began in _starts(score, batch, thresholds, manner):
            total += began @ heavy[row, columns]
    return total


def threshold_for(
    score: Score,
    packed: Sequence[Batch],
    manner: Manner,
    weights: Floats,
    alarms_max: float,
    bounds: tuple[float, float],
) -> float:
    """The smallest threshold from which on upwards there are no more alarms than wanted.

    Seen from above, for the very lowest thresholds have few alarms too: those that never end.

    Args:
        score: what raises alarms.
        packed: of whom.
        manner: how alarms end.
        weights: (steps,) how much an alarm that begins there counts.
        alarms_max: how many there may be.
        bounds: where to look; the upper one comes back where even it has too many.
    """
    low, high = bounds
    for _ in range(_ROUNDS):
        tried = np.linspace(low, high, _TRIED)
        too_many = counted(score, packed, tried, manner, weights) > alarms_max
        if too_many[-1]:
            return high
        if not too_many.any():
            return low
        last = int(np.flatnonzero(too_many)[-1])
        low, high = float(tried[last]), float(tried[last + 1])
    return high


def _starts(
    score: Score, batch: Batch, thresholds: Floats, manner: Manner
) -> Iterator[tuple[int, Ints, np.ndarray]]:
    """Where an alarm began: (row, columns, whether (thresholds, columns) it did there).

    Columns in which the score never comes up to any threshold are left out: they are the most.
    """
    inside = np.arange(batch.gaps.shape[1]) < batch.live[:, None]
    high = np.maximum(score.before[batch.steps], score.after[batch.steps])
    columns = np.flatnonzero((high * inside).max(axis=0) >= thresholds.min())
    live = inside[:, columns].sum(axis=1)
    enter, leave = thresholds[:, None], thresholds[:, None] * manner.leave_share
    on = np.zeros((len(thresholds), len(columns)), dtype=bool)
    lasted = np.zeros(on.shape)
    for row, n in enumerate(live.tolist()):
        which = columns[:n]
        steps = batch.steps[row, which]
        on, lasted = on[:, :n], lasted[:, :n] + batch.gaps[row, which]
        began = np.zeros_like(on)
        for now in (score.before[steps], score.after[steps]):
            on = on & ((now >= leave) | (lasted < manner.stay_days))
            up = ~on & (now >= enter)
            lasted = np.where(up, 0.0, lasted)
            on, began = on | up, began | up
        yield row, which, began
