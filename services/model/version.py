"""A model version: parameters read from data, and what follows from them, computed once."""

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from services.contract.phases import DAY_MS
from services.model.parameters import MailRates, Parameters, Three, VersionError, read
from services.model.silence import Nine, Silence
from services.model.state import Mail

GRID = 5
"""Frailty points: how active somebody is by nature."""
STATES = 3
"""latent-latent, actively latent, active."""
SIZE = GRID * STATES


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Everything that scoring needs of a version. Arrays of 15 are frailty point × state."""

    parameters: Parameters
    start: tuple[float, ...]
    silence: tuple[Silence, ...]
    site_rates: Three
    """Sum of the site kinds' rates per state, for frailty 1."""
    session_ms: int
    mail_window_ms: int
    issue_window_ms: int
    stay_ms: int
    engagement_per_ms: float
    """Natural decay rate of engagement."""
    silence_cools: bool
    """Whether a mail or issue left unanswered speaks the less for a state the nearer to active."""

    def answers(self, mail: Mail) -> MailRates:
        """The rates at which such an opportunity is answered."""
        return self.parameters.magazine_issue if mail.issue else self.parameters.mail

    @property
    def version(self) -> str:
        """The version's name."""
        return self.parameters.version


@cache
def load(version: str = "day-one") -> Model:
    """The model of that name.

    Raises:
        FileNotFoundError: there is none.
        VersionError: its data are not what they must be.
    """
    name = version.replace("-", "_") + ".json"
    data = files("services.model").joinpath(name).read_bytes()
    return build(read(data))


def generator(parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """(Q without hiring, 3×3; hire rate per state), per day."""
    names = ("latent_latent", "actively_latent", "active")
    rates = np.zeros((STATES, STATES))
    hire = np.zeros(STATES)
    for i, state in enumerate(names):
        for target, days in parameters.mean_days_until[state].items():
            if target == "hired":
                hire[i] = 1 / days
            else:
                rates[i, names.index(target)] = 1 / days
        rates[i, i] = -rates[i].sum()
    return rates, hire


def build(parameters: Parameters) -> Model:
    """What follows from parameters.

    Raises:
        VersionError: the silence of some frailty point has complex exponents.
    """
    q, hire = generator(parameters)
    organic = np.array([parameters.rates_per_day[k] for k in parameters.rates_per_day]).sum(axis=0)
    silence = _silences(
        [q - np.diag(hire) - np.diag(z * organic) for z in parameters.frailty.points]
    )
    site = [
        sum(parameters.rates_per_day[kind][i] for kind in parameters.site_kinds)
        for i in range(STATES)
    ]
    return Model(
        parameters=parameters,
        start=tuple(share / GRID for share in parameters.start) * GRID,
        silence=silence,
        site_rates=(site[0], site[1], site[2]),
        session_ms=round(parameters.session_minutes * 60_000),
        mail_window_ms=round(parameters.mail.window_days * DAY_MS),
        issue_window_ms=round(parameters.magazine_issue.window_days * DAY_MS),
        stay_ms=round(parameters.signals.stay_days * DAY_MS),
        engagement_per_ms=math.log(2) / (parameters.engagement.half_life_days * DAY_MS),
        silence_cools=all(
            rates == tuple(sorted(rates))
            for answers in (parameters.mail, parameters.magazine_issue)
            for rates in (answers.open, answers.click_given_open)
        ),
    )


def _silences(generators: list[np.ndarray]) -> tuple[Silence, ...]:
    found = [_eigen(g) for g in generators]
    slowest = max(w[0] for w, _, _ in found)
    return tuple(
        Silence(
            exponents=(w[0] - slowest, w[1] - slowest, w[2] - slowest),
            right=_nine(right),
            left=_nine(left),
        )
        for w, right, left in found
    )


def _nine(matrix: np.ndarray) -> Nine:
    a, b, c, d, e, f, g, h, i = matrix.ravel().tolist()
    return a, b, c, d, e, f, g, h, i


def _eigen(g: np.ndarray) -> tuple[list[float], np.ndarray, np.ndarray]:
    """(exponents, the slowest first; right; left)."""
    exponents, right = np.linalg.eig(g)
    if np.iscomplexobj(exponents):
        raise VersionError("silence has complex exponents; these rates are far from any we know")
    left = np.linalg.inv(right)
    order = np.argsort(-exponents)
    return exponents[order].tolist(), right[:, order], left[order]
