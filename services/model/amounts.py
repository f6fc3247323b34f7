"""Numbers with the word for what they count, in Dutch and English: 1 dag, 2 dagen."""

from typing import Literal

from services.model.vocabulary import Language

Unit = Literal["minute", "hour", "day", "month", "year", "time"]

_UNITS: dict[Unit, dict[Language, tuple[str, str]]] = {
    "minute": {"nl": ("minuut", "minuten"), "en": ("minute", "minutes")},
    "hour": {"nl": ("uur", "uur"), "en": ("hour", "hours")},
    "day": {"nl": ("dag", "dagen"), "en": ("day", "days")},
    "month": {"nl": ("maand", "maanden"), "en": ("month", "months")},
    "year": {"nl": ("jaar", "jaar"), "en": ("year", "years")},
    "time": {"nl": ("keer", "keer"), "en": ("time", "times")},
}
_MINUTES: tuple[tuple[Unit, int], ...] = (("day", 24 * 60), ("hour", 60), ("minute", 1))
_AND: dict[Language, str] = {"nl": " en ", "en": " and "}


def amount(number: int, unit: Unit, language: Language) -> str:
    """A whole number with its unit, of one as of one."""
    one, many = _UNITS[unit][language]
    return f"{number} {one if number == 1 else many}"


def lasting(minutes: int, language: Language) -> str:
    """So many minutes as people say it: ``7 dagen``, ``1 uur en 30 minuten``."""
    parts, rest = [], minutes
    for unit, size in _MINUTES:
        number, rest = divmod(rest, size)
        if number:
            parts.append(amount(number, unit, language))
    if not parts:
        return amount(0, "minute", language)
    return _AND[language].join(filter(None, (", ".join(parts[:-1]), parts[-1])))
