"""When a probability crosses a value in silence.

It does where f = N − θD changes sign (see :mod:`services.model.threshold`). N and D are looked at
on a fixed grid of times (fine where they move fast), values and slopes, once for all values that
the probability is compared with. Where it turns between two grid times is looked up, so that a dip
is found too; a crossing is then narrowed down to its millisecond.
"""

import math
from collections.abc import Sequence

from services.contract.phases import DAY_MS
from services.model.threshold import GRID_MS, TIMES_MS, Column, Quantity, Threshold, cells

_FLIPS_MAX = 1_000
"""Far more than a sum of fifteen exponentials can cross zero."""
_STEPS_MAX = 12


Sums = tuple[float, float, float, float]
"""N, its slope per day, D and its slope, at a moment."""


class Motion:
    """How a probability goes in one silence, whatever it is compared with.

    Args:
        quantity: the probability.
        c: the coefficients at the silence's beginning, from which all times count.
        column: the same as a column.
        to_ms: how far to look: it is known at the grid times up to there and the one after it.
    """

    __slots__ = ("_bottoms", "d", "d_slopes", "n", "n_slopes", "parts", "rises")

    def __init__(self, quantity: Quantity, c: Sequence[float], column: Column, to_ms: int) -> None:
        self.parts: list[tuple[float, float, float]] = [
            (x * n, x * d, w) for x, (n, d, w) in zip(c, quantity.parts, strict=True)
        ]
        end = cells(0, to_ms)[1] + 1
        looked: list[list[float]] = (column * quantity.grid[:, :, :end]).sum(axis=0).tolist()
        self.n, self.n_slopes, self.d, self.d_slopes = looked
        self.rises: list[bool] = [
            n_slope * d > n * d_slope for n, n_slope, d, d_slope in zip(*looked, strict=True)
        ]
        """At ``TIMES_MS``, whether the probability does."""
        self._bottoms: dict[int, int] = {}

    def sums(self, after_ms: int) -> Sums:
        """N and D after so long a silence."""
        days = after_ms / DAY_MS
        n, n_slope, d, d_slope = 0.0, 0.0, 0.0, 0.0
        for a, b, w in self.parts:
            e = math.exp(w * days)
            n += a * e
            n_slope += a * e * w
            d += b * e
            d_slope += b * e * w
        return n, n_slope, d, d_slope

    def is_at_least(self, theta: float, after_ms: int) -> bool:
        """Whether the probability is at least θ after so long a silence."""
        n, _, d, _ = self.sums(after_ms)
        return n - theta * d >= 0.0

    def bottom_in(self, cell: int) -> int:
        """Where it turns there."""
        found = self._bottoms.get(cell)
        if found is None:
            found = self.bottom(TIMES_MS[cell], TIMES_MS[cell + 1])
            self._bottoms[cell] = found
        return found

    def bottom(self, left: int, right: int) -> int:
        """Where it turns, which it does once between ``left`` and ``right``."""
        rises = self.rises_at(left)
        while right - left > 1:
            middle = (left + right) // 2
            if self.rises_at(middle) is rises:
                left = middle
            else:
                right = middle
        return right

    def rises_at(self, after_ms: int) -> bool:
        """Whether the probability does, after so long a silence."""
        n, n_slope, d, d_slope = self.sums(after_ms)
        return n_slope * d > n * d_slope


def first_flip(
    t: Threshold,
    motion: Motion,
    p: Sequence[float],
    from_ms: int,
    to_ms: int,
    *,
    truth: bool,
) -> int | None:
    """The first millisecond in (from_ms, to_ms) at which f ≥ 0 is no longer ``truth``.

    It does not depend on ``to_ms`` otherwise: whoever looks further finds the same.

    Args:
        t: the threshold.
        motion: of its probability, up to ``to_ms`` or further.
        p: the 15 probabilities at the silence's beginning.
        from_ms: where to begin; f ≥ 0 is ``truth`` there.
        to_ms: where to end.
        truth: what holds at ``from_ms``.
    """
    found = _flips(t, motion, p, from_ms, to_ms, truth=truth, most=1)
    return found[0] if found else None


def all_flips(
    t: Threshold, motion: Motion, p: Sequence[float], to_ms: int, *, truth: bool
) -> list[int]:
    """Every millisecond in (0, to_ms) at which f ≥ 0 becomes what it was not.

    The same as :func:`first_flip` finds one after the other.

    Args:
        t: the threshold.
        motion: of its probability, up to ``to_ms`` or further.
        p: the 15 probabilities at the silence's beginning.
        to_ms: where to end.
        truth: what holds at the beginning.
    """
    return _flips(t, motion, p, 0, to_ms, truth=truth, most=_FLIPS_MAX)


