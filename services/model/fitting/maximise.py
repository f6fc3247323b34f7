"""The M-step: the numbers that make what is expected likeliest, priors weighed in.

A prior is worth so many person-days per state: as if that long had been watched already, and had
gone exactly as the version that it comes from says.
"""

from dataclasses import dataclass

import msgspec
import numpy as np

from services.model.fitting.expect import Expected
from services.model.fitting.history import (
    HIRED,
    ISSUE,
    MAIL_CLICK,
    MAIL_OPEN,
    NOT_CLICKED,
    NOT_OPENED,
    UNSEEN,
    Floats,
    Rhythm,
    codes_of,
    site_codes,
)
from services.model.parameters import MailRates, Parameters, Three
from services.model.version import GRID, STATES, generator

STATE_NAMES = ("latent_latent", "actively_latent", "active")
ECHO_EVENTS = 100
"""What the prior of the echo's strength is worth, in site events."""
START_DAYS = 100
"""Person-days that are worth one spell's beginning: about how long a state lasts."""
ECHO_MAX = 0.95


@dataclass(frozen=True, slots=True)
class Prior:
    """``days`` person-days per state, with mail at a rhythm, as ``version`` has it."""

    version: Parameters
    days: float
    rhythm: Rhythm


def maximise(now: Parameters, expected: Expected, prior: Prior) -> Parameters:
    """The next version: all numbers but those that are not fitted (frailty, windows, signals)."""
    per_state = expected.events.reshape(GRID, STATES, -1).sum(axis=0)
    start = expected.start + np.array(prior.version.start) * (prior.days / START_DAYS)
    return msgspec.structs.replace(
        now,
        start=three(start / start.sum()),
        mean_days_until=_moves(now, expected, per_state[:, HIRED], prior),
        rates_per_day=_rates(now, expected, prior),
        mail=_answers(
            now.mail, prior.version.mail, per_state, prior.days * prior.rhythm.mails_per_day
        ),
        magazine_issue=_answers(
            now.magazine_issue,
            prior.version.magazine_issue,
            np.roll(per_state, -ISSUE, axis=1),
            prior.days * prior.rhythm.issues_per_day,
        ),
        echo=msgspec.structs.replace(now.echo, visits_per_visit=next_echo(now, expected, prior)),
    )


def three(values: Floats) -> Three:
    """Three numbers as data has them."""
    a, b, c = values.tolist()
    return (a, b, c)


def exposure(now: Parameters, expected: Expected) -> Floats:
    """(3,) person-days per state, weighed by how active somebody is by nature."""
    weighed: Floats = np.array(now.frailty.points) @ expected.days
    return weighed


def next_echo(now: Parameters, expected: Expected, prior: Prior) -> float:
    """One step of Newton's towards the likeliest strength of the echo, not farther than thrice."""
    n, held = now.echo.visits_per_visit, prior.version.echo.visits_per_visit
    if not held:
        return 0.0
    believed = ECHO_EVENTS * held
    slope = expected.echo_slope + believed / n - expected.called - ECHO_EVENTS
    bend = expected.echo_bend + believed / n**2
    return min(max(n + slope / bend, n / 3), n * 3, ECHO_MAX)


def site_totals(now: Parameters, expected: Expected, days: Floats, believed: Floats) -> Floats:
    """(3,) visits per day that nothing called forth, of all site kinds.

    ``believed`` per day has been watched for ``days`` already, per state.
    """
    codes = site_codes(now)
    seen = expected.organic.reshape(GRID, STATES, -1).sum(axis=0)[:, codes].sum(axis=1)
    totals: Floats = (believed * days + seen) / (days + exposure(now, expected))
    return totals


def _moves(
    now: Parameters, expected: Expected, hires: Floats, prior: Prior
) -> dict[str, dict[str, float]]:
    believed, hire = generator(prior.version)
    watched = expected.days.sum(axis=0) + prior.days
    moves = (believed * prior.days + expected.moves) / watched[:, None]
    hired = (hire * prior.days + hires) / watched
    return {
        state: {
            target: float(1 / (hired[i] if target == "hired" else moves[i, _index(target)]))
            for target in now.mean_days_until[state]
        }
        for i, state in enumerate(STATE_NAMES)
    }


def _index(state: str) -> int:
    return STATE_NAMES.index(state)


def _rates(now: Parameters, expected: Expected, prior: Prior) -> dict[str, Three]:
    codes, days = codes_of(now), prior.days
    events = expected.events.reshape(GRID, STATES, -1).sum(axis=0)
    watched = exposure(now, expected) + days
    rates = {
        kind: (np.array(prior.version.rates_per_day[kind]) * days + events[:, code]) / watched
        for kind, code in codes.items()
    }
    site = [kind for kind in now.site_kinds if kind in rates]
    believed = np.array([prior.version.rates_per_day[kind] for kind in site]).sum(axis=0)
    totals = site_totals(now, expected, np.full(STATES, days), believed)
    # What is looked at is as telling in a visit that was called forth: shares count all visits.
    shared = sum(rates[kind] for kind in site)
    return {
        kind: three(rate / shared * totals if kind in site else rate)
        for kind, rate in rates.items()
    }


def _answers(now: MailRates, held: MailRates, seen: Floats, mails: float) -> MailRates:
    """Opens and clicks; of a mail whose open is unsure, as many were opened as is likely.

    Args:
        now: the rates by which ``seen`` is expected.
        held: the prior's.
        seen: (3, codes) how often each mail code was seen in each state.
        mails: how many the prior is worth, per state.
    """
    opened, clicked = np.array(now.open), np.array(now.click_given_open)
    was_opened = opened * (1 - clicked) / (1 - opened * clicked) * seen[:, UNSEEN]
    all_opened = seen[:, MAIL_OPEN] + was_opened
    all_mails = seen[:, MAIL_OPEN] + seen[:, NOT_OPENED] + seen[:, UNSEEN]
    decided = seen[:, MAIL_CLICK] + seen[:, NOT_CLICKED] + was_opened
    held_opens = np.array(held.open) * mails
    held_clicks = np.array(held.click_given_open) * held_opens
    # No mail at all leaves the numbers as they are.
    return msgspec.structs.replace(
        now,
        open=three((held_opens + all_opened) / (mails + all_mails)) if mails else held.open,
        click_given_open=three((held_clicks + seen[:, MAIL_CLICK]) / (held_opens + decided))
        if mails
        else held.click_given_open,
    )
