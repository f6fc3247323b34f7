"""Stays outside the filter's family: they have a memory, and the seasons have a say."""

import math

import numpy as np

from bench.detection.life import ACTIVE, BEGIN_MS, Stay, Truth
from services.contract.phases import DAY_MS

BEFORE_DAYS = 2_500
"""Lives begin so long before we look, so that no state is the rule at the beginning."""
_OPEN_DAYS, _ACTIVE_DAYS = 55.0, 45.0
_HIRED_HERE = 0.06
"""Of active stays, the share that ends in a hire by us."""


def truth_of(rng: np.random.Generator, end_ms: int, content_days: float, *, idle: bool) -> Truth:
    """One person's stays; ``idle``: never looking for a job, whatever it seems."""
    if idle:
        return Truth((Stay(0, BEGIN_MS, end_ms),), hired=False)
    state, t_ms = 0, BEGIN_MS - BEFORE_DAYS * DAY_MS
    stays: list[Stay] = []
    hired = False
    while t_ms < end_ms and not hired:
        until_ms = t_ms + round(_days(rng, state, t_ms, content_days) * DAY_MS)
        if until_ms > BEGIN_MS:
            stays.append(Stay(state, max(t_ms, BEGIN_MS), min(until_ms, end_ms)))
            hired = state == ACTIVE and until_ms < end_ms and rng.random() < _HIRED_HERE
        state, t_ms = _next(rng, state), until_ms
    return Truth(tuple(stays), hired)


def _days(rng: np.random.Generator, state: int, t_ms: int, content_days: float) -> float:
    """How long a stay lasts: content ones very unequally, the others near their mean."""
    if state == 0:
        days = content_days * rng.lognormal(-0.32, 0.8)
        # January and September make people think again.
        return float(days) / (1 + 0.4 * math.cos(4 * math.pi * _year(t_ms)))
    mean, shape = (_OPEN_DAYS, 2.0) if state == 1 else (_ACTIVE_DAYS, 3.0)
    return float(rng.gamma(shape, mean / shape))


def _next(rng: np.random.Generator, state: int) -> int:
    stays_away, turns = ((0.0, 0.85), (0.45, 0.0), (0.70, 0.30))[state]
    drawn = rng.random()
    return 0 if drawn < stays_away else 1 if drawn < stays_away + turns else 2


def _year(t_ms: int) -> float:
    """Years since the beginning."""
    return (t_ms - BEGIN_MS) / DAY_MS / 365.25
