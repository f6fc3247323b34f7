"""How fast the relay empties a spool into a real Kafka, beside how fast one tracker fills it.

First the tracker takes as many single hits as it can, then as many batches, while nobody reads the
spool. Then the relay, on the core that the tracker had, copies all of it; the tracker is gone. The
ratio says how long a backlog lasts: at 5, what gathered in an hour of the tracker's full speed is
in Kafka after twelve minutes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, Target
from bench.hits import Server, run_server, run_tracker
from bench.processes import cpu_s, resident_mb_max
from bench.requests import BATCH_EVENTS, Requests
from bench.wrk import run_wrk, write_requests
from services.contract.topics import EVENTS
from services.runtime.kafka_topics import ensure_topics
from services.runtime.reader_position import reader_position
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.tracker.relay import READER
from tests.integration.product import KENTERING
from tests.servers.kafka import run_kafka
from tests.servers.process import free_port

HITS_S = 4
BATCHES_S = 4
RATIO_MIN = 1.5
PATIENCE_S = 60
MEASURE = "Relay into a real Kafka, on one core"


def measure(folder: Path) -> list[Figure]:
    """Fill, then empty."""
    with run_tracker(folder) as tracker:
        singles = _fill(folder, tracker, Requests(tracker.port).of("POST /v1/track"), HITS_S)
        batches = _fill(folder, tracker, list(Requests(tracker.port).batches()), BATCHES_S)
    batches *= BATCH_EVENTS
    with run_kafka() as kafka:
        list(ensure_topics(kafka.bootstrap, [EVENTS], timeout_s=30))
        with run_relay(folder / "data", folder, kafka.bootstrap) as relay:
            per_s, cpu_us = _drained(folder / "data" / "spool", relay)
            peak = resident_mb_max(relay.pid)
    wanted = Target(RATIO_MIN, at_least=True)
    return [
        Figure(MEASURE, "records", per_s, "/s"),
        Figure(MEASURE, "CPU per record", cpu_us, "µs"),
        Figure(MEASURE, "the tracker: single hits", singles, "/s"),
        Figure(MEASURE, "the tracker: events in batches of 100", batches, "/s"),
        Figure(MEASURE, "records beside single hits", per_s / singles, "×", wanted),
        Figure(MEASURE, "records beside events in batches", per_s / batches, "×"),
        Figure("Memory", "relay, most while emptying a spool", peak, "MB", Target(100)),
    ]


def _fill(folder: Path, tracker: Server, requests: list[bytes], seconds: float) -> float:
    file = folder / "relay.requests"
    write_requests(file, requests)
    run_wrk(tracker.url, file, 1)  # warm
    return run_wrk(tracker.url, file, seconds).per_s


def _drained(spool: Path, relay: Server) -> tuple[float, float]:
    """(records a second, processor time of each in µs), from its first position to its last."""
    reader = SqliteLogReader(spool, lambda *_: None)
    log_id, end = reader.log_id, 1 + reader.lag()
    reader.close()
    first: tuple[float, float, int] | None = None
    give_up_s = time.monotonic() + PATIENCE_S
    while (position := reader_position(spool, READER, log_id)) != end:
        if first is None and position is not None:
            first = (time.perf_counter(), cpu_s(relay.pid), position)
        if time.monotonic() > give_up_s:
            raise RuntimeError(f"the relay is at {position} of {end}")
        time.sleep(0.002)
    lasted_s, used_s = time.perf_counter(), cpu_s(relay.pid)
    if first is None:
        raise RuntimeError("there was too little to relay")
    records = end - first[2]
    return records / (lasted_s - first[0]), (used_s - first[1]) / records * 1e6


@contextmanager
def run_relay(data: Path, folder: Path, bootstrap: str) -> Iterator[Server]:
    """``kentering relay`` beside a tracker's data folder; it may start before there is a spool."""
    port = free_port()
    told = {"KENTERING_DATA": str(data), "KENTERING_KAFKA": bootstrap}
    command = [KENTERING, "relay", "--health-port", str(port), "--delivery-timeout", "3"]
    with run_server(command, folder / "relay.log", port, told) as server:
        yield server
