"""The segments of a workspace, and which of their rules an event can touch.

Most events change little: what a rule reads tells whether its answer may be another one, so that
a workspace may have many segments and an event still be cheap.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.contract.event import LISTED, Event
from services.model.rules.condition import Condition, Node
from services.model.rules.joined import Shared, sharing
from services.model.rules.membership import leaves
from services.model.rules.memory import Memories, memories_of
from services.model.rules.standing import Probability, TimeInPhase


@dataclass(frozen=True)
class Rulebook:
    """The segments of a workspace: (interval key, rule)."""

    segments: tuple[tuple[str, Node], ...] = ()
    asked: tuple[Node, ...] = field(init=False, compare=False)
    """Their rules, a condition that several of them read being one."""
    memories: Memories = field(init=False)
    """What the fold is to keep for them."""
    keys: frozenset[str] = field(init=False)
    """The segments' interval keys."""
    every: range = field(init=False)
    """The places of all rules in ``segments``."""
    bounds: dict[str, tuple[float, ...]] = field(init=False, compare=False)
    """By what it is a probability of, the values that rules compare it with, ascending."""
    moving: tuple[tuple[int, tuple[tuple[str, int], ...]], ...] = field(init=False)
    """The places of rules that read probabilities, and which of the ``bounds`` they ask about."""
    stepping: tuple[int, ...] = field(init=False)
    """The places of rules that read the phase or the latency state."""
    recurring: frozenset[int] = field(init=False)
    """The places of rules whose answer may change for ever though nothing happens."""
    _leaves: tuple[tuple[Condition, ...], ...] = field(init=False, compare=False)
    """By place, the conditions."""
    _touched: dict[str, tuple[int, ...]] = field(init=False, compare=False)
    """By type of event, the places of rules that such events may touch."""

    def __post_init__(self) -> None:
        found = tuple(tuple(_conditions(rule)) for _, rule in self.segments)
        stepping = [i for i, of in enumerate(found) if any(one.steps for one in of)]
        whole = [one for of in found for one in of]
        bounds = _bounds(one for one in whole if isinstance(one, Probability))
        memories = memories_of(
            (memory for one in whole for memory in one.memories()),
            phase=any(isinstance(one, TimeInPhase) for one in whole),
        )
        recurring = (i for i, of in enumerate(found) if any(one.recurs() for one in of))
        known: dict[str, Shared] = {}
        asked = tuple(sharing(rule, known) for _, rule in self.segments)
        object.__setattr__(self, "asked", asked)
        object.__setattr__(self, "memories", memories)
        object.__setattr__(self, "keys", frozenset(key for key, _ in self.segments))
        object.__setattr__(self, "every", range(len(found)))
        object.__setattr__(self, "bounds", bounds)
        object.__setattr__(self, "moving", tuple(_moving(found, bounds)))
        object.__setattr__(self, "stepping", tuple(stepping))
        object.__setattr__(self, "recurring", frozenset(recurring))
        object.__setattr__(self, "_leaves", found)
        object.__setattr__(self, "_touched", {})

    def drawing(self, keys: Collection[str]) -> "Rulebook":
        """One by which as much is kept, and only some of the segments are drawn."""
        some = Rulebook(tuple(one for one in self.segments if one[0] in keys))
        object.__setattr__(some, "memories", self.memories)
        return some

    def touched_by(self, event: Event) -> tuple[int, ...] | range:
        """The places of rules whose answer may be another one for what the event says."""
        if event.type in _TOUCHING_ALL or event.consent.profile is False:
            return self.every  # what was counted is forgotten, or people decided
        found = self._touched.get(event.type)
        if found is None:
            found = tuple(
                i
                for i, of in enumerate(self._leaves)
                if any(one.touched_by(event.type) for one in of)
            )
            self._touched[event.type] = found
        return found


_TOUCHING_ALL = frozenset({"hired", "left", LISTED})


def _conditions(rule: Node) -> Iterator[Condition]:
    return (leaf for leaf in leaves(rule) if isinstance(leaf, Condition))


def _bounds(asking: Iterable[Probability]) -> dict[str, tuple[float, ...]]:
    found: dict[str, set[float]] = {}
    for one in asking:
        found.setdefault(one.of, set()).add(one.bound)
    return {of: tuple(sorted(values)) for of, values in found.items()}


def _moving(
    rules: Iterable[Sequence[Condition]], bounds: Mapping[str, tuple[float, ...]]
) -> Iterator[tuple[int, tuple[tuple[str, int], ...]]]:
    for place, of in enumerate(rules):
        asking = [one for one in of if isinstance(one, Probability)]
        if asking:
            yield place, tuple((one.of, bounds[one.of].index(one.bound)) for one in asking)
