"""UTC that does not jump: anchored to the machine's monotonic clock at start."""

import time
from collections.abc import Callable

DRIFT_MS_MAX = 60_000


class SteadyClock:
    """Goes on from the wall clock's time at start, whatever is done to that clock later."""

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._offset_ms = wall_ms() - time.monotonic_ns() // 1_000_000

    def now_ms(self) -> int:
        """UTC milliseconds."""
        return self._offset_ms + time.monotonic_ns() // 1_000_000

    def has_drifted(self) -> bool:
        """Whether the wall clock says something else by more than DRIFT_MS_MAX."""
        return abs(self._wall_ms() - self.now_ms()) > DRIFT_MS_MAX
