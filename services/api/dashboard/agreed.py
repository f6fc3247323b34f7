"""What somebody agreed to, in words, and why we make no estimate of whom we make none."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from services.api.dashboard.texts import Words
from services.api.ledger import deciding
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
    found = deciding(connection, person)
    lines = []
    for purpose in PURPOSES:
        row = found.get(purpose)
        if row is not None:
            told = words["said" if row.answered else "repeated"].format(day=words.day(row.said_ms))
            answer = words["yes" if row.granted else "no"]
            lines.append(Agreed(words[f"purpose_{purpose}"], answer, told))
        elif purpose not in SPLIT_PURPOSES:
            lines.append(Agreed(words[f"purpose_{purpose}"], words["never_said"], ""))
    return lines


def why_not(state: PersonState | None, words: Words) -> str | None:
    """Why no estimate is made of somebody; None: one is."""
    if state is not None and state.score is not None:
        return None
    if state is None or state.hired_ms is None:
        cause = "not_agreed"
    else:
        cause = "employed" if state.left_ms is None else "left"
    return words["not_scored"].format(cause=words[cause])
