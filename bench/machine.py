"""What the numbers were measured on."""

import datetime as dt
import os
import platform
import re
import sqlite3
import statistics
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from services.model import fold

PACKAGES = ("uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy", "psycopg", "kafka-python")
_SYNCS = 200
_LOOPS = 15
_LOOP_STEPS = 500_000


def machine(folder: Path) -> dict[str, str]:
    """Facts by name; ``folder`` is where the measures keep their data."""
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores",
        "memory": f"{int(memory[1]) / 2**20:.1f} GiB" if memory else "unknown",
        "disk": f"a write of 4 KiB is durable after {_sync_ms(folder):.2f} ms (median)",
        "busy before": f"load {os.getloadavg()[0]:.1f} when the measures began",
        "system": _first(["sed", "-n", 's/^PRETTY_NAME="\\(.*\\)"/\\1/p', "/etc/os-release"]),
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "the product": "with compiled modules" if _is_compiled() else "plain",
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": _first(["sh", "-c", "/usr/lib/postgresql/*/bin/postgres --version"]),
        "wrk": _first(["wrk", "-v"]),
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def pace_ms() -> float:
    """How fast the processor is just now: what a fixed loop takes, the median of several.

    A rented core changes its pace by half within minutes, and nothing else tells of it: rates and
    processor time of two runs are compared beside this, ratios within a run are not.
    """
    taken_ms: list[float] = []
    for _ in range(_LOOPS):
        begin = time.process_time()
        sum(number * number for number in range(_LOOP_STEPS))
        taken_ms.append((time.process_time() - begin) * 1000)
    return statistics.median(taken_ms)


def _is_compiled() -> bool:
    return fold.__file__.endswith(".so")


def _sync_ms(folder: Path) -> float:
    """How long the disk takes to keep its promise: the floor of every durable answer."""
    taken_ms: list[float] = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            begin = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            taken_ms.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken_ms)


def _first(command: list[str]) -> str:
    """The first line that a command prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[0]
