"""The segments of a workspace, and which of their rules an event can touch.

Most events change little: what a rule reads tells whether its answer may be another one, so that
a workspace may have many segments and an event still be cheap.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.contract.event import Event
from services.model.rules import Events, Rule, conditions

_BY_THE_PATH = frozenset({"phase", "latency_state"})
_BY_WHAT_WAS_SAID = frozenset({"attribute"})
_BY_COUNTS = frozenset({"events"})


@dataclass(frozen=True)
class Rulebook:
    """The segments of a workspace: (interval key, rule)."""

    segments: tuple[tuple[str, Rule], ...] = ()
    counted: tuple[Events, ...] = field(init=False)
    """Every different condition that counts events."""
    keys: frozenset[str] = field(init=False)
    """The segments' interval keys."""
    every: range = field(init=False)
    """The places of all rules in ``segments``."""
    moving: tuple[int, ...] = field(init=False)
    """The places of rules that may change with every event and in every silence."""
    stepping: tuple[int, ...] = field(init=False)
    """The places of rules that read the phase or the latency state, and are not ``moving``."""
    _touched: dict[str, tuple[int, ...]] = field(init=False, compare=False)
    """By type of event, the places of rules that count such events or read what they say."""

    def __post_init__(self) -> None:
        rules = [tuple(conditions(rule)) for _, rule in self.segments]
        counted = {leaf.ring_key: leaf for leaf in self._leaves() if isinstance(leaf, Events)}
        still = _BY_THE_PATH | _BY_WHAT_WAS_SAID | _BY_COUNTS
        moving = [i for i, leaves in enumerate(rules) if any(x.type not in still for x in leaves)]
        stepping = [
            i
            for i, leaves in enumerate(rules)
            if i not in moving and any(leaf.type in _BY_THE_PATH for leaf in leaves)
        ]
        object.__setattr__(self, "counted", tuple(counted.values()))
        object.__setattr__(self, "keys", frozenset(key for key, _ in self.segments))
        object.__setattr__(self, "every", range(len(rules)))
        object.__setattr__(self, "moving", tuple(moving))
        object.__setattr__(self, "stepping", tuple(stepping))
        object.__setattr__(self, "_touched", {})

    def touched_by(self, event: Event) -> tuple[int, ...] | range:
        """The places of rules whose answer may be another one for what the event says."""
        if event.type in {"hired", "left"} or event.consent.profile is False:
            return self.every  # what was counted is forgotten
        found = self._touched.get(event.type)
        if found is None:
            found = tuple(
                i
                for i, (_, rule) in enumerate(self.segments)
                if any(_reads(leaf, event.type) for leaf in conditions(rule))
            )
            self._touched[event.type] = found
        return found

    def _leaves(self) -> Iterator[Rule]:
        return (leaf for _, rule in self.segments for leaf in conditions(rule))


def _reads(leaf: Rule, event_type: str) -> bool:
    if leaf.type == "events":
        return not leaf.event or event_type in leaf.event
    return leaf.type in _BY_WHAT_WAS_SAID and event_type == "identified"
