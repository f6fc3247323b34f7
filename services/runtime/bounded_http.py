"""HTTP connections of a process that has few: what a client may send, and for how long.

uvicorn's own protocol waits for ever for the end of a request, and keeps headers without end.
"""

import asyncio
from typing import Any

from services.runtime.plain_http import PlainHttp

HEAD_BYTES_MAX = 65_536
"""Of a request before its body, beside what came in one piece with its beginning."""
REQUEST_SECONDS_MAX = 30.0
"""From connecting, or from a request's first byte, to its last."""
LONG_BODY_BYTES_MIN = 1_048_576
"""Who brings so much within it gets as long again: a file takes its time."""


class BoundedHttp(PlainHttp):
    """One connection; the arguments are uvicorn's."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._in_head = False
        self._head_bytes = 0
        self._bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went away."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._bytes += len(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self.send_400_response("Headers too large.")
                return
        self._expect_request()
        super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client has said all: what it asked is answered before the connection ends."""
        cycle = self.pipeline[0][0] if self.pipeline else self.cycle
        if self._in_head or cycle is None or cycle.more_body or cycle.response_complete:
            return False
        cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        """A request's first byte."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. What stands behind a chunked body is not kept: nothing bounds it."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The body comes next."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request's last byte."""
        if not self.is_offered_another:
            self._stop_waiting()
        super().on_message_complete()

    def _expect_request(self) -> None:
        if self._deadline is None:
            self._bytes = 0
            self._deadline = self.loop.call_later(REQUEST_SECONDS_MAX, self._is_late)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _is_late(self) -> None:
        self._deadline = None
        # Where reading is paused it is we who are slow.
        is_busy = self._bytes >= LONG_BODY_BYTES_MIN or self.flow.read_paused
        if is_busy and not self._in_head:
            self._expect_request()
        else:
            self.transport.close()
