"""Tracker, API and the sample site as one ASGI application on one port."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.cli.beside import Beside
from services.tracker import answers
from services.tracker.app import Tracker
from services.tracker.project_settings import key_in
from services.tracker.routes import route_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class OnePort:
    """Sends each request to whose it is; the lifespan is the tracker's.

    Args:
        tracker: gets the collecting routes, and tells the readiness of all.
        api: gets everything else.
        sample: gets what lies under ``/sample``; None: there is none.
        beside: processes with a word in whether we are ready, and metrics of their own.
        closing: ends what the API would else answer without end.
    """

    def __init__(
        self,
        tracker: Tracker,
        api: App,
        sample: App | None,
        beside: Sequence[Beside],
        closing: Callable[[], None],
    ) -> None:
        self._tracker = tracker
        self._api = api
        self._sample = sample
        self._beside = beside
        self.closing = closing

    @property
    def protocol(self) -> Callable[..., asyncio.Protocol]:
        """The tracker's, which answers hits before they come here."""
        return self._tracker.protocol

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection's request, or the lifespan."""
        await self._app_for(scope)(scope, receive, send)

    def _app_for(self, scope: Scope) -> App:
        if scope["type"] == "lifespan":
            return self._tracker
        path: str = scope.get("path", "")
        if path == "/k.js" or route_of(path) is not None or key_in(path) is not None:
            return self._tracker
        if path == "/readyz":
            return self._ready
        if path == "/metrics":
            return self._metrics
        if self._sample is not None and (path == "/sample" or path.startswith("/sample/")):
            scope["root_path"] = "/sample"
            return self._sample
        return self._api

    async def _ready(self, scope: Scope, receive: Receive, send: Send) -> None:
        reasons = [*self._tracker.why_not_ready()]
        for one in self._beside:
            theirs = await asyncio.to_thread(one.why_not_ready)
            reasons += [theirs] if theirs else []
        if reasons:
            await _send(send, answers.readiness(reasons))
        else:
            await self._api(scope, receive, send)

    async def _metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        text = generate_latest().decode()
        for one in self._beside:
            text = await asyncio.to_thread(one.with_own, text)
        await _send(send, answers.plain(text.encode(), CONTENT_TYPE_LATEST))


async def _send(send: Send, reply: answers.Reply) -> None:
    start = {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
    await send(start)
    await send({"type": "http.response.body", "body": reply.body})
