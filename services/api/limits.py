"""How often a key, or an address, may ask: a bucket for each, which fills again evenly.

Every API process counts for itself.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from services.api.problem import Problem

PER_MINUTE = 12_000
"""Requests of one key, where the settings say nothing else; a full bucket may go at once."""
VISITS_PER_MINUTE = 600
"""Likewise of one address, for what visitors of websites ask without a key of their own."""
KEYS_MAX = 10_000
"""Buckets held at once; the one that was used longest ago goes, and begins full again."""
_PLACE = "kentering.limit"


@dataclass(frozen=True)
class Left:
    """What a key or an address may still ask."""

    per_minute: int
    left: int
    full_s: int
    """Seconds until the bucket is full again."""
    wait_s: int
    """Seconds until the next request is taken; 0: this one was."""


class Limits:
    """The buckets of all keys, or of all addresses.

    Args:
        per_minute: requests of each; 0 sets no limit.
        clock_s: seconds, never going back.
    """

    def __init__(self, per_minute: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock_s = per_minute, clock_s
        self._lock = threading.Lock()
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, who: Hashable) -> Left | None:
        """Count one request; None: there is no limit."""
        if not self._per_minute:
            return None
        now_s, a_second = self._clock_s(), self._per_minute / 60
        with self._lock:
            left, at_s = self._buckets.get(who, (float(self._per_minute), now_s))
            left = min(left + (now_s - at_s) * a_second, self._per_minute)
            taken = left >= 1
            left -= taken
            self._buckets[who] = left, now_s
            self._buckets.move_to_end(who)
            while len(self._buckets) > KEYS_MAX:
                self._buckets.popitem(last=False)
        wait_s = 0 if taken else math.ceil((1 - left) / a_second)
        full_s = math.ceil((self._per_minute - left) / a_second)
        return Left(self._per_minute, int(left), full_s, wait_s)


def count(limits: Limits, key_id: int, request: Request) -> None:
    """Count a request of a key; the answer tells what is left.

    Raises:
        Problem: 429, the key asked more than it may.
    """
    left = limits.take(key_id)
    if left is None:
        return
    request.scope[_PLACE] = left
    if left.wait_s:
        text = f"A key may ask {left.per_minute} times a minute. Send this again later."
        raise Problem(429, "rate_limited", text, {"Retry-After": str(left.wait_s)})


def headers_of(scope: Any) -> list[tuple[bytes, bytes]]:
    """The RateLimit fields of an answer; none where no key asked."""
    left: Left | None = scope.get(_PLACE)
    if left is None:
        return []
    return [
        (b"ratelimit-policy", b'"key";q=%d;w=60' % left.per_minute),
        (b"ratelimit", b'"key";r=%d;t=%d' % (left.left, left.full_s)),
    ]
