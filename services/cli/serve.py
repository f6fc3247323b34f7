"""Serving HTTP as every process of ours does: one loop, no access log, a calm end."""

import gc
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from services.runtime.plain_http import PlainHttp

# Together with the spool writer's own patience below the ten seconds that whoever sends SIGTERM
# usually waits.
LINGER_S = 1.0
REQUESTS_PATIENCE_S = 3
GARBAGE_OBJECTS = 50_000
"""So many new objects before cycles are looked for. Requests leave none behind; looking for them
after every 700, as Python does, took a tenth of a hit's time."""


class Server(uvicorn.Server):
    """Ends with status 0 on SIGTERM and Ctrl-C; begins and leaves as it is told.

    Args:
        app: the ASGI application.
        begin: called once it listens.
        leave: called on the first signal; the process serves on for ``linger_s``, so that who
            routes to it sees in time that it is not ready and nobody is turned away.
        linger_s: how long.
        closing: called when it listens no more, to end what would else go on without end.
        address: host and port to listen on; not where :meth:`run` is given sockets.
        protocol: makes the protocol of each connection.
    """

    def __init__(
        self,
        app: Any,
        *,
        begin: Callable[[], None] = lambda: None,
        leave: Callable[[], None] = lambda: None,
        linger_s: float = LINGER_S,
        closing: Callable[[], None] = lambda: None,
        address: tuple[str, int] = ("127.0.0.1", 0),
        protocol: Any = PlainHttp,
    ) -> None:
        config = uvicorn.Config(
            app,
            host=address[0],
            port=address[1],
            loop="uvloop",
            http=protocol,
            ws="none",
            lifespan="on",
            access_log=False,  # it would name people: tokens and ids stand in the addresses
            log_config=None,
            server_header=False,
            proxy_headers=False,  # the tracker itself reads them, and believes named proxies alone
            timeout_graceful_shutdown=REQUESTS_PATIENCE_S,
        )
        super().__init__(config)
        self._begin = begin
        self._leave = leave
        self._closing = closing
        self._linger_s = linger_s
        self._leave_at_s: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then begin."""
        await super().startup(sockets)
        gc.freeze()  # what lives as long as the process need not be looked through
        gc.set_threshold(GARBAGE_OBJECTS)
        if self.started:
            self._begin()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was taken, then cut off who has not even sent all of a request."""
        self._closing()
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Leave on the first signal, at once on the second."""
        del sig, frame
        if self._leave_at_s is not None or not self.started:
            self.should_exit = True
            self.force_exit = self._leave_at_s is not None
            return
        self._leave_at_s = time.monotonic() + self._linger_s
        self._leave()

    async def on_tick(self, counter: int) -> bool:
        """Stop listening once the moment has passed."""
        if self._leave_at_s is not None and time.monotonic() >= self._leave_at_s:
            self.should_exit = True
        return await super().on_tick(counter)
