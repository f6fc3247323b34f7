"""What follows one after the other along a path: signals that go on and off, states and phases."""

from typing import NamedTuple, TypeVar

from services.contract.phases import LatencyState, Phase
from services.model.state import PersonState

T = TypeVar("T")
Steps = list[tuple[int, T]]
"""Values with the moments from which they hold."""


class Switch(NamedTuple):
    """A signal, ``turning`` or ``active``, goes on or off."""

    at_ms: int
    signal: str
    on: bool


def latency_steps(state: PersonState, switches: list[Switch]) -> Steps[LatencyState | None]:
    """The latency states (None: not scored) from the last event on."""
    score = state.score
    if score is None:
        return [(state.at_ms, None)]
    on = {"turning": score.turning_ms is not None, "active": score.active_ms is not None}
    steps: Steps[LatencyState | None] = [(state.at_ms, _latency_state(on))]
    for at, signal, value in switches:
        on[signal] = value
        _append(steps, at, _latency_state(on))
    return steps


def _latency_state(on: dict[str, bool]) -> LatencyState:
    return "active" if on["active"] else "actively_latent" if on["turning"] else "latent_latent"


_PHASE_OF: dict[LatencyState, Phase] = {
    "latent_latent": "see",
    "actively_latent": "think",
    "active": "do",
}


def phase_steps(state: PersonState, latency: Steps[LatencyState | None]) -> Steps[Phase | None]:
    """The phases (None: not scored) that go with latency states."""
    if state.hired_ms is not None and state.left_ms is None:
        return [(state.at_ms, "care")]
    if state.score is None:
        return [(state.at_ms, None)]
    until_ms = state.score.milestone_until_ms
    steps: Steps[Phase | None] = []
    if until_ms > state.at_ms:
        steps.append((state.at_ms, "do"))
        latency = [(until_ms, step_at(latency, until_ms)[0])] + [
            s for s in latency if s[0] > until_ms
        ]
    for at, name in latency:
        _append(steps, at, None if name is None else _PHASE_OF[name])
    return steps


def _append(steps: Steps[T], at_ms: int, value: T) -> None:
    if steps and steps[-1][0] == at_ms:
        steps.pop()
    if not steps or steps[-1][1] != value:
        steps.append((at_ms, value))


def step_at(steps: Steps[T], at_ms: int) -> tuple[T, int | None]:
    """The value at a moment (that of the first step before it), and when the next begins."""
    for i in range(len(steps) - 1, -1, -1):
        if steps[i][0] <= at_ms or i == 0:
            return steps[i][1], steps[i + 1][0] if i + 1 < len(steps) else None
    raise AssertionError("a path has at least one step")
