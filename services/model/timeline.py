"""From states to intervals: what held from when to when, and will if nothing more happens.

A timeline is what a person's events say of phases, latency states and segments, each as pieces
of time. Between two events it is read off the path of the earlier one; after the last event the
path reaches ahead.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from services.contract.event import Event
from services.contract.phases import HORIZON_MS, IntervalKind, LatencyState, Phase
from services.model.course import Course
from services.model.fold import fold_onto
from services.model.interval import Interval
from services.model.path import Path
from services.model.rulebook import Rulebook
from services.model.rules.memory import forget_unasked
from services.model.state import PersonState, copy_state
from services.model.steps import Steps
from services.model.version import Model

PIECES_MAX = 10_000
_UNSURE = 0, 2**31
_CALM: tuple[Phase, LatencyState] = "see", "latent_latent"


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
    copied = None if state is None else copy_state(state)
    return advance_onto(copied, events, model, rulebook, until_ms)


def advance_onto(
    state: PersonState | None,
    events: Sequence[Event],
    model: Model,
    rulebook: Rulebook,
    until_ms: int | None = None,
    course: Course | None = None,
) -> tuple[PersonState, list[Interval]]:
    """The same, for who keeps no other hold of ``state``: it is changed.

    ``course``: what is stored of this very life, which is told anew for its rules alone. The
    signals of the state are not right then.
    """
    drawing = _Drawing(rulebook)
    state = _draw(drawing, state, events, model, until_ms, course)
    return state, drawing.until(until_ms)


class Continued(NamedTuple):
    """What events come to for whom all that was to come before them is known."""

    state: PersonState
    """After the last of them."""
    intervals: list[Interval]
    """As :func:`advance` gives them, those of segments from ``since_ms`` on."""
    since_ms: dict[str, int]
    """By segment. Of one that is not here all that was to come stands as it was."""


def go_on(
    state: PersonState, events: Sequence[Event], model: Model, rulebook: Rulebook
) -> Continued:
    """Fold events, in order, onto a state from which everything ahead was drawn with these rules.

    What they do not touch is not looked at. ``state`` is changed.
    """
    drawing = _Drawing(rulebook)
    if state.score is not None and events[0].occurred_ms > state.at_ms:
        drawing.stand(is_calm=Path(state, model).is_calm)
    state = _draw(drawing, state, events, model, None)
    return Continued(state, drawing.until(None), drawing.since_ms)


def standing(interval: Interval, events: Iterable[Event]) -> Interval:
    """What stands after events as they would have drawn it.

    What silence was to begin at the very moment of an event, the event began.
    """
    begun = [event.event_id for event in events if event.occurred_ms == interval.from_ms]
    return interval._replace(event_id=max(begun)) if begun else interval


def _draw(
    drawing: "_Drawing",
    state: PersonState | None,
    events: Sequence[Event],
    model: Model,
    until_ms: int | None,
    course: Course | None = None,
) -> PersonState:
    """Draw the way from a state through events to ``until_ms``; the state after the last."""
    rulebook = drawing.rulebook
    if state is not None and not state.rings_ms.keys() <= rulebook.memories.keys:
        forget_unasked(state, rulebook.memories)
    path: Path | None = None
    if course is not None and state is not None and events[0].occurred_ms > state.at_ms:
        path = Path(state, model, events[0].occurred_ms, course)
    last = len(events) - 1
    for i, event in enumerate(events):
        state = fold_onto(state, event, model, rulebook.memories, path=path)
        drawing.touched(event)
        path = None
        until = events[i + 1].occurred_ms if i < last else until_ms
        if until is None or until > event.occurred_ms:
            path = Path(state, model, until, course)
            drawing.draw(path, state, until)
    assert state is not None  # noqa: S101  there was an event
    return state


def ahead(state: PersonState, model: Model, rulebook: Rulebook) -> list[Interval]:
    """All intervals from the last event on, if nothing more happens."""
    drawing = _Drawing(rulebook)
    drawing.draw(Path(state, model), state, None)
    return drawing.until(None)


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


class _Line:
    """What holds of one kind, one key (or none) at a time, while events go by."""

    __slots__ = ("begun", "cause", "done", "key", "kind")

    def __init__(self, kind: IntervalKind) -> None:
        self.kind = kind
        self.key: str | None = None
        self.begun = 0
        self.cause: bytes | None = None
        self.done: list[Interval] = []

    def turn(self, key: str | None, at_ms: int, cause: bytes | None) -> None:
        """From ``at_ms`` on it is ``key``."""
        if key != self.key:
            self.end(at_ms)
            self.key, self.begun, self.cause = key, at_ms, cause

    def end(self, at_ms: int | None) -> None:
        """What holds is over at ``at_ms``; None: not within the horizon."""
        if self.key is not None:
            self.done.append(Interval(self.kind, self.key, self.begun, at_ms, self.cause))


class _Drawing:
    """The intervals of one person, drawn event by event: what goes on is not drawn anew."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.since_ms: dict[str, int] = {}
        """By segment, from when on it was drawn."""
        self._phase, self._latency = _Line("phase"), _Line("latency")
        self._segments = [_Line("segment") for _ in rulebook.segments]
        self._untils_ms: list[int | None] = [None for _ in rulebook.segments]
        self._touched: set[int] = set(rulebook.every)
        self._scored = False
        self._was: tuple[Phase, LatencyState] | None = None
        """Before anything is drawn, all the phases and latency states ahead, if they are known."""
        self._sides: dict[str, tuple[int, int]] = {}
        """Of each probability, the bounds that it surely kept to one side of on the last path."""

    def stand(self, *, is_calm: bool) -> None:
        """Take what was drawn ahead of the first event for known: somebody was scored then.

        ``is_calm``: nothing but See and latent-latent lay ahead.
        """
        self._scored = True
        self._touched = set(self.rulebook.recurring)  # as far as the horizon, which moves
        if is_calm:
            self._was = _CALM
        else:
            self._touched.update(self.rulebook.stepping)

    def touched(self, event: Event) -> None:
        """An event was folded: some rules are to be looked at again."""
        self._touched.update(self.rulebook.touched_by(event))

    def draw(self, path: Path, state: PersonState, until_ms: int | None) -> None:
        """Draw from the last event to ``until_ms`` (None: to the horizon)."""
        before = self._was or (self._phase.key, self._latency.key)
        self._was = None
        phase, latency = path.phase, path.latency
        _follow(self._phase, phase, path.end_ms, state)
        _follow(self._latency, latency, path.end_ms, state)
        if phase[0][1] is None:
            # Whoever did not agree to be followed is in no segment.
            for line, (key, _) in zip(self._segments, self.rulebook.segments, strict=True):
                line.turn(None, state.at_ms, None)
                self.since_ms.setdefault(key, state.at_ms)
            self._touched.update(self.rulebook.every)
            return
        look = self._touched
        look.update(self._moved(path))
        if before != (phase[0][1], latency[0][1]) or len(phase) > 1 or len(latency) > 1:
            look.update(self.rulebook.stepping)
        if path.scored is not self._scored:
            look.update(self.rulebook.every)
        self._scored = path.scored
        for place, changes_ms in enumerate(self._untils_ms):
            if changes_ms is not None and (until_ms is None or changes_ms < until_ms):
                look.add(place)
        for place in look:
            self._untils_ms[place] = self._draw_segment(place, path, state, until_ms)
        self._touched = set()

    def _moved(self, path: Path) -> list[int]:
        """The places of rules that a probability may have another answer for than before."""
        before = self._sides
        self._sides = {of: path.sides(of, values) for of, values in self.rulebook.bounds.items()}
        moved = []
        for place, asked in self.rulebook.moving:
            for of, i in asked:
                low, high = self._sides[of]
                was_low, was_high = before.get(of, _UNSURE)
                if not ((i < low and i < was_low) or (i >= high and i >= was_high)):
                    moved.append(place)
                    break
        return moved

    def _draw_segment(
        self, place: int, path: Path, state: PersonState, until_ms: int | None
    ) -> int | None:
        """When the rule's answer changes next, after ``until_ms``; None: not as far as is known."""
        key, rule = self.rulebook.segments[place][0], self.rulebook.asked[place]
        line = self._segments[place]
        at, end_ms = state.at_ms, until_ms
        self.since_ms.setdefault(key, at)
        if place in self.rulebook.recurring:  # it would go on for ever
            horizon_ms = at + HORIZON_MS
            end_ms = horizon_ms if end_ms is None else min(end_ms, horizon_ms)
        for _ in range(PIECES_MAX):
            truth, following = rule.verdict(path, at)
            line.turn(key if truth else None, at, state.at_id if at == state.at_ms else None)
            # A count of events may change beyond the horizon: it is known as far as it reaches.
            if following is None or (end_ms is not None and following >= end_ms):
                return following
            at = following
        return None

    def until(self, until_ms: int | None) -> list[Interval]:
        """All that was drawn; what still holds ends at ``until_ms``."""
        lines = [self._phase, self._latency, *self._segments]
        for line in lines:
            line.end(until_ms)
        return list(chain.from_iterable([line.done for line in lines]))


def _follow(
    line: _Line,
    steps: Steps[Phase | None] | Steps[LatencyState | None],
    end_ms: int,
    state: PersonState,
) -> None:
    for at, key in steps:
        if at < end_ms:
            line.turn(key, at, state.at_id if at == state.at_ms else None)
