"""Clients that keep on disk every id that was acknowledged, before they send the next one."""

import base64
import http.client
import os
import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.drills.stack import Service

PAUSE_S = 0.05
_YES = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}


class Load:
    """Threads that send one call after the other, each to trackers chosen by chance.

    A call that was not acknowledged is sent again as it was, to any tracker, as an SDK does; it may
    have been stored all the same.

    Args:
        trackers: where to.
        server_key: whose.
        folder: for one file of acknowledged event ids per thread.
        name: makes the message ids of this load its own.
        rng: of the drill.
        clients: how many threads.
        per_s: calls a second of all of them together, at most.
    """

    def __init__(
        self,
        trackers: Sequence[Service],
        server_key: str,
        folder: Path,
        name: str,
        rng: random.Random,
        *,
        clients: int = 6,
        per_s: float = 300,
    ) -> None:
        self.clients = clients
        self.refused = 0
        self.broken = 0
        self.slowest_s = 0.0
        self._ports = [tracker.port for tracker in trackers]
        self._basic = base64.b64encode(f"{server_key}:".encode()).decode()
        self._step_s = clients / per_s
        self._stop = threading.Event()
        self._files = [folder / f"{name}-{number}.acknowledged" for number in range(clients)]
        self._threads = [
            threading.Thread(
                target=self._run, args=(file, random.Random(rng.random())), daemon=True
            )
            for file in self._files
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> set[bytes]:
        """End, and tell the ids that the files hold."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        return self.acknowledged()

    def acknowledged(self) -> set[bytes]:
        """As the files tell at this moment."""
        words = b" ".join(file.read_bytes() for file in self._files if file.exists()).split()
        return {bytes.fromhex(word.decode()) for word in words if len(word) == 32}

    def _run(self, file: Path, rng: random.Random) -> None:
        kept = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        connections: dict[int, http.client.HTTPConnection] = {}
        number = 0
        due_s = time.monotonic()
        while not self._stop.is_set():
            body = _call(f"{file.stem}-{number}", f"u{rng.randrange(200)}")
            while not self._stop.is_set():
                position = self._send(connections, rng.choice(self._ports), body)
                if position is not None:
                    os.write(kept, position.encode() + b"\n")
                    os.fsync(kept)
                    break
                self._stop.wait(PAUSE_S)
            number += 1
            due_s = max(due_s + self._step_s, time.monotonic() - 1)
            self._stop.wait(max(0.0, due_s - time.monotonic()))
        os.close(kept)
        for connection in connections.values():
            connection.close()

    def _send(
        self, connections: dict[int, http.client.HTTPConnection], port: int, body: bytes
    ) -> str | None:
        """The event's id when it was acknowledged."""
        made = connections.setdefault(
            port, http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        )
        headers = {"Authorization": f"Basic {self._basic}", "Content-Type": "application/json"}
        began_s = time.monotonic()
        try:
            made.request("POST", "/v1/track", body, headers)
            answer = made.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.broken += 1
            made.close()
            return None
        if answer.status != 200:
            assert answer.status in (429, 503), (answer.status, content)
            self.refused += 1
            return None
        self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)
        return str(msgspec.json.decode(content)["position"])


def _call(message_id: str, user_id: str) -> bytes:
    return msgspec.json.encode(
        {
            "type": "track",
            "event": "read",
            "messageId": message_id,
            "userId": user_id,
            "context": _YES,
            "properties": {"content_id": message_id},
        }
    )
