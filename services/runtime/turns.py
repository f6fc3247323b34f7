"""A line for those who want to write a file of SQLite, whichever process they are in.

SQLite lets a waiting writer look again every tenth of a second at most. Somebody who writes one
transaction after the other, as a scorer does with a backlog, has begun the next one by then, and
the other may wait for its whole patience. So whoever wants to write first takes the turn, and
keeps it until its transaction has begun: everybody else is behind.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 10.0
"""After that a writer goes without its turn: who has it may be frozen, and SQLite alone decides."""
_LOOK_S_FIRST = 0.001
_LOOK_S_MAX = 0.02


@contextmanager
def turn(database: str) -> Iterator[None]:
    """Be the next to write a database's file, or one of those who are tired of waiting.

    Args:
        database: the file; another one beside it is what everybody locks.
    """
    try:
        descriptor = os.open(f"{database}-turn", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:  # SQLite alone decides then, and says what is wrong, if anything is
        yield
        return
    try:
        _wait(descriptor)
        yield
    finally:
        os.close(descriptor)  # which unlocks it


def _wait(descriptor: int) -> None:
    end_s, look_s = time.monotonic() + PATIENCE_S, _LOOK_S_FIRST
    while not _is_taken(descriptor) and time.monotonic() < end_s:
        time.sleep(look_s)
        look_s = min(2 * look_s, _LOOK_S_MAX)


def _is_taken(descriptor: int) -> bool:
    """Whether the turn is ours now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks are to be had here: SQLite alone decides
        return True
    return True
