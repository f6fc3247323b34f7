"""The change feed as server-sent events: for as long as a client listens."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy import Select
from sqlalchemy.exc import DBAPIError
from starlette.types import Receive, Scope, Send

from services.api.auth import Credential, Needs
from services.api.changes import Segment, Types, check_segment, wanted
from services.api.context import Context, Here, context_of
from services.api.dashboard.session import session_of
from services.api.feed import check_reached
from services.api.problem import Problem, described
from services.api.streams import LOOK_EVERY_S
from services.api.wire import INT64_MAX
from services.contract.change import told
from services.contract.tables import change

router = APIRouter(prefix="/v1", tags=["changes"])

PAGE_MAX = 200
HEARTBEAT_S = 15.0
STREAM_S_MAX = 3_600.0
"""Then it ends; whoever listens comes back by itself, and to another process where there is one."""
RETRY_MS = 2_000
_SLACK_S = 60.0
"""For a client that has not read the end yet."""

_EXAMPLE = """\
retry: 2000

id: 4711
data: {"position":4711,"type":"segment","person":"p_6f1c0b9a2d3e4f50","segment":"monteurs-noord",\
"namespace":null,"before":null,"after":"member","valid_at":"2026-11-22T09:30:00.000Z",\
"recorded_at":"2026-11-22T09:30:00.412Z","reason":"event","event":"8c1f…","person_version":12,\
"trigger":null,"content":null}

: still here
id: 4720
"""


class _NeedsOrSession(Needs):
    """A key; or the session of a browser, whose EventSource cannot send one."""

    async def __call__(self, request: Request) -> Credential:
        if "authorization" not in request.headers:
            found = await run_in_threadpool(session_of, context_of(request), request)
            if found is not None and self.scope in found.scopes:
                return found.credential()
        return await super().__call__(request)


_needs = _NeedsOrSession("changes:read")


class _Stream(StreamingResponse):
    """Server-sent events; the place is given back however it ends."""

    def __init__(self, events: AsyncIterator[str], leave: Callable[[], None]) -> None:
        # Proxies that would gather an answer before they pass it on are told not to.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, headers=headers, media_type="text/event-stream")
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(STREAM_S_MAX + _SLACK_S):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            pass
        finally:
            self._leave()


@router.get(
    "/changes/stream",
    summary="The change feed as server-sent events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events without end. `id` is the position, `data` the change as "
            "`GET /v1/changes` tells it; comments in between show that the connection lives.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        },
        **described(400, 401, 403, 429, 503),
    },
)
async def stream_changes(
    here: Here,
    request: Request,
    credential: Annotated[Credential, Depends(_needs)],
    after: Annotated[
        int | None,
        Query(
            ge=0,
            le=INT64_MAX,
            description="The last position already seen; left out: only what comes now.",
        ),
    ] = None,
    types: Types = None,
    segment: Segment = None,
    last_event_id: Annotated[
        int | None,
        Header(ge=0, le=INT64_MAX, description="The last `id` that came; it goes before `after`."),
    ] = None,
) -> StreamingResponse:
    """Oldest first, then as they come: in order, and none is left out.

    `EventSource` in browsers and `curl -N` read it. It ends after an hour, and when the process
    does; a client that comes back with `Last-Event-ID`, as `EventSource` does by itself, misses
    nothing. A browser's page of the dashboard may use its session; else send a key.
    """
    await run_in_threadpool(check_segment, here, credential.workspace_id, segment)
    position = after if last_event_id is None else last_event_id
    if position is None:
        position = await here.streams.newest()
    else:
        await run_in_threadpool(_check_reached, here, position)
    query = wanted(credential.workspace_id, types, segment)
    here.streams.enter(credential)

    def leave() -> None:
        here.streams.leave(credential)

    return _Stream(_events(here, request, query, position), leave)


def _check_reached(here: Context, position: int) -> None:
    with here.engine.connect() as connection:
        check_reached(connection, position)


async def _events(
    here: Context, request: Request, query: Select[Any], position: int
) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    begun_s = beat_s = time.monotonic()
    while not here.streams.stopping and time.monotonic() - begun_s < STREAM_S_MAX:
        try:
            newest = await here.streams.newest()
            if newest > position:
                text, position = await run_in_threadpool(_page, here, query, position, newest)
                if text:
                    beat_s = time.monotonic()
                    yield text
                continue
            if time.monotonic() - beat_s >= HEARTBEAT_S:
                beat_s = time.monotonic()
                await _needs(request)
                # Without data nobody is told, but a client comes back with this id.
                yield f": still here\nid: {position}\n\n"
        except (Problem, DBAPIError):
            # The key was revoked, or the database is away: the answer is given on coming back.
            return
        await asyncio.sleep(LOOK_EVERY_S)


def _page(here: Context, query: Select[Any], after: int, newest: int) -> tuple[str, int]:
    """The next changes as events, and the position that they lead to."""
    page = query.where(change.c.position > after, change.c.position <= newest)
    with here.engine.connect() as connection:
        rows = connection.execute(page.order_by(change.c.position).limit(PAGE_MAX)).all()
    events = [
        f"id: {row.position}\ndata: {msgspec.json.encode(told(row)._asdict()).decode()}\n\n"
        for row in rows
    ]
    return "".join(events), rows[-1].position if len(rows) == PAGE_MAX else newest
