"""The scorer's whole way, from Kafka to committed intervals, beside what one would write first.

The same events lie in a real Kafka for both, as the relay leaves them there. Ours goes on to what
the API reads: phases, latency states, segments and their changes in PostgreSQL. The other is Quix
Streams with one decayed sum per person in its own state store, exactly once; nothing else can ask
it anything. Each is kept on one core in its turn; the servers run where the kernel puts them.
"""

import fcntl
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bench.figures import Figure, Target
from bench.processes import SERVER_CORE, cpu_s, pinned
from bench.scoring import APPEND, StreamsClock, prepare
from bench.stream import Arrival, stream
from services.contract.topics import EVENTS
from services.model.version import load
from services.runtime import telemetry
from services.runtime.database import open_database
from services.runtime.kafka_log import KafkaLog
from services.runtime.kafka_log_reader import KafkaLogReader
from services.runtime.kafka_topics import ensure_topics
from services.runtime.migrations import migrate
from services.scorer.consume import Scorer
from services.scorer.positions import positions
from tests.servers.kafka import run_kafka
from tests.servers.postgres import run_postgres

VERSION = "3.28.1"
MEASURED = 50_000
EVENTS_PER_S_MIN = 10_000
CPU_US_MAX = 46
PATIENCE_S = 600
MEASURE = "Scorer from Kafka into PostgreSQL, one worker on one core, beside Quix Streams"
_CACHE = Path(__file__).parents[1] / ".servers"


class Taken(NamedTuple):
    """What some events took of one process."""

    wall_s: float
    cpu_s: float
    events: int = MEASURED
    refolded: float = 0
    batches: int = 1

    @property
    def per_s(self) -> float:
        """Events a second."""
        return self.events / self.wall_s

    @property
    def event_us(self) -> float:
        """Processor time of each, in microseconds."""
        return self.cpu_s / self.events * 1e6


def measure(folder: Path) -> list[Figure]:
    """First the other, then ours, which are told the same events by the same broker."""
    arrivals = stream()
    python = quix_python()
    with run_kafka() as kafka, run_postgres() as server:
        _fill(kafka.bootstrap, arrivals)
        quix = _quix(python, kafka.bootstrap, folder, len(arrivals))
        server.execute("CREATE DATABASE bench")
        url = server.url("bench")
        migrate(url)
        engine = open_database(url)
        prepare(engine, arrivals[0].received_ms)
        engine.dispose()
        used_s = cpu_s(server.pid)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            ours = pool.submit(_work, url, kafka.bootstrap, len(arrivals)).result()
        server_us = (cpu_s(server.pid) - used_s) / len(arrivals) * 1e6
    rate, cpu = Target(EVENTS_PER_S_MIN, at_least=True), Target(CPU_US_MAX)
    return [
        Figure(MEASURE, "ours: events", ours.per_s, "/s", rate),
        Figure(MEASURE, "ours: CPU per event", ours.event_us, "µs", cpu),
        Figure(MEASURE, "ours: events in a transaction", ours.events / ours.batches, ""),
        Figure(MEASURE, "ours: people folded again", ours.refolded, ""),
        Figure(MEASURE, "PostgreSQL's own CPU per event", server_us, "µs"),
        Figure(MEASURE, f"quixstreams {VERSION}: events", quix.per_s, "/s"),
        Figure(MEASURE, f"quixstreams {VERSION}: CPU per event", quix.event_us, "µs"),
        Figure(MEASURE, "our rate beside its", ours.per_s / quix.per_s, "×"),
        Figure(MEASURE, "our CPU as multiple of its", ours.event_us / quix.event_us, "×"),
    ]


def _fill(bootstrap: str, arrivals: Sequence[Arrival]) -> None:
    list(ensure_topics(bootstrap, [EVENTS], timeout_s=30))
    log = KafkaLog(bootstrap, EVENTS.name)
    for start in range(0, len(arrivals), APPEND):
        log.append([arrival.record for arrival in arrivals[start : start + APPEND]])
    log.close()


def _work(url: str, bootstrap: str, events: int) -> Taken:
    """In a process of its own: score all, and tell of the last ``MEASURED``, or a batch less."""
    os.sched_setaffinity(0, {SERVER_CORE})
    engine = open_database(url)
    reader = KafkaLogReader(bootstrap, EVENTS.name, "bench", positions(engine))
    scorer = Scorer(engine, reader, load(), clock=StreamsClock(reader).now_ms)
    done = 0
    while events - done > MEASURED:
        done += scorer.step(1.0)
    begun_s, begun_cpu_s, refolded, first = *_now(), done
    batches = 0
    while done < events:
        read = scorer.step(1.0)
        done, batches = done + read, batches + bool(read)
    ended_s, ended_cpu_s, refolded_now = _now()
    reader.close()
    engine.dispose()
    return Taken(
        ended_s - begun_s,
        ended_cpu_s - begun_cpu_s,
        done - first,
        refolded_now - refolded,
        batches,
    )


def _now() -> tuple[float, float, float]:
    """(seconds, our processor time, people folded again so far)."""
    refolded = float(telemetry.SCORER_REFOLDED._value.get())  # noqa: SLF001
    return time.perf_counter(), time.process_time(), refolded


def _quix(python: Path, bootstrap: str, folder: Path, events: int) -> Taken:
    script = Path(__file__).with_name("quix_peer.py")
    measured = (events - 1) // APPEND * APPEND
    warm = measured - MEASURED
    told = (bootstrap, EVENTS.name, folder / "quix", warm, MEASURED)
    command = pinned(SERVER_CORE, [str(python), str(script), *map(str, told)])
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, env=alone, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the peer failed:\n{done.stdout}\n{done.stderr}"[-5000:])
    return Taken(**json.loads(done.stdout.splitlines()[-1]))


def quix_python() -> Path:
    """The interpreter of an environment that holds Quix Streams and nothing of ours.

    It brings other versions of what the product stands on; so it is made apart, once.
    """
    home = _CACHE / f"quixstreams-{VERSION}-{sys.implementation.cache_tag}"
    _CACHE.mkdir(exist_ok=True)
    with (_CACHE / "quixstreams.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            fresh = Path(tempfile.mkdtemp(dir=_CACHE))
            try:
                subprocess.run([sys.executable, "-m", "venv", fresh], check=True)
                pip = [fresh / "bin" / "python", "-m", "pip", "install", "--quiet"]
                subprocess.run([*pip, f"quixstreams=={VERSION}"], check=True, timeout=PATIENCE_S)
                fresh.rename(home)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    return home / "bin" / "python"
