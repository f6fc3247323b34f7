"""The line between a browser and the tracker: all goes through, is written down, or is cut."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.servers.web import LOCAL

_NOT_PASSED_ON = {"content-length", "content-encoding", "transfer-encoding", "connection"}


@dataclass(frozen=True)
class Said:
    """One call of the script's, as it came over the line."""

    route: str
    headers: dict[str, str]
    call: dict[str, Any]
    status: int


class Wire:
    """An ASGI app between the browser and a running tracker."""

    def __init__(self, tracker_url: str) -> None:
        self.said: list[Said] = []
        self.answers: list[Response] = []
        """Answered to the next calls instead of what the tracker would have said."""
        self._tracker_url = tracker_url
        self.app = Starlette(
            routes=[Route("/{path:path}", self._pass, methods=["GET", "HEAD", "POST", "OPTIONS"])]
        )

    async def _pass(self, request: Request) -> Response:
        path = request.url.path
        body = await request.body()
        if path.startswith("/v1/") and request.method == "POST" and self.answers:
            answer = self.answers.pop(0)
        else:
            answer = await self._ask(request, body)
        if path.startswith("/v1/") and request.method == "POST":
            route = path.removeprefix("/v1/")
            said = Said(route, dict(request.headers), json.loads(body), answer.status_code)
            self.said.append(said)
        return answer

    async def _ask(self, request: Request, body: bytes) -> Response:
        url = self._tracker_url + request.url.path
        headers = [(k, v) for k, v in request.headers.raw if k not in (b"host", b"content-length")]
        async with httpx.AsyncClient(timeout=20, **LOCAL) as client:
            told = await client.request(
                request.method,
                url,
                params=request.query_params.multi_items(),
                headers=headers,
                content=body,
            )
        kept = {k: v for k, v in told.headers.items() if k.lower() not in _NOT_PASSED_ON}
        return Response(told.content, told.status_code, kept)

    def of(self, route: str, event: str | None = None) -> list[dict[str, Any]]:
        """The calls of a route that were answered well, by name where they have one."""
        return [
            said.call
            for said in list(self.said)
            if said.route == route
            and said.status == 200
            and (event is None or said.call["event"] == event)
        ]
