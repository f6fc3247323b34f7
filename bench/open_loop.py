"""Latency of durable hits that come at their own pace, whatever the server does.

A thousand hits a second are sent at fixed moments, over many connections, and each hit's time runs
from the moment at which it was due, not from when a busy client came to send it: what waits behind
a slow answer counts as slow too. wrk cannot do that: it sends the next request after the answer.

The client is Python and has a floor of its own, measured on a bare server in the same run; so is a
bare fsync, as no durable answer can be faster than the disk.
"""

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, cast

import uvloop

from bench.figures import Figure, Target, percentile
from bench.hits import run_bare, run_tracker
from bench.processes import CLIENT_CORE, resident_mb_max
from bench.requests import Requests

HITS_PER_S = 1_000
SECONDS = 15
WARM_S = 1
CONNECTIONS = 64
P50_MS_MAX = 3
P99_MS_MAX = 10
SYNCS_PER_S = 100
MEASURE = f"Latency of durable hits at {HITS_PER_S:,} a second, sent at fixed moments"


@dataclass
class Pace:
    """What came of it: the time of each hit from when it was due, in seconds."""

    taken_s: list[float] = field(default_factory=list)
    failed: int = 0


class _Lane(asyncio.Protocol):
    """One connection with one hit at a time under way."""

    def __init__(self, pace: Pace, free: "deque[_Lane]") -> None:
        self._pace = pace
        self._free = free
        self._due_s = 0.0
        self._got = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its type
        self._free.append(self)

    def ask(self, request: bytes, due_s: float) -> None:
        """Send one hit that was due at a moment."""
        assert self._transport is not None
        self._due_s = due_s
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not _is_whole(self._got):
            return
        self._pace.taken_s.append(time.perf_counter() - self._due_s)
        self._pace.failed += self._got[9:10] not in b"23"
        self._got = b""
        self._free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pace.failed += exc is not None

    def close(self) -> None:
        """Let go."""
        if self._transport is not None:
            self._transport.close()


def _is_whole(answer: bytes) -> bool:
    """Whether an answer has come to its end."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = answer[:end].lower()
    place = head.find(b"content-length:")
    if place < 0:
        return True
    return len(answer) >= end + 4 + int(head[place + 15 :].split(b"\r\n", 1)[0])


async def run_pace(port: int, hits: Sequence[bytes], per_s: float, seconds: float) -> Pace:
    """Send hits for a while; ``per_s`` 0: each connection sends as soon as it is answered.

    A hit that is due while every connection waits is sent when one is free; its time began when
    it was due.
    """
    pace = Pace()
    free: deque[_Lane] = deque()  # the one that is free longest comes next: none gets stale
    loop = asyncio.get_running_loop()
    lanes = [
        (await loop.create_connection(lambda: _Lane(pace, free), "127.0.0.1", port))[1]
        for _ in range(CONNECTIONS)
    ]
    begin_s = time.perf_counter()
    sent, total = 0, int(per_s * seconds)
    while (now_s := time.perf_counter() - begin_s) < seconds + 5:
        due = min(total, int(now_s * per_s) + 1) if per_s else sent + len(free)
        while free and sent < due:
            due_s = begin_s + sent / per_s if per_s else time.perf_counter()
            free.popleft().ask(hits[sent % len(hits)], due_s)
            sent += 1
        if (per_s and sent == total and len(free) == CONNECTIONS) or (
            not per_s and now_s > seconds
        ):
            break
        # Not asleep past the next moment, and the loop looks at its sockets meanwhile.
        await asyncio.sleep(0 if not per_s or free else 0.0002)
    pace.failed += total - len(pace.taken_s) if per_s else 0
    for lane in lanes:
        lane.close()
    return pace


def measure(folder: Path) -> list[Figure]:
    """The tracker, a bare server, and a bare fsync beside."""
    (folder / "tracker").mkdir()
    with run_tracker(folder / "tracker") as tracker, run_bare(folder) as bare:
        hits = Requests(tracker.port).of("page pixel")
        floor = paced(bare.port, hits)
        with Syncs(folder) as syncs:
            ours = paced(tracker.port, hits)
        peak = resident_mb_max(tracker.pid)
    sync_p99 = percentile(syncs.taken_ms, 0.99)
    return [
        *figures(MEASURE, "tracker", ours, sync_p99),
        Figure(MEASURE, "bare uvicorn and this client: p50", _ms(floor, 0.5), "ms"),
        Figure(MEASURE, "bare uvicorn and this client: p99", _ms(floor, 0.99), "ms"),
        Figure(MEASURE, "a bare fsync meanwhile: p50", percentile(syncs.taken_ms, 0.5), "ms"),
        Figure(MEASURE, "a bare fsync meanwhile: p99", sync_p99, "ms"),
        Figure("Memory", "tracker alone, most at 1,000 hits/s", peak, "MB", Target(100)),
    ]


def figures(measure: str, name: str, pace: Pace, sync_p99_ms: float) -> list[Figure]:
    """Of one run: what was answered, p50 and p99 with their limits."""
    limit = max(P99_MS_MAX, 2 * sync_p99_ms)
    return [
        Figure(measure, f"{name}: hits answered", len(pace.taken_s), "", None),
        Figure(measure, f"{name}: of them late or refused", pace.failed, "", Target(0)),
        Figure(measure, f"{name}: p50", _ms(pace, 0.5), "ms", Target(P50_MS_MAX)),
        Figure(measure, f"{name}: p99", _ms(pace, 0.99), "ms", Target(limit)),
    ]


def paced(port: int, hits: Sequence[bytes], seconds: float = SECONDS) -> Pace:
    """One run on the clients' core, without its first moments."""
    os.sched_setaffinity(0, {CLIENT_CORE} if (os.cpu_count() or 1) > 1 else {0})
    try:
        pace = uvloop.run(run_pace(port, hits, HITS_PER_S, seconds))
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return Pace(pace.taken_s[WARM_S * HITS_PER_S :], pace.failed)


class Syncs:
    """A thread that writes 4 KiB durably at a steady pace, and how long each took."""

    def __init__(self, folder: Path) -> None:
        self.taken_ms: list[float] = []
        self._file = (folder / "syncs").open("wb")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._file.close()

    def _run(self) -> None:
        while not self._stop.wait(1 / SYNCS_PER_S):
            begin_s = time.perf_counter()
            os.pwrite(self._file.fileno(), bytes(4096), 0)
            os.fdatasync(self._file.fileno())
            self.taken_ms.append((time.perf_counter() - begin_s) * 1000)


def _ms(pace: Pace, share: float) -> float:
    return percentile(pace.taken_s, share) * 1000
