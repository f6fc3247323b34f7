"""Segments that refer to each other, and who was put in one, or kept out, by hand."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from services.contract.spelling import KEY_PATTERN
from services.model.rules.condition import Composed, Condition, Node, Subject, Verdict
from services.model.rules.joined import ByHand
from services.model.rules.memory import BY_HAND

TOGETHER_MAX = 512
"""Conditions of a rule, those of the segments that it refers to among them."""
CHAIN_MAX = 16
"""Segments in a row of which each refers to the next: each adds the depth of its rule."""


class InSegment(Condition):
    """The person is in another segment. Circles are refused."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "in_segment", "segment": "almost-ready"}]}
    )
    touching: ClassVar[frozenset[str] | None] = frozenset()
    type: Literal["in_segment"]
    segment: str = Field(pattern=KEY_PATTERN)

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """By itself it stands for nobody: :func:`whole` puts the other segment's rule here."""
        return False, None


def refers_to(rule: Condition) -> frozenset[str]:
    """The keys of the segments that a rule, as written, refers to."""
    return frozenset(node.segment for node in leaves(rule) if isinstance(node, InSegment))


def leaves(node: Node) -> Iterator[Node]:
    """The conditions of a rule."""
    parts = node.parts()
    if not parts:
        yield node
    for part in parts:
        yield from leaves(part)


def whole(rules: Mapping[str, Condition]) -> dict[str, Node]:
    """Segments as they are evaluated: each with those that it refers to in its rule.

    Args:
        rules: all segments' rules by key. One that is missing holds for nobody.
    """
    done: dict[str, Node] = {}

    def segment(key: str, above: tuple[str, ...]) -> Node | None:
        if key in above or key not in rules:
            return None
        if key not in done:
            found = put(rules[key], lambda other: segment(other, (*above, key)))
            done[key] = ByHand(BY_HAND + key, found)
        return done[key]

    for key in rules:
        segment(key, ())
    return done


def put(rule: Condition, found: Callable[[str], Node | None]) -> Node:
    """A rule in which the segments that it refers to stand with their own rules."""
    if isinstance(rule, InSegment):
        return found(rule.segment) or rule
    if not isinstance(rule, Composed):
        return rule
    return rule.with_parts(
        [put(part, found) for part in rule.parts() if isinstance(part, Condition)]
    )


def circle(key: str, rules: Mapping[str, Condition]) -> tuple[str, ...]:
    """The way from a segment back to itself, each referring to the next; empty: there is none."""
    came_from: dict[str, str] = {}
    waiting = [key]
    while waiting:
        one = waiting.pop()
        for other in sorted(refers_to(rules[one])) if one in rules else ():
            if other == key:
                way = [key, one]
                while way[-1] != key:
                    way.append(came_from[way[-1]])
                return tuple(reversed(way)) if one != key else (key, key)
            if other not in came_from:
                came_from[other] = one
                waiting.append(other)
    return ()


def too_long(keys: Collection[str], rules: Mapping[str, Condition]) -> str | None:
    """One of some segments that stands at the head of too long a chain; None: none does."""
    refers = {key: refers_to(rule) for key, rule in rules.items()}
    for key in sorted(keys):
        row = {key}
        for _ in range(CHAIN_MAX):
            row = {other for one in row for other in refers.get(one, ())}
        if row:
            return key
    return None


def dependents(keys: Iterable[str], rules: Mapping[str, Condition]) -> frozenset[str]:
    """The segments that refer to some of these, directly or by way of others; these not."""
    begun, found, fresh = set(keys), set[str](), set(keys)
    while fresh:
        fresh = {key for key, rule in rules.items() if not refers_to(rule).isdisjoint(fresh)}
        fresh -= found | begun
        found |= fresh
    return frozenset(found)
