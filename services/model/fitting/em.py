"""Expectation and maximisation in turn, until nothing more is gained."""

from collections.abc import Callable, Sequence
from functools import partial, reduce
from operator import add

import msgspec
import numpy as np

from services.model.fitting.each import Each
from services.model.fitting.expect import Expected, expect
from services.model.fitting.maximise import (
    ECHO_EVENTS,
    START_DAYS,
    STATE_NAMES,
    Prior,
    maximise,
    next_echo,
    site_totals,
    three,
)
from services.model.fitting.pack import Batch
from services.model.fitting.tables import tables
from services.model.parameters import Parameters

ROUNDS_MAX = 80
ECHO_ROUNDS_MAX = 40
GAIN_MIN = 0.1
"""A round that gains less than so many nats in all of a thousand person-years is the last one."""
_THOUSAND_YEARS = 365_250


def fit(
    prior: Prior,
    on: Sequence[Batch],
    each: Each,
    told: Callable[[int], None] = lambda _round: None,
) -> Parameters:
    """The likeliest version, with the prior weighed in.

    Args:
        prior: where it starts from, and what that is worth.
        on: what was seen, at least one batch.
        each: how batches are worked through.
        told: is called after every round with its number, from 1.
    """
    return _climb(prior, on, each, told, (maximise, log_prior, ROUNDS_MAX))


def fit_echo(
    prior: Prior,
    on: Sequence[Batch],
    each: Each,
    told: Callable[[int], None] = lambda _round: None,
) -> Parameters:
    """The version with the likeliest strength of the echo.

    How often people visit of their own accord is left free beside it, so that wrong rates are
    not mistaken for an echo; that part is then dropped.
    """
    free = _climb(prior, on, each, told, (_maximise_echo, _echo_prior, ECHO_ROUNDS_MAX))
    return msgspec.structs.replace(prior.version, echo=free.echo)


_Way = tuple[
    Callable[[Parameters, Expected, Prior], Parameters],
    Callable[[Parameters, Prior], float],
    int,
]
"""(M-step, what the prior finds of a version, rounds at most)"""


def expected_of(version: Parameters, on: Sequence[Batch], each: Each) -> Expected:
    """The E-step over all batches."""
    return reduce(add, each(partial(expect, tables=tables(version)), on))


def _climb(
    prior: Prior,
    on: Sequence[Batch],
    each: Each,
    told: Callable[[int], None],
    way: _Way,
) -> Parameters:
    better, log_prior_of, rounds_max = way
    now, reached = prior.version, -np.inf
    days = sum(float(batch.gaps.sum()) for batch in on)
    for number in range(1, rounds_max + 1):
        expected = expected_of(now, on, each)
        height = expected.log_likelihood + log_prior_of(now, prior)
        told(number)
        if height - reached < GAIN_MIN * days / _THOUSAND_YEARS:
            break
        now, reached = better(now, expected, prior), height
    return now


def _maximise_echo(now: Parameters, expected: Expected, prior: Prior) -> Parameters:
    """The echo's strength and, per state, how many visits there are in all."""
    held = _site_total(prior.version)
    totals = site_totals(now, expected, ECHO_EVENTS / held, held)
    scale = totals / _site_total(now)
    rates = now.rates_per_day | {
        kind: three(np.array(now.rates_per_day[kind]) * scale) for kind in now.site_kinds
    }
    echo = msgspec.structs.replace(now.echo, visits_per_visit=next_echo(now, expected, prior))
    return msgspec.structs.replace(now, rates_per_day=rates, echo=echo)


def _site_total(version: Parameters) -> np.ndarray:
    total: np.ndarray = np.array([version.rates_per_day[k] for k in version.site_kinds]).sum(axis=0)
    return total


def log_prior(now: Parameters, prior: Prior) -> float:
    """How likely the prior finds a version, in nats, but for a constant."""
    held, days = prior.version, prior.days
    total = 0.0
    for kind, believed in held.rates_per_day.items():
        if kind not in held.site_kinds:
            total += _gamma(now.rates_per_day[kind], believed, days)
    ours, theirs = _site_total(now), _site_total(held)
    total += _gamma(ours, theirs, days)
    for kind in held.site_kinds:
        share = np.array(now.rates_per_day[kind]) / ours
        total += float((np.array(held.rates_per_day[kind]) * days * np.log(share)).sum())
    for state in STATE_NAMES:
        for target, mean in held.mean_days_until[state].items():
            total += _gamma([1 / now.mean_days_until[state][target]], [1 / mean], days)
    for ours_, theirs_, per_day in (
        (now.mail, held.mail, prior.rhythm.mails_per_day),
        (now.magazine_issue, held.magazine_issue, prior.rhythm.issues_per_day),
    ):
        opened = np.array(theirs_.open)
        total += _beta(ours_.open, opened, days * per_day)
        total += _beta(ours_.click_given_open, theirs_.click_given_open, days * per_day * opened)
    total += float((np.array(held.start) * np.log(now.start)).sum()) * days / START_DAYS
    return total + _strength_prior(now, held)


def _echo_prior(now: Parameters, prior: Prior) -> float:
    held = _site_total(prior.version)
    totals = _gamma(_site_total(now), held, ECHO_EVENTS / held)
    return totals + _strength_prior(now, prior.version)


def _strength_prior(now: Parameters, held: Parameters) -> float:
    believed = held.echo.visits_per_visit
    return _gamma([now.echo.visits_per_visit], [believed], ECHO_EVENTS) if believed else 0.0


def _gamma(
    now: Sequence[float] | np.ndarray,
    held: Sequence[float] | np.ndarray,
    days: float | np.ndarray,
) -> float:
    rate = np.asarray(now)
    return float((days * (np.asarray(held) * np.log(rate) - rate)).sum())


def _beta(
    now: Sequence[float], held: Sequence[float] | np.ndarray, worth: float | np.ndarray
) -> float:
    share, believed = np.asarray(now), np.asarray(held)
    return float((worth * (believed * np.log(share) + (1 - believed) * np.log1p(-share))).sum())
