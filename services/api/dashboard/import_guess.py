"""What the columns of a file probably mean: by their names, else by what stands in them."""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from services.api.dashboard.import_glimpse import Column, Glimpse
from services.contract.special_category import category_of

Dates = Literal["iso", "day_first", "month_first"]
_NAMED: dict[str, str] = {
    "id:email": "email e-mail mail emailadres e-mailadres mailadres emailaddress mailaddress",
    "id:user_id": "user_id userid kandidaatnummer kandidaatid kandidaat_id candidateid "
    "candidate_id relatienummer klantnummer personid person_id contactid contact_id id nummer",
    "given_at": "toestemming_op toestemmingsdatum datum_toestemming toestemming_datum akkoord_op "
    "akkoorddatum datum_akkoord akkoord_datum instemming_op instemmingsdatum datum_instemming "
    "agreed_on agreed_at date_agreed consent_date consent_at date_of_consent given_at opt_in_date "
    "optin_datum optin_date",
    "text_version": "tekstversie versie_tekst privacyversie text_version consent_text "
    "consent_version",
    "consent:measure": "meten mag_meten toestemming toestemming_meten consent consent_measure "
    "measure may_be_measured volgen mag_volgen",
    "consent:profile": "profiel mag_profiel profileren toestemming_profiel schatting "
    "consent_profile profile may_be_profiled",
    "consent:contact": "contact mag_contact toestemming_contact optin opt_in opt-in nieuwsbrief "
    "newsletter consent_contact may_be_contacted",
}
_MEANS = {name: means for means, names in _NAMED.items() for name in names.split()}
_CALLED = {"naam": "name", "volledige_naam": "name", "full_name": "name", "regio": "region"}
"""Attributes that the product's own pages know."""
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DATE = re.compile(r"(\d{4})-\d\d?-\d\d?(?:[ T].*)?|(\d\d?)[-/.](\d\d?)[-/.]\d{4}(?:[ T].*)?")
_NUMBER = re.compile(r"-?\d{1,9}(?:[.,]\d+)?")
_YES_NO = {"ja", "nee", "yes", "no", "true", "false", "waar", "onwaar", "j", "n", "y"}
_NAME_CHARS_MAX = 100
ODD_SHOWN = 3
_MONTHS = 12


class Guess(NamedTuple):
    """What a column probably means, as the form names it."""

    means: str
    """Empty: it is not read."""
    attribute: str
    """What the attribute would be called."""
    odd: tuple[str, ...] = ()
    """Some of what stands in it and is not what the others are: rows that will be told of."""
    is_special: bool = False
    """It is about health, age, origin or the like, and therefore not read."""


def guesses(found: Glimpse) -> list[Guess]:
    """Of each column, in their order; what one person has one of is guessed once."""
    taken: set[str] = set()
    guessed = []
    for column in found.columns:
        name = attribute_name(column.name)
        if category_of(column.name) is not None:
            guessed.append(Guess("", name, is_special=True))
            continue
        means = _means(column)
        odd = _odd(column.cells, means)
        if not means.startswith("as:"):
            means = "" if means in taken else means
            taken.add(means)
        guessed.append(Guess(means, name, odd if means else ()))
    return guessed


def dates_in(found: Glimpse) -> Dates:
    """How the file writes dates, where that can be seen."""
    dates = [match for one in found.columns for cell in one.cells if (match := _day(cell))]
    parts = [(int(match[2]), int(match[3])) for match in dates if match[2]]
    if not parts:
        return "iso"
    month_first = all(first <= _MONTHS for first, _ in parts)
    return "month_first" if month_first and any(s > _MONTHS for _, s in parts) else "day_first"


def decimal_in(found: Glimpse) -> Literal[".", ","]:
    """What stands before the tenths, where that can be seen."""
    cells = [cell for one in found.columns for cell in one.cells if _NUMBER.fullmatch(cell)]
    return "," if any(re.search(r",\d{1,2}$", cell) for cell in cells) else "."


def attribute_name(column: str) -> str:
    """A column's name as rules write attributes."""
    name = _plain(column)
    return _CALLED.get(name, name)[:_NAME_CHARS_MAX]


def _means(column: Column) -> str:
    known = _MEANS.get(_plain(column.name)) or _MEANS.get(_plain(column.name).replace("_", ""))
    if known:
        return known
    if not column.cells:
        return ""
    for means in ("id:email", "as:date", "as:yes_no", "as:number"):
        # What stands otherwise in some rows is probably wrong there: a trial tells of it.
        if 2 * sum(map(_FITS[means], column.cells)) > len(column.cells):
            return "as:text" if _is_code(means, column.cells) else means
    return "as:text"


def _is_code(means: str, cells: list[str]) -> bool:
    """With a nought in front a number is a code: a postcode, a telephone number."""
    return means == "as:number" and any(re.match(r"0\d", cell) for cell in cells)


def _odd(cells: list[str], means: str) -> tuple[str, ...]:
    fits = _FITS.get(means)
    return () if fits is None else tuple(dict.fromkeys(c for c in cells if not fits(c)))[:ODD_SHOWN]


def _day(cell: str) -> re.Match[str] | None:
    return _DATE.fullmatch(cell)


_FITS: dict[str, Callable[[str], bool]] = {
    "id:email": lambda cell: _ADDRESS.fullmatch(cell) is not None,
    "as:date": lambda cell: _day(cell) is not None,
    "given_at": lambda cell: _day(cell) is not None,
    "as:yes_no": lambda cell: cell.lower() in _YES_NO,
    "as:number": lambda cell: _NUMBER.fullmatch(cell) is not None,
}
"""Whether something that stands in a column is what the column means."""


def _plain(name: str) -> str:
    return re.sub(r"[^\w.]+", "_", name.strip().lower()).strip("_")
