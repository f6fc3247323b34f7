"""Wall-clock time, in one place, so that whatever computes gets it as an argument."""

import time


def now_ms() -> int:
    """UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000
