"""Rules as they are evaluated: conditions put together, each answered once for all that read it.

Apart from the rules as they are written, because this is done for each event: it is compiled.
"""

from collections.abc import Sequence

from services.model.rules.condition import Composed, Condition, Node, Subject, Verdict


class Joined:
    """Several rules; a part with the decisive truth settles the whole."""

    def __init__(self, rules: Sequence[Node], *, decisive: bool) -> None:
        self.rules = tuple(rules)
        self.decisive = decisive

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`services.model.rules.condition.Condition`."""
        return combined(self.rules, subject, at_ms, decisive=self.decisive)

    def parts(self) -> Sequence[Node]:
        """The rules."""
        return self.rules


class Turned:
    """The opposite of a rule."""

    def __init__(self, rule: Node) -> None:
        self.rule = rule

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`services.model.rules.condition.Condition`."""
        truth, until_ms = self.rule.verdict(subject, at_ms)
        return not truth, until_ms

    def parts(self) -> Sequence[Node]:
        """The rule."""
        return (self.rule,)


class ByHand:
    """A segment: its rule, and before it what people decided.

    Args:
        key: where the fold keeps that.
        rule: the rule.
    """

    def __init__(self, key: str, rule: Node) -> None:
        self.key = key
        self.rule = rule

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`services.model.rules.condition.Condition`."""
        put = subject.state.rings_ms.get(self.key)
        if put is None:
            return self.rule.verdict(subject, at_ms)
        return bool(put[0]), None

    def parts(self) -> Sequence[Node]:
        """The rule."""
        return (self.rule,)


SHARED_DEEP = 200
"""Levels of a rule: a chain of segments may have many more, and Python's calls are bounded."""


class Shared:
    """A condition that many rules may read: it is asked once of a subject and moment."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`services.model.rules.condition.Condition`."""
        answers = subject.answers
        found = answers.get((self, at_ms))
        if found is None:
            found = answers[self, at_ms] = self.condition.verdict(subject, at_ms)
        return found

    def parts(self) -> Sequence[Node]:
        """None: it is a condition by itself."""
        return ()


def combined(rules: Sequence[Node], subject: Subject, at_ms: int, *, decisive: bool) -> Verdict:
    """One part with the decisive truth settles the whole, for as long as the longest of them."""
    ends_ms: int | None = None
    settled_ms: int | None = None
    settled = False
    for rule in rules:
        truth, until_ms = rule.verdict(subject, at_ms)
        if truth is decisive:
            if until_ms is None:
                return decisive, None
            settled = True
            settled_ms = until_ms if settled_ms is None else max(settled_ms, until_ms)
        elif until_ms is not None:
            ends_ms = until_ms if ends_ms is None else min(ends_ms, until_ms)
    return (decisive, settled_ms) if settled else (not decisive, ends_ms)


def sharing(rule: Node, known: dict[str, Shared], deep: int = SHARED_DEEP) -> Node:
    """A rule with each condition in it shared.

    Args:
        rule: as it is written, or as it is evaluated.
        known: those that there are, by what they ask; what is new is added.
        deep: so many levels; what lies deeper stays as it is.
    """
    if deep == 0:
        return rule
    if isinstance(rule, ByHand):
        return ByHand(rule.key, sharing(rule.rule, known, deep - 1))
    if isinstance(rule, Turned):
        return Turned(sharing(rule.rule, known, deep - 1))
    if isinstance(rule, Joined):
        return Joined(
            [sharing(part, known, deep - 1) for part in rule.rules], decisive=rule.decisive
        )
    if isinstance(rule, Composed):
        return rule.with_parts([sharing(part, known, deep - 1) for part in rule.parts()])
    if isinstance(rule, Condition):
        # By its text: 1, 1.0 and true are equal, and ask for other things.
        return known.setdefault(rule.model_dump_json(), Shared(rule))
    return rule
