"""Why a rule holds for somebody, or does not: the conditions that settle it, in words."""

from collections.abc import Iterator

from services.model.condition_words import in_words
from services.model.rules import Not
from services.model.rules.condition import Condition, Node, Subject
from services.model.rules.joined import ByHand, Turned
from services.model.vocabulary import Language

REASONS_MAX = 10

_NOT: dict[Language, str] = {"nl": "niet: {}", "en": "not: {}"}
_BY_HAND: dict[Language, str] = {"nl": "met de hand toegevoegd", "en": "put in by hand"}


def reasons(rule: Node, subject: Subject, at_ms: int, language: Language) -> list[str]:
    """The conditions by which a rule holds, or does not, each as a few words.

    One that does not hold begins with *not*. At most ``REASONS_MAX``, in the order of the rule.
    """
    found: list[str] = []
    for text, truth in _settling(rule, subject, at_ms, language):
        told = text if truth else _NOT[language].format(text)
        if told not in found:
            found.append(told)
    return found[:REASONS_MAX]


def _settling(
    rule: Node, subject: Subject, at_ms: int, language: Language
) -> Iterator[tuple[str, bool]]:
    """What settles a rule's truth, each with its own."""
    truth = rule.verdict(subject, at_ms)[0]
    if isinstance(rule, ByHand) and rule.key in subject.state.rings_ms:
        yield _BY_HAND[language], truth
    elif isinstance(rule, Not | Turned):
        yield from _settling(rule.parts()[0], subject, at_ms, language)
    elif isinstance(rule, Condition) and not rule.parts():
        yield in_words(rule, language), truth
    else:
        for part in rule.parts():
            if part.verdict(subject, at_ms)[0] is truth:
                yield from _settling(part, subject, at_ms, language)
