"""From a hit to a membership that REST shows, while 500 other hits a second come in.

Everything is as users run it: tracker, spool, scorer and API of ``kentering up`` on SQLite; then
tracker, relay, scorer and API, each a process of its own, with Kafka and PostgreSQL. Several
times a second a new person asks a question, which makes them a member of a segment; another
connection reads the segment's members all the time. The time runs from before the hit is sent
until the page that shows the member is read.
"""

import asyncio
import os
import time
from pathlib import Path

from bench.figures import Figure, Target, percentile
from bench.processes import commands, own_cpu_s, resident_mb, resident_mb_max
from bench.traffic import HITS_PER_S, Seen, traffic
from services.runtime.migrations import migrate
from tests.integration.product import Product, run_distributed, run_up
from tests.servers.kafka import run_kafka
from tests.servers.postgres import run_postgres
from tests.servers.process import wait_until

P99_MS_MAX = 2_000
MEMORY_MB_MAX = 200
MEASURE = f"Hit to visible membership over REST, at {HITS_PER_S} hits/s"
SEGMENT = {
    "key": "bench",
    "name": "Bench",
    "rule": {"type": "events", "event": ["question"], "at_least": 1, "within_days": 30},
}


def measure(folder: Path) -> list[Figure]:
    """Embedded, then distributed."""
    for name in ("up", "distributed"):
        (folder / name).mkdir()
    with run_up(folder / "up") as product:
        figures = _measure("up", product)
    with run_postgres() as postgres, run_kafka() as kafka:
        postgres.execute("CREATE DATABASE bench")
        url = postgres.url("bench")
        migrate(url)
        with run_distributed(folder / "distributed", url, kafka.bootstrap) as product:
            figures += _measure("distributed", product)
    return figures


def _measure(setup: str, product: Product) -> list[Figure]:
    product.post("/v1/segments", SEGMENT)
    wait_until(lambda: product.get("/v1/segments/bench")["status"] == "live", "a live segment")
    processes = commands(os.getpid())
    at_rest = {name: resident_mb(pid) for name, pid in processes.items()}
    began_s, used_s = time.perf_counter(), _cpu_s(processes)
    seen = asyncio.run(traffic(product))
    wall_s, used_s = time.perf_counter() - began_s, _cpu_s(processes) - used_s
    most = {name: resident_mb_max(pid) for name, pid in processes.items()}
    return [
        *_times(setup, seen),
        Figure(MEASURE, f"{setup}: CPU of all our processes", used_s / wall_s * 100, "% of a core"),
        *_memory(setup, "at rest", at_rest),
        *_memory(setup, "most under load", most),
    ]


def _times(setup: str, seen: Seen) -> list[Figure]:
    taken = [shown_s * 1000 for shown_s in seen.taken_s]
    target = Target(P99_MS_MAX)
    return [
        Figure(MEASURE, f"{setup}: hits answered", seen.hits_per_s, "/s"),
        Figure(MEASURE, f"{setup}: p50 of {len(taken)} persons", percentile(taken, 0.5), "ms"),
        Figure(MEASURE, f"{setup}: p99", percentile(taken, 0.99), "ms", target),
    ]


def _memory(setup: str, when: str, held: dict[str, float]) -> list[Figure]:
    limit = Target(MEMORY_MB_MAX)
    return [
        Figure("Memory", f"{setup}: {name}, {when}", mb, "MB", limit)
        for name, mb in sorted(held.items())
    ]


def _cpu_s(processes: dict[str, int]) -> float:
    return sum(own_cpu_s(pid) for pid in processes.values())
