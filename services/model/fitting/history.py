"""What persons did, as plain columns: the form in which many are computed side by side.

A spell is a stretch in which somebody is scored: from the event that began it to a hire, the
withdrawal of consent, or the end of what is known. Its steps are what the filter weighs, in order;
what happened is a code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.model.parameters import Parameters

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

NOTHING = 0
"""A step that says nothing: the end of what is known, or a moment at which to look."""
HIRED = 1
MAIL_OPEN = 2
MAIL_CLICK = 3
NOT_OPENED = 4
NOT_CLICKED = 5
UNSEEN = 6
"""Neither clicked nor surely opened: an open was seen that software may have made."""
UNSUBSCRIBE = 7
ISSUE = 6
"""What is added to a mail's code for the same of a magazine issue."""
FIRST_KIND = 14
"""The kinds of the version's rates follow, in its order."""

NEW_MAIL = (MAIL_OPEN, NOT_OPENED, UNSEEN)
"""Every mail whose answer is known has exactly one of these."""
CLICKS = (MAIL_CLICK, MAIL_CLICK + ISSUE)


class Rhythm(NamedTuple):
    """How much a person gets."""

    mails_per_day: float
    issues_per_day: float


def codes_of(parameters: Parameters) -> dict[str, int]:
    """The code of each kind of the version's rates."""
    return {kind: FIRST_KIND + i for i, kind in enumerate(parameters.rates_per_day)}


def site_codes(parameters: Parameters) -> list[int]:
    """Codes of what is done on the website: it calls further visits, and may be called."""
    codes = codes_of(parameters)
    return [codes[kind] for kind in parameters.site_kinds]


@dataclass(frozen=True, slots=True)
class Histories:
    """Spells one after another; ``ends[s]`` is where the steps of spell s end."""

    person: Ints
    """(spells,) a number per person; somebody may have several spells."""
    ends: Ints
    """(spells,)"""
    days: Floats
    """(steps,) since the spell's beginning, never falling within a spell."""
    codes: Codes
    """(steps,) the last one of a spell is NOTHING or HIRED."""

    @property
    def begins(self) -> Ints:
        """(spells,) where the steps of each spell begin."""
        return np.concatenate([[0], self.ends[:-1]]).astype(np.int64)

    @property
    def lengths(self) -> Ints:
        """(spells,) steps."""
        return self.ends - self.begins

    @property
    def spell_days(self) -> Floats:
        """(spells,) how long each spell lasts."""
        return self.days[self.ends - 1]

    @property
    def spell_of(self) -> Ints:
        """(steps,) to which spell each step belongs."""
        return np.repeat(np.arange(len(self.ends)), self.lengths)

    @property
    def rhythm(self) -> Rhythm:
        """How many mails and issues a person gets."""
        days = max(float(self.spell_days.sum()), 1.0)
        mails = np.isin(self.codes, NEW_MAIL).sum()
        issues = np.isin(self.codes, np.add(NEW_MAIL, ISSUE)).sum()
        return Rhythm(float(mails) / days, float(issues) / days)

    def only(self, wanted: npt.NDArray[np.bool_]) -> "Histories":
        """The spells for which (spells,) is true."""
        kept = np.repeat(wanted, self.lengths)
        return Histories(
            self.person[wanted], np.cumsum(self.lengths[wanted]), self.days[kept], self.codes[kept]
        )

    def with_marks(self, every_days: float) -> "Histories":
        """The same with a step of NOTHING at every so many days."""
        counts = np.floor(self.spell_days / every_days).astype(np.int64)
        owner = np.repeat(np.arange(len(self.ends)), counts)
        firsts = np.repeat(np.cumsum(counts) - counts, counts)
        moments = (np.arange(len(owner)) - firsts + 1) * every_days
        spell = np.concatenate([self.spell_of, owner])
        days = np.concatenate([self.days, moments])
        codes = np.concatenate([self.codes, np.full(len(owner), NOTHING, dtype=np.int8)])
        # A mark comes before what happened at its very moment, so that a spell's end stays last.
        is_mark = np.arange(len(spell)) < len(self.days)
        order = np.lexsort((is_mark, days, spell))
        return Histories(self.person, np.cumsum(self.lengths + counts), days[order], codes[order])


def join(pieces: Sequence[Histories]) -> Histories:
    """Several made one, in their order."""
    lengths = np.concatenate([[0], *(piece.lengths for piece in pieces)])
    return Histories(
        np.concatenate([np.zeros(0, np.int64), *(piece.person for piece in pieces)]),
        np.cumsum(lengths)[1:].astype(np.int64),
        np.concatenate([np.zeros(0), *(piece.days for piece in pieces)]),
        np.concatenate([np.zeros(0, np.int8), *(piece.codes for piece in pieces)]),
    )
