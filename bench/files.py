"""Files in and out, as users move them: people, what they did, and the members of a segment again.

``python -m bench files`` brings in 100,000 people and an event of each with ``kentering import``,
into ``kentering up`` on PostgreSQL, and exports them in each format; KENTERING_BENCH_ROWS says
another number. A tenth of it goes first: what a process holds shall not grow with the file.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.figures import Figure, Target
from bench.processes import commands, cpu_s, own_cpu_s, resident_mb_max
from services.contract.moment import rfc3339
from services.contract.phases import DAY_MS
from services.runtime.clock import now_ms
from services.runtime.migrations import migrate
from tests.integration.product import KENTERING, Product, run_up
from tests.servers.postgres import run_postgres
from tests.servers.process import wait_until
from tests.servers.web import LOCAL

ROWS = int(os.environ.get("KENTERING_BENCH_ROWS", "100000"))
MEMORY_MB_MAX = 250
GROWS = 1.25
"""Memory at ten times the rows, beside what it was."""
SEGMENT: dict[str, Any] = {
    "key": "everybody",
    "name": "Everybody",
    "rule": {"type": "attribute", "name": "team", "op": "is", "value": "bench"},
}
_REGIONS = ("Utrecht", "Noord-Holland", "Zuid-Holland", "Gelderland")
_TYPES = ("Page Viewed", "Job Viewed", "Article Read")
_NOW_MS = now_ms()
_PEOPLE: dict[str, Any] = {
    "kind": "people",
    "as_of": rfc3339(_NOW_MS - 300 * DAY_MS),
    "identities": {"user_id": "number", "email": "mail"},
    "attributes": {
        "team": {"column": "team"},
        "region": {"column": "region"},
        "years": {"column": "years", "type": "number"},
    },
    "consent": {
        "purposes": {"measure": {"column": "agreed"}, "profile": {"value": True}},
        "given_at": {"column": "since"},
        "text_version": {"value": "privacy statement 3"},
        "source": "the bench",
    },
}
_EVENTS: dict[str, Any] = {
    "kind": "events",
    "identities": {"user_id": "number"},
    "type": {"column": "what"},
    "at": {"column": "when"},
    "properties": {"content_id": {"column": "story"}},
}


def measure(folder: Path) -> list[Figure]:
    """A tenth of the rows, and then all; each time other people."""
    figures: list[Figure] = []
    held: dict[int, dict[str, float]] = {}
    with run_postgres() as server:
        server.execute("CREATE DATABASE bench")
        url = server.url("bench")
        migrate(url)
        with run_up(folder, url) as product:
            product.post("/v1/segments", SEGMENT)
            wait_until(lambda: product.get("/v1/segments/everybody")["status"] == "live", "live")
            meter = Meter(commands(os.getpid()), server.pid)
            there = 0
            for rows in (ROWS // 10, ROWS):
                figures += _in(product, meter, folder, range(there, there + rows))
                there += rows
                figures += _out(product, meter, there)
                held[rows] = meter.memory_mb()
    return [*figures, *_memory(held)]


@dataclass
class Meter:
    """Processor time and memory of the product's processes, by their commands."""

    pids: dict[str, int]
    server_pid: int

    def cpu_s(self) -> dict[str, float]:
        """Until now."""
        ours = {name: own_cpu_s(self.pids[name]) for name in ("jobs", "up", "scorer")}
        return {**ours, "PostgreSQL": cpu_s(self.server_pid)}

    def memory_mb(self) -> dict[str, float]:
        """The most that each ever held; ``up`` is tracker and API in one."""
        return {name: resident_mb_max(self.pids[name]) for name in ("jobs", "up")}


def _in(product: Product, meter: Meter, folder: Path, numbers: range) -> list[Figure]:
    people, events = folder / "people.csv", folder / "events.csv"
    _write(people, "number,mail,team,region,years,agreed,since", map(_person, numbers))
    _write(events, "number,what,when,story", map(_event, numbers))
    figures = []
    for what, asked, file in (("people", _PEOPLE, people), ("events", _EVENTS, events)):
        measure_ = f"Files in, {len(numbers):,} {what} until they can be read"
        with _timed(meter, measure_, len(numbers), figures):
            _import(product, asked, file)
    return figures


def _out(product: Product, meter: Meter, there: int) -> list[Figure]:
    figures: list[Figure] = []
    for kind in ("csv", "ndjson", "parquet"):
        measure_ = f"Files out, {there:,} members as {kind}, fetched"
        with _timed(meter, measure_, there, figures):
            size = export(product, SEGMENT["key"], kind, there)
        figures.append(Figure(measure_, "the file", size / 2**20, "MB"))
    return figures


@contextmanager
def _timed(meter: Meter, measure_: str, rows: int, figures: list[Figure]) -> Iterator[None]:
    begun_s, begun = time.perf_counter(), meter.cpu_s()
    yield
    wall_s, used = time.perf_counter() - begun_s, meter.cpu_s()
    figures.append(Figure(measure_, "rows", rows / wall_s, "/s"))
    for name, used_s in used.items():
        cpu_us = (used_s - begun[name]) / rows * 1e6
        figures.append(Figure(measure_, f"  CPU of {name} per row", cpu_us, "µs"))


def _import(product: Product, asked: dict[str, Any], file: Path) -> None:
    told = file.with_suffix(".json")
    told.write_text(json.dumps(asked))
    where = ["--url", product.api_url, "--key", product.api_key]
    command = [KENTERING, "import", str(file), "--as", str(told), *where]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)


def export(product: Product, segment: str, kind: str, there: int) -> int:
    """Ask for the members of a segment, wait, and fetch them; how many bytes they were."""
    asked = {"use": "insight", "format": kind, "attributes": ["region", "years"]}
    job = product.post(f"/v1/segments/{segment}/exports", asked)
    while job["status"] in {"waiting", "running"}:
        time.sleep(0.1)
        job = product.get(f"/v1/jobs/{job['id']}")
    if job["status"] != "done" or job["counts"]["written"] != there:
        raise RuntimeError(f"{there} members, and {job}")
    url = f"{product.api_url}{job['file']['url']}"
    with httpx.stream("GET", url, timeout=60, **LOCAL) as answer:
        return sum(len(part) for part in answer.iter_bytes())


def _memory(held: dict[int, dict[str, float]]) -> list[Figure]:
    figures = [
        Figure("Memory", f"{name}, most with {rows:,} rows", mb, "MB", Target(MEMORY_MB_MAX))
        for rows, of in held.items()
        for name, mb in of.items()
    ]
    few, many = held.values()
    for name in few:
        grown = many[name] / few[name]
        figures.append(Figure("Memory", f"{name}, ten times the rows", grown, "×", Target(GROWS)))
    return figures


def _write(file: Path, header: str, rows: Iterable[str]) -> None:
    with file.open("w") as out:
        out.write(header + "\n")
        out.writelines(rows)


def _person(i: int) -> str:
    """Everybody agreed more than a year ago."""
    day = rfc3339(_NOW_MS - (400 + i % 300) * DAY_MS)
    return f"N{i},p{i}@example.org,bench,{_REGIONS[i % 4]},{i % 40},yes,{day}\n"


def _event(i: int) -> str:
    """Everybody did something in the year since: who is silent for long is erased."""
    return f"N{i},{_TYPES[i % 3]},{rfc3339(_NOW_MS - (1 + i % 250) * DAY_MS)},c{i % 60}\n"
