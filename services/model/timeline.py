"""From states to intervals: what held from when to when, and will if nothing more happens.

A timeline is what a person's events say of phases, latency states and segments, each as pieces
of time. Between two events it is read off the path of the earlier one; after the last event the
path reaches ahead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.contract.event import Event
from services.contract.phases import IntervalKind
from services.model.fold import fold
from services.model.path import Path
from services.model.rules import Events, Rule, conditions, evaluate
from services.model.state import PersonState
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
        state: after the event before the first of ``events``; None for none.
        events: at least one, in canonical order.
        model: the version.
        rulebook: the segments to keep.
        until_ms: when the event after these happens; None: there is none.

    Returns:
        The state after the last event, and all intervals from the first event to ``until_ms``,
        or ahead to the horizon. What held before the first event is not touched.
    """
    pieces: list[Interval] = []
    for i, event in enumerate(events):
        state = fold(state, event, model, rulebook.counted)
        until = events[i + 1].occurred_ms if i + 1 < len(events) else until_ms
        if until is None or until > event.occurred_ms:
            pieces += _pieces(Path(state, model, until), rulebook, state, until)
    assert state is not None  # noqa: S101  there was an event
    return state, join(pieces)


def ahead(state: PersonState, model: Model, rulebook: Rulebook) -> list[Interval]:
    """All intervals from the last event on, if nothing more happens."""
    return join(_pieces(Path(state, model), rulebook, state, None))


def join(pieces: Iterable[Interval]) -> list[Interval]:
    """Pieces of one key that touch made one; the cause is the first one's."""
    whole: dict[tuple[str, str], list[Interval]] = {}
    for piece in pieces:
        row = whole.setdefault((piece.kind, piece.key), [])
        if row and row[-1].to_ms == piece.from_ms:
            row[-1] = row[-1]._replace(to_ms=piece.to_ms)
        else:
            row.append(piece)
    return [interval for row in whole.values() for interval in row]


def _pieces(
    path: Path, rulebook: Rulebook, state: PersonState, until_ms: int | None
) -> Iterable[Interval]:
    """What holds from the last event to ``until_ms`` (None: to the horizon)."""
    begin = state.at_ms

    def interval(kind: IntervalKind, key: str, from_ms: int, to_ms: int | None) -> Interval:
        end = until_ms if to_ms is None else to_ms if until_ms is None else min(to_ms, until_ms)
        return Interval(kind, key, from_ms, end, state.at_id if from_ms == begin else None)

    end = path.end_ms
    at: int | None = begin
    while at is not None and at < end:
        phase, to = path.phase_at(at)
        if phase is not None:
            yield interval("phase", phase, at, to)
        at = to
    at = begin
    while at is not None and at < end:
        latency, to = path.latency_state_at(at)
        if latency is not None:
            yield interval("latency", latency, at, to)
        at = to
    # Whoever did not agree to be followed is in no segment.
    for key, rule in rulebook.segments if path.phase_at(begin)[0] is not None else ():
        at = begin
        for _ in range(PIECES_MAX):
            truth, to = evaluate(rule, path, at)
            if truth:
                yield interval("segment", key, at, to)
            # A count of events may change beyond the horizon: it is known as far as it reaches.
            if to is None or (until_ms is not None and to >= until_ms):
                break
            at = to
