"""What a version, or points, would have said of people at every step of their histories."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from services.model.fitting.each import Each
from services.model.fitting.history import HIRED, Floats, Histories, codes_of
from services.model.fitting.pack import Batch
from services.model.fitting.passes import steps_of, unseen
from services.model.fitting.tables import Tables, tables
from services.model.parameters import Parameters
from services.model.version import GRID, STATES, generator

AHEAD_DAYS = 28
"""How far ahead a version is asked for applications and hires."""


@dataclass(frozen=True, slots=True)
class Score:
    """(steps,) right before each step, silence included, and right after it."""

    before: Floats
    after: Floats


@dataclass(frozen=True, slots=True)
class Scored:
    """What a version said; arrays are over the steps of the histories."""

    log_likelihood: Floats
    """(spells,)"""
    active: Score
    turning: Score
    outcome: Floats
    """(steps,) the chance of an application or a hire within ``AHEAD_DAYS``, after each step."""


def score(histories: Histories, packed: Sequence[Batch], version: Parameters, each: Each) -> Scored:
    """What the version says, step by step."""
    work = partial(_batch_scores, tables=tables(version), ahead=outcome_chances(version))
    flat = np.zeros((5, len(histories.days)))
    likelihood = np.zeros(len(histories.ends))
    for batch, (likely, cells) in zip(packed, each(work, packed), strict=True):
        likelihood[batch.spells] = likely
        scatter(batch, cells, flat)
    active, turning = Score(flat[0], flat[1]), Score(flat[2], flat[3])
    return Scored(likelihood, active, turning, flat[4])


def scatter(batch: Batch, cells: Floats, flat: Floats) -> None:
    """Put (…, rows, columns) of a batch where its steps are in (…, steps)."""
    inside = np.arange(cells.shape[-1]) < batch.live[:, None]
    flat[..., batch.steps[inside]] = cells[..., inside]


def outcome_chances(version: Parameters) -> Floats:
    """(15,) the chance of an application or a hire within ``AHEAD_DAYS``, from each state."""
    q, hire = generator(version)
    z = np.array(version.frailty.points)
    lost = hire[None, :] + z[:, None] * np.array(version.rates_per_day["application"])[None, :]
    exponents, right = np.linalg.eig(q[None, :, :] - lost[:, :, None] * np.eye(STATES))
    ones = np.ones((GRID, STATES, 1))
    kept = right * np.exp(exponents * AHEAD_DAYS)[:, None, :] @ (np.linalg.inv(right) @ ones)
    chances: Floats = np.clip(1 - kept.real, 0, 1).reshape(-1)
    return chances


def points(
    histories: Histories,
    packed: Sequence[Batch],
    weights: dict[int, float],
    half_life_days: float,
) -> Score:
    """Decayed points: weights per code, forgotten by half."""
    worth = np.array([weights.get(code, 0.0) for code in range(127)])
    flat = np.zeros((2, len(histories.days)))
    for batch in packed:
        gained = worth[batch.codes]
        kept = 0.5 ** (batch.gaps / half_life_days)
        cells = np.zeros((2, *batch.gaps.shape))
        total = np.zeros(batch.gaps.shape[1])
        for row in range(len(batch.live)):
            cells[0, row] = total = total * kept[row]
            total = total + gained[row]
            cells[1, row] = total
        scatter(batch, cells, flat)
    return Score(flat[0], flat[1])


def outcome_codes(version: Parameters) -> tuple[int, int]:
    """Codes of an application and of a hire."""
    return codes_of(version)["application"], HIRED


def _batch_scores(batch: Batch, tables: Tables, ahead: Floats) -> tuple[Floats, Floats]:
    """((columns,) log-likelihood, (5, rows, columns) scores)."""
    cells = np.zeros((5, *batch.gaps.shape))
    likely = unseen(batch, tables)
    for row, (n, before, after, scale) in enumerate(steps_of(batch, tables)):
        total = before.sum(axis=0)
        active, latent = before[2::3].sum(axis=0), before[0::3].sum(axis=0)
        cells[0, row, :n], cells[2, row, :n] = active / total, 1 - latent / total
        cells[1, row, :n], cells[3, row, :n] = after[2::3].sum(axis=0), after[1::3].sum(axis=0)
        cells[3, row, :n] += cells[1, row, :n]
        cells[4, row, :n] = ahead @ after
        likely[:n] += np.log(scale)
    return likely, cells
