"""A whole rule in words: what must hold, one below the other."""

from typing import NamedTuple

from services.model.condition_words import Names, in_words
from services.model.rules import AllOf, AnyOf, Not
from services.model.rules.condition import Condition
from services.model.words import Language

__all__ = ["Names", "Shown", "view"]

_ALL: dict[Language, str] = {"nl": "Dit alles:", "en": "All of these:"}
_ANY: dict[Language, str] = {"nl": "Minstens een hiervan:", "en": "At least one of these:"}
_NONE: dict[Language, str] = {"nl": "Niets hiervan:", "en": "None of these:"}


class Shown(NamedTuple):
    """A condition, or a heading with what stands below it."""

    text: str
    parts: tuple["Shown", ...] = ()


def view(rule: Condition, language: Language, segments: Names) -> Shown:
    """A rule as a tree of words.

    Args:
        rule: as written.
        language: of the words.
        segments: what segments are called, by their keys.
    """
    match rule:
        case AllOf():
            return Shown(_ALL[language], _below(rule.rules, language, segments))
        case AnyOf():
            return Shown(_ANY[language], _below(rule.rules, language, segments))
        case Not(rule=AnyOf(rules=inner)):
            return Shown(_NONE[language], _below(inner, language, segments))
        case Not(rule=inner):
            return Shown(_NONE[language], _below((inner,), language, segments))
        case _:
            return Shown(in_words(rule, language, segments))


def _below(rules: tuple[Condition, ...], language: Language, segments: Names) -> tuple[Shown, ...]:
    return tuple(view(one, language, segments) for one in rules)
