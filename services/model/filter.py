"""The filter: how fifteen probabilities move through silence and events.

``p`` is a list of 15, frailty point × state, with sum 1. The sums are written out in one order,
so that the same events give the same bits, for one person and for many.
"""

import math
from collections.abc import Sequence

from services.model.version import GRID, Model, Three

Probabilities = list[float]


def spread(p: Sequence[float], model: Model) -> list[float]:
    """``p`` as 15 coefficients of the exponentials that silence is made of."""
    c: list[float] = []
    for g in range(GRID):
        a, b, d = p[3 * g], p[3 * g + 1], p[3 * g + 2]
        r = model.silence[g].right
        c += (
            a * r[0] + b * r[3] + d * r[6],
            a * r[1] + b * r[4] + d * r[7],
            a * r[2] + b * r[5] + d * r[8],
        )
    return c


def gather(c: Sequence[float], days: float, model: Model) -> Probabilities:
    """The probabilities after ``days`` of silence, from the coefficients at its beginning."""
    p: list[float] = []
    # All exponents are measured from the slowest, so that years of silence do not underflow.
    slowest = model.silence[0].exponents[0]
    for g in range(GRID):
        s = model.silence[g]
        w, u = s.exponents, s.left
        x = c[3 * g] * math.exp((w[0] - slowest) * days)
        y = c[3 * g + 1] * math.exp((w[1] - slowest) * days)
        z = c[3 * g + 2] * math.exp((w[2] - slowest) * days)
        p += (
            x * u[0] + y * u[3] + z * u[6],
            x * u[1] + y * u[4] + z * u[7],
            x * u[2] + y * u[5] + z * u[8],
        )
    return normal(p)


def after_silence(p: Sequence[float], days: float, model: Model) -> Probabilities:
    """The probabilities after ``days`` in which nothing was heard."""
    return gather(spread(p, model), days, model)


def weigh(p: Sequence[float], likelihood: Three) -> Probabilities:
    """The probabilities after something that each state makes so likely, frailty aside."""
    a, b, d = likelihood
    weighed: list[float] = []
    for g in range(GRID):
        weighed += (p[3 * g] * a, p[3 * g + 1] * b, p[3 * g + 2] * d)
    return normal(weighed)


def weigh_organic(
    p: Sequence[float], rates: Three, level_per_day: float, model: Model
) -> Probabilities:
    """The probabilities after an event that somebody did of their own accord.

    Args:
        p: 15 probabilities.
        rates: events of its kind per day and state, for frailty 1.
        level_per_day: site visits that earlier ones called forth just now (the echo); 0 where
            the event is none of the site's.
        model: the version.
    """
    weighed: list[float] = []
    site = model.site_rates
    for g, z in enumerate(model.parameters.frailty.points):
        weighed += (
            p[3 * g] * rates[0] * (z + level_per_day / site[0]),
            p[3 * g + 1] * rates[1] * (z + level_per_day / site[1]),
            p[3 * g + 2] * rates[2] * (z + level_per_day / site[2]),
        )
    return normal(weighed)


def normal(p: list[float]) -> Probabilities:
    """``p`` scaled to sum 1, with rounding below zero taken for (almost) nothing."""
    p = [x if x > 0.0 else 1e-300 for x in p]
    total = 0.0
    for x in p:
        total += x
    return [x / total for x in p]


def states(p: Sequence[float]) -> Three:
    """P(latent-latent), P(actively latent), P(active)."""
    return (
        p[0] + p[3] + p[6] + p[9] + p[12],
        p[1] + p[4] + p[7] + p[10] + p[13],
        p[2] + p[5] + p[8] + p[11] + p[14],
    )


def log_odds(p: Sequence[float]) -> tuple[float, float]:
    """(log-odds of being active, log-odds of turning: actively latent or active).

    Never by way of 1 − p, which loses all digits near certainty.
    """
    latent, turning, active = states(p)
    return (
        math.log(active) - math.log(latent + turning),
        math.log(turning + active) - math.log(latent),
    )
