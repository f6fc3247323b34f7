"""Segment page and count at 100,000 persons: ``python -m bench.serve DATABASE_URL``.

The database must be migrated and empty. Intervals are made up: 20 per person over two years, so
that a moment in the middle has members, entries and exits around it.
"""

import json
import random
import statistics
import sys
import time
from typing import Any

from httpx import Client
from sqlalchemy import Engine, Table, insert, text

from services.api.app import create_app
from services.api.workspaces import create_workspace
from services.contract.phases import DAY_MS, HOUR_MS
from services.contract.tables import (
    count_delta,
    interval,
    person,
    person_state,
    segment,
    segment_version,
)
from services.runtime.clock import now_ms
from services.runtime.database import open_database, writing
from tests.servers.web import run_app

PERSONS = 100_000
STRETCHES = 5
ROUNDS = 300
SEED = 7


def main(url: str) -> dict[str, Any]:
    """Fill, ask, tell."""
    engine = open_database(url)
    now = now_ms()
    made = create_workspace(engine, "Bench", "Europe/Amsterdam", None, now)
    fill(engine, now)
    app = create_app(engine, "", "http://localhost")
    headers = {"Authorization": f"Bearer {made.api_key}"}
    times: dict[str, list[float]] = {"page": [], "count": [], "page + count": []}
    rng = random.Random(SEED)
    with run_app(app) as base, Client(base_url=base, headers=headers) as client:
        cursor = None
        for number in range(ROUNDS):
            moment = now + round(rng.uniform(-300, 60) * DAY_MS) if number % 2 else now
            as_of = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment / 1000))
            query = {"as_of": as_of} if cursor is None else {"cursor": cursor}
            page_ms, page = timed(client, "/v1/segments/bench/members", query)
            count_ms, count = timed(client, "/v1/segments/bench/count", {"as_of": as_of})
            assert count["count"] > 0
            cursor = page["next"] if number % 3 else None
            times["page"].append(page_ms)
            times["count"].append(count_ms)
            times["page + count"].append(page_ms + count_ms)
    engine.dispose()
    return {
        name: {"p50_ms": round(statistics.median(ms), 1), "p99_ms": round(sorted(ms)[-4], 1)}
        for name, ms in times.items()
    }


def timed(client: Client, path: str, query: dict[str, Any]) -> tuple[float, Any]:
    """(milliseconds, answer)."""
    begin = time.perf_counter()
    answer = client.get(path, params=query)
    taken_ms = (time.perf_counter() - begin) * 1000
    assert answer.status_code == 200, answer.text
    return taken_ms, answer.json()


def fill(engine: Engine, now: int) -> None:
    """Persons, and their stretches in and out of the segment."""
    rng = random.Random(SEED)
    intervals: list[dict[str, Any]] = []
    deltas: dict[int, int] = {}
    for person_id in range(1, PERSONS + 1):
        edges = sorted(rng.sample(range(-500 * 24, 200 * 24), STRETCHES * 2))
        for begin_h, end_h in zip(edges[::2], edges[1::2], strict=True):
            begin = now + begin_h * HOUR_MS + rng.randrange(HOUR_MS)
            end = now + end_h * HOUR_MS + rng.randrange(HOUR_MS)
            if end <= begin:
                continue
            intervals.append(
                {
                    "workspace_id": 1,
                    "kind": "segment",
                    "key": "1",
                    "person_id": person_id,
                    "valid_from_ms": begin,
                    "valid_to_ms": end,
                    "known_from_ms": min(begin, now),
                }
            )
            for at, delta in ((begin, 1), (end, -1)):
                deltas[at - at % HOUR_MS] = deltas.get(at - at % HOUR_MS, 0) + delta
    persons = range(1, PERSONS + 1)
    put(engine, person, [
        {"id": i, "workspace_id": 1, "public_id": f"p_{i:016x}", "first_ms": 0,
         "first_event_id": b"", "created_ms": 0} for i in persons
    ])  # fmt: skip
    put(engine, person_state, [
        {"person_id": i, "workspace_id": 1, "state": b"", "model_version": "x", "version": 1,
         "last_ms": 0, "last_event_id": b"", "events": 1, "announced": "{}"} for i in persons
    ])  # fmt: skip
    put(engine, segment, [{"id": 1, "workspace_id": 1, "key": "bench", "name": "Bench"}])
    rule = {"type": "phase", "any_of": ["do"]}
    put(engine, segment_version, [
        {"id": 1, "workspace_id": 1, "segment_id": 1, "number": 1, "rule": rule, "created_ms": 0,
         "created_by": "bench", "status": "live", "built_to": PERSONS, "live_ms": 0}
    ])  # fmt: skip
    put(engine, interval, intervals)
    put(engine, count_delta, [
        {"workspace_id": 1, "kind": "segment", "key": "1", "hour_ms": hour, "delta": delta}
        for hour, delta in deltas.items()
    ])  # fmt: skip
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def put(engine: Engine, table: Table, rows: list[dict[str, Any]]) -> None:
    """Many rows at once."""
    with writing(engine).begin() as connection:
        for i in range(0, len(rows), 20_000):
            connection.execute(insert(table), rows[i : i + 20_000])


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1]), indent=2))
