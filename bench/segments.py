"""Segments of a town, on PostgreSQL: persons, pages, trends, reasons, previews, filling, exports.

``python -m bench segments`` makes 100,000 persons with a year behind them and fifty segments;
``KENTERING_BENCH_PERSONS`` says another number, and ``KENTERING_BENCH_TOWN`` a folder to keep the
town in for the next run. Every question over HTTP is about another person, segment and moment, so
that what it needs is read from the disk; then the same ones are asked again, as people ask for who
was just active. Then a new segment is filled over them, alone and while scoring goes on, and all of
them are exported.
"""

import asyncio
import math
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bench.client import Connection
from bench.exporting import measure_exports
from bench.figures import Figure, Target, percentile, tell
from bench.filling import COUNTS, Spans, fill_alone, fill_while_scoring
from bench.kept import Town, inhabited, leave_alone
from bench.pages import run_api
from bench.processes import commands, cpu_s, resident_mb_max
from bench.town import rules
from bench.traffic import get
from services.contract.phases import DAY_MS
from services.runtime.clock import now_ms
from services.runtime.database import open_database
from tests.integration.product import Product

PERSONS = int(os.environ.get("KENTERING_BENCH_PERSONS", "100000"))
ASKED = 300
WARM = 20
SEED = 7
PREVIEWED: dict[str, tuple[dict[str, Any], float]] = {
    "state and attributes": (
        {
            "type": "all",
            "rules": [
                {"type": "phase", "any_of": ["think", "do"]},
                {"type": "attribute", "name": "region", "op": "is", "value": "Noord"},
                {"type": "probability", "of": "openness", "at_least": 0.2},
            ],
        },
        2.0,
    ),
    "two windowed counts": (COUNTS, 10.0),
}
"""Rules to preview, and how many seconds that takes at most at 100,000 persons."""


class Size(NamedTuple):
    """What is measured, and how long."""

    persons: int
    asked: int = ASKED
    """Questions of each kind."""
    exported: bool = True
    spans: Spans = Spans()


_Question = tuple[Callable[[], str], float]
"""Makes a path, and how many ms its answer takes at most."""

_decode = msgspec.json.decode


def measure(folder: Path) -> list[Figure]:
    """On PostgreSQL."""
    with inhabited(PERSONS) as town:
        return measure_town(town, folder, Size(PERSONS))


def measure_town(town: Town, folder: Path, size: Size) -> list[Figure]:
    """All of a town that was made, now or some time ago."""
    server, url, key = town
    engine = open_database(url)
    persons = size.persons
    leave_alone(engine)
    server.execute("CHECKPOINT")  # what that wrote goes to the disk before, not meanwhile
    measure_ = f"Segments on PostgreSQL, {persons:,} persons, {len(rules())} segments"
    with run_api(url, folder) as port:
        pid = commands(os.getpid())["api"]
        figures = [*tell(asyncio.run(_ask_all(measure_, port, key, pid, persons, size.asked)))]
        most = Figure("Memory", "api, segments, most", resident_mb_max(pid), "MB", Target(250))
        figures += tell(fill_alone(engine, measure_, server, persons))
        figures += tell(fill_while_scoring(url, folder, measure_, persons, size.spans))
        if size.exported:
            product = Product(f"http://127.0.0.1:{port}", "", "", "", key)
            figures += tell(measure_exports(engine, url, folder, measure_, product, persons))
    engine.dispose()
    return [*figures, most]


async def _ask_all(
    measure_: str, port: int, key: str, pid: int, persons: int, asked: int
) -> list[Figure]:
    rng = random.Random(SEED)
    connection = await Connection.open(port)
    keys = [*rules()]

    def moment() -> str:
        return _moment(now_ms() + round(rng.uniform(-380, 60) * DAY_MS))

    def person() -> int:
        return rng.randrange(1, persons + 1)

    begin, end = _moment(now_ms() - 365 * DAY_MS), _moment(now_ms())
    questions: dict[str, _Question] = {
        "person by identity": (
            lambda: f"/v1/persons/lookup?namespace=user_id&value=u{person()}",
            10,
        ),
        "page of 100 with exact count, any moment": (
            lambda: f"/v1/segments/{rng.choice(keys)}/members?as_of={moment()}",
            15,
        ),
        "trend of a year": (
            lambda: f"/v1/segments/{rng.choice(keys)}/trend?from={begin}&to={end}",
            50,
        ),
        "explain": (lambda: f"/v1/persons/p_{person():016x}/explain", 50),
        "segments of a person": (
            lambda: f"/v1/persons/p_{person():016x}/segments?as_of={moment()}",
            15,
        ),
    }
    figures = []
    for name, (path, limit) in questions.items():
        for _ in range(WARM):
            await _timed(connection, get(path(), port, key))
        paths = [path() for _ in range(asked)]
        for again in ("", ", asked again"):
            cpu = cpu_s(pid)
            taken = [await _timed(connection, get(one, port, key)) for one in paths]
            cpu_ms = (cpu_s(pid) - cpu) / asked * 1000
            p50, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
            figures += [
                Figure(measure_, f"{name}{again}, p50", p50, "ms"),
                Figure(measure_, f"{name}{again}, p99", p99, "ms", Target(limit)),
                Figure(measure_, "  the API's CPU each", cpu_ms, "ms"),
            ]
    for name, (rule, limit_s) in PREVIEWED.items():
        cpu = cpu_s(pid)
        request = _post("/v1/segments/preview", {"rule": rule}, port, key)
        took_ms = await _timed(connection, request, exact=persons <= 100_000)
        scale = Target(limit_s) if persons == 100_000 else None
        figures.append(Figure(measure_, f"preview, {name}", took_ms / 1000, "s", scale))
        figures.append(Figure(measure_, "  the API's CPU", cpu_s(pid) - cpu, "s"))
    await connection.close()
    return figures


async def _timed(connection: Connection, request: bytes, *, exact: bool = False) -> float:
    begin_s = time.perf_counter()
    body = await connection.ask(request)
    took_ms = (time.perf_counter() - begin_s) * 1000
    # One that ran out of time is an estimate: it did not take so long, it never came.
    return math.inf if exact and not _decode(body)["exact"] else took_ms


def _post(path: str, body: dict[str, Any], port: int, key: str) -> bytes:
    content = msgspec.json.encode(body)
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    ).encode() + content


def _moment(at_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ms / 1000))
