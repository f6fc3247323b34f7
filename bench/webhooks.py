"""From a hit, and from a change, to the webhook that its receiver has, at 500 a second.

500 other hits a second come in, and after that 500 changes a second.

Everything is as users run it: ``kentering up`` on SQLite; then tracker, relay, scorer, API and
dispatcher, each a process of its own, with Kafka and PostgreSQL. Several times a second a new
person asks a question, which makes them a member of a segment; a webhook tells a receiver of it.
The time runs from before the hit is sent until the receiver has read the message.

Then the dispatcher alone has its full work, on PostgreSQL: every change of a feed goes to one
receiver, 500 a second, in transactions like the scorer's; then as many at once as a day's trouble
may leave.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from sqlalchemy import insert

from bench.figures import Figure, Target, percentile
from bench.processes import commands, own_cpu_s, resident_mb_max
from bench.traffic import HITS_PER_S, traffic
from bench.visible import SEGMENT
from services.api.webhook_store import add_webhook
from services.api.wire import parse_moment
from services.contract import tables
from services.runtime.clock import now_ms
from services.runtime.database import writing
from services.runtime.migrations import migrate
from services.scorer.announce import publish
from tests.contract.dispatch.feed import Feed, change
from tests.integration.product import Product, run_distributed, run_up
from tests.servers.kafka import run_kafka
from tests.servers.postgres import run_postgres
from tests.servers.process import free_port, start, stop, wait_until
from tests.servers.receiver import Got, Receiver, Reply, run_receiver

P99_MS_MAX = 1_000
CPU_MS_MAX = 0.5
CHANGES_PER_S = 500
FEED_S = 20
BATCHES_PER_S = 10
BACKLOG = 10_000
PERSONS = 2_000
MEASURE = f"Hit to webhook received, at {HITS_PER_S} hits/s"
FEED = f"Change to webhook received, at {CHANGES_PER_S} changes/s"
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
        postgres.execute("CREATE DATABASE feed")
        url = postgres.url("feed")
        migrate(url)
        with run_receiver() as receiver:
            feed = _feed(url, receiver.url)
            with _dispatcher(folder, url) as pid:
                figures += _paced(feed, receiver, pid) + _at_once(feed, receiver, pid)
            feed.engine.dispose()
    return figures


@contextmanager
def _dispatcher(folder: Path, url: str, kafka: str | None = None) -> Iterator[int]:
    """``kentering dispatch``; its process id."""
    told = {"KENTERING_DATABASE_URL": url, "KENTERING_KAFKA": kafka or ""}
    topic = "--no-topic" if kafka is None else "--topic"
    port = free_port()
    command = [KENTERING, "dispatch", topic, "--health-port", str(port)]
    process = start(command, folder / f"dispatch{topic}.log", env=told)
    try:
        yield process.pid
    finally:
        stop(process, SIGTERM, 15)


def _feed(url: str, receiver: str) -> Feed:
    """A feed with persons to tell of, and one webhook that gets everything."""
    feed = Feed(url)
    persons = [
        {
            "id": 100 + n,
            "workspace_id": 1,
            "public_id": f"p_told{n}",
            "first_ms": 1,
            "first_event_id": b"",
            "created_ms": 1,
        }
        for n in range(PERSONS)
    ]
    wish = {"url": receiver, "description": "", "types": [], "segments": [], "late": False}
    with writing(feed.engine).begin() as db:
        db.execute(insert(tables.person), persons)
        add_webhook(db, 1, wish, None, now_ms())
    return feed


def _tell(feed: Feed, first: int, count: int) -> None:
    """So many changes in one transaction, each of another person."""
    now = now_ms()
    told = [
        (1, change(100 + n % PERSONS, valid_ms=now, kind="segment", key="bench"))
        for n in range(first, first + count)
    ]
    with writing(feed.engine).begin() as db:
        publish(db, told, now)


def _paced(feed: Feed, receiver: Receiver, pid: int) -> list[Figure]:
    _tell(feed, 0, 1)
    wait_until(lambda: receiver.accepted, "the first")
    _, told_ms = _hear(receiver)
    used_s, began_s = own_cpu_s(pid), time.perf_counter()
    each = CHANGES_PER_S // BATCHES_PER_S
    for n in range(FEED_S * BATCHES_PER_S):
        time.sleep(max(0.0, began_s + n / BATCHES_PER_S - time.perf_counter()))
        _tell(feed, n * each, each)
    count = FEED_S * CHANGES_PER_S
    wait_until(lambda: len(told_ms) >= count, "all messages", timeout_s=60)
    took_s = time.perf_counter() - began_s
    used_s = own_cpu_s(pid) - used_s
    return [
        Figure(FEED, "webhooks received", count / took_s, "/s"),
        Figure(FEED, "p50", percentile(told_ms, 0.5), "ms"),
        Figure(FEED, "p99", percentile(told_ms, 0.99), "ms", Target(P99_MS_MAX)),
        Figure(
            FEED, "CPU of the dispatcher for each", used_s / count * 1000, "ms", Target(CPU_MS_MAX)
        ),
    ]


def _at_once(feed: Feed, receiver: Receiver, pid: int) -> list[Figure]:
    _, told_ms = _hear(receiver)
    used_s, began_s = own_cpu_s(pid), time.perf_counter()
    _tell(feed, 0, BACKLOG)
    wait_until(lambda: len(told_ms) >= BACKLOG, "all messages", timeout_s=120)
    took_s = time.perf_counter() - began_s
    used_s = own_cpu_s(pid) - used_s
    name = f"{BACKLOG:,} at once"
    return [
        Figure(FEED, f"{name}: webhooks received", BACKLOG / took_s, "/s"),
        Figure(FEED, f"{name}: CPU for each", used_s / BACKLOG * 1000, "ms", Target(CPU_MS_MAX)),
    ]


def _measure(setup: str, product: Product) -> list[Figure]:
    product.post("/v1/segments", SEGMENT)
    wait_until(lambda: product.get("/v1/segments/bench")["status"] == "live", "a live segment")
    with run_receiver() as receiver:
        heard_s, told_ms = _hear(receiver)
        hook = {"url": receiver.url, "types": ["segment"], "segments": ["bench"]}
        product.post("/v1/webhooks", hook)
        dispatcher = commands(os.getpid())["dispatch"]
        used_s, began_s = own_cpu_s(dispatcher), time.perf_counter()
        seen = asyncio.run(traffic(product, heard_s))
        used_s, wall_s = own_cpu_s(dispatcher) - used_s, time.perf_counter() - began_s
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
        Figure(MEASURE, f"{setup}: CPU of the dispatcher", used_s / wall_s * 100, "% of a core"),
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
