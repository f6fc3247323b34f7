"""A tracker and its relay at half of the highest rate: memory and descriptors stay flat."""

import asyncio
import random
import statistics
import threading
import time
from pathlib import Path

from bench.open_loop import Pace, run_pace
from bench.processes import resident_mb
from bench.requests import Requests
from tests.drills.outcome import Outcome, checked
from tests.drills.stack import Service, Stack

MEMORY_MB_MAX = 100
GROWTH_MB_MAX = 5
LOOK_EVERY_S = 2.0
WARM_SHARE = 0.25
"""Before that memory may still grow: caches fill, a first trimming is due."""


def soak(stack: Stack, rng: random.Random, minutes: float, per_s: float) -> Outcome:
    """``per_s`` single hits a second for so many minutes."""
    del rng
    tracker = stack.trackers[0]
    watched = [tracker, stack.relays[0]]
    looked: dict[str, list[tuple[float, int]]] = {one.name: [] for one in watched}
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(LOOK_EVERY_S):
            for one in watched:
                pid = one.process.pid
                looked[one.name].append((resident_mb(pid), _descriptors(pid)))

    watching = threading.Thread(target=look)
    watching.start()
    requests = Requests(tracker.port, stack.server_key, stack.server_key)
    before = _stored(tracker)
    hits = requests.of("POST /v1/track")
    pace = asyncio.run(run_pace(tracker.port, hits, per_s, minutes * 60))
    stop.set()
    watching.join()
    return _outcome(tracker, pace, looked, minutes, _stored(tracker) - before)


def _outcome(
    tracker: Service,
    pace: Pace,
    looked: dict[str, list[tuple[float, int]]],
    minutes: float,
    stored: float,
) -> Outcome:
    found: dict[str, object] = {
        "answered": f"{len(pace.taken_s)}, {len(pace.taken_s) / (minutes * 60):.0f}/s",
        "stored": round(stored),
    }
    flat = small = steady = True
    for name, seen in looked.items():
        warm = seen[int(WARM_SHARE * len(seen)) :]
        third = max(1, len(warm) // 3)
        first, last = (
            statistics.median(mb for mb, _ in part) for part in (warm[:third], warm[-third:])
        )
        peak = max(mb for mb, _ in seen)
        counts = [count for _, count in warm]
        found[f"{name}: memory first, last, most, MB"] = f"{first:.1f}, {last:.1f}, {peak:.1f}"
        found[f"{name}: open files"] = f"{min(counts)} to {max(counts)}"
        flat &= last - first <= GROWTH_MB_MAX
        small &= peak <= MEMORY_MB_MAX
        steady &= counts[-1] <= counts[0] + 2
    return checked(
        "soak",
        f"{minutes:g} minutes of single hits at a steady rate",
        found,
        {
            "every hit was answered": pace.failed == 0,
            "every answered hit is stored": stored >= len(pace.taken_s),
            "memory is flat": flat,
            f"no process above {MEMORY_MB_MAX} MB": small,
            "open files are flat": steady,
            "it is ready": tracker.status() == 200,
        },
    )


def _stored(tracker: Service) -> float:
    return tracker.metric("kentering_tracker_events_stored_total")


def _descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def highest_rate(tracker: Service, key: str, seconds: float = 5) -> float:
    """Single hits a second that it answers when asked as fast as it can, for a moment."""
    hits = Requests(tracker.port, key, key).of("POST /v1/track")
    began_s = time.monotonic()
    pace = asyncio.run(run_pace(tracker.port, hits, 0, seconds))
    return len(pace.taken_s) / (time.monotonic() - began_s)
