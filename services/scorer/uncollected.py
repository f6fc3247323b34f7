"""Work during which Python does not look for cycles."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_working = 0


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold off the search for cycles: it would go through all objects of a batch time and again.

    They make up a fifth of a batch's work, and nearly none is in a cycle. Several threads may be
    in it: the search goes on when none is.
    """
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(more: int) -> None:
    global _working  # noqa: PLW0603  the collector is the whole process's too
    with _lock:
        _working += more
        if _working:
            gc.disable()
        else:
            gc.enable()
