"""When, along a path, a probability comes to be at least some value, and when it no longer is.

A path is a few stretches of silence; in each, :mod:`services.model.crossing` tells of one. Most
bounds are never crossed, and that is cheap to know of many at once: whatever lies below one that
the probability surely stays above needs no look of its own.
"""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.model.crossing import all_flips, first_flip, is_above, look
from services.model.stretch import Stretch
from services.model.threshold import Threshold

Turns = tuple[bool, list[int]]
"""(the truth at the beginning, the moments at which it becomes another)."""


def index_at(stretches: Sequence[Stretch], at_ms: int) -> int:
    """Which stretch a moment is in."""
    return max(bisect_right(stretches, at_ms, key=_begin) - 1, 0)


def next_turn(
    stretches: Sequence[Stretch], end_ms: int, t: Threshold, at_ms: int, *, guess: bool | None
) -> tuple[bool, int | None]:
    """Whether the probability is at least the threshold, and when that next changes.

    Args:
        stretches: of the path; at least one.
        end_ms: where the path ends.
        t: the threshold.
        at_ms: the moment that is asked about.
        guess: the truth then, as far as anybody can tell; it changes no answer.
    """
    truth: bool | None = None
    for i in range(index_at(stretches, at_ms), len(stretches)):
        stretch, last = stretches[i], i + 1 == len(stretches)
        begin = max(at_ms, stretch.from_ms)
        end = end_ms if last else stretches[i + 1].from_ms
        if begin == end and not last:
            continue  # two windows close at once: only the second's outcome lasts
        after_ms, until_ms = begin - stretch.from_ms, end - stretch.from_ms
        expected = truth
        if expected is None:
            expected = stretch.begins_at(t.wanted) >= t.theta if guess is None else guess
        if t.surely(stretch.p, after_ms, until_ms, truth=expected):
            truth = expected
            continue
        curve = t.curve(stretch.c)
        now = is_above(curve, after_ms)
        if truth is not None and now is not truth:
            return truth, begin
        truth = now
        flip = first_flip(t, curve, stretch.column, stretch.p, after_ms, until_ms, truth=truth)
        if flip is not None:
            return truth, stretch.from_ms + flip
    return bool(truth), None


def all_turns(
    stretches: Sequence[Stretch],
    end_ms: int,
    bounds: Sequence[Threshold],
    grids: npt.NDArray[np.float64],
) -> list[Turns]:
    """For each threshold whether it is at the beginning, and all moments at which that changes.

    The same moments, before the path's end, as :func:`next_turn` finds one after the other.

    Args:
        stretches: of the path; at least one.
        end_ms: where the path ends.
        bounds: the thresholds.
        grids: as from ``threshold.grids``, of these.
    """
    found: list[Turns | None] = [None] * len(bounds)
    for i, stretch in enumerate(stretches):
        last = i + 1 == len(stretches)
        length_ms = (end_ms if last else stretches[i + 1].from_ms) - stretch.from_ms
        if length_ms == 0 and not last:
            continue
        for k, looked in enumerate(look(stretch.column, grids, length_ms)):
            t, curve = bounds[k], bounds[k].curve(stretch.c)
            now = is_above(curve, 0)
            flips = all_flips(t, curve, looked, stretch.p, length_ms, truth=now)
            before = found[k]
            moments_ms = [stretch.from_ms + flip for flip in flips]
            if before is None:
                found[k] = now, moments_ms
                continue
            truth, done_ms = before
            if now is not (truth if len(done_ms) % 2 == 0 else not truth):
                done_ms.append(stretch.from_ms)
            done_ms += moments_ms
    return [one for one in found if one is not None]


def sides(
    stretches: Sequence[Stretch], end_ms: int, bounds: Sequence[Threshold]
) -> tuple[int, int]:
    """How many thresholds it surely is at least all the way, and from which on it surely is not.

    Few of them are looked at: what is sure of one is sure of all beyond it.

    Args:
        stretches: of the path; at least one.
        end_ms: where the path ends.
        bounds: thresholds of the same probability, ascending; at least one.
    """
    low = high = bisect_right(bounds, stretches[0].begins_at(bounds[0].wanted), key=_theta)
    step = 1
    while high < len(bounds) and not _surely(stretches, end_ms, bounds[high], truth=False):
        high, step = high + step, 2 * step
    if low and not _surely(stretches, end_ms, bounds[0], truth=True):
        low = 0
    step = 1
    while low > 1 and not _surely(stretches, end_ms, bounds[low - 1], truth=True):
        low, step = max(low - step, 1), 2 * step
    return low, min(high, len(bounds))


def _surely(stretches: Sequence[Stretch], end_ms: int, t: Threshold, *, truth: bool) -> bool:
    for i, stretch in enumerate(stretches):
        to_ms = end_ms if i + 1 == len(stretches) else stretches[i + 1].from_ms
        if not t.surely(stretch.p, 0, to_ms - stretch.from_ms, truth=truth):
            return False
    return True


def _theta(t: Threshold) -> float:
    return t.theta


def _begin(stretch: Stretch) -> int:
    return stretch.from_ms
