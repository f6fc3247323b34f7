"""What the fold keeps of a person because a rule asks for it: a few whole numbers per question.

Nothing is kept that no rule of the workspace asks for. A memory's key says all that it depends on,
so that equal conditions share it; it stands in stored states and never changes its meaning.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

from services.contract.event import MACHINE_THRESHOLD, Event
from services.contract.phases import PHASES, Phase
from services.model.state import PersonState

Numbers = Sequence[int]
When = Literal["heard", "scored", "always"]
"""Of what a scored person did, each doing once; of all events of one; of all events of anybody."""

PHASE = "phase"
"""Key of [since when, which] phase held just before the last event."""
STAYING = "!"
"""What a key begins with whose memory outlives the scoring: it says nothing of behaviour."""
BY_HAND = STAYING + "by_hand:"
"""Key, before a segment's, of [1 in or 0 out, when that was said]."""
HITS_KEPT = 50


class Memory(Protocol):
    """Something to keep."""

    @property
    def key(self) -> str:
        """Its place in ``PersonState.rings_ms``."""

    @property
    def types(self) -> frozenset[str] | None:
        """Types of events that may change it; None: all."""

    @property
    def when(self) -> When:
        """Of which events it is told."""

    def after(self, kept: Numbers, event: Event) -> list[int] | None:
        """What to keep after an event; None: what was kept."""


class Told(NamedTuple):
    """Whom an event is told, by when they want to hear of it."""

    heard: tuple[Memory, ...]
    scored: tuple[Memory, ...]
    always: tuple[Memory, ...]


@dataclass(frozen=True)
class Memories:
    """All that the rules of a workspace ask to be kept."""

    all: tuple[Memory, ...] = ()
    phase: bool = False
    """Whether to keep since when the phase holds."""
    _by_type: dict[str, Told] = field(default_factory=dict, init=False, compare=False)

    def of(self, event_type: str) -> Told:
        """Those that are told of events of a type."""
        found = self._by_type.get(event_type)
        if found is None:
            told = [one for one in self.all if one.types is None or event_type in one.types]
            found = self._by_type[event_type] = Told(
                heard=tuple(one for one in told if one.when == "heard"),
                scored=tuple(one for one in told if one.when == "scored"),
                always=tuple(one for one in told if one.when == "always"),
            )
        return found

    @cached_property
    def keys(self) -> frozenset[str]:
        """All keys that are asked for; lists by hand are kept besides."""
        return frozenset([one.key for one in self.all] + ([PHASE] if self.phase else []))


NO_MEMORIES = Memories()


def memories_of(asked: Iterable[Memory], *, phase: bool = False) -> Memories:
    """Each of them once."""
    return Memories(tuple({one.key: one for one in asked}.values()), phase)


def remember(state: PersonState, event: Event, memories: Sequence[Memory]) -> bool:
    """Keep, in place, what memories keep of an event; whether that was anything."""
    anything = False
    for memory in memories:
        kept = memory.after(state.rings_ms.get(memory.key, ()), event)
        if kept is not None:
            state.rings_ms[memory.key] = kept
            anything = True
    return anything


def forget(state: PersonState) -> None:
    """Drop, in place, what was kept of behaviour."""
    if state.rings_ms:
        state.rings_ms = {
            key: kept for key, kept in state.rings_ms.items() if key.startswith(STAYING)
        }


def forget_unasked(state: PersonState, memories: Memories) -> None:
    """Drop, in place, what no rule asks for any more."""
    keys = memories.keys
    state.rings_ms = {
        key: kept for key, kept in state.rings_ms.items() if key in keys or key.startswith(BY_HAND)
    }


def phase_since(state: PersonState, phase: Phase | None) -> int:
    """Since when the phase holds that holds right after the last event."""
    kept = state.rings_ms.get(PHASE)
    return kept[0] if kept and kept[1] == _number(phase) else state.at_ms


def remember_phase(
    state: PersonState, steps: Sequence[tuple[int, Phase | None]], end_ms: int
) -> None:
    """Keep, in place, the phase that holds just before ``end_ms``, and since when.

    Args:
        state: after an event that is before ``end_ms``.
        steps: the phases from then on, each with its beginning.
        end_ms: when the next event happens, or how far the path is known.
    """
    phase = steps[0][1]
    since_ms = phase_since(state, phase)
    for begun_ms, following in steps[1:]:
        if begun_ms < end_ms:
            since_ms, phase = begun_ms, following
    state.rings_ms[PHASE] = [since_ms, _number(phase)]


def _number(phase: Phase | None) -> int:
    return -1 if phase is None else PHASES.index(phase)


def put_by_hand(state: PersonState, segment: str, listed: str, at_ms: int) -> None:
    """Keep, in place, that somebody was put in a segment (``in``), kept out, or neither."""
    key = BY_HAND + segment
    if listed in {"in", "out"}:
        state.rings_ms[key] = [int(listed == "in"), at_ms]
    else:
        state.rings_ms.pop(key, None)


@dataclass(frozen=True)
class Hits:
    """Of the latest opens and clicks, which software made: 1, or 0."""

    key: str = "hits"
    types: frozenset[str] | None = frozenset({"open", "click"})
    when: When = "scored"

    def after(self, kept: Numbers, event: Event) -> list[int]:
        """One more."""
        return [*kept, int(event.machine.p >= MACHINE_THRESHOLD)][-HITS_KEPT:]


@dataclass(frozen=True)
class Named:
    """Whether an event named an identity of a namespace."""

    namespace: str
    types: frozenset[str] | None = None
    when: When = "always"

    @property
    def key(self) -> str:
        """See :class:`Memory`."""
        return f"{STAYING}identity:{self.namespace}"

    def after(self, kept: Numbers, event: Event) -> list[int] | None:
        """[1] from the first on."""
        if not kept and any(one.namespace == self.namespace for one in event.identities):
            return [1]
        return None


@dataclass(frozen=True)
class Agreed:
    """What was said last of a purpose: 1 yes, 0 no. ``contact`` speaks for its ways too."""

    purpose: str
    types: frozenset[str] | None = None
    when: When = "always"

    @property
    def key(self) -> str:
        """See :class:`Memory`."""
        return f"{STAYING}consent:{self.purpose}"

    def after(self, kept: Numbers, event: Event) -> list[int] | None:
        """What the event says, if anything."""
        said = event.agreement.purposes.get(self.purpose)
        if said is None and self.purpose.startswith("contact_"):
            said = event.consent.contact
        return None if said is None or [int(said)] == kept else [int(said)]
