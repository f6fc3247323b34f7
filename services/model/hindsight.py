"""A rule that is new, drawn over somebody's past without folding it.

What most rules read of the past is stored: the phases and latency states are, and what was told
and done is in the record. So of a person's events only those that the rule asks about are gone
through, and nothing is weighed. What comes out is what folding all of them with the rule draws,
or nothing: where it takes more to tell, whoever asked folds.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from services.contract.event import LISTED, Event
from services.model.behaviour import is_evidence
from services.model.fold import is_silent, learn, same_click
from services.model.interval import Interval
from services.model.past import Past, is_unbroken
from services.model.rulebook import Rulebook
from services.model.rules.attributes import Attribute, AttributeDate
from services.model.rules.condition import Condition, Node
from services.model.rules.happenings import Events, FirstEvent, LastEvent
from services.model.rules.membership import InSegment, leaves
from services.model.rules.memory import Memory, memories_of, put_by_hand, remember
from services.model.rules.standing import LatencyStateIs, PhaseIs
from services.model.state import PersonState, Score
from services.model.timeline import PIECES_MAX
from services.model.version import Model

if TYPE_CHECKING:
    from services.contract.phases import IntervalKind

Place = tuple[int, bytes]
Rings = dict[str, list[int]]

_HAPPENINGS = (Events, FirstEvent, LastEvent)
_READ = (*_HAPPENINGS, Attribute, AttributeDate, PhaseIs, LatencyStateIs, InSegment)
_NEAR_OPENS = frozenset({"sent", "delivered"})
"""What may tell that software opened a mail; of clicks other clicks tell."""


class Person(NamedTuple):
    """What is stored of somebody."""

    state: PersonState
    """After the last event; a glimpse will do (see ``services/model/glimpse.py``)."""
    steps: Sequence[Interval]
    """Those of ``Hindsight.kinds`` as now known; none where scoring began with the first event and
    the rules read none."""
    events: Sequence[Event]
    """In canonical order and as judged by those near them: those of ``Hindsight.types``, or all."""
    whole: bool
    """All of them are there."""


class Drawn(NamedTuple):
    """What came out."""

    pieces: list[Interval]
    """Of the rules, in all time. Which event began one is not told."""
    rings_ms: Rings
    """What the rules ask to be kept, after the last event."""
    last_then: Place | None = None
    """This event must be the last of its moment, or it is not as drawn; None: all is well."""
    forgot: bool = False
    """Something may have been kept before, and forgotten since."""


class Hindsight:
    """Draws the rules of a rulebook over the past.

    Args:
        rulebook: the rules to draw.
        model: the version in force.
    """

    def __init__(self, rulebook: Rulebook, model: Model) -> None:
        self.segments = rulebook.segments
        self.model = model
        found = [leaf for _, rule in rulebook.segments for leaf in leaves(rule)]
        asking = [leaf for leaf in found if isinstance(leaf, Condition)]
        self.memories = memories_of(one for leaf in asking for one in leaf.memories()).all
        """What the rules ask to be kept."""
        self.reads_steps = any(leaf.steps for leaf in asking)
        """Whether the rules read phases or latency states."""
        self.kinds: tuple[IntervalKind, ...] = ("phase",)
        """Of the steps that :meth:`fits` and :meth:`draw` look at."""
        if any(isinstance(leaf, LatencyStateIs) for leaf in asking):
            self.kinds = ("phase", "latency")
        self.is_enough = not rulebook.recurring and all(isinstance(leaf, _READ) for leaf in found)
        """Whether these rules can be drawn so at all."""
        self._asked = _types_asked(asking)
        self._told: dict[str, list[Memory]] = {}
        """By type of event, the memories that such events may change."""

    @property
    def types(self) -> frozenset[str] | None:
        """The types of events that are asked for, lists by hand apart; None: all."""
        if self._asked is None:
            return None
        return self._asked | _NEAR_OPENS if "open" in self._asked else self._asked

    def told(self, event_type: str) -> list[Memory]:
        """What events of a type may change of what the rules ask to be kept."""
        found = self._told.get(event_type)
        if found is None:
            found = [one for one in self.memories if one.types is None or event_type in one.types]
            self._told[event_type] = found
        return found

    def fits(self, state: PersonState, steps: Sequence[Interval]) -> bool:
        """Whether what is stored of somebody may be enough: they were followed once, or never.

        Args:
            state: as in :class:`Person`.
            steps: likewise.
        """
        if state.score is None:
            return not steps and state.hired_ms is None
        since_ms = state.score.since_ms
        if not steps:
            return not self.reads_steps and state.first_ms == since_ms
        of_kinds = ([one for one in steps if one.kind == kind] for kind in self.kinds)
        return all(is_unbroken(some, since_ms) for some in of_kinds)

    def draw(self, person: Person) -> Drawn | None:
        """Draw the rules for a person who fits; None: it takes more than is there to tell."""
        if person.state.score is None:
            return Drawn([], {})  # nobody who never was followed is in a segment
        return _Replay(self, person, person.state.score.since_ms).run()


class _Replay:
    """One person's events gone through."""

    def __init__(self, hindsight: Hindsight, person: Person, since_ms: int) -> None:
        self._hindsight = hindsight
        self._person = person
        self._since_ms = since_ms
        score = Score(p=[], since_ms=since_ms, at_ms=since_ms)
        self._state = PersonState(at_ms=since_ms, at_id=b"", first_ms=since_ms, score=score)
        self._last_then: Place | None = None

    def run(self) -> Drawn | None:
        """What comes out; None: it takes more than is there to tell."""
        past = Past(self._state, self._hindsight.model, self._person.steps)
        lines = [_Line(key, rule) for key, rule in self._hindsight.segments]
        moments = self._moments()
        for i, (at_ms, events) in enumerate(moments):
            for event in events:
                if not self._take(event):
                    return None
            until_ms = moments[i + 1][0] if i + 1 < len(moments) else None
            for line in lines:
                line.draw(past, at_ms, until_ms)
        pieces = [piece for line in lines for piece in line.ended()]
        return Drawn(pieces, self._rings(), self._last_then)

    def _moments(self) -> list[tuple[int, list[Event]]]:
        """From when scoring began on, the moments at which anything happened, and what did."""
        events = self._person.events
        begun = bisect_right(events, self._since_ms, key=_occurred)
        later = groupby(events[begun:], key=_occurred)
        return [
            (self._since_ms, list(events[:begun])),
            *((at_ms, list(some)) for at_ms, some in later),
        ]

    def _take(self, event: Event) -> bool:
        """One event more; False: it takes more than is there to tell what it comes to."""
        state, at_ms = self._state, event.occurred_ms
        if event.type == "identified":
            learn(state, event)
        elif event.type == LISTED and event.content_id is not None:
            put_by_hand(state, event.content_id, str(event.properties.get("list")), at_ms)
        return at_ms < self._since_ms or self._hear(event)

    def _hear(self, event: Event) -> bool:
        """As :func:`services.model.fold.fold` does, in which everything else would count too."""
        memories = self._hindsight.told(event.type)
        if event.click_id is not None and (memories or self._person.whole):
            # It counts once with what it led to, or came from: what that was must be at hand.
            if not self._person.whole or event.occurred_ms == self._since_ms:
                return False
            heard = is_evidence(event) and not is_silent(event)
            if (heard or _is_softwares_click(event)) and same_click(self._state, event):
                return True
            if not heard:
                return True
        elif not is_evidence(event) or is_silent(event):
            return True
        return not remember(self._state, event, memories) or self._may_begin_with(event)

    def _may_begin_with(self, event: Event) -> bool:
        """Whether something that counts surely does if it is the last of its moment.

        Before it at the moment at which scoring began others may have happened, and after it too.
        """
        if event.occurred_ms > self._since_ms:
            return True
        if self._last_then is not None or not event.consent.profile:
            return False
        self._last_then = event.occurred_ms, event.event_id
        return True

    def _rings(self) -> Rings:
        kept = self._state.rings_ms
        keys = (one.key for one in self._hindsight.memories)
        return {key: list(kept[key]) for key in keys if key in kept}


