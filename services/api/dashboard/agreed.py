"""What somebody agreed to, in words, and why we make no estimate of whom we make none."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Row

from services.api.dashboard.texts import Words
from services.api.ledger import circles_of_person, entries_of, that_decide
from services.contract.consent import PURPOSES, SPLIT_PURPOSES
from services.model.state import PersonState


@dataclass(frozen=True)
class Agreed:
    """One purpose, what was answered (yes, no, never said), and when."""

    purpose: str
    answer: str
    told: str


def agreed(connection: Connection, person: Row[Any], words: Words) -> list[Agreed]:
    """Every purpose in its order; of the finer ones only those that were said."""
    entries = entries_of(connection, person)
    found = that_decide(entries, circles_of_person(connection, person))
    lines = []
    for purpose in PURPOSES:
        row = found.get(purpose)
        if row is not None:
            told = _told(row, [one for one in entries if one.purpose == purpose], words)
            answer = words["yes" if row.granted else "no"]
            lines.append(Agreed(words[f"purpose_{purpose}"], answer, told))
        elif purpose not in SPLIT_PURPOSES:
            lines.append(Agreed(words[f"purpose_{purpose}"], words["never_said"], ""))
    return lines


def _told(row: Row[Any], said: Sequence[Row[Any]], words: Words) -> str:
    """When it was answered; of what was but repeated, since when it was so.

    Args:
        row: the entry that decides.
        said: all of its purpose, the last said first.
        words: in a language.
    """
    day = words.day(row.said_ms)
    if row.answered:
        told = words["said"].format(day=day)
        return told if row.asked_where is None else f"{told} ({row.asked_where})"
    alike = takewhile(lambda one: one.granted == row.granted, said)
    first = words.day(min((one.said_ms for one in alike), default=row.said_ms))
    if first == day:
        return words["repeated"].format(day=day)
    return words["repeated_since"].format(first=first, day=day)


def why_not(state: PersonState | None, words: Words) -> str | None:
    """Why no estimate is made of somebody; None: one is."""
    if state is not None and state.score is not None:
        return None
    if state is None or state.hired_ms is None:
        cause = "not_agreed"
    else:
        cause = "employed" if state.left_ms is None else "left"
    return words["not_scored"].format(cause=words[cause])
