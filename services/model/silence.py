"""Silence, written out: one function for the numbers of one model version.

Silence is the commonest thing that the filter does, so it is spelt out with all its numbers, as
one would by hand: a third of the time that loops over them take. The order of every sum is fixed,
so that the same silence gives the same bits wherever it is computed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.model.parameters import Three

Silently = Callable[[Sequence[float], float], list[float]]
"""(15 probabilities, days) → as many numbers that are proportional to those afterwards."""


@dataclass(frozen=True, slots=True)
class Silence:
    """How probabilities move while nothing is heard, for one frailty point.

    exp(GΔ) ∝ right · diag(exp(exponents·Δ)) · left, with G = Q − diag(hire) − diag(z·Λ) per day.
    Exponents are measured from the slowest of all frailty points, so that years of silence do not
    underflow. Both matrices are row-major tuples of nine.
    """

    exponents: Three
    right: tuple[float, ...]
    left: tuple[float, ...]


def spelt_out(points: Sequence[Silence]) -> Silently:
    """A function that lets time pass at all frailty points at once."""
    lines = ["def silently(p, days):", f"    {_names('p', 3 * len(points))} = p"]
    for g, point in enumerate(points):
        before = [f"p{3 * g + i}" for i in range(3)]
        for k, exponent in enumerate(point.exponents):
            total = _product(before, point.right[k::3])
            lines.append(f"    c{k} = ({total}) * exp({exponent!r} * days)")
        for i in range(3):
            total = _product(["c0", "c1", "c2"], point.left[i::3])
            lines.append(f"    q{3 * g + i} = {total}")
    lines.append(f"    return [{_names('q', 3 * len(points))}]")
    scope: dict[str, Silently] = {"exp": math.exp}  # type: ignore[dict-item]
    exec("\n".join(lines), scope)  # noqa: S102  all of it is ours: names and numbers
    return scope["silently"]


def _names(letter: str, count: int) -> str:
    return ", ".join(f"{letter}{i}" for i in range(count))


def _product(names: Sequence[str], numbers: Sequence[float]) -> str:
    return " + ".join(f"{name} * {number!r}" for name, number in zip(names, numbers, strict=True))