class _Line:
    """When one rule holds."""

    def __init__(self, key: str, rule: Node) -> None:
        self._key, self._rule = key, rule
        self._since_ms: int | None = None
        self._done: list[Interval] = []

    def draw(self, past: Past, at_ms: int, until_ms: int | None) -> None:
        """From one moment up to another (None: as far as it reaches)."""
        for _ in range(PIECES_MAX):
            truth, following_ms = self._rule.verdict(past, at_ms)
            if truth and self._since_ms is None:
                self._since_ms = at_ms
            elif not truth and self._since_ms is not None:
                self._end(at_ms)
            if following_ms is None or (until_ms is not None and following_ms >= until_ms):
                return
            at_ms = following_ms

    def ended(self) -> list[Interval]:
        """All of it; what holds at the end does not end."""
        if self._since_ms is not None:
            self._end(None)
        return self._done

    def _end(self, at_ms: int | None) -> None:
        assert self._since_ms is not None  # noqa: S101  it holds
        self._done.append(Interval("segment", self._key, self._since_ms, at_ms, None))
        self._since_ms = None


def _is_softwares_click(event: Event) -> bool:
    return event.type == "click" and not is_evidence(event)


def _types_asked(asking: Iterable[Condition]) -> frozenset[str] | None:
    asked: set[str] = set()
    for leaf in asking:
        if isinstance(leaf, Attribute | AttributeDate):
            asked.add("identified")
        for memory in leaf.memories():
            if memory.types is None:
                return None
            asked |= memory.types
    return frozenset(asked)


def _occurred(event: Event) -> int:
    return event.occurred_ms
