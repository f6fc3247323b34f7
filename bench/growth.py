"""How answers and filling change with the number of persons, and what that comes to at 10,000,000.

``python -m bench growth`` makes three towns one after the other: a tenth of
``KENTERING_BENCH_PERSONS``, three tenths, and all of them. Through each figure's three values goes
a power of the number of persons, a · n^b, by least squares on the logarithms; what it comes to at
ten million is extrapolated, not measured.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.figures import Figure
from bench.kept import inhabited
from bench.segments import PERSONS, Size, measure_town

SHARES = (0.1, 0.3, 1.0)
FAR = 10_000_000
_UNITS = {"ms", "persons/s", "µs"}
"""Of the figures that are followed."""


class Power(NamedTuple):
    """a · n^b."""

    a: float
    b: float

    def at(self, n: float) -> float:
        """Its value."""
        return self.a * n**self.b


def measure(folder: Path) -> list[Figure]:
    """Each town in a server of its own."""
    towns: dict[int, list[Figure]] = {}
    for share in SHARES:
        persons = round(PERSONS * share)
        place = folder / str(persons)
        place.mkdir()
        with inhabited(persons) as town:
            towns[persons] = measure_town(town, place, Size(persons, exported=False))
    return [figure for figures in towns.values() for figure in figures] + grown(towns)


def grown(towns: Mapping[int, Sequence[Figure]]) -> list[Figure]:
    """Of each figure that all towns have, its exponent, and its value far beyond them."""
    sizes = " / ".join(f"{persons:,}" for persons in towns)
    measure_ = f"Growth, fitted to {sizes} persons; at {FAR:,} extrapolated, not measured"
    by_place: dict[tuple[int, str], dict[int, Figure]] = {}
    for persons, figures in towns.items():
        followed = [one for one in figures if one.unit in _UNITS and one.value > 0]
        for number, one in enumerate(followed):
            by_place.setdefault((number, one.name), {})[persons] = one
    found: list[Figure] = []
    for (_, name), values in by_place.items():
        if len(values) < len(towns):
            continue
        power = fitted({persons: one.value for persons, one in values.items()})
        last = values[max(values)]
        found += [
            Figure(measure_, name, power.at(FAR), last.unit, last.target),
            Figure(measure_, "  grows as persons to the power of", power.b, ""),
        ]
    return found


def fitted(values: Mapping[int, float]) -> Power:
    """The power of n that is nearest to some values by n, on logarithmic scales.

    Args:
        values: of two different n at least; all above 0.
    """
    x = [math.log(n) for n in values]
    y = [math.log(value) for value in values.values()]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    both = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    slope = both / sum((a - mean_x) ** 2 for a in x)
    return Power(math.exp(mean_y - slope * mean_x), slope)
