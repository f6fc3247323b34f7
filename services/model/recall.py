"""What a rule that is new asks to be kept of a person, read off the events anew.

The fold keeps what the rules of the workspace ask for; another rule's questions are answered from
the record, without folding: what is asked for is counted, and nothing is weighed.
"""

from collections.abc import Iterable, Mapping, Sequence

from services.contract.consent import is_answer
from services.contract.event import MACHINE_THRESHOLD, Event, EventType
from services.contract.phases import DAY_MS
from services.model.rules import Events, Rule, conditions
from services.model.state import PersonState

_PAIRED: tuple[EventType, ...] = ("click",)
_NEAR_OPENS: tuple[EventType, ...] = ("sent", "delivered")


class Questions:
    """What rules ask of the record that states do not hold.

    Args:
        rule: the rule that is new.
        kept: keys of what is kept in states already.
    """

    def __init__(self, rule: Rule, kept: Iterable[str]) -> None:
        known = frozenset(kept)
        found = (leaf for leaf in conditions(rule) if isinstance(leaf, Events))
        self._asked = {one.ring_key: one for one in found if one.ring_key not in known}
        self.within_ms = DAY_MS * max(
            (
                one.within_days
                for one in conditions(rule)
                if isinstance(one, Events) and one.ring_key in self._asked
            ),
            default=0,
        )
        """How far back events matter."""

    def __bool__(self) -> bool:
        """Whether anything is asked."""
        return bool(self._asked)

    @property
    def types(self) -> frozenset[EventType] | None:
        """The types of events that tell, or tell what others are taken for; None: all."""
        if any(not one.event for one in self._asked.values()):
            return None
        asked = frozenset(kind for one in self._asked.values() for kind in one.event)
        # A click and the page it led to count once, and a mail's hits are judged together.
        return asked.union(_PAIRED, _NEAR_OPENS if "open" in asked else ())

    def answer(self, state: PersonState, events: Sequence[Event]) -> None:
        """Keep in the state, in place, what the rules ask for.

        Args:
            state: after the person's last event.
            events: the person's of :attr:`types`, as far back as :attr:`within_ms`, in canonical
                order and as judged by those near them.
        """
        if state.score is None:
            return
        heard = [one for one in events if one.occurred_ms >= state.score.since_ms]
        found = _counted(self._asked, heard)
        state.rings_ms = {**state.rings_ms, **found}


def _counted(asked: Mapping[str, Events], events: Iterable[Event]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    clicks: set[str] = set()
    for event in events:
        if event.consent.profile is False and not event.server_only and not is_answer(event):
            continue
        by_software = event.machine.p >= MACHINE_THRESHOLD
        if event.click_id is not None and (not by_software or event.type == "click"):
            if event.click_id in clicks:
                continue
            clicks.add(event.click_id)
        if by_software:
            continue
        for key, condition in asked.items():
            if condition.matches(event):
                found.setdefault(key, []).append(event.occurred_ms)
    return {key: times[-asked[key].at_least :] for key, times in found.items()}