def _flips(
    t: Threshold,
    motion: Motion,
    p: Sequence[float],
    from_ms: int,
    to_ms: int,
    *,
    truth: bool,
    most: int,
) -> list[int]:
    begin, end = cells(from_ms, to_ms)
    theta, n, d, rises = t.theta, motion.n, motion.d, motion.rises
    found: list[int] = []
    left: int = from_ms
    i = begin
    while i < end:
        right = GRID_MS[i]
        flip = -1
        if (n[i + 1] - theta * d[i + 1] >= 0.0) is not truth:
            if right >= to_ms and motion.is_at_least(theta, to_ms - 1) is truth:
                break  # there is one crossing up to the grid time: it lies behind to_ms
            flip = _narrow(motion, theta, left, i, right, truth=truth)
        elif rises[i + 1] is truth:
            # Going back at the end, it may have been beyond: where it was going forth before.
            flip = _dip(t, motion, p, left, i, truth=truth)
        if flip < 0:
            left = right
            i += 1
            continue
        if flip >= to_ms:
            break
        found.append(flip)
        if len(found) == most:
            break
        truth = not truth
        left = flip
        if flip == right:
            i += 1
    return found


def _dip(
    t: Threshold, motion: Motion, p: Sequence[float], left: int, cell: int, *, truth: bool
) -> int:
    """The first crossing of two up to a grid time, the same holding at both ends; −1: none."""
    whole = left == TIMES_MS[cell]
    rises = motion.rises[cell] if whole else motion.rises_at(left)
    if rises is truth or not t.may_turn(p, cell, truth=truth):
        return -1
    bottom = motion.bottom_in(cell) if whole else motion.bottom(left, GRID_MS[cell])
    if motion.is_at_least(t.theta, bottom) is truth:
        return -1
    return _search(motion, t.theta, left, bottom, (left + bottom) // 2, truth=truth)


def _narrow(motion: Motion, theta: float, left: int, cell: int, right: int, *, truth: bool) -> int:
    """The first millisecond of the other truth in (left, right], there being one crossing.

    ``right`` ends the cell, and ``left`` lies in it or begins it.
    """
    if left == TIMES_MS[cell]:
        n, n_slope = motion.n[cell], motion.n_slopes[cell]
        d, d_slope = motion.d[cell], motion.d_slopes[cell]
    else:
        n, n_slope, d, d_slope = motion.sums(left)
    i = cell + 1
    guess = _between(
        (right - left) / DAY_MS,
        n - theta * d,
        n_slope - theta * d_slope,
        motion.n[i] - theta * motion.d[i],
        motion.n_slopes[i] - theta * motion.d_slopes[i],
    )
    return _search(motion, theta, left, right, left + round(guess * DAY_MS), truth=truth)


def _between(length: float, f0: float, slope0: float, f1: float, slope1: float) -> float:
    """About where between 0 and ``length`` a curve crosses zero, by its ends and slopes there."""
    rise = f1 - f0
    if rise == 0.0:
        return length / 2
    u = -f0 / rise
    v = 1.0 - u
    if slope0 * rise > 0.0 and slope1 * rise > 0.0:
        # The time as a cubic of f.
        found = u * u * (3.0 - 2.0 * u) * length + u * v * (v * rise / slope0 - u * rise / slope1)
        if 0.0 < found < length:
            return found
    return min(max(u, 0.0), 1.0) * length


def _search(motion: Motion, theta: float, left: int, right: int, guess: int, *, truth: bool) -> int:
    """The first millisecond of the other truth in (left, right], there being one crossing.

    Newton's steps on whole milliseconds, each to the side of the crossing that is still open; then
    halving, should they not come to an end.
    """
    for _ in range(_STEPS_MAX):
        if right - left <= 1:
            return right
        at = min(max(guess, left + 1), right - 1)
        n, n_slope, d, d_slope = motion.sums(at)
        value, slope = n - theta * d, n_slope - theta * d_slope
        if (value >= 0.0) is truth:
            left = at
        else:
            right = at
        ahead = -value / slope * DAY_MS if slope != 0.0 else math.inf
        if not left - at <= ahead <= right - at:
            guess = (left + right) // 2
        elif left == at:
            guess = at + math.floor(ahead) + 1
        else:
            guess = at + math.ceil(ahead) - 1
    while right - left > 1:
        middle = (left + right) // 2
        if motion.is_at_least(theta, middle) is truth:
            left = middle
        else:
            right = middle
    return right
