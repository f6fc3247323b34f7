"""What was measured, as figures, and how they are shown."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """What a figure shall reach."""

    limit: float
    at_least: bool = False
    """True: the figure shall not be below the limit; False: not above."""

    def is_met(self, value: float) -> bool:
        """Whether the value reaches it."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Figure:
    """One number, with its unit and what it shall be."""

    measure: str
    name: str
    value: float
    unit: str
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """``met``, ``MISSED``, or nothing where there is no target."""
        if self.target is None:
            return ""
        return "met" if self.target.is_met(self.value) else "MISSED"

    def cells(self) -> list[str]:
        """The figure as a row of a table: name, number, target, verdict."""
        wanted = ""
        if self.target is not None:
            wanted = f"{'≥' if self.target.at_least else '≤'} {shown(self.target.limit)}"
        return [self.name, f"{shown(self.value)} {self.unit}", wanted, self.verdict]

    def told(self) -> dict[str, Any]:
        """The figure for a file."""
        return asdict(self) | {"verdict": self.verdict}


HEADINGS = ["", "measured", "target", ""]


def shown(value: float) -> str:
    """Three digits, or all of a large number's: ``0.62``, ``14.3``, ``5,210``; ``∞``: never."""
    if math.isinf(value):
        return "∞"
    digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def as_text(figures: Sequence[Figure]) -> str:
    """One table for a terminal, a heading above each measure."""
    rows = [figure.cells() for figure in figures]
    widths = [max(len(row[i]) for row in [HEADINGS, *rows]) for i in range(len(HEADINGS))]

    def line(row: Sequence[str]) -> str:
        name, number, wanted, verdict = row
        padded = [name.ljust(widths[0]), number.rjust(widths[1]), wanted.rjust(widths[2]), verdict]
        return ("  " + "   ".join(padded)).rstrip()

    lines = [line(HEADINGS)]
    last = ""
    for figure, row in zip(figures, rows, strict=True):
        if figure.measure != last:
            last = figure.measure
            lines += ["", last]
        lines.append(line(row))
    return "\n".join(lines)


def tell(figures: Sequence[Figure]) -> Sequence[Figure]:
    """Print them, and give them back: a long run that is ended has told what it had found."""
    print(as_text(figures), flush=True)
    return figures


def as_markdown(figures: Sequence[Figure]) -> str:
    """The same for a document."""
    lines = ["| | measured | target | |", "|---|---:|---:|---|"]
    last = ""
    for figure in figures:
        if figure.measure != last:
            last = figure.measure
            lines.append(f"| **{last}** | | | |")
        lines.append(f"| {' | '.join(figure.cells())} |")
    return "\n".join(lines)
