"""Places for connections that stay open, and the one look at the feed that all of them share."""

import asyncio
import time
from collections import Counter
from collections.abc import Hashable

from sqlalchemy import Engine

from services.api.feed import newest_position
from services.api.problem import Problem

STREAMS_MAX = 200
"""Of one API process."""
STREAMS_PER_KEY_MAX = 8
LOOK_EVERY_S = 0.2


class Streams:
    """Used from the event loop alone, but for :meth:`stop`.

    Args:
        engine: the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._places: Counter[Hashable] = Counter()
        self._lock: asyncio.Lock | None = None
        self._looked_s = 0.0
        self._newest = 0
        self.stopping = False
        """The process is about to end, and every stream with it."""

    def stop(self) -> None:
        """Let every stream end soon."""
        self.stopping = True

    def enter(self, who: Hashable) -> None:
        """Take a place.

        Raises:
            Problem: 429, this key has all of its places, or 503, there is none left at all.
        """
        if self._places[who] >= STREAMS_PER_KEY_MAX:
            text = f"A key may have {STREAMS_PER_KEY_MAX} streams open at one time."
            raise Problem(429, "too_many_streams", text, {"Retry-After": "5"})
        if self.stopping or self._places.total() >= STREAMS_MAX:
            text = "No more streams are taken just now."
            raise Problem(503, "busy", text, {"Retry-After": "5"})
        self._places[who] += 1

    def leave(self, who: Hashable) -> None:
        """Give it back."""
        self._places[who] -= 1
        if not self._places[who]:
            del self._places[who]

    async def newest(self) -> int:
        """The feed's newest position, at most a fifth of a second ago."""
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            if time.monotonic() - self._looked_s >= LOOK_EVERY_S:
                self._newest = await asyncio.to_thread(self._read)
                self._looked_s = time.monotonic()
            return self._newest

    def _read(self) -> int:
        with self._engine.connect() as connection:
            return newest_position(connection)
