"""Kafka frozen, and Kafka gone, for longer than the relay waits for an acknowledgement."""

import random
import time
from collections.abc import Callable

from tests.drills.load import Load
from tests.drills.outcome import Outcome, checked
from tests.drills.stack import Stack

SLOWEST_S_MAX = 2.0
"""No answer may wait for Kafka; a busy machine and its disk are given this long."""


def frozen(stack: Stack, rng: random.Random, seconds: float) -> Outcome:
    """SIGSTOP: connections stay open and nobody answers."""
    return _outage(stack, rng, "frozen", seconds, stack.kafka.freeze, stack.kafka.thaw)


def away(stack: Stack, rng: random.Random, seconds: float) -> Outcome:
    """Killed, and started again on the same data."""
    return _outage(stack, rng, "away", seconds, stack.kafka.kill, stack.kafka.start)


def _outage(
    stack: Stack,
    rng: random.Random,
    name: str,
    seconds: float,
    begin: Callable[[], None],
    end: Callable[[], None],
) -> Outcome:
    before = stack.stored_rows()
    processes = [one.process.pid for one in (*stack.trackers, *stack.relays)]
    load = Load(stack.trackers, stack.server_key, stack.folder, name, rng)
    time.sleep(1)
    begin()
    at_begin = len(load.acknowledged())
    time.sleep(seconds)
    during = len(load.acknowledged()) - at_begin
    waiting = sum(relay.metric("kentering_relay_lag_records") for relay in stack.relays)
    end()
    time.sleep(1)
    acknowledged = load.stop()
    began_s = time.monotonic()
    stored = stack.await_stored(acknowledged)
    rows = stack.stored_rows() - before
    return checked(
        name,
        f"Kafka {name} for {seconds:.0f} s under load",
        {
            "acknowledged meanwhile": during,
            "refused or broken": load.refused + load.broken,
            "slowest answer, ms": round(load.slowest_s * 1000),
            "records waiting at its end": round(waiting),
            "scored after it, s": round(time.monotonic() - began_s, 1),
            "lost": len(acknowledged - stored),
            "stored twice": max(0, rows - len(acknowledged) - load.clients),
        },
        {
            "replies went on": during > 50 * seconds and load.refused + load.broken == 0,
            "no reply waited for Kafka": load.slowest_s < SLOWEST_S_MAX,
            "everything acknowledged is stored": acknowledged <= stored,
            "nothing stands there twice": rows <= len(acknowledged) + load.clients,
            "nobody was started again": processes
            == [one.process.pid for one in (*stack.trackers, *stack.relays)]
            and all(one.process.poll() is None for one in (*stack.trackers, *stack.relays)),
        },
    )
