"""How batches are worked through: one after the other, or by a pool."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Each(Protocol):
    """``map``, or a pool's."""

    def __call__(self, work: Callable[[A], B], on: Iterable[A], /) -> Iterator[B]:
        """The results in order."""
