"""A segment's page and count at 100,000 persons, over HTTP, on both databases.

Half of the questions are about now, half about another moment, past or ahead; of three pages one
is the first, the others go on by cursor.
"""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench.client import Connection
from bench.crowd import PERSONS, SEGMENT, fill
from bench.figures import Figure, Target, percentile
from bench.processes import commands, resident_mb, resident_mb_max
from bench.traffic import get
from services.contract.phases import DAY_MS
from services.runtime.clock import now_ms
from services.runtime.database import open_database
from services.runtime.migrations import migrate
from tests.integration.product import KENTERING
from tests.servers.postgres import run_postgres
from tests.servers.process import free_port, start, stop, wait_until

ROUNDS = 400
WARM_ROUNDS = 20
LIMIT = 100
SEED = 7
P99_MS_MAX = 30
MEMORY_MB_MAX = 200
MEASURE = f"Segment of {PERSONS:,} persons over HTTP: a page of {LIMIT} and a count"

_decode = msgspec.json.decode


@dataclass
class Taken:
    """Milliseconds of each round's two questions."""

    page_ms: list[float] = field(default_factory=list)
    count_ms: list[float] = field(default_factory=list)


def measure(folder: Path) -> list[Figure]:
    """On SQLite, then on PostgreSQL."""
    figures = _measure("SQLite", f"sqlite:///{folder / 'kentering.db'}", folder)
    with run_postgres() as server:
        server.execute("CREATE DATABASE bench")
        figures += _measure("PostgreSQL", server.url("bench"), folder)
    return figures


def _measure(database: str, url: str, folder: Path) -> list[Figure]:
    migrate(url)
    engine = open_database(url)
    key = fill(engine, now_ms())
    engine.dispose()
    with run_api(url, folder) as port:
        pid = commands(os.getpid())["api"]
        at_rest = resident_mb(pid)
        taken = asyncio.run(_ask(port, key))
        most = resident_mb_max(pid)
    both = [page + count for page, count in zip(taken.page_ms, taken.count_ms, strict=True)]
    figures = []
    for name, values in (("page", taken.page_ms), ("count", taken.count_ms), ("both", both)):
        target = Target(P99_MS_MAX) if name == "both" else None
        p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
        figures.append(Figure(MEASURE, f"{database}: {name}, p50", p50, "ms"))
        figures.append(Figure(MEASURE, f"{database}: {name}, p99", p99, "ms", target))
    limit = Target(MEMORY_MB_MAX)
    return [
        *figures,
        Figure("Memory", f"api on {database}, at rest", at_rest, "MB", limit),
        Figure("Memory", f"api on {database}, most under load", most, "MB", limit),
    ]


async def _ask(port: int, key: str) -> Taken:
    rng = random.Random(SEED)
    connection = await Connection.open(port)
    taken, cursor = Taken(), None
    for number in range(WARM_ROUNDS + ROUNDS):
        moment_ms = now_ms() + (round(rng.uniform(-300, 60) * DAY_MS) if number % 2 else 0)
        as_of = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment_ms / 1000))
        place = f"cursor={cursor}" if cursor else f"as_of={as_of}&limit={LIMIT}"
        members, count = f"members?{place}", f"count?as_of={as_of}"
        page_ms, page = await _timed(connection, get(_path(members), port, key))
        count_ms, counted = await _timed(connection, get(_path(count), port, key))
        if len(page["members"]) != LIMIT or counted["count"] < PERSONS / 10:
            raise RuntimeError(f"{len(page['members'])} on a page, {counted['count']} in all")
        cursor = page["next"] if number % 3 else None
        if number >= WARM_ROUNDS:
            taken.page_ms.append(page_ms)
            taken.count_ms.append(count_ms)
    await connection.close()
    return taken


def _path(rest: str) -> str:
    return f"/v1/segments/{SEGMENT}/{rest}"


async def _timed(connection: Connection, request: bytes) -> tuple[float, dict[str, Any]]:
    begin_s = time.perf_counter()
    body = await connection.ask(request)
    taken_ms = (time.perf_counter() - begin_s) * 1000
    return taken_ms, _decode(body)


@contextmanager
def run_api(url: str, folder: Path) -> Iterator[int]:
    """``kentering api``, and its port."""
    told = {
        "KENTERING_DATA": str(folder),
        "KENTERING_DATABASE_URL": url,
        "KENTERING_INTERNAL_KEY": "inside",
    }
    port, log = free_port(), folder / "api.log"
    process = start([KENTERING, "api", "--port", str(port)], log, env=told)
    try:
        wait_until(lambda: _is_ready(port), "the API", process=process, log=log)
        yield port
    finally:
        stop(process, 15, 10)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
