"""Silence: how the probabilities of one frailty point move while nothing is heard."""

from dataclasses import dataclass

from services.model.parameters import Three

Nine = tuple[float, float, float, float, float, float, float, float, float]
"""A matrix of three by three, row after row."""


@dataclass(frozen=True, slots=True)
class Silence:
    """How probabilities move while nothing is heard, for one frailty point.

    exp(GΔ) ∝ right · diag(exp(exponents·Δ)) · left, with G = Q − diag(hire) − diag(z·Λ) per day.
    Exponents are measured from the slowest of all frailty points, so that years of silence do not
    underflow.
    """

    exponents: Three
    right: Nine
    left: Nine
