"""What holds for every request and answer: limits, headers, numbers."""

import re
import time
from http import HTTPStatus
from typing import Any

from fastapi import Request
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.jobs.files import FILE_BYTES_MAX
from services.api.limits import headers_of
from services.api.problem import Problem, Shown, bug
from services.api.suggest import meant, shown

BODY_BYTES_MAX = 1_048_576
_FILES = re.compile(r"(/v1/imports|/jobs)/[^/]+/file")
"""Where a body is a file, which is never whole in memory."""

FROM_ANYWHERE = "/v1/site/next-content"
"""Where a page of any origin may read the answer, and what was wrong with its request."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
]

REQUESTS = Counter("kentering_api_requests", "Requests answered.", ("route", "method", "status"))
SECONDS = Histogram(
    "kentering_api_request_seconds",
    "Time to answer.",
    ("route",),
    buckets=(0.002, 0.005, 0.01, 0.03, 0.1, 0.3, 1, 3),
)


class Edge:
    """An ASGI layer around the app."""

    def __init__(self, app: ASGIApp, shown: Shown) -> None:
        self._app, self._shown = app, shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin_s = time.perf_counter()
        method = _method(scope)
        if method == "HEAD":
            scope, send = {**scope, "method": "GET"}, _head_of(send)
        sent: dict[str, int] = {}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent["status"] = message["status"]
                more = [*_applied(scope, message["status"]), *_origin(scope), *headers_of(scope)]
                message["headers"] = [*message["headers"], *_HEADERS, *more]
            await send(message)

        bytes_max = FILE_BYTES_MAX if _FILES.fullmatch(scope["path"]) else BODY_BYTES_MAX
        try:
            await self._answer(scope, _bounded(receive, bytes_max), send_with_headers)
        except Exception:
            if not sent:
                await self._shown(Request(scope), bug())(scope, receive, send_with_headers)
            raise  # the server logs it
        finally:
            route = getattr(scope.get("route"), "path", "none")
            REQUESTS.labels(route, method, sent.get("status", 500)).inc()
            SECONDS.labels(route).observe(time.perf_counter() - begin_s)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
            problem = Problem(400, "invalid", "An address may not contain NUL.")
            await self._shown(Request(scope), problem)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _head_of(send: Send) -> Send:
    """What is answered to GET, without its body: once the head was sent, the answer is whole."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body"})

    return send_head


def _applied(scope: Scope, status: int) -> list[tuple[bytes, bytes]]:
    """What is said to ``Prefer: respond-async`` (RFC 7240) where an answer is that of itself."""
    if status != HTTPStatus.ACCEPTED:
        return []
    asked = b",".join(value for name, value in scope["headers"] if name == b"prefer")
    wishes = {wish.partition(b";")[0].strip().lower() for wish in asked.split(b",")}
    return [(b"preference-applied", b"respond-async")] if b"respond-async" in wishes else []


def _origin(scope: Scope) -> list[tuple[bytes, bytes]]:
    return [(b"access-control-allow-origin", b"*")] if scope["path"] == FROM_ANYWHERE else []


def _bounded(receive: Receive, bytes_max: int) -> Receive:
    """``receive`` that gives up on a body that is too large."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > bytes_max:
            raise HTTPException(413, f"A body has at most {bytes_max} bytes.")
        return message

    return bounded


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in _METHODS else "other"


async def only_known_parameters(request: Request) -> None:  # a coroutine takes no thread
    """A dependency: refuse query parameters that the route does not have.

    Raises:
        Problem: 400, with the name of the first and the one that was probably meant.
    """
    known = _parameters_of(request.scope["route"].dependant)
    for name in request.query_params:
        if name not in known:
            text = f"There is no query parameter {shown(name)} here.{meant(name, known)}"
            raise Problem(400, "unknown_parameter", text)


def _parameters_of(dependant: Any) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    for part in dependant.dependencies:
        names |= _parameters_of(part)
    return names
