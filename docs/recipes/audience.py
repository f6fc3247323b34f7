"""Writes a segment as an audience file for Meta or LinkedIn, hashed as each asks.

    python audience.py meta SEGMENT > audience.csv
    python audience.py linkedin SEGMENT TEMPLATE.csv > audience.csv

LinkedIn's template is the one that its Campaign Manager offers: the file must have all of its
columns, of which this fills ``email``. Only of whoever agreed to be handed to advertisers
(`share`). The attributes ``phone``, ``first_name``, ``last_name`` and ``country`` are used where
people have them.
"""

import csv
import hashlib
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from kentering import members

ATTRIBUTES = ("phone", "first_name", "last_name", "country")
_NATIONAL = 9
"""So many digits has a Dutch number behind its zero."""


def email(text: str) -> str:
    """Without blanks around it, in lower case."""
    return text.strip().lower()


def phone(text: str, country_code: str = "31") -> str:
    """Digits alone with the country's code, no zeros before it; one without is taken for Dutch.

    A spreadsheet takes away the plus and the zeros before a number: nine digits have no code, and
    those of a Dutch number with its code are known by it.
    """
    digits = re.sub(r"\D", "", text.replace("(0)", ""))
    abroad = text.strip().startswith("+") or digits.startswith("00")
    bare = digits.lstrip("0")
    with_code = bare.startswith(country_code) and len(bare) == len(country_code) + _NATIONAL
    if abroad or (with_code and bare == digits):
        return bare
    return country_code + bare if bare else ""


def name(text: str) -> str:
    """In lower case, without blanks around it and without punctuation; letters keep accents."""
    # One spelling for an accent: some programs write it as a character of its own.
    letters = unicodedata.normalize("NFC", text).lower()
    kept = (one for one in letters if not unicodedata.category(one).startswith("P"))
    return "".join(kept).strip()


def country(text: str) -> str:
    """Two letters in lower case, as ISO 3166-1 has them; anything else is nobody's country."""
    code = text.strip().lower()
    return code if re.fullmatch("[a-z]{2}", code) else ""


def hashed(text: str) -> str:
    """SHA-256 in lower-case hexadecimal; empty stays empty."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


Rule = Callable[[str], str]
META: dict[str, tuple[str, Rule]] = {
    "email": ("email", email),
    "phone": ("attribute.phone", phone),
    "fn": ("attribute.first_name", name),
    "ln": ("attribute.last_name", name),
    "country": ("attribute.country", country),
}
"""Column: what goes into it, and by which rule before it is hashed."""
LINKEDIN: dict[str, tuple[str, Rule]] = {"email": ("email", email)}
ENOUGH = ("email", "phone")
"""Nobody is found by a name alone: a row has one of these."""


def write(
    people: Iterable[dict[str, Any]],
    columns: dict[str, tuple[str, Rule]],
    header: Sequence[str],
    out: TextIO,
) -> int:
    """Write the file, without rows that say nothing; how many there are."""
    writer = csv.DictWriter(out, header, restval="")
    writer.writeheader()
    number = 0
    for person in people:
        row = {
            name: hashed(rule(str(person.get(of) or ""))) for name, (of, rule) in columns.items()
        }
        if any(row.get(name) for name in ENOUGH):
            writer.writerow(row)
            number += 1
    return number


def main(shape: str, segment: str, template: str | None = None) -> None:
    """Write the file to standard output."""
    columns = {"meta": META, "linkedin": LINKEDIN}[shape]
    header = list(columns)
    if template is not None:
        with Path(template).open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
        if not set(columns) <= set(header):
            sys.exit(f"{template} has no column {' and '.join(columns)}")
    count = write(members(segment, "audience", ATTRIBUTES), columns, header, sys.stdout)
    print(f"{count} people", file=sys.stderr)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["meta", segment]:
            main("meta", segment)
        case ["linkedin", segment, template]:
            main("linkedin", segment, template)
        case _:
            sys.exit(__doc__)
