"""The closed table of the routes that collect: a new one is a line here.

Both ways in, plain ASGI and the protocol that answers hits by itself, go by this table, and so
does the one port that tracker and API share.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from services.tracker import calls, hits, unsubscribe
from services.tracker.accepted import Accepted
from services.tracker.directory import Directory
from services.tracker.hooks import door as hooks
from services.tracker.request import Request

Decide = Callable[[Request, Directory, int], Accepted]
"""(request, directory, now in UTC milliseconds) → what it comes to. Pure: no I/O, no clock, no
chance. It may raise RefusedRequestError."""


class Route(msgspec.Struct, frozen=True):
    """One route."""

    path: str
    """The whole path, or its beginning where it ends with ``/``."""
    methods: tuple[str, ...]
    """What it takes; with anything but GET and HEAD its body is read before it is decided."""
    decide: Decide
    marks_origin: bool = False
    """Whether it is told the client's address, to mark where a click came from."""


_HIT = ("GET", "HEAD")
_CALL = ("POST", "OPTIONS")  # OPTIONS is answered for all of them alike, before the table is asked

ROUTES: tuple[Route, ...] = (
    Route("/o/", _HIT, hits.open_),
    Route("/c/", _HIT, hits.click, marks_origin=True),
    Route("/p.gif", _HIT, hits.pixel),
    Route("/u/", (*_HIT, "POST"), unsubscribe.unsubscribe),
    Route("/hooks/", ("POST", "HEAD", "GET"), hooks.take),
    Route("/v1/track", _CALL, partial(calls.single, "track")),
    Route("/v1/page", _CALL, partial(calls.single, "page")),
    Route("/v1/screen", _CALL, partial(calls.single, "screen")),
    Route("/v1/identify", _CALL, partial(calls.single, "identify")),
    Route("/v1/group", _CALL, partial(calls.single, "group")),
    Route("/v1/alias", _CALL, partial(calls.single, "alias")),
    Route("/v1/batch", _CALL, calls.batch),
    # As browser SDKs shorten them.
    Route("/v1/t", _CALL, partial(calls.single, "track")),
    Route("/v1/p", _CALL, partial(calls.single, "page")),
    Route("/v1/s", _CALL, partial(calls.single, "screen")),
    Route("/v1/i", _CALL, partial(calls.single, "identify")),
    Route("/v1/g", _CALL, partial(calls.single, "group")),
    Route("/v1/a", _CALL, partial(calls.single, "alias")),
    Route("/v1/b", _CALL, calls.batch),
    Route("/v1/m", _CALL, calls.forgotten),
    # As the server SDKs in Java call a batch.
    Route("/v1/import", _CALL, calls.batch),
)

_WHOLE = {route.path: route for route in ROUTES if not route.path.endswith("/")}
_BEGINNINGS = {route.path: route for route in ROUTES if route.path.endswith("/")}
_LEVELS_MAX = max(path.count("/") for path in _BEGINNINGS) - 1
"""Below the first; a path with more costs no more."""


def route_of(path: str) -> Route | None:
    """The route that collects at this path, or None. The longest beginning wins.

    A slash too many before or behind a whole path is passed over: some SDKs write one, others do
    when their host was given with one.
    """
    route = _WHOLE.get(path) or _WHOLE.get(f"/{path.strip('/')}")
    if route is not None:
        return route
    end = 0
    for _ in range(_LEVELS_MAX):
        end = path.find("/", end + 1)
        if end < 0:
            break
        route = _BEGINNINGS.get(path[: end + 1]) or route
    return route
