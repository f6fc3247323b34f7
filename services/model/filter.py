"""The filter: how fifteen probabilities move through silence and events.

``p`` is a list of 15, frailty point × state, with sum 1. The sums are written out in one order,
so that the same events give the same bits, for one person and for many. Loops run by place and over
plain floats: compiled they work on the processor's own numbers.
"""

import math
from collections.abc import Sequence

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


def after_silence(p: Probabilities, days: float, model: Model) -> Probabilities:
    """The probabilities after ``days`` in which nothing was heard."""
    q: list[float] = []
    i = 0
    for point in model.silence:
        e0, e1, e2 = point.exponents
        r0, r1, r2, r3, r4, r5, r6, r7, r8 = point.right
        l0, l1, l2, l3, l4, l5, l6, l7, l8 = point.left
        a, b, d = p[i], p[i + 1], p[i + 2]
        c0 = (a * r0 + b * r3 + d * r6) * math.exp(e0 * days)
        c1 = (a * r1 + b * r4 + d * r7) * math.exp(e1 * days)
        c2 = (a * r2 + b * r5 + d * r8) * math.exp(e2 * days)
        q.append(c0 * l0 + c1 * l3 + c2 * l6)
        q.append(c0 * l1 + c1 * l4 + c2 * l7)
        q.append(c0 * l2 + c1 * l5 + c2 * l8)
        i += 3
    return normal(q)


def weigh(p: Probabilities, likelihood: Three) -> Probabilities:
    """The probabilities after something that each state makes so likely, frailty aside."""
    l0, l1, l2 = likelihood
    weighed: list[float] = []
    for i in range(0, 3 * GRID, 3):
        weighed.append(p[i] * l0)
        weighed.append(p[i + 1] * l1)
        weighed.append(p[i + 2] * l2)
    return normal(weighed)


def weigh_organic(
    p: Probabilities, rates: Three, level_per_day: float, model: Model
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
    s0, s1, s2 = model.site_rates
    # The echo adds as much at every frailty point: a keen person's rates are higher, and so is
    # the sum of rates that its level is measured against.
    e0, e1, e2 = level_per_day / s0, level_per_day / s1, level_per_day / s2
    points = model.parameters.frailty.points
    i = 0
    for g in range(GRID):
        z: float = points[g]
        weighed.append(p[i] * r0 * (z + e0))
        weighed.append(p[i + 1] * r1 * (z + e1))
        weighed.append(p[i + 2] * r2 * (z + e2))
        i += 3
    return normal(weighed)


def normal(p: list[float]) -> Probabilities:
    """``p`` scaled to sum 1, with rounding below zero taken for (almost) nothing."""
    total = 0.0
    for x in p:
        if x <= 0.0:
            return normal([y if y > 0.0 else 1e-300 for y in p])
        total += x
    return [x / total for x in p]


def states(p: list[float]) -> Three:
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
    latent, turning, active = states([*p])
    return (
        math.log(active) - math.log(latent + turning),
        math.log(turning + active) - math.log(latent),
    )
