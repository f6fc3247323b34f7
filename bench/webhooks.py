"""From a hit to the webhook that its receiver has, while 500 other hits a second come in.

Everything is as users run it: ``kentering up`` on SQLite; then tracker, relay, scorer, API and
dispatcher, each a process of its own, with Kafka and PostgreSQL. Several times a second a new
person asks a question, which makes them a member of a segment; a webhook tells a receiver of it.
The time runs from before the hit is sent until the receiver has read the message.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from bench.figures import Figure, Target, percentile
from bench.processes import commands, own_cpu_s, resident_mb_max
from bench.traffic import HITS_PER_S, traffic
from bench.visible import SEGMENT
from services.api.wire import parse_moment
from services.runtime.migrations import migrate
from tests.integration.product import Product, run_distributed, run_up
from tests.servers.kafka import run_kafka
from tests.servers.postgres import run_postgres
from tests.servers.process import free_port, start, stop, wait_until
from tests.servers.receiver import Got, Receiver, Reply, run_receiver

P99_MS_MAX = 1_000
MEASURE = f"Hit to webhook received, at {HITS_PER_S} hits/s"
KENTERING = Path(sys.executable).parent / "kentering"


def measure(folder: Path) -> list[Figure]:
    """Embedded, then distributed."""
    os.environ["KENTERING_WEBHOOK_NETWORKS"] = "127.0.0.0/8"
    for name in ("up", "distributed"):
        (folder / name).mkdir()
    with run_up(folder / "up") as product:
        figures = _measure("up", product)
    with run_postgres() as postgres, run_kafka() as kafka:
        postgres.execute("CREATE DATABASE bench")
        url = postgres.url("bench")
        migrate(url)
        with (
            run_distributed(folder / "distributed", url, kafka.bootstrap) as product,
            _dispatcher(folder, url, kafka.bootstrap),
        ):
            figures += _measure("distributed", product)
    return figures


@contextmanager
def _dispatcher(folder: Path, url: str, kafka: str) -> Iterator[None]:
    told = {"KENTERING_DATABASE_URL": url, "KENTERING_KAFKA": kafka}
    command = [KENTERING, "dispatch", "--health-port", str(free_port())]
    process = start(command, folder / "dispatch.log", env=told)
    try:
        yield
    finally:
        stop(process, SIGTERM, 15)


def _measure(setup: str, product: Product) -> list[Figure]:
    product.post("/v1/segments", SEGMENT)
    wait_until(lambda: product.get("/v1/segments/bench")["status"] == "live", "a live segment")
    with run_receiver() as receiver:
        heard_s, told_ms = _hear(receiver)
        hook = {"url": receiver.url, "types": ["segment"], "segments": ["bench"]}
        product.post("/v1/webhooks", hook)
        dispatcher = commands(os.getpid())["dispatch"]
        used_s = own_cpu_s(dispatcher)
        seen = asyncio.run(traffic(product, heard_s))
        used_s = own_cpu_s(dispatcher) - used_s
        sent = len(receiver.accepted)
    taken = [shown_s * 1000 for shown_s in seen.taken_s]
    return [
        Figure(MEASURE, f"{setup}: hits answered", seen.hits_per_s, "/s"),
        Figure(MEASURE, f"{setup}: p50 of {len(taken)} persons", percentile(taken, 0.5), "ms"),
        Figure(MEASURE, f"{setup}: p99", percentile(taken, 0.99), "ms", Target(P99_MS_MAX)),
        Figure(
            MEASURE,
            f"{setup}: of that, p99 since the scorer's batch",
            percentile(told_ms, 0.99),
            "ms",
        ),
        Figure(MEASURE, f"{setup}: CPU of the dispatcher for each", used_s / sent * 1000, "ms"),
        Figure("Memory", f"{setup}: dispatch, most", resident_mb_max(dispatcher), "MB"),
    ]


def _hear(receiver: Receiver) -> tuple[dict[str, float], list[float]]:
    """When the receiver first heard of each person; how long after the change's own time, in ms."""
    heard_s: dict[str, float] = {}
    told_ms: list[float] = []

    def answer(got: Got) -> Reply:
        heard_s.setdefault(got.message["data"]["person"], time.perf_counter())
        told_ms.append(time.time() * 1000 - parse_moment(got.message["timestamp"]))
        return Reply()

    receiver.answer = answer
    return heard_s, told_ms
