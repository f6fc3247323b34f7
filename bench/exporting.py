"""All of a town's people exported in each format: how fast, and what API and jobs hold for it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from bench.figures import Figure, Target
from bench.files import export
from bench.processes import commands, own_cpu_s, resident_mb_max
from services.api.segment_store import create_segment
from services.model.version import load
from services.runtime.clock import now_ms
from services.runtime.database import writing
from services.scorer.build import build_step
from tests.integration.product import KENTERING, Product
from tests.servers.process import free_port, start, stop, wait_until

FORMATS = ("csv", "ndjson", "parquet")
MEMORY_MB_MAX = 250
SEGMENT = "everybody"
RULE = {"type": "attribute", "name": "region", "op": "known"}


def measure_exports(
    engine: Engine, url: str, folder: Path, measure: str, product: Product, persons: int
) -> list[Figure]:
    """Everybody, in each format.

    Args:
        engine: the town's database.
        url: the same, for the process that exports.
        folder: for its log.
        measure: what the figures stand under.
        product: the API that runs on it, in a process of its own.
        persons: how many there are.
    """
    with writing(engine).begin() as db:
        create_segment(db, 1, SEGMENT, "Everybody", RULE, "bench", now_ms())
    while True:
        with writing(engine).begin() as db:
            if not build_step(db, load(), now_ms()):
                break
    figures = []
    with _run_jobs(url, folder):
        pids = {name: commands(os.getpid())[name] for name in ("api", "jobs")}
        for kind in FORMATS:
            begun_s, used_s = time.perf_counter(), own_cpu_s(pids["jobs"])
            size = export(product, SEGMENT, kind, persons)
            wall_s = time.perf_counter() - begun_s
            used_s = own_cpu_s(pids["jobs"]) - used_s
            figures += [
                Figure(measure, f"exported as {kind}, fetched", persons / wall_s, "persons/s"),
                Figure(measure, "  CPU of jobs per person", used_s / persons * 1e6, "µs"),
                Figure(measure, "  the file", size / 2**20, "MB"),
            ]
        held = {name: resident_mb_max(pid) for name, pid in pids.items()}
    limit = Target(MEMORY_MB_MAX)
    told = f"most with {persons:,} exported three times"
    return figures + [
        Figure("Memory", f"{name}, {told}", mb, "MB", limit) for name, mb in held.items()
    ]


@contextmanager
def _run_jobs(url: str, folder: Path) -> Iterator[None]:
    """``kentering jobs``."""
    told = {"KENTERING_DATA": str(folder), "KENTERING_DATABASE_URL": url}
    health = ["--health-host", "127.0.0.1", "--health-port", str(free_port())]
    process = start([KENTERING, "jobs", *health], folder / "jobs.log", env=told)
    try:
        wait_until(lambda: "jobs" in commands(os.getpid()), "jobs", process=process)
        yield
    finally:
        stop(process, 15, 30)
