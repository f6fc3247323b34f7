"""A tracker in this process, over real sockets, with its hit protocol or with plain ASGI."""

import gc
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.cli.serve import Server
from services.runtime.plain_http import PlainHttp
from services.runtime.sqlite_log import SqliteLog
from services.tracker.app import create_app
from services.tracker.gate import Gate
from tests.unit.tracker.scene import SNAPSHOT

ANSWER_SECONDS_MAX = 20

PUBLIC_URL = "https://track.example"


class Way:
    """A listening tracker; ``answers_hits``: by its own protocol."""

    def __init__(self, folder: Path, *, answers_hits: bool) -> None:
        self.data = folder
        self._log = SqliteLog(folder / "spool")
        tracker = create_app(self._log, lambda: SNAPSHOT, folder, PUBLIC_URL, Gate((), 0, 0))
        self.asked: list[str] = []
        """Paths of the requests that came to the ASGI application."""

        async def application(scope: Any, receive: Any, send: Any) -> None:
            self.asked.append(scope.get("path", ""))
            await tracker(scope, receive, send)

        self.server = Server(
            application, linger_s=0, protocol=tracker.protocol if answers_hits else PlainHttp
        )
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self.server.run, args=([self._door],))

    def start(self) -> None:
        self._thread.start()
        for _ in range(1000):
            if self.server.started:
                return
            time.sleep(0.01)
        raise AssertionError("it does not start")

    def ask_to_stop(self) -> None:
        self.server.should_exit = True

    def stop(self) -> None:
        self.ask_to_stop()
        self._thread.join(15)
        assert not self._thread.is_alive()
        self._log.close()
        self._door.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_SECONDS_MAX)

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Nothing can be committed meanwhile: somebody else is writing to the spool."""
        path = next((self.data / "spool").glob("*.db"))
        other = sqlite3.connect(path, isolation_level=None, timeout=10)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()


@contextmanager
def run_way(folder: Path, *, answers_hits: bool = True) -> Iterator[Way]:
    folder.mkdir(parents=True, exist_ok=True)
    threshold = gc.get_threshold()
    way = Way(folder, answers_hits=answers_hits)
    way.start()
    try:
        yield way
    finally:
        way.stop()
        gc.unfreeze()
        gc.set_threshold(*threshold)


class Reader:
    """Takes answers off a connection, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""

    def answer(self, method: str = "GET") -> bytes:
        """The next answer, whole; what there is of it if the connection ends before."""
        while b"\r\n\r\n" not in self._rest:
            if not self._more():
                return self._take(len(self._rest))
        head, _, _ = self._rest.partition(b"\r\n\r\n")
        told = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        has_body = told is not None and method != "HEAD" and not head.startswith(b"HTTP/1.1 100")
        size = int(told[1]) if told is not None and has_body else 0
        whole = len(head) + 4 + size
        while len(self._rest) < whole and self._more():
            pass
        return self._take(whole)

    def is_at_end(self) -> bool:
        """Whether the server closed the connection, and sent nothing more; waits for that."""
        return not self._rest and not self._more()

    def _more(self) -> bool:
        try:
            part = self._connection.recv(65536)
        except ConnectionResetError:
            return False
        self._rest += part
        return bool(part)

    def _take(self, size: int) -> bytes:
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def comparable(answer: bytes) -> bytes:
    """An answer without what differs from one time to the next: the date, and made ids."""
    answer = re.sub(rb"\r\ndate: [^\r]*", b"", answer)
    return re.sub(rb"[0-9a-f]{32}", b"ID", answer)
