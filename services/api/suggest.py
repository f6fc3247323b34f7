"""What was probably meant by a name that we do not know."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Literal, NamedTuple, get_args

from services.model.rules.values import Sort
from services.model.words import Language

_NAME_LENGTH_MAX = 100


def shown(name: str) -> str:
    """A name from outside, short enough and fit to be said again."""
    return repr(name[:_NAME_LENGTH_MAX].encode("utf-8", "replace").decode())


def meant(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'limit'?``, or what there is where nothing comes near."""
    names = sorted(known)
    there = f" There is: {', '.join(names)}." if names else " There is none."
    return nearest(name, names) or there


SlipKind = Literal["attribute", "topic", "identity", "content"]


class Slip(NamedTuple):
    """A name asked for that is not there, as far as was looked, and the one probably meant."""

    kind: SlipKind
    name: str
    meant: str | None

    def told(self, language: Language) -> str:
        """As a warning."""
        meant = _MEANT[language].format(repr(self.meant)) if self.meant else ""
        return _NOT_THERE[self.kind][language].format(shown(self.name)) + meant


_NOT_THERE: dict[SlipKind, dict[Language, str]] = {
    "attribute": {
        "nl": "Van de eerste en laatste mensen die binnenkwamen heeft niemand een attribuut {0}.",
        "en": "Of the first and the last people to come in nobody has an attribute {0}.",
    },
    "topic": {
        "nl": "Van de eerste en laatste mensen die binnenkwamen deed niemand iets rond een "
        "onderwerp {0}.",
        "en": "Of the first and the last people to come in nobody did anything about a topic {0}.",
    },
    "identity": {
        "nl": "Van niemand is een {0} bekend.",
        "en": "Nobody is known by any {0}.",
    },
    "content": {
        "nl": "In de catalogus staat geen inhoud met id {0}.",
        "en": "There is no content with id {0} in the catalogue.",
    },
}
_MEANT: dict[Language, str] = {"nl": " Bedoelt u {0}?", "en": " Did you mean {0}?"}


SortOrDate = Sort | Literal["date"]
"""What a value is like: a text may be a date besides."""


class Unlike(NamedTuple):
    """An attribute that is compared with what it never is."""

    name: str
    has: tuple[Sort, ...]
    asked: SortOrDate

    def told(self, language: Language) -> str:
        """As a warning."""
        sorts = _SORTS[language]
        has = _OR[language].join(sorts[one] for one in self.has)
        return _UNLIKE[language].format(shown(self.name), has, sorts[self.asked])


_UNLIKE: dict[Language, str] = {
    "nl": "Bij de mensen naar wie is gekeken is {0} {1}, en hier gaat het om {2}: "
    "die komen nooit overeen.",
    "en": "Of the people looked at {0} is {1}, and this is {2}: the two never match.",
}
_OR: dict[Language, str] = {"nl": " of ", "en": " or "}
_SORTS: dict[Language, dict[SortOrDate, str]] = {
    "nl": {"text": "een tekst", "number": "een getal", "yes_no": "ja of nee", "date": "een datum"},
    "en": {"text": "a text", "number": "a number", "yes_no": "yes or no", "date": "a date"},
}


def unlike(
    asked: Iterable[tuple[str, SortOrDate]], has: Mapping[str, Collection[SortOrDate]]
) -> list[Unlike]:
    """The attributes, of those compared with values of some sort, that are of another."""
    return [
        Unlike(name, tuple(one for one in get_args(Sort) if one in has[name]), sort)
        for name, sort in sorted(set(asked))
        if has.get(name) and sort not in has[name]
    ]


def slips(kind: SlipKind, missing: Iterable[str], known: Collection[str]) -> list[Slip]:
    """Names that are not there; what was meant is a known one, unless it is one itself."""
    return [Slip(kind, one, None if one in known else _near(one, known)) for one in sorted(missing)]


def nearest(value: object, known: Iterable[str]) -> str:
    """`` Did you mean 'paused'?``; nothing where nothing comes near."""
    near = _near(value, known) if isinstance(value, str) else None
    return _MEANT["en"].format(repr(near)) if near else ""


def _near(value: str, known: Iterable[str]) -> str | None:
    found = get_close_matches(value[:_NAME_LENGTH_MAX], sorted(known), n=1, cutoff=0.6)
    return found[0] if found else None
