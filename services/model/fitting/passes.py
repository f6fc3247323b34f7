"""The filter and its way back, over the columns of a batch at once.

Probabilities are (15, columns): frailty point × state. What the filter holds after a step, and
what the rest of the spell then says of each state, together give what is known in hindsight.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from services.model.fitting.history import Floats
from services.model.fitting.pack import Batch
from services.model.fitting.tables import Numbers, Tables
from services.model.version import GRID, SIZE, STATES

LEAST = 1e-300


@dataclass(frozen=True, slots=True)
class Forward:
    """What the filter held; cells below a column's end are not set."""

    after: Floats
    """(rows, 15, columns) probabilities after each step."""
    scale: Floats
    """(rows, columns) how likely each step was."""
    log_likelihood: Floats
    """(columns,)"""


def steps_of(batch: Batch, tables: Tables) -> Iterator[tuple[int, Floats, Floats, Floats]]:
    """For each row (how many columns it has, probabilities before, after, how likely it was).

    Probabilities before a step have the sum to which silence alone has brought them down.
    """
    p = np.repeat(tables.start[:, None], len(batch.spells), axis=1)
    for row, n in enumerate(batch.live.tolist()):
        before = through_silence(p[:, :n], batch.gaps[row, :n], tables)
        p = before * factors(batch, row, n, tables)
        scale = np.maximum(p.sum(axis=0), LEAST)
        p /= scale
        yield n, before, p, scale


def forward(batch: Batch, tables: Tables) -> Forward:
    """The filter over whole spells."""
    rows, columns = batch.gaps.shape
    after, scales = np.empty((rows, SIZE, columns)), np.ones((rows, columns))
    for row, (n, _, p, scale) in enumerate(steps_of(batch, tables)):
        after[row, :, :n], scales[row, :n] = p, scale
    return Forward(after, scales, np.log(scales).sum(axis=0) + unseen(batch, tables))


def unseen(batch: Batch, tables: Tables) -> Floats:
    """(columns,) what of the log-likelihood no step tells: time, and visits not called forth."""
    time: Floats = tables.slowest * batch.gaps.sum(axis=0)
    return time - tables.echo * batch.called


def through_silence(p: Floats, days: Floats, tables: Tables) -> Floats:
    """(15, n) row vectors p·exp(GΔ), but for the factor e^(slowest·Δ)."""
    moved = tables.left.transpose(0, 2, 1) @ (spread(p, tables) * decay(days, tables))
    kept: Floats = np.maximum(moved.real, LEAST).reshape(SIZE, -1)
    return kept


def spread(p: Floats, tables: Tables) -> Numbers:
    """(5, 3, n) the coefficients of p in the exponentials that silence is made of."""
    spread_: Numbers = tables.right.transpose(0, 2, 1) @ p.reshape(GRID, STATES, -1)
    return spread_


def decay(days: Floats, tables: Tables) -> Numbers:
    """(5, 3, n) e^(exponents·Δ)."""
    grown: Numbers = np.exp(tables.exponents[:, :, None] * days)
    return grown


def factors(batch: Batch, row: int, n: int, tables: Tables) -> Floats:
    """(15, n) how likely each state makes what happened at a step."""
    codes, level = batch.codes[row, :n], batch.level[row, :n]
    likely = tables.own[:, codes]
    if tables.echo and level.any():
        likely += tables.called[:, codes] * (tables.echo * level)
    return likely
