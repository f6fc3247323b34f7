"""How much one sender may bring: a bucket for each, which time fills again."""

import math
from collections.abc import Hashable

BURST_S = 10
"""A full bucket holds what may come in so many seconds."""
SENDERS_MAX = 50_000
"""So many senders are remembered at least, and twice as many at most."""


class RateLimits:
    """One bucket for each sender. Knows no clock: the moment is an argument.

    Of each sender only the moment is kept at which its bucket will be full again. Who is forgotten,
    because many others came since, has a full bucket.

    Args:
        per_second: how much flows into a bucket each second; 0 sets no limit.
        senders_max: see :data:`SENDERS_MAX`.
    """

    def __init__(self, per_second: float, senders_max: int = SENDERS_MAX) -> None:
        self._cost_ms = 1000 / per_second if per_second > 0 else 0.0
        self._room_ms = BURST_S * 1000 - self._cost_ms
        self._senders_max = senders_max
        self._full_at: dict[Hashable, float] = {}
        self._full_at_older: dict[Hashable, float] = {}

    def allows(self, sender: Hashable, now_ms: int, cost: int = 1) -> int | None:
        """None where the sender may, else the whole seconds until it may again.

        A bucket that is not empty lets the whole request through and may owe after it, so that no
        batch is too large ever to be taken.

        Args:
            sender: whoever it is that the bucket is for.
            now_ms: UTC milliseconds.
            cost: what the request takes out of the bucket.
        """
        if not self._cost_ms:
            return None
        full_at_ms = self._full_at.get(sender)
        if full_at_ms is None:
            full_at_ms = self._recalled(sender)
        wait_ms = full_at_ms - now_ms
        if wait_ms < 0:
            full_at_ms = now_ms
        elif wait_ms > self._room_ms:
            return max(1, math.ceil((wait_ms - self._room_ms) / 1000))
        self._full_at[sender] = full_at_ms + cost * self._cost_ms
        return None

    def _recalled(self, sender: Hashable) -> float:
        """When the bucket of somebody not seen lately will be full; they are remembered anew."""
        full_at_ms = self._full_at_older.get(sender, 0.0)
        if len(self._full_at) >= self._senders_max:
            self._full_at_older, self._full_at = self._full_at, {}
        self._full_at[sender] = full_at_ms
        return full_at_ms
