"""Since when somebody is in a hidden state: the expected moment of entry, given all that was heard.

Exact under the version. Beside each probability p of frailty point and state runs a number m, the
expectation of (time of the last entry into the state) × (being in it now). What is heard weighs
both alike. In silence of length τ, with G the generator and D its diagonal,

    m(τ) = m(0)·e^(Dτ) + ∫ (t₀+s) · inflow(s) · e^(D(τ−s)) ds

where whoever stays keeps their time and whoever comes in at s has t₀+s. With the generator's
eigenvectors the integral is a sum of three terms per state. Whoever is in a state since before
scoring began has entered it, for us, when scoring began.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.model.parameters import Three
from services.model.silence import Silence
from services.model.version import STATES

_SMALL = 1e-3


@dataclass(frozen=True, slots=True)
class Filling:
    """How one state of one frailty point fills, and empties, while nothing is heard."""

    left: Three
    """Its part of each exponential."""
    leaving: float
    """Per day, below 0: the generator's diagonal."""


def filling(silence: Silence) -> tuple[Filling, ...]:
    """Of each state of a frailty point, which is the same in every silence."""
    r, u, w = silence.right, silence.left, silence.exponents
    return tuple(
        Filling(
            (u[i], u[STATES + i], u[2 * STATES + i]),
            sum(r[STATES * i + k] * w[k] * u[STATES * k + i] for k in range(STATES)),
        )
        for i in range(STATES)
    )


def held_after_silence(
    p: Sequence[float],
    m: Sequence[float],
    points: Sequence[Silence],
    fillings: Sequence[tuple[Filling, ...]],
    begin: float,
    days: float,
) -> list[float]:
    """What m is after a silence.

    Args:
        p: 15 probabilities before it, frailty point × state.
        m: the same of m, in days after the origin.
        points: of the model, one per frailty point.
        fillings: of each of them.
        begin: when the silence began, in days after the origin.
        days: how long it was.
    """
    found: list[float] = []
    total = 0.0
    i = 0
    for point, states in zip(points, fillings, strict=True):
        r0, r1, r2, r3, r4, r5, r6, r7, r8 = point.right
        e0, e1, e2 = point.exponents
        a, b, d = p[i], p[i + 1], p[i + 2]
        c0 = a * r0 + b * r3 + d * r6
        c1 = a * r1 + b * r4 + d * r7
        c2 = a * r2 + b * r5 + d * r8
        g0, g1, g2 = math.exp(e0 * days), math.exp(e1 * days), math.exp(e2 * days)
        for state in states:
            l0, l1, l2 = state.left
            leaving = state.leaving
            stayed = math.exp(leaving * days)
            f0, f1, f2 = c0 * l0, c1 * l1, c2 * l2
            here = f0 * g0 + f1 * g1 + f2 * g2
            came = (
                f0 * _times(e0 - leaving, days, g0, stayed)
                + f1 * _times(e1 - leaving, days, g1, stayed)
                + f2 * _times(e2 - leaving, days, g2, stayed)
            )
            found.append(m[i] * stayed + begin * (here - p[i] * stayed) + came)
            total += here
            i += 1
    # Both numbers had grown by one and the same factor.
    return [x / total for x in found]


def _times(a: float, days: float, grown: float, stayed: float) -> float:
    """By parts: a · ∫ s·e^(ws)·e^(D(τ−s)) ds over [0, τ], where a = w − D."""
    x = a * days
    if abs(x) < _SMALL:
        return stayed * days * x * (1 / 2 + x / 3 + x * x / 8)
    return (grown * (x - 1) + stayed) / a
