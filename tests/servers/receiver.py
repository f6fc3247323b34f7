"""A real HTTP server that gets webhooks, and answers as the test says."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any


@dataclass(frozen=True)
class Got:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at_s: float
    port: int
    """From where it came."""

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def position(self) -> int:
        return int(self.message["data"]["position"])


@dataclass(frozen=True)
class Reply:
    """What a request is answered."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    body: bytes = b""


class Receiver:
    """What came, in the order in which it came; ``answer`` may be replaced at any time."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], Reply] = lambda _got: Reply()
        self.port = 0
        self.accepted: list[Got] = []
        """Those that were answered with success."""
        self.closing = threading.Event()
        self.secure: Callable[[SSLContext], None] = lambda _context: None
        """Let those who connect from now on speak TLS."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def positions(self) -> list[int]:
        return [one.position for one in self.accepted]


@contextmanager
def run_receiver(port: int = 0) -> Iterator[Receiver]:
    """A receiver until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            body = self.rfile.read(size)
            if len(body) < size:  # whoever sent it was killed
                self.close_connection = True
                return
            port = self.client_address[1]
            got = Got(self.path, dict(self.headers), body, time.monotonic(), port)
            receiver.got.append(got)
            reply = receiver.answer(got)
            if reply.after_s:
                receiver.closing.wait(reply.after_s)
            if 200 <= reply.status < 300:
                receiver.accepted.append(got)
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            """Clients go away as they like."""

    server = Server(("127.0.0.1", port), Handler)
    receiver.port = server.server_port

    def secure(context: SSLContext) -> None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )

    receiver.secure = secure
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
