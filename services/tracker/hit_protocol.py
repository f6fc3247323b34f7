"""Answers hits straight from the connection: no task, no coroutine, no ASGI messages.

A hit is a request to a collecting route (:mod:`services.tracker.routes`) that needs nothing but
its headers and its body. uvicorn's own protocol goes on to parse, to keep connections and to run
the ASGI application for everything else: health, preflights, odd addresses, and hits
that stand behind an unfinished request on their connection. Both ways decide alike and answer
with the same bytes; ``tests/integration/test_two_ways.py`` holds them to it.
"""

import asyncio
from typing import Any, Literal

from uvicorn.config import Config
from uvicorn.server import ServerState

from services.runtime.plain_http import PlainHttp
from services.tracker.answers import Reply
from services.tracker.body import BODY_SECONDS_MAX, whole_body
from services.tracker.collector import Collector, new_id, refusal
from services.tracker.hit import Hit
from services.tracker.reasons import RefusedRequestError
from services.tracker.reply_bytes import BROKEN, head_of
from services.tracker.request import Request, headers_of
from services.tracker.routes import route_of

HEAD_BYTES_MAX = 65_536
"""Of a request before its body, beside what came in one piece with its beginning."""
HEAD_SECONDS_MAX = 30.0
"""From the last answer, or from connecting, to the end of the next request's headers."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_METHODS = {b"GET": "GET", b"HEAD": "HEAD", b"POST": "POST"}


class HitProtocol(PlainHttp):
    """One connection.

    Args:
        config: uvicorn's, as are the next three.
        server_state: shared by all connections.
        app_state: the lifespan's.
        _loop: the event loop.
        collector: decides hits and stores them.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        collector: Collector,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._collector = collector
        self._peer = ""
        self._hit: Hit | None = None
        """What is not answered yet. At most one: what comes behind it waits in uvicorn's line."""
        self._parked: Reply | None = None
        """The hit's answer, while the client does not read."""
        self._body_goes_to: Literal["hit", "asgi"] | None = None
        self._body_timer: asyncio.TimerHandle | None = None
        self._waiting_since_s = 0.0
        self._has_begun = False
        """Whether a request's first bytes are here, but not yet all of its headers."""
        self._head_bytes = 0
        """Of these headers, without what came in one piece with their beginning."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        self._wait_for_client(HEAD_SECONDS_MAX)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went away. What it told is stored all the same."""
        super().connection_lost(exc)
        self._parked = None
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self._stop_body_timer()

    def data_received(self, data: bytes) -> None:
        """Bytes came; where a hit's body is not whole yet, the rest must come in time."""
        if self._has_begun:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self.send_400_response("Headers too large.")
                return
        super().data_received(data)
        if self._body_goes_to == "hit" and self._body_timer is None:
            self._body_timer = self.loop.call_later(BODY_SECONDS_MAX, self._body_is_late)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client has said all: what it asked is answered before the connection ends."""
        cycle = self.pipeline[0][0] if self.pipeline else self.cycle
        is_half = (
            self._has_begun or self._body_goes_to == "hit" or getattr(cycle, "more_body", False)
        )
        if is_half or cycle is None or cycle.response_complete:
            return False
        cycle.keep_alive = False
        return True

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        reply, self._parked = self._parked, None
        if reply is not None:
            self._answer(reply)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request's first byte."""
        self.url = b""
        self.headers = []
        self._body_goes_to = None
        self._has_begun = True
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. What stands behind a chunked body is not kept: nothing bounds it."""
        if self._has_begun:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Hits without a body can be decided now."""
        if self.is_offered_another:
            return
        self._has_begun = False
        if self.transport.is_closing():
            return  # it stands behind the last request that this connection was good for
        hit = self._hit_at_hand()
        if hit is None:
            self._leave_to_asgi()
            return
        self._hit = hit
        self.cycle = hit  # type: ignore[assignment]
        if hit.method != "POST":
            self._collect(hit)
            return
        self._body_goes_to = "hit"
        if hit.headers.get(b"expect", b"").lower() == b"100-continue":
            self.transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        if self._body_goes_to == "asgi":
            super().on_body(body)
        elif self._body_goes_to == "hit" and self._hit is not None:
            self._hit.add(body)

    def on_message_complete(self) -> None:
        """A request's last byte: hits with a body can be decided now."""
        if self._body_goes_to == "asgi":
            super().on_message_complete()
        elif self._body_goes_to == "hit" and self._hit is not None:
            self._body_goes_to = None
            self._stop_body_timer()
            self._collect(self._hit)

    # Hits.

    def _hit_at_hand(self) -> Hit | None:
        """The request whose headers are complete, if it can be answered here."""
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        method = _METHODS.get(self.parser.get_method())
        path, _, query = self.url.partition(b"?")
        # An escaped path, an address with its host, a fragment: nobody who means well sends them.
        if method is None or not self.url.isascii() or b"%" in path or b"#" in self.url:
            return None
        text = path.decode("ascii")
        route = route_of(text)
        if route is None or method not in route.methods:
            return None
        keep_alive = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        return Hit(route, method, text, query, headers_of(self.headers), keep_alive)

    def _leave_to_asgi(self) -> None:
        """Have uvicorn begin with the request as if it had been its from the first byte on."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        self._body_goes_to = "asgi"
        super().on_headers_complete()

    def _collect(self, hit: Hit) -> None:
        try:
            body = whole_body(bytes(hit.body)) if hit.body else b""
            request = Request(
                hit.method, hit.path, hit.headers, new_id(), hit.query, body, self._peer
            )
            self._collector.collect(hit.route, request, self._answer)
        except RefusedRequestError as refused:
            self._answer(refusal(refused.reason))
        except Exception:
            # A fault of ours: told with its place, answered 500, and the connection's next
            # request goes on, as uvicorn does for an application.
            self.logger.exception("Exception in a hit")
            self._answer(BROKEN)

    def _answer(self, reply: Reply) -> None:
        """Answer the hit, when the client reads; one that has gone gets nothing."""
        hit = self._hit
        if hit is None:
            return
        if self.flow.write_paused and not self.transport.is_closing():
            self._parked = reply
            return
        self._hit = None
        hit.response_complete = True
        if self.transport.is_closing():
            return
        own = tuple(self.server_state.default_headers)
        try:
            head, closes = head_of(reply, own, keep_alive=hit.keep_alive)
        except ValueError:
            self.logger.exception("An answer that cannot be sent")
            reply = BROKEN
            head, closes = head_of(reply, own, keep_alive=False)
        self.transport.write(head if hit.method == "HEAD" else head + reply.body)
        if closes:
            self.transport.close()
        self.on_response_complete()

    def _body_is_late(self) -> None:
        self._body_timer = None
        self._body_goes_to = None
        self._answer(refusal("slow_body"))

    def _stop_body_timer(self) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    # Whose turn it is. One timer for many requests: a timer of its own for each, as uvicorn
    # has it, costs as much as deciding some hits.

    def on_response_complete(self) -> None:
        """An answer is written: the next in line, or else the client's turn."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._wait_for_client(self.timeout_keep_alive)

    def _wait_for_client(self, seconds: float) -> None:
        self._waiting_since_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                seconds, self.timeout_keep_alive_handler
            )

    def _unset_keepalive_if_required(self) -> None:
        """The timer runs on; when it fires it sees whether anything was late."""

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if the client let its turn pass."""
        self.timeout_keep_alive_task = None
        if self.cycle is not None and not self.cycle.response_complete:
            return  # it is ours; the answer starts the timer again
        is_fresh = self.cycle is None
        limit_s = HEAD_SECONDS_MAX if is_fresh or self._has_begun else self.timeout_keep_alive
        left_s = self._waiting_since_s + limit_s - self.loop.time()
        if left_s > 0:
            self.timeout_keep_alive_task = self.loop.call_later(
                left_s, self.timeout_keep_alive_handler
            )
        else:
            super().timeout_keep_alive_handler()
