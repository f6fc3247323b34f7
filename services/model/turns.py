"""When, along a path, a probability comes to be at least some value, and when it no longer is.

A path is a few stretches of silence; in each, :mod:`services.model.crossing` tells of one. Most
bounds are never crossed, and that is cheap to know of many at once: whatever lies below one that
the probability surely stays above needs no look of its own.
"""

from bisect import bisect_right
from collections.abc import Sequence

from services.model.crossing import Motion, all_flips, first_flip
from services.model.stretch import Stretch
from services.model.threshold import Threshold, cells

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
            begun = stretch.begins_at(t.quantity.wanted)
            expected = begun >= t.theta if guess is None else guess
        if t.surely(stretch.p, after_ms, until_ms, truth=expected):
            truth = expected
            continue
        motion = stretch.motion(t.quantity, until_ms)
        now = motion.is_at_least(t.theta, after_ms)
        if truth is not None and now is not truth:
            return truth, begin
        truth = now
        flip = first_flip(t, motion, stretch.p, after_ms, until_ms, truth=truth)
        if flip is not None:
            return truth, stretch.from_ms + flip
    return bool(truth), None


def all_turns(
    stretches: Sequence[Stretch], end_ms: int, bounds: Sequence[Threshold]
) -> list[Turns]:
    """For each threshold whether it is at the beginning, and all moments at which that changes.

    The same moments, before the path's end, as :func:`next_turn` finds one after the other.

    Args:
        stretches: of the path; at least one.
        end_ms: where the path ends.
        bounds: thresholds of the same probability.
    """
    found: list[Turns] = []
    for i, stretch in enumerate(stretches):
        length_ms = _length_ms(stretches, i, end_ms)
        if length_ms == 0 and i + 1 < len(stretches):
            continue
        motion = stretch.motion(bounds[0].quantity, length_ms)
        begun = bool(found)
        for k, t in enumerate(bounds):
            now = motion.n[0] - t.theta * motion.d[0] >= 0.0
            flips = all_flips(t, motion, stretch.p, length_ms, truth=now)
            moments_ms = [stretch.from_ms + flip for flip in flips]
            if not begun:
                found.append((now, moments_ms))
                continue
            truth, done_ms = found[k]
            if now is not (truth if len(done_ms) % 2 == 0 else not truth):
                done_ms.append(stretch.from_ms)
            done_ms += moments_ms
    return found


def sides(
    stretches: Sequence[Stretch], end_ms: int, bounds: Sequence[Threshold]
) -> tuple[int, int]:
    """How many thresholds it surely is at least all the way, and from which on it surely is not.

    Two of them are looked at: what is sure of one is sure of all beyond it. Where it is not, the
    probability's motion tells of all.

    Args:
        stretches: of the path; at least one.
        end_ms: where the path ends.
        bounds: thresholds of the same probability, ascending; at least one.
    """
    place = bisect_right(bounds, stretches[0].begins_at(bounds[0].quantity.wanted), key=_theta)
    if (place == len(bounds) or _surely(stretches, end_ms, bounds[place], truth=False)) and (
        place == 0 or _surely(stretches, end_ms, bounds[place - 1], truth=True)
    ):
        return place, place
    low = high = place
    for i, stretch in enumerate(stretches):
        length_ms = _length_ms(stretches, i, end_ms)
        motion = stretch.motion(bounds[0].quantity, length_ms)
        low, high = _widened(stretch, motion, length_ms, bounds, (low, high))
    return low, high


def _widened(
    stretch: Stretch,
    motion: Motion,
    length_ms: int,
    bounds: Sequence[Threshold],
    known: tuple[int, int],
) -> tuple[int, int]:
    """Between which thresholds it keeps in a stretch too, and where it may turn."""
    low, high = known
    for n, d in zip(motion.n, motion.d, strict=True):
        while low > 0 and n - bounds[low - 1].theta * d < 0.0:
            low -= 1
        while high < len(bounds) and n - bounds[high].theta * d >= 0.0:
            high += 1
    rises, p = motion.rises, stretch.p
    for cell in range(cells(0, length_ms)[1]):
        if rises[cell] is rises[cell + 1]:
            continue
        if rises[cell]:
            while high < len(bounds) and bounds[high].may_turn(p, cell, truth=False):
                high += 1
        else:
            while low > 0 and bounds[low - 1].may_turn(p, cell, truth=True):
                low -= 1
    return low, high


def _surely(stretches: Sequence[Stretch], end_ms: int, t: Threshold, *, truth: bool) -> bool:
    for i, stretch in enumerate(stretches):
        if not t.surely(stretch.p, 0, _length_ms(stretches, i, end_ms), truth=truth):
            return False
    return True


def _length_ms(stretches: Sequence[Stretch], i: int, end_ms: int) -> int:
    following_ms = stretches[i + 1].from_ms if i + 1 < len(stretches) else end_ms
    return following_ms - stretches[i].from_ms


def _theta(t: Threshold) -> float:
    return t.theta


def _begin(stretch: Stretch) -> int:
    return stretch.from_ms
