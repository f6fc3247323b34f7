"""Trackers, relays and the scorer killed at any moment, under load: nothing lost, nothing twice."""

import random
import time
from collections import Counter

from tests.drills.load import Load
from tests.drills.outcome import Outcome, checked
from tests.drills.stack import Stack


def kills(stack: Stack, rng: random.Random, count: int, every_s: float) -> Outcome:
    """``count`` times kill -9 of a process chosen by chance."""
    before = stack.stored_rows()
    load = Load(stack.trackers, stack.server_key, stack.folder, "kills", rng)
    # Trackers and relays more often than the scorer, whose own drill is tests/simulation.
    victims = [*stack.trackers, *stack.relays] * 2 + [stack.scorer]
    died: Counter[str] = Counter()
    began_s = time.monotonic()
    for _ in range(count):
        time.sleep(rng.uniform(0.5, 1.5) * every_s)
        victim = rng.choice(victims)
        died[victim.name] += 1
        victim.kill()
    for one in {*map(id, victims)}:
        next(v for v in victims if id(v) == one).await_ready()
    acknowledged = load.stop()
    lasted_s = time.monotonic() - began_s
    stored = stack.await_stored(acknowledged)
    rows = stack.stored_rows() - before
    names = ", ".join(f"{name} {times}" for name, times in sorted(died.items()))
    return checked(
        "kills",
        f"kill -9 every {every_s:.1f} s for {lasted_s:.0f} s: {names}",
        {
            "acknowledged": len(acknowledged),
            "sent again after an error": load.broken + load.refused,
            "lost": len(acknowledged - stored),
            "stored twice": max(0, rows - len(acknowledged) - load.clients),
        },
        {
            "everything acknowledged is stored": acknowledged <= stored,
            "something was acknowledged": len(acknowledged) > 20 * count,
            # A call in hand when the load ended may be stored without its answer having come.
            "nothing stands there twice": rows <= len(acknowledged) + load.clients,
        },
    )
