"""The phases and latency states that somebody went through, as they are stored.

Whoever tells a life anew for another rule need not find out again when these changed: most of the
work of folding is to find it.
"""

from bisect import bisect_right
from collections.abc import Iterable

from services.contract.phases import LatencyState, Phase
from services.model.interval import Interval


class Course:
    """One person's, in all time.

    Args:
        intervals: those of kinds ``phase`` and ``latency``, as now known, in any order.
    """

    def __init__(self, intervals: Iterable[Interval]) -> None:
        ordered = sorted(intervals, key=_begin)
        self._phases = _Row([one for one in ordered if one.kind == "phase"])
        self._latency = _Row([one for one in ordered if one.kind == "latency"])

    def phases(self, from_ms: int, to_ms: int) -> list[tuple[int, Phase | None]]:
        """The phase at ``from_ms`` (None: in none), and each that follows before ``to_ms``."""
        return self._phases.between(from_ms, to_ms)  # type: ignore[return-value]  # stored as such

    def latency_states(self, from_ms: int, to_ms: int) -> list[tuple[int, LatencyState | None]]:
        """Likewise of latency states."""
        return self._latency.between(from_ms, to_ms)  # type: ignore[return-value]  # likewise


class _Row:
    """What held one after the other."""

    def __init__(self, ordered: list[Interval]) -> None:
        self._begins_ms: list[int] = []
        self._keys: list[str | None] = []
        for i, one in enumerate(ordered):
            self._begins_ms.append(one.from_ms)
            self._keys.append(one.key)
            following_ms = ordered[i + 1].from_ms if i + 1 < len(ordered) else None
            if one.to_ms is not None and one.to_ms != following_ms:
                self._begins_ms.append(one.to_ms)
                self._keys.append(None)

    def between(self, from_ms: int, to_ms: int) -> list[tuple[int, str | None]]:
        place = bisect_right(self._begins_ms, from_ms)
        steps = [(from_ms, self._keys[place - 1] if place else None)]
        while place < len(self._begins_ms) and self._begins_ms[place] < to_ms:
            steps.append((self._begins_ms[place], self._keys[place]))
            place += 1
        return steps


def _begin(one: Interval) -> int:
    return one.from_ms
