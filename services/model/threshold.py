"""A probability, and a value that it is compared with: what of them the model alone decides.

In silence P(some states) is N / D, two sums of fifteen exponentials: Σ cᵢ nᵢ e^(wᵢΔ), and likewise
with d. It is at least θ where f = N − θD ≥ 0. What a grid of times adds to N and D is computed
once, for whatever θ. For each θ bounds are: f is also Σ pⱼ φⱼ(Δ) over the probabilities at the
beginning, which are not negative, so bounds of the φⱼ between two grid points bound f.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from services.contract.phases import DAY_MS
from services.model.version import GRID, SIZE, Model

# Exponents differ by at most about one per day, so f bends little between neighbours.
_GRID_DAYS = (
    [0.25 * i for i in range(1, 9)]
    + [2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, 17.0, 20.0, 24.0, 28.0, 34.0]
    + [40.0, 48.0, 58.0, 70.0, 84.0, 100.0, 120.0, 145.0, 175.0, 210.0, 250.0, 300.0, 350.0, 400.0]
)
GRID_MS = [round(days * DAY_MS) for days in _GRID_DAYS]
"""Times after the beginning of a silence at which a probability is looked at, beside it."""
TIMES_MS = [0, *GRID_MS]
_SAMPLES = 16
"""Between two grid times, for bounds."""
_MARGIN = 1e-9
"""More than what rounding adds to f on a path of many stretches."""

STATES_OF: dict[str, tuple[int, ...]] = {
    "latent_latent": (0,),
    "actively_latent": (1,),
    "active": (2,),
    "openness": (1, 2),
}


Column = npt.NDArray[np.float64]
"""(15, 1, 1): coefficients of a silence, for to be multiplied by ``Quantity.grid``."""


def column_of(c: Sequence[float]) -> Column:
    """Coefficients as a column."""
    return np.array(c)[:, None, None]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A probability as N / D."""

    of: str
    """A key of ``STATES_OF``."""
    wanted: tuple[int, ...]
    """The states that are ``of``."""
    parts: tuple[tuple[float, float, float], ...]
    """(n, d, exponent per day) of each coefficient."""
    grid: npt.NDArray[np.float64]
    """(15, 4, 1 + T): what each adds to N, its slope per day, D, its slope, at ``TIMES_MS``."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """P ≥ θ as the sign of f: what of it depends on the model alone."""

    quantity: Quantity
    theta: float
    highest: npt.NDArray[np.float64]
    """(T, 15): no φⱼ is above this between a grid time and the one before it."""
    lowest: npt.NDArray[np.float64]
    """(T, 15): likewise below."""
    peaks: tuple[tuple[float, ...], ...]
    """T × 15: the highest of ``highest`` up to each grid time: one product mostly tells enough."""
    floors: tuple[tuple[float, ...], ...]
    """T × 15: likewise the lowest of ``lowest``."""

    def surely(self, p: list[float], from_ms: int, to_ms: int, *, truth: bool) -> bool:
        """Whether it is plain that the answer is ``truth`` all the way.

        Args:
            p: the 15 probabilities at the silence's beginning, from which the times count.
            from_ms: from here on,
            to_ms: up to here.
            truth: the answer in question; False comes back too where it takes a closer look.
        """
        begin, end = cells(from_ms, to_ms)
        if begin >= end:
            return False
        # Of many rows numpy's own dot, and Python's own max, are the quick ones.
        if truth:
            return bool(
                _product(self.floors[end - 1], p) > _MARGIN
                or min(self.lowest[begin:end].dot(p).tolist()) > _MARGIN
            )
        return bool(
            _product(self.peaks[end - 1], p) < -_MARGIN
            or max(self.highest[begin:end].dot(p).tolist()) < -_MARGIN
        )

    def may_turn(self, p: Sequence[float], cell: int, *, truth: bool) -> bool:
        """Whether the answer may stop being ``truth`` up to a grid time from the one before it.

        Args:
            p: the 15 probabilities at the silence's beginning.
            cell: which grid time.
            truth: the answer in question.
        """
        if truth:
            return float(self.lowest[cell].dot(p)) <= _MARGIN
        return float(self.highest[cell].dot(p)) >= -_MARGIN


def _product(row: tuple[float, ...], p: list[float]) -> float:
    total = 0.0
    for i in range(len(p)):
        total += row[i] * p[i]
    return total


@lru_cache(maxsize=64)
def quantity(model: Model, of: str) -> Quantity:
    """The probability's constants. ``of`` is a key of ``STATES_OF``."""
    wanted = STATES_OF[of]
    parts: list[tuple[float, float, float]] = []
    for g in range(GRID):
        silence = model.silence[g]
        for k in range(3):
            row = silence.left[3 * k : 3 * k + 3]
            parts.append((sum(row[i] for i in wanted), sum(row), silence.exponents[k]))
    n, d, w = (np.array(each)[:, None] for each in zip(*parts, strict=True))
    e = np.exp(w * np.array([0.0, *_GRID_DAYS])[None, :])
    grid = np.stack([n * e, n * w * e, d * e, d * w * e], axis=1)
    return Quantity(of, wanted, tuple(parts), grid)


@lru_cache(maxsize=4096)
def threshold(model: Model, of: str, theta: float) -> Threshold:
    """The threshold's constants. ``of`` is a key of ``STATES_OF``; 0 < ``theta`` < 1."""
    found = quantity(model, of)
    highest, lowest = _bounds(model, np.array([n - theta * d for n, d, _ in found.parts]))
    peaks = tuple(map(tuple, np.maximum.accumulate(highest).tolist()))
    floors = tuple(map(tuple, np.minimum.accumulate(lowest).tolist()))
    return Threshold(found, theta, highest, lowest, peaks, floors)


@lru_cache(maxsize=256)
def thresholds(model: Model, of: str, thetas: tuple[float, ...]) -> tuple[Threshold, ...]:
    """Those of several values."""
    return tuple([threshold(model, of, theta) for theta in thetas])


def _bounds(
    model: Model, weights: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Bounds of each φⱼ up to each grid time from the one before: (highest, lowest).

    From samples, and from how much a curve can bend between two of them.
    """
    ends = np.array(_GRID_DAYS)
    begins = np.concatenate([[0.0], ends[:-1]])
    step = (ends - begins) / _SAMPLES
    times = begins[:, None] + step[:, None] * np.arange(_SAMPLES + 1)
    highest, lowest = np.empty((len(ends), SIZE)), np.empty((len(ends), SIZE))
    for g, silence in enumerate(model.silence):
        w = np.array(silence.exponents)
        heights = np.array(silence.right).reshape(3, 3) * weights[3 * g : 3 * g + 3]
        phi = np.exp(times[:, :, None] * w) @ heights.T
        bend = np.exp(begins[:, None] * w) @ (np.abs(heights) * w**2).T
        slack = bend * step[:, None] ** 2 / 8 + 1e-12
        highest[:, 3 * g : 3 * g + 3] = phi.max(axis=1) + slack
        lowest[:, 3 * g : 3 * g + 3] = phi.min(axis=1) - slack
    return highest, lowest


def cells(from_ms: int, to_ms: int) -> tuple[int, int]:
    """Which grid times end the pieces that cover a stretch of silence: [begin, end)."""
    begin = 0 if from_ms < GRID_MS[0] else bisect_right(GRID_MS, from_ms)  # mostly from the start
    return begin, min(bisect_left(GRID_MS, to_ms) + 1, len(GRID_MS))
