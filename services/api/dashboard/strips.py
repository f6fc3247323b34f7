"""A row of bars, one for each thing that was done lately: drawn by the page itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BAR, GAP, HEIGHT = 6, 2, 32
_LEAST = 0.3
"""Of the height, so that the quickest is seen as well."""


@dataclass(frozen=True)
class Bar:
    """One bar; ``kind`` names its colour in the style sheet."""

    x: int
    y: float
    height: float
    kind: str


@dataclass(frozen=True)
class Strip:
    """A picture, and what it says for whoever cannot see it."""

    bars: Sequence[Bar]
    width: int
    told: str


def strip(kinds: Iterable[tuple[str, float]], told: str) -> Strip:
    """Bars from left to right.

    Args:
        kinds: of each its colour, and how high it is among the others: 0 and more.
        told: the same in words.
    """
    shown = list(kinds)
    most = max((size for _, size in shown), default=0.0) or 1.0
    bars = []
    for i, (kind, size) in enumerate(shown):
        height = round(HEIGHT * (_LEAST + (1 - _LEAST) * size / most), 1)
        bars.append(Bar(i * (BAR + GAP), round(HEIGHT - height, 1), height, kind))
    return Strip(bars, max(len(shown) * (BAR + GAP) - GAP, 1), told)
