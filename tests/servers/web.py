"""An ASGI app behind the real HTTP server, in a thread of the test."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

LOCAL: dict[str, Any] = {"verify": False}
"""For httpx, to a server of this machine: reading certificates, which plain HTTP has no use for,
takes 20 ms of computing for each client."""

_PATIENCE_S = 10


@contextmanager
def run_app(app: Any, **more: Any) -> Iterator[str]:
    """Serve an app on a free port; its address. ``more`` is for uvicorn, as a certificate."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="warning", access_log=False, **more
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up_s = time.monotonic() + _PATIENCE_S
    while not server.started:
        if time.monotonic() > give_up_s or not thread.is_alive():
            raise RuntimeError("the app did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"{'https' if config.is_ssl else 'http'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(_PATIENCE_S)
