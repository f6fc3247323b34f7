"""A way to a server that goes wrong as networks do: over TCP, request by request."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Literal

from services.tracker import answers
from services.tracker.answers import Reply

Fault = Literal["none", "busy", "limited", "reset_before", "reset_within_answer", "kill"]

_RECEIVE_BYTES = 65_536
_PATIENCE_S = 15.0
_AT_ONCE_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: closing sends RST


class FaultProxy:
    """Hands requests on, without faults until it is told which.

    Args:
        upstream: host and port of the server behind it.
        kill: ends the server.
    """

    def __init__(self, upstream: tuple[str, int], kill: Callable[[], None]) -> None:
        self._upstream, self._kill = upstream, kill
        self._left: list[Fault] = []
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]

    def suffer(self, faults: Sequence[Fault]) -> None:
        """What happens to the next requests, one fault to each.

        ``busy`` is a 503 and ``limited`` a 429, in the tracker's own bytes, of a request that it
        never sees; ``reset_before`` breaks the connection before the request is handed on,
        ``reset_within_answer`` in the middle of its answer; ``kill`` ends the server while it has
        the request in hand.
        """
        with self._lock:
            self._left = list(faults)

    @property
    def left(self) -> list[Fault]:
        """The faults that have not happened yet."""
        with self._lock:
            return list(self._left)

    def serve(self) -> None:
        """Until :meth:`close`."""
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(_PATIENCE_S)
        with client, suppress(OSError):
            while (request := _message(client)) is not None:
                with self._lock:
                    fault = self._left.pop(0) if self._left else "none"
                answer = self._answer(fault, request)
                if answer is None or fault == "reset_within_answer":
                    client.sendall((answer or b"")[: len(answer or b"") // 2])
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE_RESET)
                    return
                client.sendall(answer)

    def _answer(self, fault: Fault, request: bytes) -> bytes | None:
        """The bytes of an answer; None where there is none to be had."""
        if fault == "busy":
            return _bytes_of(answers.problem("busy"))
        if fault == "limited":
            return _bytes_of(answers.rate_limited(1))
        if fault == "reset_before":
            return None
        try:
            with socket.create_connection(self._upstream, _PATIENCE_S) as server:
                server.sendall(request)
                if fault == "kill":
                    self._kill()
                return _message(server)
        except OSError:
            return None


def _message(sender: socket.socket) -> bytes | None:
    """One request or answer as it comes over the wire, or None where the sender has left."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = sender.recv(_RECEIVE_BYTES)
        if not part:
            return None
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        part = sender.recv(_RECEIVE_BYTES)
        if not part:
            return None
        body += part
    return head + b"\r\n\r\n" + body


def _bytes_of(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} -".encode(), *(n + b": " + v for n, v in reply.headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + reply.body


@contextmanager
def run_fault_proxy(upstream: tuple[str, int], kill: Callable[[], None]) -> Iterator[FaultProxy]:
    """A proxy that listens, until it is left."""
    proxy = FaultProxy(upstream, kill)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
