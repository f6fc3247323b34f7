"""How well a score did on people it was not fitted on, by what they did themselves.

Whether somebody was active nobody saw. What was seen is their own applications and hires: every
number here is about the first of these in a spell, and about the time before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.model.fitting.alarms import Manner, counted, starts, threshold_for
from services.model.fitting.history import NOTHING, Floats, Histories
from services.model.fitting.pack import Batch, batches
from services.model.fitting.ranks import auc
from services.model.fitting.scores import AHEAD_DAYS, Score, outcome_codes
from services.model.parameters import Parameters

MARK_DAYS = 7.0
"""How often people are looked at."""
BEFORE_DAYS = 90.0
"""An alarm so long before an application or a hire was right."""
LEAST_DAYS = 1.0
"""An alarm later than so long before it came too late."""
FALSE_PER_YEAR = 0.10
"""At this rate of alarms that no application or hire followed, scores are compared."""
YEAR_DAYS = 365.25
BINS = 10


@dataclass(frozen=True, slots=True)
class Watched:
    """People, looked at every week, and what they did. Arrays are over steps but for the last."""

    histories: Histories
    packed: Sequence[Batch]
    is_mark: np.ndarray
    """Weekly moments before the first outcome of which is known what followed."""
    follows: np.ndarray
    """Whether an outcome followed within ``AHEAD_DAYS``."""
    is_false: Floats
    """1 where an alarm that begins there is followed by no outcome in ``BEFORE_DAYS``; else 0."""
    to_outcome: Floats
    """Days until the spell's first outcome; infinite where none came."""
    years: float
    """Person-years in which an alarm would be a false one."""
    outcomes: int
    """Spells with an outcome."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a score was worth. Rates are per person-year."""

    auc: float
    """The chance that of two people that one ranks higher who applies or is hired in four weeks."""
    threshold: float
    """At which it has ``FALSE_PER_YEAR``."""
    alarms_per_year: float
    """All alarms at that threshold."""
    caught: float
    """Of applications and hires the share with an alarm between 90 days and a day before."""
    lead_days: float
    """How long before; the mean over all, 0 where there was none."""


def watch(histories: Histories, version: Parameters) -> Watched:
    """People as they are judged by; of ``version`` only the kinds matter."""
    marked = histories.with_marks(MARK_DAYS)
    codes = outcome_codes(version)
    first = np.full(len(marked.ends), np.inf)
    happened = np.isin(marked.codes, codes)
    np.minimum.at(first, marked.spell_of[happened], marked.days[happened])
    to_outcome = first[marked.spell_of] - marked.days
    is_last = np.zeros(len(marked.days), dtype=bool)
    is_last[marked.ends - 1] = True
    rest = marked.spell_days[marked.spell_of] - marked.days
    follows = (to_outcome > 0) & (to_outcome <= AHEAD_DAYS)
    known = follows | (rest >= AHEAD_DAYS)
    is_mark = (marked.codes == NOTHING) & ~is_last & (to_outcome > 0) & known
    free_days = np.clip(np.minimum(first - BEFORE_DAYS, marked.spell_days), 0, None)
    return Watched(
        histories=marked,
        packed=batches(marked, version),
        is_mark=is_mark,
        follows=follows,
        is_false=(to_outcome > BEFORE_DAYS).astype(float),
        to_outcome=to_outcome,
        years=float(free_days.sum()) / YEAR_DAYS,
        outcomes=int(np.isfinite(first).sum()),
    )


def judge(watched: Watched, score: Score, manner: Manner, bounds: tuple[float, float]) -> Judged:
    """Judge a score; its threshold is looked for within ``bounds``."""
    packed, wanted = watched.packed, FALSE_PER_YEAR * watched.years
    threshold = threshold_for(score, packed, manner, watched.is_false, wanted, bounds)
    began = starts(score, packed, threshold, manner)
    before = (watched.to_outcome > 0).astype(float)
    total = counted(score, packed, np.array([threshold]), manner, before)[0]
    caught, lead = _leads(watched, began)
    return Judged(
        auc=auc(score.after[watched.is_mark], watched.follows[watched.is_mark]),
        threshold=threshold,
        alarms_per_year=float(total) / max(watched.years, 1e-9),
        caught=caught,
        lead_days=lead,
    )


def _leads(watched: Watched, began: np.ndarray) -> tuple[float, float]:
    """(share of outcomes with an alarm in time, mean days from the first such alarm)."""
    if not watched.outcomes:
        return 0.0, 0.0
    timely = began & (watched.to_outcome <= BEFORE_DAYS) & (watched.to_outcome >= LEAST_DAYS)
    lead = np.zeros(len(watched.histories.ends))
    np.maximum.at(lead, watched.histories.spell_of[timely], watched.to_outcome[timely])
    return float((lead > 0).sum()) / watched.outcomes, float(lead.sum()) / watched.outcomes


def calibration(watched: Watched, chances: Floats) -> tuple[float, float, float]:
    """(expected, observed, error) of outcomes within ``AHEAD_DAYS`` of a weekly look.

    The first two are shares of all looks; the error is the mean distance between them in ten
    groups of equal size, by what was expected.
    """
    said = chances[watched.is_mark]
    came = watched.follows[watched.is_mark].astype(float)
    order = np.argsort(said, kind="stable")
    groups = [group for group in np.array_split(order, BINS) if len(group)]
    error = sum(abs(float((said[g] - came[g]).sum())) for g in groups) / max(len(said), 1)
    return float(said.mean()), float(came.mean()), error
