"""From states to intervals: what held from when to when, and will if nothing more happens.

A timeline is what a person's events say of phases, latency states and segments, each as pieces
of time. Between two events it is read off the path of the earlier one; after the last event the
path reaches ahead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.contract.event import Event
from services.contract.phases import IntervalKind, LatencyState, Phase
from services.model.fold import fold_onto
from services.model.path import Path, Steps
from services.model.rules import Events, Rule, conditions, evaluate
from services.model.state import PersonState, copy_state
from services.model.version import Model

PIECES_MAX = 10_000


class Interval(NamedTuple):
    """``key`` holds in [from_ms, to_ms); ``to_ms`` None: not ending within the horizon.

    ``event_id`` is the event that began it; None: silence did.
    """

    kind: IntervalKind
    key: str
    from_ms: int
    to_ms: int | None
    event_id: bytes | None


@dataclass(frozen=True)
class Rulebook:
    """The segments of a workspace: (interval key, rule)."""

    segments: tuple[tuple[str, Rule], ...] = ()
    counted: tuple[Events, ...] = field(init=False)
    """Every different condition that counts events."""
    keys: frozenset[str] = field(init=False)
    """The segments' interval keys."""

    def __post_init__(self) -> None:
        leaves = (leaf for _, rule in self.segments for leaf in conditions(rule))
        counted = {leaf.ring_key: leaf for leaf in leaves if isinstance(leaf, Events)}
        object.__setattr__(self, "counted", tuple(counted.values()))
        object.__setattr__(self, "keys", frozenset(key for key, _ in self.segments))


def advance(
    state: PersonState | None,
    events: Sequence[Event],
    model: Model,
    rulebook: Rulebook,
    until_ms: int | None = None,
) -> tuple[PersonState, list[Interval]]:
    """Fold events, in order, onto a state.

    Args:
        state: after the event before the first of ``events``; None for none. It is not changed.
        events: at least one, in canonical order.
        model: the version.
        rulebook: the segments to keep.
        until_ms: when the event after these happens; None: there is none.

    Returns:
        The state after the last event, and all intervals from the first event to ``until_ms``,
        or ahead to the horizon. What held before the first event is not touched.
    """
    pieces: list[Interval] = []
    state = None if state is None else copy_state(state)
    path: Path | None = None
    for i, event in enumerate(events):
        state = fold_onto(state, event, model, rulebook.counted, path=path)
        path = None
        until = events[i + 1].occurred_ms if i + 1 < len(events) else until_ms
        if until is None or until > event.occurred_ms:
            path = Path(state, model, until)
            pieces += _pieces(path, rulebook, state, until)
    assert state is not None  # noqa: S101  there was an event
    return state, join(pieces)


def ahead(state: PersonState, model: Model, rulebook: Rulebook) -> list[Interval]:
    """All intervals from the last event on, if nothing more happens."""
    return join(_pieces(Path(state, model), rulebook, state, None))


def join(pieces: Iterable[Interval]) -> list[Interval]:
    """Pieces of one key that touch made one; the cause is the first one's."""
    whole: dict[tuple[str, str], list[Interval]] = {}
    for piece in pieces:
        kind, key, _, to_ms, _ = piece
        row = whole.setdefault((kind, key), [])
        if row and row[-1].to_ms == piece.from_ms:
            row[-1] = Interval(kind, key, row[-1].from_ms, to_ms, row[-1].event_id)
        else:
            row.append(piece)
    return [interval for row in whole.values() for interval in row]


def _pieces(
    path: Path, rulebook: Rulebook, state: PersonState, until_ms: int | None
) -> list[Interval]:
    """What holds from the last event to ``until_ms`` (None: to the horizon)."""
    pieces = _drawn("phase", path.phase, path.end_ms, state, until_ms)
    pieces += _drawn("latency", path.latency, path.end_ms, state, until_ms)
    # Whoever did not agree to be followed is in no segment.
    if path.phase[0][1] is not None:
        for key, rule in rulebook.segments:
            pieces += _segment(key, rule, path, state, until_ms)
    return pieces


def _drawn(
    kind: IntervalKind,
    steps: Steps[Phase | None] | Steps[LatencyState | None],
    end_ms: int,
    state: PersonState,
    until_ms: int | None,
) -> list[Interval]:
    pieces = []
    for i, (at, key) in enumerate(steps):
        if key is not None and at < end_ms:
            to = steps[i + 1][0] if i + 1 < len(steps) else None
            pieces.append(_interval(kind, key, at, to, state, until_ms))
    return pieces


def _segment(
    key: str, rule: Rule, path: Path, state: PersonState, until_ms: int | None
) -> list[Interval]:
    pieces = []
    at = state.at_ms
    for _ in range(PIECES_MAX):
        truth, to = evaluate(rule, path, at)
        if truth:
            pieces.append(_interval("segment", key, at, to, state, until_ms))
        # A count of events may change beyond the horizon: it is known as far as it reaches.
        if to is None or (until_ms is not None and to >= until_ms):
            break
        at = to
    return pieces


def _interval(
    kind: IntervalKind,
    key: str,
    from_ms: int,
    to_ms: int | None,
    state: PersonState,
    until_ms: int | None,
) -> Interval:
    """Cut off at ``until_ms``; begun by the last event where it begins there."""
    if to_ms is None or (until_ms is not None and until_ms < to_ms):
        to_ms = until_ms
    return Interval(kind, key, from_ms, to_ms, state.at_id if from_ms == state.at_ms else None)
