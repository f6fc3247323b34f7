"""The filter: how fifteen probabilities move through silence and events.

``p`` is a list of 15, frailty point × state, with sum 1. The sums are written out in one order,
so that the same events give the same bits, for one person and for many.
"""

import math
from collections.abc import Sequence
from operator import mul

from services.model.parameters import Three
from services.model.version import GRID, Model

Probabilities = list[float]


def spread(p: Sequence[float], model: Model) -> list[float]:
    """``p`` as 15 coefficients of the exponentials that silence is made of."""
    c: list[float] = []
    rest = iter(p)
    for s, a, b, d in zip(model.silence, rest, rest, rest, strict=True):
        r0, r1, r2, r3, r4, r5, r6, r7, r8 = s.right
        c += (
            a * r0 + b * r3 + d * r6,
            a * r1 + b * r4 + d * r7,
            a * r2 + b * r5 + d * r8,
        )
    return c


def after_silence(p: Sequence[float], days: float, model: Model) -> Probabilities:
    """The probabilities after ``days`` in which nothing was heard."""
    return normal(model.silently(p, days))


def weigh(p: Sequence[float], likelihood: Three) -> Probabilities:
    """The probabilities after something that each state makes so likely, frailty aside."""
    return normal(list(map(mul, p, likelihood * GRID)))


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
    r0, r1, r2 = rates
    # The echo adds as much at every frailty point: a keen person's rates are higher, and so is
    # the sum of rates that its level is measured against.
    e0, e1, e2 = (level_per_day / rate for rate in model.site_rates)
    for z, a, b, d in zip(model.parameters.frailty.points, p[0::3], p[1::3], p[2::3], strict=True):
        weighed += (a * r0 * (z + e0), b * r1 * (z + e1), d * r2 * (z + e2))
    return normal(weighed)


def normal(p: list[float]) -> Probabilities:
    """``p`` scaled to sum 1, with rounding below zero taken for (almost) nothing."""
    if min(p) <= 0.0:
        p = [x if x > 0.0 else 1e-300 for x in p]
    a, b, c, d, e, f, g, h, i, j, k, l, m, n, o = p  # noqa: E741
    t = a + b + c + d + e + f + g + h + i + j + k + l + m + n + o
    return [
        a / t, b / t, c / t, d / t, e / t, f / t, g / t, h / t,
        i / t, j / t, k / t, l / t, m / t, n / t, o / t,
    ]  # fmt: skip


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
