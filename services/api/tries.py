"""How often a password may be tried, and how long to wait: pure, the time is an argument."""

from typing import NamedTuple

from services.contract.phases import DAY_MS

WINDOW_MS = 15 * 60_000
"""Tries are counted within it; so long whoever tried too often waits first, then twice as long."""
WAIT_MS_MAX = DAY_MS
FORGOTTEN_MS = WAIT_MS_MAX + WINDOW_MS
"""After so long nothing is known any more of who tried."""
_DOUBLED_MAX = 10


class Tries(NamedTuple):
    """What is kept of one who tries."""

    failures: int
    since_ms: int
    """Since when this series of tries is counted."""


def next_try(tries: Tries, allowed: int, now_ms: int) -> tuple[Tries, int]:
    """One more, before it is known to fail.

    Args:
        tries: what is kept.
        allowed: so many within the window.
        now_ms: UTC milliseconds.

    Returns:
        What is to be kept, and how long to wait in ms; 0: go on.
    """
    series = tries.failures // allowed
    if series and tries.failures % allowed == 0:
        until_ms = tries.since_ms + _wait_ms(series)
        if now_ms < until_ms:
            return tries, until_ms - now_ms
        return Tries(tries.failures + 1, now_ms), 0
    if now_ms - tries.since_ms >= WINDOW_MS:
        return Tries(1, now_ms), 0
    return Tries(tries.failures + 1, tries.since_ms), 0


def _wait_ms(series: int) -> int:
    return min(WINDOW_MS << min(series - 1, _DOUBLED_MAX), WAIT_MS_MAX)
