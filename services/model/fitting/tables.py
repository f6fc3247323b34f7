"""A version's numbers as the tables that steps are computed with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.model.fitting.history import (
    FIRST_KIND,
    HIRED,
    ISSUE,
    MAIL_CLICK,
    MAIL_OPEN,
    NOT_CLICKED,
    NOT_OPENED,
    UNSEEN,
    UNSUBSCRIBE,
    Floats,
    codes_of,
)
from services.model.parameters import Parameters
from services.model.version import GRID, SIZE, STATES, generator

Numbers = npt.NDArray[Any]
"""Real, or complex where the generator's exponents are."""


@dataclass(frozen=True, slots=True)
class Tables:
    """exp(GΔ) = right · diag(e^(exponents·Δ)) · left, for each frailty point.

    ``exponents`` are measured from the real number ``slowest``, so that years do not underflow.
    """

    start: Floats
    """(15,) frailty point × state."""
    moves: Floats
    """(3, 3) moves per day between states; the diagonal is 0."""
    slowest: float
    exponents: Numbers
    """(5, 3)"""
    right: Numbers
    """(5, 3, 3)"""
    left: Numbers
    """(5, 3, 3)"""
    own: Floats
    """(15, codes) the likelihood of a code; of what somebody does, the rate per day."""
    called: Floats
    """(15, codes) which share of the visits that are called forth is of that kind."""
    echo: float
    """Visits that a visit calls forth."""
    frailty: Floats
    """(5,)"""


def tables(parameters: Parameters) -> Tables:
    """The tables of a version."""
    q, hire = generator(parameters)
    z = np.array(parameters.frailty.points)
    rates = np.array(list(parameters.rates_per_day.values()))
    killed = rates.sum(axis=0)[None, :] * z[:, None] + hire[None, :]
    generators = q[None, :, :] - killed[:, :, None] * np.eye(STATES)[None, :, :]
    exponents, right = np.linalg.eig(generators)
    # In one piece, as it arrives in another process: else sums there end in other last digits.
    right = np.ascontiguousarray(right)
    slowest = float(exponents.real.max())
    return Tables(
        start=np.tile(np.array(parameters.start) / GRID, GRID),
        moves=q - np.diag(np.diag(q)),
        slowest=slowest,
        exponents=exponents - slowest,
        right=right,
        left=np.linalg.inv(right),
        own=_own(parameters, hire, rates, z),
        called=_called(parameters),
        echo=parameters.echo.visits_per_visit,
        frailty=z,
    )


def _own(parameters: Parameters, hire: Floats, rates: Floats, z: Floats) -> Floats:
    own = np.ones((GRID, STATES, FIRST_KIND + len(rates)))
    own[:, :, HIRED] = hire
    for answers, more in ((parameters.mail, 0), (parameters.magazine_issue, ISSUE)):
        opened, clicked = np.array(answers.open), np.array(answers.click_given_open)
        own[:, :, MAIL_OPEN + more] = opened
        own[:, :, MAIL_CLICK + more] = clicked
        own[:, :, NOT_OPENED + more] = 1 - opened
        own[:, :, NOT_CLICKED + more] = 1 - clicked
        own[:, :, UNSEEN + more] = 1 - opened * clicked
        own[:, :, UNSUBSCRIBE + more] = answers.unsubscribe
    own[:, :, FIRST_KIND:] = z[:, None, None] * rates.T[None, :, :]
    return own.reshape(SIZE, -1)


def _called(parameters: Parameters) -> Floats:
    codes = codes_of(parameters)
    called = np.zeros((STATES, FIRST_KIND + len(codes)))
    total = np.array([parameters.rates_per_day[kind] for kind in parameters.site_kinds]).sum(axis=0)
    for kind in parameters.site_kinds:
        called[:, codes[kind]] = np.array(parameters.rates_per_day[kind]) / total
    return np.tile(called, (GRID, 1))
