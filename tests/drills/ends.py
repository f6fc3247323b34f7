"""A tracker asked to end, and one whose disk takes nothing any more, both under load."""

import random
import resource
import signal
import time

from tests.drills.load import Load
from tests.drills.outcome import Outcome, checked
from tests.drills.stack import Service, Stack

END_S_MAX = 10.0


def stopped(stack: Stack, rng: random.Random, times: int) -> Outcome:
    """SIGTERM: not ready first, then done within ten seconds, nothing lost."""
    load = Load(stack.trackers, stack.server_key, stack.folder, "stopped", rng)
    longest_s, told, statuses = 0.0, 0, set()
    for number in range(times):
        time.sleep(0.5)
        tracker = stack.trackers[number % len(stack.trackers)]
        began_s = time.monotonic()
        tracker.process.send_signal(signal.SIGTERM)
        told += _says_not_ready(tracker)
        statuses.add(tracker.process.wait(20))
        longest_s = max(longest_s, time.monotonic() - began_s)
        tracker.start()
        tracker.await_ready()
    acknowledged = load.stop()
    stored = stack.await_stored(acknowledged)
    return checked(
        "stopped",
        f"{times} times SIGTERM to a tracker under load",
        {
            "acknowledged": len(acknowledged),
            "longest end, s": round(longest_s, 1),
            "said not ready first": f"{told} of {times}",
            "lost": len(acknowledged - stored),
        },
        {
            "everything acknowledged is stored": acknowledged <= stored,
            "it ended in time and in order": longest_s < END_S_MAX and statuses == {0},
            "it said not ready first": told == times,
        },
    )


def disk(stack: Stack, rng: random.Random, times: int) -> Outcome:
    """No file of a tracker may grow, for a second: then all is as before, without a restart."""
    load = Load(stack.trackers, stack.server_key, stack.folder, "disk", rng)
    healed = 0
    for number in range(times):
        time.sleep(0.5)
        tracker = stack.trackers[number % len(stack.trackers)]
        refused = load.refused
        _limit(tracker, 1)
        time.sleep(1)
        told = load.refused > refused and tracker.status() == 503
        _limit(tracker, 2**40)
        tracker.await_ready()
        healed += told
    acknowledged = load.stop()
    stored = stack.await_stored(acknowledged)
    return checked(
        "disk",
        f"{times} times a disk that takes nothing, for a second, under load",
        {
            "acknowledged": len(acknowledged),
            "answered 503": load.refused,
            "told, and well again": f"{healed} of {times}",
            "lost": len(acknowledged - stored),
        },
        {
            "everything acknowledged is stored": acknowledged <= stored,
            "it was told, and healed": healed == times,
        },
    )


def _says_not_ready(tracker: Service) -> bool:
    for _ in range(200):
        status = tracker.status()
        if status != 200:
            return status == 503
        time.sleep(0.005)
    return False


def _limit(tracker: Service, bytes_max: int) -> None:
    _, hard = resource.prlimit(tracker.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(tracker.process.pid, resource.RLIMIT_FSIZE, (bytes_max, hard))
