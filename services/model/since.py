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

from services.contract.event import Event
from services.contract.phases import DAY_MS
from services.model.silence import Silence
from services.model.version import SIZE, STATES, Model

_SMALL = 1e-3


class Entries:
    """A ledger (see ``services/model/ledger.py``) that keeps when states were entered."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._origin_ms = self._at_ms = 0
        self._p: Sequence[float] = model.start
        self._m = [0.0] * SIZE
        """In days after the origin."""

    def note(self, kind: str, at_ms: int, p: Sequence[float], event: Event | None) -> None:  # noqa: ARG002  a ledger's
        """``kind`` of step ended at ``at_ms`` and left ``p``."""
        if kind == "start":
            self._origin_ms, self._m = at_ms, [0.0] * SIZE
        elif kind == "silence":
            self._m = self._after_silence(at_ms)
        else:
            self._m = [m * (now / then) for m, now, then in zip(self._m, p, self._p, strict=True)]
        self._p, self._at_ms = p, at_ms

    def entered_ms(self) -> tuple[int, int, int]:
        """For each state, when it was entered, should the person be in it now: UTC ms."""
        ms = [
            self._origin_ms + round(sum(self._m[i::STATES]) / sum(self._p[i::STATES]) * DAY_MS)
            for i in range(STATES)
        ]
        return ms[0], ms[1], ms[2]

    def _after_silence(self, at_ms: int) -> list[float]:
        begin = (self._at_ms - self._origin_ms) / DAY_MS
        days = (at_ms - self._at_ms) / DAY_MS
        p: list[float] = []
        m: list[float] = []
        for g, silence in enumerate(self._model.silence):
            piece = slice(STATES * g, STATES * g + STATES)
            then, now = _silent(silence, self._p[piece], self._m[piece], begin, days)
            p += then
            m += now
        total = sum(p)
        return [x / total for x in m]


def _silent(
    silence: Silence, p: Sequence[float], m: Sequence[float], begin: float, days: float
) -> tuple[list[float], list[float]]:
    """(p, m) of one frailty point after a silence, both times one and the same factor."""
    r, u, w = silence.right, silence.left, silence.exponents
    c = [sum(p[i] * r[3 * i + k] for i in range(STATES)) for k in range(STATES)]
    grown = [math.exp(x * days) for x in w]
    p_now, m_now = [], []
    for i in range(STATES):
        leaving = sum(r[3 * i + k] * w[k] * u[3 * k + i] for k in range(STATES))
        stayed = math.exp(leaving * days)
        here = sum(c[k] * grown[k] * u[3 * k + i] for k in range(STATES))
        came = sum(
            c[k] * u[3 * k + i] * _times(w[k] - leaving, days, grown[k], stayed)
            for k in range(STATES)
        )
        p_now.append(here)
        m_now.append(m[i] * stayed + begin * (here - p[i] * stayed) + came)
    return p_now, m_now


def _times(a: float, days: float, grown: float, stayed: float) -> float:
    """By parts: a · ∫ s·e^(ws)·e^(D(τ−s)) ds over [0, τ], where a = w − D."""
    x = a * days
    if abs(x) < _SMALL:
        return stayed * days * x * (1 / 2 + x / 3 + x * x / 8)
    return (grown * (x - 1) + stayed) / a
