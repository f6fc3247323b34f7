"""Latency and memory of durable hits while Kafka is frozen, and while it is gone.

The relay runs beside the tracker, on the same core, and cannot get rid of anything. The client is
that of :mod:`bench.open_loop`, which tells what it measures. Afterwards the backlog is emptied
without anybody being started again.
"""

import time
from pathlib import Path

from bench.figures import Figure, Target, percentile
from bench.hits import run_tracker
from bench.open_loop import HITS_PER_S, Syncs, figures, paced
from bench.processes import resident_mb_max
from bench.relay import run_relay
from bench.requests import Requests
from services.contract.topics import EVENTS
from services.runtime.kafka_topics import ensure_topics
from services.runtime.reader_position import reader_position
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.tracker.relay import READER
from tests.servers.kafka import run_kafka
from tests.servers.process import wait_until

SECONDS = 10
MEMORY_MB_MAX = 100
MEASURE = f"Latency at {HITS_PER_S:,} hits a second, while Kafka does not answer"


def measure(folder: Path) -> list[Figure]:
    """Well, then frozen, then gone."""
    spool = folder / "data" / "spool"
    found: list[Figure] = []
    with (
        run_kafka({"broker.session.timeout.ms": "2500"}) as kafka,
        run_tracker(folder) as tracker,
    ):
        list(ensure_topics(kafka.bootstrap, [EVENTS], timeout_s=30))
        with run_relay(folder / "data", folder, kafka.bootstrap) as relay:
            hits = Requests(tracker.port).of("page pixel")
            for name, begin, end in (
                ("Kafka well", lambda: None, lambda: None),
                ("Kafka frozen", kafka.freeze, kafka.thaw),
                ("Kafka gone", kafka.kill, kafka.start),
            ):
                begin()
                with Syncs(folder) as syncs:
                    pace = paced(tracker.port, hits, SECONDS)
                end()
                began_s = time.monotonic()
                wait_until(lambda: _unread(spool) == 0, "the backlog to be emptied")
                found += figures(MEASURE, name, pace, percentile(syncs.taken_ms, 0.99))
                lasted_s = time.monotonic() - began_s
                found.append(Figure(MEASURE, f"{name}: all in Kafka after", lasted_s, "s"))
            peaks = {"tracker": tracker.pid, "relay": relay.pid}
            for name, pid in peaks.items():
                label = f"{name}, most with Kafka frozen and gone"
                found.append(
                    Figure("Memory", label, resident_mb_max(pid), "MB", Target(MEMORY_MB_MAX))
                )
    return found


def _unread(spool: Path) -> int:
    """Records that the relay has still to copy."""
    reader = SqliteLogReader(spool, lambda *_: None)
    try:
        position = reader_position(spool, READER, reader.log_id)
        reader.seek(0, position or 1)
        return reader.lag()
    finally:
        reader.close()
