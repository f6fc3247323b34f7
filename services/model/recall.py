"""What a rule that is new asks to be kept of a person, read off the events anew.

The fold keeps what the rules of the workspace ask for; another rule's questions are answered from
the record, without folding: what is asked for is counted, and nothing is weighed.
"""

from collections.abc import Iterable, Sequence

from services.contract.consent import is_answer
from services.contract.event import MACHINE_THRESHOLD, Event
from services.contract.phases import DAY_MS, PHASES, Phase
from services.model.rules import Events, TimeInPhase
from services.model.rules.condition import Condition, Node
from services.model.rules.membership import leaves
from services.model.rules.memory import PHASE, Memories, memories_of, remember
from services.model.state import PersonState

_PAIRED = frozenset({"click"})
_NEAR_OPENS = frozenset({"sent", "delivered"})


class Questions:
    """What rules ask of the record that states do not hold.

    Args:
        rule: the rule that is new, with those in it that it refers to.
        kept: what is kept in states already.
    """

    def __init__(self, rule: Node, kept: Memories) -> None:
        known = kept.keys
        asking = [leaf for leaf in leaves(rule) if isinstance(leaf, Condition)]
        missing = [(leaf, one) for leaf in asking for one in leaf.memories()]
        missing = [(leaf, one) for leaf, one in missing if one.key not in known]
        self.asking = tuple(leaf for leaf, _ in missing)
        """The conditions that ask for it."""
        self.phase = not kept.phase and any(isinstance(leaf, TimeInPhase) for leaf in asking)
        """Whether since when the phase holds is asked."""
        self._memories = memories_of((one for _, one in missing), phase=self.phase)
        self.within_ms = _longest(leaf for leaf, _ in missing)
        """How far back events matter; None: all do."""

    @property
    def of_events(self) -> bool:
        """Whether events are asked for."""
        return bool(self._memories.all)

    @property
    def counted(self) -> frozenset[str] | None:
        """The types of events that are asked for; None: all."""
        asked: set[str] = set()
        for memory in self._memories.all:
            if memory.types is None:
                return None
            asked |= memory.types
        return frozenset(asked)

    @property
    def types(self) -> frozenset[str] | None:
        """The types of events that tell, or tell what others are taken for; None: all.

        A click and the page it led to count once, whichever came first: of whom one is counted
        that has a click in common with others, all events are to be read.
        """
        asked = self.counted
        if asked is None:
            return None
        # A mail's hits are judged together.
        return asked | _PAIRED | (_NEAR_OPENS if "open" in asked else frozenset())

    def answer(
        self, state: PersonState, events: Sequence[Event], phase: tuple[Phase, int] | None
    ) -> None:
        """Keep in the state, in place, what the rules ask for.

        Args:
            state: after the person's last event.
            events: the person's of :attr:`types`, as far back as :attr:`within_ms`, in canonical
                order and as judged by those near them.
            phase: the one that holds now, and since when.
        """
        # A rule that is gone, or not in force yet, may have had the same kept.
        for key in self._memories.keys & state.rings_ms.keys():
            del state.rings_ms[key]
        for event in events:
            remember(state, event, self._memories.of(event.type).always)
        if state.score is not None:
            since_ms = state.score.since_ms
            self._hear(state, [one for one in events if one.occurred_ms >= since_ms])
        if self.phase and phase is not None:
            state.rings_ms[PHASE] = [phase[1], PHASES.index(phase[0])]

    def _hear(self, state: PersonState, events: Iterable[Event]) -> None:
        clicks: set[str] = set()
        for event in events:
            remember(state, event, self._memories.of(event.type).scored)
            by_software = event.machine.p >= MACHINE_THRESHOLD
            silent = event.consent.profile is False and not event.server_only
            if not by_software and silent and not is_answer(event):
                continue
            if event.click_id is not None and (not by_software or event.type == "click"):
                if event.click_id in clicks:
                    continue
                clicks.add(event.click_id)
            if not by_software:
                remember(state, event, self._memories.of(event.type).heard)


def _longest(asking: Iterable[Condition]) -> int | None:
    days = 0
    for leaf in asking:
        if not isinstance(leaf, Events):
            return None
        days = max(days, leaf.within_days)
    return days * DAY_MS
