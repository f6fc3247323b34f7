"""When a probability crosses a threshold in silence.

It does where a sum of exponentials changes sign (see :mod:`services.model.threshold`). The sum is
looked at on a fixed grid of times (fine where it moves fast), value and slope, so that a dip
between two points is found too; the crossing is then narrowed down to its millisecond.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.contract.phases import DAY_MS
from services.model.threshold import GRID_MS, Column, Curve, Looked, Threshold, cells

_FLIPS_MAX = 1_000
"""Far more than a sum of fifteen exponentials can cross zero."""


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


def first_flip(
    t: Threshold,
    curve: Curve,
    column: Column,
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
        curve: f, from the silence's beginning, from which the times count.
        column: the coefficients then.
        p: the 15 probabilities then.
        from_ms: where to begin; f ≥ 0 is ``truth`` there.
        to_ms: where to end.
        truth: what holds at ``from_ms``.
    """
    begin, end = cells(from_ms, to_ms)
    values, slopes = (column * t.grid[:, :, begin:end]).sum(axis=0).tolist()
    looked = values, slopes
    found = _flips(t, curve, looked, p, from_ms, to_ms, truth=truth, most=1)
    return found[0] if found else None


def all_flips(
    t: Threshold, curve: Curve, looked: Looked, p: Sequence[float], to_ms: int, *, truth: bool
) -> list[int]:
    """Every millisecond in (0, to_ms) at which f ≥ 0 becomes what it was not.

    The same as :func:`first_flip` finds one after the other.

    Args:
        t: the threshold.
        curve: f, from the silence's beginning, from which the times count.
        looked: f and its slope at the grid times up to ``to_ms`` and the one after it.
        p: the 15 probabilities at the beginning.
        to_ms: where to end.
        truth: what holds at the beginning.
    """
    return _flips(t, curve, looked, p, 0, to_ms, truth=truth, most=_FLIPS_MAX)


def look(column: Column, grids: npt.NDArray[np.float64], to_ms: int) -> list[Looked]:
    """Of many thresholds, f and its slope at the grid times up to a time and the one after it.

    Bit for bit as each by itself: the sums go over the coefficients in their order.
    """
    end = cells(0, to_ms)[1]
    values, slopes = (column[:, None] * grids[:, :, :, :end]).sum(axis=0).tolist()
    return list(zip(values, slopes, strict=True))


def _flips(
    t: Threshold,
    curve: Curve,
    looked: Looked,
    p: Sequence[float],
    from_ms: int,
    to_ms: int,
    *,
    truth: bool,
    most: int,
) -> list[int]:
    begin, end = cells(from_ms, to_ms)
    values, slopes = looked
    found: list[int] = []
    left: int = from_ms
    falling: bool | None = None  # not looked at yet
    i = 0
    while i < end - begin:
        right = GRID_MS[begin + i]
        # f is looked at as if it were positive where ``truth`` holds.
        rising = slopes[i] > 0.0 if truth else slopes[i] < 0.0
        flip = None
        if values[i] < 0.0 if truth else values[i] > 0.0:
            if right >= to_ms and (_value(curve, to_ms - 1) >= 0.0) is truth:
                break  # there is one crossing up to the grid time: it lies behind to_ms
            flip = _narrow(curve, left, right, truth=truth)
        elif (
            rising
            and (_falls(curve, left, truth=truth) if falling is None else falling)
            and t.may_turn(p, begin + i, truth=truth)
        ):
            bottom = _bottom(curve, left, right, truth=truth)
            if (_value(curve, bottom) >= 0.0) is not truth:
                flip = _narrow(curve, left, bottom, truth=truth)
        if flip is None:
            left, falling = right, not rising
            i += 1
            continue
        if flip >= to_ms:
            break
        found.append(flip)
        if len(found) == most:
            break
        truth = not truth
        left, falling = flip, None
        if flip == right:
            i += 1
    return found


def _falls(curve: Curve, at_ms: int, *, truth: bool) -> bool:
    """Whether f goes towards the other truth."""
    return (_slope(curve, at_ms) < 0.0) is truth


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
