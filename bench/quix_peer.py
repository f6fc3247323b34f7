"""What one would write with Quix Streams: of each person one decayed sum, exactly once.

BOOTSTRAP TOPIC FOLDER WARM EVENTS: reads the topic's events from its beginning, keeps the sums in
its own state store under FOLDER, and prints as JSON what EVENTS of them took after the first WARM.
It runs in an environment of its own, see :mod:`bench.peer_scorer`.
"""

import json
import math
import sys
import time
from typing import Any

from quixstreams import Application, State

HALF_LIFE_MS = 14 * 86_400_000
COMMIT_EVERY = 10_000
"""Events in a transaction, as many as the scorer takes where there is a backlog."""


class Sums:
    """Adds one for each event, and takes the time.

    From the first event to be measured until the one after the last: so many transactions lie in
    between as belong to these events.
    """

    def __init__(self, warm: int, events: int) -> None:
        self._first, self._last = warm, warm + events
        self._seen = 0
        self.moments: list[tuple[float, float]] = []

    def add(self, event: dict[str, Any], state: State) -> None:
        """One event more of whoever the record's key stands for."""
        if self._seen in {self._first, self._last}:
            self.moments.append((time.perf_counter(), time.process_time()))
        self._seen += 1
        if "identities" not in event:
            return
        at_ms = event["occurred_ms"]
        total, then_ms = state.get("sum", (0.0, at_ms))
        if at_ms >= then_ms:
            total = total * math.exp2((then_ms - at_ms) / HALF_LIFE_MS) + 1.0
            then_ms = at_ms
        else:
            total += math.exp2((at_ms - then_ms) / HALF_LIFE_MS)
        state.set("sum", (total, then_ms))


def main(bootstrap: str, topic: str, folder: str, warm: str, events: str) -> None:
    """Score, then print."""
    app = Application(
        broker_address=bootstrap,
        consumer_group="quix",
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_every=COMMIT_EVERY,
        commit_interval=60.0,
        state_dir=folder,
        loglevel="WARNING",
    )
    sums = Sums(int(warm), int(events))
    told = app.topic(topic, key_deserializer="bytes", value_deserializer="json")
    app.dataframe(told).update(sums.add, stateful=True)
    app.run(count=int(warm) + int(events) + 1)
    (begun_s, begun_cpu_s), (ended_s, ended_cpu_s) = sums.moments
    print(json.dumps({"wall_s": ended_s - begun_s, "cpu_s": ended_cpu_s - begun_cpu_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
