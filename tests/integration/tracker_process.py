"""A tracker as a process of its own, its spool, and requests to it."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import msgspec

from services.contract import snapshot as wire
from services.contract.event import Event, decode
from services.runtime.sqlite_log_reader import SqliteLogReader
from tests.servers.process import free_port
from tests.servers.web import LOCAL
from tests.unit.tracker.scene import SNAPSHOT

YES = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
WRITE_KEY = ("kw_shop", "")
START_SECONDS_MAX = 30


class Tracker:
    """A running ``kentering tracker`` whose API is away."""

    def __init__(self, data: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.data, self.port, self.process = data, port, process
        self.url = f"http://127.0.0.1:{port}"

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, timeout=10, headers={"User-Agent": "Mozilla/5.0 X"}, **LOCAL
        )

    def wait_until_alive(self) -> None:
        for _ in range(START_SECONDS_MAX * 20):
            try:
                httpx.get(f"{self.url}/healthz", timeout=5, **LOCAL)
            except httpx.TransportError:
                assert self.process.poll() is None, "the tracker ended by itself"
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the tracker does not answer")

    def limit_file_size(self, bytes_max: int) -> None:
        """From now on no file of the process grows beyond this: as a full disk, but ours alone."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (bytes_max, hard))

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(15)


@contextmanager
def run_tracker(data: Path, *, with_snapshot: bool = True) -> Iterator[Tracker]:
    data.mkdir(parents=True, exist_ok=True)
    if with_snapshot:
        (data / "snapshot.json").write_bytes(wire.encode(SNAPSHOT))
    port = free_port()
    environment = {
        **os.environ,
        "KENTERING_DATA": str(data),
        "KENTERING_API_URL": "http://127.0.0.1:9",
        "KENTERING_INTERNAL_KEY": "inside",
    }
    start = "from services.cli.tracker import command; command()"
    process = subprocess.Popen(
        [sys.executable, "-c", start, "--host", "127.0.0.1", "--port", str(port)],
        env=environment,
        stderr=subprocess.PIPE,
    )
    log = data / "tracker.log"
    listener = threading.Thread(target=_write_down, args=(process.stderr, log), daemon=True)
    listener.start()
    tracker = Tracker(data, port, process)
    try:
        tracker.wait_until_alive()
        yield tracker
    finally:
        process.kill()
        process.wait()
        listener.join()


def _write_down(said: IO[bytes], log: Path) -> None:
    """Not by the process itself: limits of its files are meant for its spool."""
    with said, log.open("wb", buffering=0) as output:
        for line in said:
            output.write(line)


def stored(data: Path) -> list[Event]:
    """Every event in the spool, in order."""
    reader = SqliteLogReader(data / "spool", lambda _log_id, _partition: None)
    try:
        events: list[Event] = []
        while batch := reader.poll(1000, 0.1):
            events += [decode(record.value) for record in batch]
    finally:
        reader.close()
    return events


def call(message_id: str) -> bytes:
    return msgspec.json.encode(
        {
            "type": "track",
            "event": "read",
            "messageId": message_id,
            "userId": "u",
            "context": YES,
            "properties": {"n": message_id},
        }
    )
