"""Tracker, API and the sample site as one ASGI application on one port."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from services.tracker import answers
from services.tracker.app import CALL_ROUTES, Tracker

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
        why_not_ready: what else keeps us from being ready; None: nothing.
    """

    def __init__(
        self,
        tracker: Tracker,
        api: App,
        sample: App | None,
        why_not_ready: Callable[[], str | None],
    ) -> None:
        self._tracker = tracker
        self._api = api
        self._sample = sample
        self._why_not_ready = why_not_ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection's request, or the lifespan."""
        await self._app_for(scope)(scope, receive, send)

    def _app_for(self, scope: Scope) -> App:
        if scope["type"] == "lifespan":
            return self._tracker
        path: str = scope.get("path", "")
        if path in CALL_ROUTES or path.startswith(("/o/", "/c/")) or path in {"/p.gif", "/k.js"}:
            return self._tracker
        if path == "/readyz":
            return self._ready
        if self._sample is not None and (path == "/sample" or path.startswith("/sample/")):
            scope["root_path"] = "/sample"
            return self._sample
        return self._api

    async def _ready(self, scope: Scope, receive: Receive, send: Send) -> None:
        reasons = self._tracker.why_not_ready()
        other = await asyncio.to_thread(self._why_not_ready)
        if not reasons and other is None:
            await self._api(scope, receive, send)
            return
        reply = answers.readiness(reasons + ([other] if other else []))
        start = {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})
