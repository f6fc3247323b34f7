"""The way that somebody took, as it is stored: what rules are asked of that read no more."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from services.contract.phases import LatencyState, Phase
from services.model.interval import Interval
from services.model.rules.condition import Verdict
from services.model.state import PersonState
from services.model.version import Model


class Past:
    """A :class:`services.model.rules.condition.Subject` whose path is the one that was taken."""

    def __init__(self, state: PersonState, model: Model, steps: Iterable[Interval]) -> None:
        self.state = state
        self.model = model
        ordered = sorted(steps, key=_begin)
        self._phases = [one for one in ordered if one.kind == "phase"]
        self._latency = [one for one in ordered if one.kind == "latency"]

    @property
    def answers(self) -> dict[tuple[object, int], Verdict]:
        """See ``Subject``."""
        raise LookupError("nothing is shared by rules that are drawn one by one")

    def phase_at(self, at_ms: int) -> tuple[Phase | None, int | None]:
        """See ``Subject``."""
        return _at(self._phases, at_ms)  # type: ignore[return-value]  # it was stored as one

    def latency_state_at(self, at_ms: int) -> tuple[LatencyState | None, int | None]:
        """See ``Subject``."""
        return _at(self._latency, at_ms)  # type: ignore[return-value]  # likewise

    def phase_since(self, at_ms: int) -> int:  # noqa: ARG002  a subject's
        """See ``Subject``."""
        raise LookupError("no rule that is drawn so asks for it")

    def probability_at_least(
        self,
        of: str,  # noqa: ARG002  a subject's
        theta: float,  # noqa: ARG002
        at_ms: int,  # noqa: ARG002
    ) -> Verdict | None:
        """See ``Subject``."""
        raise LookupError("no rule that is drawn so asks for it")


def is_unbroken(steps: Sequence[Interval], since_ms: int) -> bool:
    """Whether steps follow one another from a moment on, without end."""
    ordered = sorted(steps, key=_begin)
    begins = [one.from_ms for one in ordered]
    ends = [one.to_ms for one in ordered]
    return [since_ms, *ends] == [*begins, None]


def _at(steps: Sequence[Interval], at_ms: int) -> tuple[str | None, int | None]:
    """What holds at a moment, or at the beginning, and when the next begins."""
    if not steps:
        return None, None
    place = max(bisect_right(steps, at_ms, key=_begin) - 1, 0)
    return steps[place].key, steps[place + 1].from_ms if place + 1 < len(steps) else None


def _begin(one: Interval) -> int:
    return one.from_ms
