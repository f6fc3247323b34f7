"""Clients that wish a tracker no good: slow ones by the thousand, and small bodies of gigabytes."""

import base64
import contextlib
import gzip
import random
import resource
import socket
import threading
import time

import httpx

from bench.processes import resident_mb, resident_mb_max
from tests.drills.load import Load
from tests.drills.outcome import Outcome, checked
from tests.drills.stack import Service, Stack
from tests.servers.web import LOCAL

MEMORY_MB_MAX = 150
GROWTH_MB_MAX = 60
SLOWEST_S_MAX = 2.0
DRIP_S = 0.5


def slow(stack: Stack, rng: random.Random, count: int, seconds: float) -> Outcome:
    """Connections that send a byte now and then: half of them in the head, half in the body."""
    tracker = stack.trackers[0]
    _allow_files(count)
    before = resident_mb(tracker.process.pid)
    head = _head(stack.server_key, b"Content-Length: 5000\r\n")
    guests = [_open(tracker, head[:40] if n % 2 else head) for n in range(count)]
    opened = sum(guest is not None for guest in guests)
    load = Load([tracker], stack.server_key, stack.folder, "slow", rng)
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        for guest in guests:
            if guest is not None:
                with contextlib.suppress(OSError):
                    guest.send(b"x")
        time.sleep(DRIP_S)
    acknowledged = load.stop()
    held = resident_mb(tracker.process.pid)
    for guest in guests:
        if guest is not None:
            guest.close()
    stored = stack.await_stored(acknowledged)
    return checked(
        "slow",
        f"{opened} connections that drip a byte every {DRIP_S} s, for {seconds:.0f} s",
        {
            "others acknowledged meanwhile": len(acknowledged),
            "refused or broken": load.refused + load.broken,
            "slowest answer to others, ms": round(load.slowest_s * 1000),
            "memory before and then, MB": f"{before:.0f}, {held:.0f}",
            "lost": len(acknowledged - stored),
        },
        {
            "all could connect": opened == count,
            "others were served": len(acknowledged) > 50 * seconds and load.broken == 0,
            "nobody waited long": load.slowest_s < SLOWEST_S_MAX,
            "memory stays bounded": held < MEMORY_MB_MAX and held - before < GROWTH_MB_MAX,
            "everything acknowledged is stored": acknowledged <= stored,
        },
    )


def bombs(stack: Stack, rng: random.Random, count: int) -> Outcome:
    """Small gzip bodies of very much, many at a time."""
    del rng
    tracker = stack.trackers[0]
    before = resident_mb(tracker.process.pid)
    zeros = gzip.compress(bytes(256 * 2**20), 9)
    nested = gzip.compress(zeros, 9)
    deep = gzip.compress(b'{"event":' * 400_000, 9)
    statuses: list[int] = []

    def send(body: bytes) -> None:
        auth = (stack.server_key, "")
        url = f"{tracker.url}/v1/batch"
        statuses.append(httpx.post(url, auth=auth, content=body, timeout=30, **LOCAL).status_code)

    threads = [
        threading.Thread(target=send, args=((zeros, nested, deep)[n % 3],)) for n in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    peak = resident_mb_max(tracker.process.pid)
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    return checked(
        "bombs",
        f"{count} gzip bodies at once, of up to 256 MB in {len(zeros) // 1024} KB",
        {"answers": counts, "memory before and at most, MB": f"{before:.0f}, {peak:.0f}"},
        {
            "each got a clear refusal": len(statuses) == count and set(statuses) <= {400, 413, 429},
            "memory stays bounded": peak < MEMORY_MB_MAX,
            "it is ready": tracker.status() == 200,
        },
    )


def _head(key: str, more: bytes) -> bytes:
    basic = base64.b64encode(f"{key}:".encode())
    return (
        b"POST /v1/track HTTP/1.1\r\nHost: t\r\nAuthorization: Basic "
        + basic
        + b"\r\n"
        + (more + b"\r\n")
    )


def _open(tracker: Service, begin: bytes) -> socket.socket | None:
    try:
        made = socket.create_connection(("127.0.0.1", tracker.port), timeout=10)
        made.send(begin)
    except OSError:
        return None
    return made


def _allow_files(count: int) -> None:
    """For us; a tracker takes what its own limit lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + 500:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 500), hard))
