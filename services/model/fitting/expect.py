"""The E-step: what is expected to have happened, given everything that was seen.

How long somebody was in a state within a silence, and how often a move was made, are integrals of
products of exponentials. Their coefficients are summed over all silences first, and the closed
form is applied once at the end (per-interval eigen sums; the same numbers as Van Loan's block
exponentials give interval by interval).
"""

from dataclasses import dataclass, fields

import numpy as np

from services.model.fitting.history import Floats
from services.model.fitting.pack import Batch
from services.model.fitting.passes import LEAST, decay, forward, spread
from services.model.fitting.tables import Numbers, Tables
from services.model.version import GRID, SIZE, STATES


@dataclass(frozen=True, slots=True)
class Expected:
    """Sums over persons; they add up."""

    log_likelihood: float
    start: Floats
    """(3,) in which state spells began."""
    days: Floats
    """(5, 3) person-days per frailty point and state."""
    moves: Floats
    """(3, 3) moves between states; the diagonal is 0."""
    events: Floats
    """(15, codes) how often each code was seen in each state."""
    organic: Floats
    """(15, codes) of those, the ones that no earlier visit called forth."""
    echo_slope: float
    """Of the log-likelihood in the echo's strength, states as expected, but for −called."""
    echo_bend: float
    """Minus its second derivative."""
    called: float
    """See :class:`services.model.fitting.pack.Batch`."""

    def __add__(self, other: "Expected") -> "Expected":
        return Expected(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Expected)))


def expect(batch: Batch, tables: Tables) -> Expected:
    """The E-step over one batch."""
    ahead = forward(batch, tables)
    sums = _Sums(tables)
    rows, columns = batch.gaps.shape
    # What the rest of the spell says of each state after a step, so scaled that the product with
    # the filter's probabilities has sum 1.
    rest = np.ones((SIZE, columns))
    for row in range(rows - 1, -1, -1):
        n = int(batch.live[row])
        known = ahead.after[row, :, :n] * rest[:, :n]
        likely = sums.step(batch, row, known)
        back = rest[:, :n] * likely / ahead.scale[row, :n]
        before = ahead.after[row - 1, :, :n] if row else _start(tables, n)
        rest[:, :n] = sums.silence(before, back, batch.gaps[row, :n])
    start = (_start(tables, columns) * rest).sum(axis=1).reshape(GRID, STATES).sum(axis=0)
    days, moves = sums.integrals()
    return Expected(
        log_likelihood=float(ahead.log_likelihood.sum()),
        start=start,
        days=days,
        moves=moves,
        events=sums.events,
        organic=sums.organic,
        echo_slope=sums.echo_slope,
        echo_bend=sums.echo_bend,
        called=float(batch.called.sum()),
    )


def _start(tables: Tables, columns: int) -> Floats:
    return np.broadcast_to(tables.start[:, None], (SIZE, columns))


class _Sums:
    """What is added up on the way back."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        codes = tables.own.shape[1]
        self._one_of = np.eye(codes)
        self.events = np.zeros((SIZE, codes))
        self.organic = np.zeros((SIZE, codes))
        self.echo_slope = self.echo_bend = 0.0
        shape = (GRID, STATES, STATES)
        kind = tables.right.dtype
        self._first, self._last, self._both = (np.zeros(shape, dtype=kind) for _ in range(3))

    def step(self, batch: Batch, row: int, known: Floats) -> Floats:
        """Count what happened at a step, in states known in hindsight; its (15, n) likelihood."""
        n = known.shape[1]
        codes, level = batch.codes[row, :n], batch.level[row, :n]
        own = self._tables.own[:, codes]
        which = self._one_of[codes]
        self.events += known @ which
        if not level.any():
            self.organic += known @ which
            return own
        called = self._tables.called[:, codes] * level
        # A hire is impossible but for somebody active; nothing is expected there then.
        likely = np.maximum(own + self._tables.echo * called, LEAST)
        self.organic += (known * own / likely) @ which
        slope = called / likely
        self.echo_slope += float((known * slope).sum())
        self.echo_bend += float((known * slope**2).sum())
        return likely

    def silence(self, before: Floats, back: Floats, days: Floats) -> Floats:
        """Add up a silence between what was held before it and what is said after it.

        Returns:
            (15, n) what all that follows says of each state at its beginning.
        """
        grown = decay(days, self._tables)
        a = spread(before, self._tables)
        b = self._tables.left @ back.reshape(GRID, STATES, -1)
        a_grown, b_grown = a * grown, b * grown
        turned = b.transpose(0, 2, 1)
        self._first += a_grown @ turned
        self._last += a @ b_grown.transpose(0, 2, 1)
        self._both += (a_grown * days) @ turned
        rest: Numbers = self._tables.right @ b_grown
        told: Floats = np.maximum(rest.real, 0.0).reshape(SIZE, -1)
        return told

    def integrals(self) -> tuple[Floats, Floats]:
        """((5, 3) days in each state, (3, 3) moves)."""
        w = self._tables.exponents
        apart = w[:, :, None] - w[:, None, :]
        same = np.abs(apart) < 1e-9
        divided = (self._first - self._last) / np.where(same, 1.0, apart)
        sums = np.where(same, self._both, divided)
        spent = self._tables.left.transpose(0, 2, 1) @ sums @ self._tables.right.transpose(0, 2, 1)
        spent = np.maximum(spent.real, 0.0)
        days = np.einsum("gii->gi", spent)
        return days, self._tables.moves * spent.sum(axis=0)
