"""``/healthz``, ``/readyz`` and ``/metrics`` for a process that serves no other HTTP."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Ready = Callable[[], str | None]
"""Why the process cannot keep its promise now; ``None`` while it can."""

_TEXT = "text/plain; charset=utf-8"
_REQUEST_TIMEOUT_S = 10


class HealthServer:
    """Answers in threads of its own until it is closed.

    Args:
        port: to listen on; 0 takes a free one, see :attr:`port`.
        ready: called for every ``/readyz``, in any thread; must answer quickly.
        host: address to listen on.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int, ready: Ready, host: str = "0.0.0.0") -> None:  # noqa: S104
        self._server = _Server((host, port), _Handler)
        self._server.ready = ready
        self.port: int = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="health"
        )
        self._thread.daemon = True
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    ready: Ready


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _REQUEST_TIMEOUT_S

    def do_GET(self) -> None:
        status, content_type, body = _answer(self.path, self.server.ready)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: probes come every few seconds."""


def _answer(path: str, ready: Ready) -> tuple[int, str, bytes]:
    """(status, content type, body)."""
    if path == "/healthz":
        return 200, _TEXT, b"alive\n"
    if path == "/readyz":
        reason = ready()
        return (200, _TEXT, b"ready\n") if reason is None else (503, _TEXT, f"{reason}\n".encode())
    if path == "/metrics":
        return 200, CONTENT_TYPE_LATEST, generate_latest()
    return 404, _TEXT, b"no such page\n"
