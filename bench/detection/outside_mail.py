"""Mails outside the filter's family: answered by taste, and by software."""

import math

import numpy as np

from bench.detection.life import BEGIN_MS, Act, Truth
from bench.detection.outside_acts import Habits
from services.contract.phases import DAY_MS, HOUR_MS

_OPEN = (-1.5, -1.0, -0.6)
"""Log-odds of opening by state, for somebody of average taste."""
_CLICK = (0.05, 0.12, 0.22)
"""Chance of clicking what was opened."""
_OPENS_KNOWN, _SCANNERS_KNOWN = 0.9, 0.8
"""Share of the opens and clicks by software that the tracker knows for such."""
_UNSUBSCRIBES = 0.004


def mails_of(rng: np.random.Generator, truth: Truth, habits: Habits, every_days: int) -> list[Act]:
    """All mails to one person, and what came of them; some acts lie after the end."""
    acts: list[Act] = []
    first_ms = BEGIN_MS + DAY_MS + 8 * HOUR_MS
    for number, begun_ms in enumerate(range(first_ms, truth.end_ms, every_days * DAY_MS)):
        sent_ms = begun_ms + int(rng.integers(600_000))
        acts.append(Act(sent_ms, "sent", number))
        acts += _software(rng, habits, number, sent_ms)
        own = _answers(rng, habits, truth.state_at(sent_ms), number, sent_ms)
        acts += own
        if own and own[-1].kind == "unsubscribe":
            break
    return acts


def _software(rng: np.random.Generator, habits: Habits, number: int, sent_ms: int) -> list[Act]:
    acts: list[Act] = []
    if habits.opens_by_machine:
        known = 0.9 if rng.random() < _OPENS_KNOWN else 0.0
        acts.append(Act(sent_ms + int(rng.integers(60_000, 3_600_000)), "open", number, known))
    if habits.scanned:
        known = 0.95 if rng.random() < _SCANNERS_KNOWN else 0.0
        t_ms = sent_ms + int(rng.integers(5_000, 30_000))
        acts += (Act(t_ms + i * 300, "click", number, known) for i in range(3))
    return acts


def _answers(
    rng: np.random.Generator, habits: Habits, state: int, number: int, sent_ms: int
) -> list[Act]:
    """What the person does: open, click and read on, or unsubscribe, in order."""
    if rng.random() > 1 / (1 + math.exp(-_OPEN[state] - habits.mail_taste)):
        return []
    open_ms = sent_ms + round(rng.lognormal(math.log(6), 1.5) * HOUR_MS)
    # Where the mail program has the pictures already, nobody sees that they are looked at.
    acts = [] if habits.opens_by_machine else [Act(open_ms, "open", number)]
    if rng.random() < _CLICK[state]:
        click_ms = open_ms + int(rng.integers(5_000, 120_000))
        acts.append(Act(click_ms, "click", number, click=number))
        acts.append(Act(click_ms + 900, "page", click=number))
        while rng.random() < 0.4:
            click_ms += int(rng.integers(20_000, 180_000))
            acts.append(Act(click_ms, "page"))
    elif rng.random() < _UNSUBSCRIBES:
        acts.append(Act(open_ms + 30_000, "unsubscribe", number))
    return acts
