"""Persons side by side: spells of like length as the columns of one table."""

from dataclasses import dataclass

import numpy as np

from services.model.fitting.history import CLICKS, Codes, Floats, Histories, Ints, site_codes
from services.model.parameters import Parameters

CELLS_MAX = 300_000
"""Of one batch: its fifteen probabilities per cell, and as much again, stay below 100 MB."""
COLUMNS_MAX = 2_048


@dataclass(frozen=True, slots=True)
class Batch:
    """Columns are spells, the longest first; rows are their steps. Below a column's end: zeros."""

    spells: Ints
    """(columns,) which spell of the histories each column is."""
    live: Ints
    """(rows,) how many columns have that step: they are the first ones."""
    gaps: Floats
    """(rows, columns) days since the step before."""
    codes: Codes
    """(rows, columns)"""
    level: Floats
    """(rows, columns) visits per day that earlier ones call forth at a site event, for an echo
    of strength 1; elsewhere 0."""
    steps: Ints
    """(rows, columns) which step of the histories each cell is."""
    called: Floats
    """(columns,) Σ over what may call visits of 1 − e^(−rest/τ): how many an echo of strength 1
    should have called."""


def batches(histories: Histories, parameters: Parameters) -> list[Batch]:
    """All spells in batches."""
    lengths = histories.lengths
    order = np.argsort(-lengths, kind="stable")
    made = []
    begin = 0
    while begin < len(order):
        columns = min(COLUMNS_MAX, max(1, CELLS_MAX // int(lengths[order[begin]])))
        made.append(_batch(histories, order[begin : begin + columns], parameters))
        begin += columns
    return made


def _batch(histories: Histories, spells: Ints, parameters: Parameters) -> Batch:
    lengths = histories.lengths[spells]
    rows = int(lengths[0])
    inside = np.arange(rows)[:, None] < lengths[None, :]
    steps = np.where(inside, histories.begins[spells][None, :] + np.arange(rows)[:, None], 0)
    days = np.where(inside, histories.days[steps], 0.0)
    gaps = np.diff(days, axis=0, prepend=0.0) * inside
    codes = np.where(inside, histories.codes[steps], 0).astype(np.int8)
    tau = parameters.echo.time_constant_days
    on_site = np.isin(codes, site_codes(parameters))
    calls = on_site | np.isin(codes, CLICKS)
    rest = histories.spell_days[spells][None, :] - days
    called = ((1 - np.exp(-rest / tau)) * (calls & inside)).sum(axis=0)
    return Batch(
        spells=spells,
        live=inside.sum(axis=1),
        gaps=gaps,
        codes=codes,
        level=_levels(gaps, calls / tau, tau) * on_site,
        steps=steps,
        called=called,
    )


def _levels(gaps: Floats, raised: Floats, tau_days: float) -> Floats:
    """(rows, columns) the decayed sum of what was raised before each step."""
    levels = np.empty_like(gaps)
    level = np.zeros(gaps.shape[1])
    for row, gap in enumerate(gaps):
        level *= np.exp(-gap / tau_days)
        levels[row] = level
        level += raised[row]
    return levels
