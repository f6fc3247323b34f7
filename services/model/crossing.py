"""When a probability crosses a threshold in silence.

In silence P(some states) is a ratio of sums of fifteen exponentials, so it crosses θ where
f(Δ) = Σ cᵢ mᵢ e^(wᵢΔ) changes sign, with m from θ and the states alone. f is looked at on a
fixed grid of times (fine where it moves fast), value and slope, so that a dip between two
points is found too; the crossing is then narrowed down to its millisecond.

Mostly there is none, and that is cheap to know: f is also Σ pⱼ φⱼ(Δ) over the probabilities at
the beginning, which are not negative, so bounds of the φⱼ between two grid points bound f.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul

import numpy as np
import numpy.typing as npt

from services.contract.phases import DAY_MS
from services.model.version import GRID, SIZE, Model

# Exponents differ by at most about one per day, so f bends little between neighbours.
_GRID_DAYS = (
    [0.25 * i for i in range(1, 9)]
    + [2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, 17.0, 20.0, 24.0, 28.0, 34.0]
    + [40.0, 48.0, 58.0, 70.0, 84.0, 100.0, 120.0, 145.0, 175.0, 210.0, 250.0, 300.0, 350.0, 400.0]
)
_GRID_MS = [round(days * DAY_MS) for days in _GRID_DAYS]
_SAMPLES = 16
"""Between two grid times, for bounds."""
_MARGIN = 1e-9
"""More than what rounding adds to f on a path of many stretches."""

STATES_OF: dict[str, tuple[int, ...]] = {
    "latent_latent": (0,),
    "actively_latent": (1,),
    "active": (2,),
    "openness": (1, 2),
}


Curve = list[tuple[float, float]]
"""f as (height, exponent per day) of each of its exponentials."""
Column = npt.NDArray[np.float64]
"""(15, 1, 1): coefficients of a silence, for to be multiplied by ``Threshold.grid``."""


def column_of(c: Sequence[float]) -> Column:
    """Coefficients as a column."""
    return np.array(c)[:, None, None]


@dataclass(frozen=True, slots=True)
class Threshold:
    """P(``of``) ≥ θ as the sign of f: what of it depends on the model alone."""

    exponents: tuple[float, ...]
    weights: tuple[float, ...]
    """m: f(0) ≥ 0 exactly where the probability is at least θ."""
    grid: npt.NDArray[np.float64]
    """(15, 2, T): what each coefficient adds to f, and to its slope, at each grid time."""
    highest: npt.NDArray[np.float64]
    """(T, 15): no φⱼ is above this between a grid time and the one before it."""
    lowest: npt.NDArray[np.float64]
    """(T, 15): likewise below."""
    peaks: tuple[tuple[float, ...], ...]
    """T × 15: the highest of ``highest`` up to each grid time: one product mostly tells enough."""
    floors: tuple[tuple[float, ...], ...]
    """T × 15: likewise the lowest of ``lowest``."""

    def curve(self, c: Sequence[float]) -> Curve:
        """The curve f in a silence that begins with coefficients ``c``."""
        return [(x * m, w) for x, m, w in zip(c, self.weights, self.exponents, strict=True)]

    def surely(self, p: Sequence[float], from_ms: int, to_ms: int, *, truth: bool) -> bool:
        """Whether it is plain that the answer is ``truth`` all the way.

        Args:
            p: the 15 probabilities at the silence's beginning, from which the times count.
            from_ms: from here on,
            to_ms: up to here.
            truth: the answer in question; False comes back too where it takes a closer look.
        """
        begin, end = _cells(from_ms, to_ms)
        if begin >= end:
            return False
        # numpy's own dot, and Python's own max, are the quick ones for so few numbers.
        if truth:
            return bool(
                sum(map(mul, self.floors[end - 1], p)) > _MARGIN
                or min(self.lowest[begin:end].dot(p).tolist()) > _MARGIN
            )
        return bool(
            sum(map(mul, self.peaks[end - 1], p)) < -_MARGIN
            or max(self.highest[begin:end].dot(p).tolist()) < -_MARGIN
        )


def is_above(curve: Curve, after_ms: int) -> bool:
    """Whether the probability is at least θ after so long a silence."""
    return _value(curve, after_ms) >= 0.0


def _value(curve: Curve, after_ms: int) -> float:
    total = 0.0
    if after_ms == 0:
        for height, _ in curve:
            total += height
        return total
    days = after_ms / DAY_MS
    for height, w in curve:
        total += height * math.exp(w * days)
    return total


def _slope(curve: Curve, after_ms: int) -> float:
    """Per day."""
    days = after_ms / DAY_MS
    total = 0.0
    for height, w in curve:
        total += height * w * math.exp(w * days)
    return total


@lru_cache(maxsize=4096)
def threshold(model: Model, of: str, theta: float) -> Threshold:
    """The threshold's constants. ``of`` is a key of ``STATES_OF``; 0 < ``theta`` < 1."""
    wanted = STATES_OF[of]
    exponents: list[float] = []
    weights: list[float] = []
    for g in range(GRID):
        silence = model.silence[g]
        for k in range(3):
            row = silence.left[3 * k : 3 * k + 3]
            exponents.append(silence.exponents[k])
            weights.append(sum(row[i] for i in wanted) - theta * (row[0] + row[1] + row[2]))
    w = np.array(exponents)[:, None]
    values = np.array(weights)[:, None] * np.exp(w * np.array(_GRID_DAYS)[None, :])
    highest, lowest = _bounds(model, np.array(weights))
    grid = np.stack([values, values * w], axis=1)
    peaks = tuple(map(tuple, np.maximum.accumulate(highest).tolist()))
    floors = tuple(map(tuple, np.minimum.accumulate(lowest).tolist()))
    return Threshold(tuple(exponents), tuple(weights), grid, highest, lowest, peaks, floors)


