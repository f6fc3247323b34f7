"""When a probability crosses a threshold in silence.

In silence P(some states) is a ratio of sums of fifteen exponentials, so it crosses θ where
f(Δ) = Σ cᵢ mᵢ e^(wᵢΔ) changes sign, with m from θ and the states alone. f is looked at on a
fixed grid of times (fine where it moves fast), value and slope, so that a dip between two
points is found too; the crossing is then narrowed down to its millisecond.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from services.contract.phases import DAY_MS
from services.model.version import GRID, Model

# Exponents differ by at most about one per day, so f bends little between neighbours.
_GRID_DAYS = (
    [0.25 * i for i in range(1, 9)]
    + [2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, 17.0, 20.0, 24.0, 28.0, 34.0]
    + [40.0, 48.0, 58.0, 70.0, 84.0, 100.0, 120.0, 145.0, 175.0, 210.0, 250.0, 300.0, 350.0, 400.0]
)
_GRID_MS = [round(days * DAY_MS) for days in _GRID_DAYS]

STATES_OF: dict[str, tuple[int, ...]] = {
    "latent_latent": (0,),
    "actively_latent": (1,),
    "active": (2,),
    "openness": (1, 2),
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """P(``of``) ≥ θ as the sign of f: what of it depends on the model alone."""

    exponents: tuple[float, ...]
    weights: tuple[float, ...]
    """m: f(0) ≥ 0 exactly where the probability is at least θ."""
    grid: npt.NDArray[np.float64]
    """(15, 2, T): what each coefficient adds to f, and to its slope, at each grid time."""

    def f(self, c: Sequence[float], after_ms: int) -> float:
        """The value at ``after_ms`` of silence that began with coefficients ``c``."""
        days = after_ms / DAY_MS
        total = 0.0
        for x, m, w in zip(c, self.weights, self.exponents, strict=True):
            total += x * m * math.exp(w * days)
        return total

    def holds(self, c: Sequence[float], after_ms: int) -> bool:
        """Whether the probability is at least θ then."""
        return self.f(c, after_ms) >= 0.0

    def slope(self, c: Sequence[float], after_ms: int) -> float:
        """Its slope per day at ``after_ms``."""
        days = after_ms / DAY_MS
        total = 0.0
        for x, m, w in zip(c, self.weights, self.exponents, strict=True):
            total += x * m * w * math.exp(w * days)
        return total


@lru_cache(maxsize=4096)
def threshold(model: Model, of: str, theta: float) -> Threshold:
    """The threshold's constants. ``of`` is a key of ``STATES_OF``; 0 < ``theta`` < 1."""
    wanted = STATES_OF[of]
    slowest = model.silence[0].exponents[0]
    exponents: list[float] = []
    weights: list[float] = []
    for g in range(GRID):
        silence = model.silence[g]
        for k in range(3):
            row = silence.left[3 * k : 3 * k + 3]
            exponents.append(silence.exponents[k] - slowest)
            weights.append(sum(row[i] for i in wanted) - theta * (row[0] + row[1] + row[2]))
    w = np.array(exponents)[:, None]
    values = np.array(weights)[:, None] * np.exp(w * np.array(_GRID_DAYS)[None, :])
    return Threshold(tuple(exponents), tuple(weights), np.stack([values, values * w], axis=1))


def first_flip(
    t: Threshold, c: Sequence[float], from_ms: int, to_ms: int, *, truth: bool
) -> int | None:
    """The first millisecond in (from_ms, to_ms) at which f ≥ 0 is no longer ``truth``.

    It does not depend on ``to_ms`` otherwise: whoever looks further finds the same.

    Args:
        t: the threshold.
        c: coefficients at the silence's beginning, from which the times count.
        from_ms: where to begin; f ≥ 0 is ``truth`` there.
        to_ms: where to end.
        truth: what holds at ``from_ms``.
    """
    begin = bisect_right(_GRID_MS, from_ms)
    end = min(bisect_left(_GRID_MS, to_ms) + 1, len(_GRID_MS))
    if begin >= end:
        return None
    sums = (np.array(c)[:, None, None] * t.grid[:, :, begin:end]).sum(axis=0)
    # From here on f is positive where ``truth`` holds.
    values, slopes = sums if truth else -sums
    rising = slopes > 0.0
    flipped = values < 0.0
    if not flipped.any() and (rising[1:] <= rising[:-1]).all() and not rising[0]:
        return None
    left, falling = from_ms, t.slope(c, from_ms) < 0.0 if truth else t.slope(c, from_ms) > 0.0
    for i in range(end - begin):
        right = _GRID_MS[begin + i]
        flip = None
        if flipped[i]:
            flip = _narrow(t, c, left, right, truth=truth)
        elif falling and rising[i]:
            bottom = _bottom(t, c, left, right, truth=truth)
            if t.holds(c, bottom) is not truth:
                flip = _narrow(t, c, left, bottom, truth=truth)
        if flip is not None:
            return flip if flip < to_ms else None
        left, falling = right, not rising[i]
    return None


def _narrow(t: Threshold, c: Sequence[float], left: int, right: int, *, truth: bool) -> int:
    """The first millisecond of the other truth in (left, right], there being one crossing.

    False position (Illinois) to come near, then halving, on whole milliseconds.
    """
    f_left, f_right = t.f(c, left), t.f(c, right)
    side = 0
    for _ in range(12):
        if right - left <= 1 or f_left == f_right:
            break
        share = f_left / (f_left - f_right)
        middle = left + min(max(round((right - left) * share), 1), right - left - 1)
        value = t.f(c, middle)
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
        if t.holds(c, middle) is truth:
            left = middle
        else:
            right = middle
    return right


def _bottom(t: Threshold, c: Sequence[float], left: int, right: int, *, truth: bool) -> int:
    """Where f is nearest to the other sign, its slope turning once between left and right."""
    while right - left > 1:
        middle = (left + right) // 2
        slope = t.slope(c, middle)
        if (slope < 0.0) if truth else (slope > 0.0):
            left = middle
        else:
            right = middle
    return right