def _bounds(
    model: Model, weights: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Bounds of each φⱼ up to each grid time from the one before: (highest, lowest).

    From samples, and from how much a curve can bend between two of them.
    """
    ends = np.array(_GRID_DAYS)
    begins = np.concatenate([[0.0], ends[:-1]])
    step = (ends - begins) / _SAMPLES
    times = begins[:, None] + step[:, None] * np.arange(_SAMPLES + 1)
    highest, lowest = np.empty((len(ends), SIZE)), np.empty((len(ends), SIZE))
    for g, silence in enumerate(model.silence):
        w = np.array(silence.exponents)
        heights = np.array(silence.right).reshape(3, 3) * weights[3 * g : 3 * g + 3]
        phi = np.exp(times[:, :, None] * w) @ heights.T
        bend = np.exp(begins[:, None] * w) @ (np.abs(heights) * w**2).T
        slack = bend * step[:, None] ** 2 / 8 + 1e-12
        highest[:, 3 * g : 3 * g + 3] = phi.max(axis=1) + slack
        lowest[:, 3 * g : 3 * g + 3] = phi.min(axis=1) - slack
    return highest, lowest


def first_flip(
    t: Threshold, curve: Curve, column: Column, from_ms: int, to_ms: int, *, truth: bool
) -> int | None:
    """The first millisecond in (from_ms, to_ms) at which f ≥ 0 is no longer ``truth``.

    It does not depend on ``to_ms`` otherwise: whoever looks further finds the same.

    Args:
        t: the threshold.
        curve: f, from the silence's beginning, from which the times count.
        column: the coefficients then.
        from_ms: where to begin; f ≥ 0 is ``truth`` there.
        to_ms: where to end.
        truth: what holds at ``from_ms``.
    """
    begin, end = _cells(from_ms, to_ms)
    values, slopes = (column * t.grid[:, :, begin:end]).sum(axis=0).tolist()
    left, falling = from_ms, (_slope(curve, from_ms) < 0.0) is truth
    for i in range(end - begin):
        right = _GRID_MS[begin + i]
        # f is looked at as if it were positive where ``truth`` holds.
        rising = slopes[i] > 0.0 if truth else slopes[i] < 0.0
        flip = None
        if values[i] < 0.0 if truth else values[i] > 0.0:
            if right >= to_ms and (_value(curve, to_ms - 1) >= 0.0) is truth:
                return None  # there is one crossing up to the grid time: it lies behind to_ms
            flip = _narrow(curve, left, right, truth=truth)
        elif falling and rising:
            bottom = _bottom(curve, left, right, truth=truth)
            if (_value(curve, bottom) >= 0.0) is not truth:
                flip = _narrow(curve, left, bottom, truth=truth)
        if flip is not None:
            return flip if flip < to_ms else None
        left, falling = right, not rising
    return None


def _cells(from_ms: int, to_ms: int) -> tuple[int, int]:
    """Which grid times end the pieces that cover a stretch of silence: [begin, end)."""
    return bisect_right(_GRID_MS, from_ms), min(bisect_left(_GRID_MS, to_ms) + 1, len(_GRID_MS))


def _narrow(curve: Curve, left: int, right: int, *, truth: bool) -> int:
    """The first millisecond of the other truth in (left, right], there being one crossing.

    False position (Illinois) to come near, then halving, on whole milliseconds.
    """
    f_left, f_right = _value(curve, left), _value(curve, right)
    side = 0
    for _ in range(12):
        if right - left <= 1 or f_left == f_right:
            break
        share = f_left / (f_left - f_right)
        middle = left + min(max(round((right - left) * share), 1), right - left - 1)
        value = _value(curve, middle)
        if (value >= 0.0) is truth:
            left, f_left = middle, value
            f_right = f_right / 2 if side == -1 else f_right
            side = -1
        else:
            right, f_right = middle, value
            f_left = f_left / 2 if side == 1 else f_left
            side = 1
    while right - left > 1:
        middle = (left + right) // 2
        if (_value(curve, middle) >= 0.0) is truth:
            left = middle
        else:
            right = middle
    return right


def _bottom(curve: Curve, left: int, right: int, *, truth: bool) -> int:
    """Where f is nearest to the other sign, its slope turning once between left and right."""
    while right - left > 1:
        middle = (left + right) // 2
        if (_slope(curve, middle) < 0.0) is truth:
            left = middle
        else:
            right = middle
    return right
