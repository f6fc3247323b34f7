"""The tracker over HTTP: reads requests, lets accept() decide, stores, answers.

A plain ASGI application: a framework's route costs several times what the hit itself does.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.runtime.clock import now_ms
from services.runtime.sqlite_log import SqliteLog
from services.runtime.steady_clock import SteadyClock
from services.tracker import answers
from services.tracker.answers import Reply
from services.tracker.body import ClientGoneError, Receive, read_body
from services.tracker.collector import Collector, new_id, refusal
from services.tracker.gate import Gate
from services.tracker.hit_protocol import HitProtocol
from services.tracker.hooks.errands import Errands
from services.tracker.hooks.memory import Memory
from services.tracker.project_settings import key_in, settings_reply
from services.tracker.reasons import RefusedRequestError
from services.tracker.request import Request, headers_of
from services.tracker.routes import Route, route_of
from services.tracker.script import script_reply
from services.tracker.snapshot_keeper import SnapshotKeeper, SnapshotSource
from services.tracker.withdrawal_keeper import WithdrawalKeeper, WithdrawalSource, none_known

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Tracker:
    """The ASGI application; :meth:`start` and :meth:`stop` are its lifespan."""

    def __init__(
        self,
        log: SqliteLog,
        snapshot_source: SnapshotSource,
        data: Path,
        public_url: str,
        gate: Gate,
        clock: Callable[[], int] = now_ms,
        sns_host: str = "",
        withdrawal_source: WithdrawalSource = none_known,
    ) -> None:
        memory = Memory(sns_host)
        self._withdrawals = WithdrawalKeeper(withdrawal_source, data)
        withdrawals = self._withdrawals.withdrawals
        self._snapshots = SnapshotKeeper(snapshot_source, data, memory, withdrawals)
        self._clock = SteadyClock(clock)
        self._public_url = public_url
        self.collector = Collector(self._snapshots, self._clock, log, Errands(memory), gate)
        self._leaving = False

    @property
    def protocol(self) -> Callable[..., HitProtocol]:
        """What makes a connection's protocol for uvicorn: it answers hits by itself."""
        return partial(HitProtocol, collector=self.collector)

    async def start(self) -> None:
        """Begin to store, and get the first snapshot."""
        self.collector.start()
        await self._withdrawals.start()  # first: nothing is decided without a snapshot
        await self._snapshots.start()

    def leave(self) -> None:
        """Say not ready from now on, and serve on: whoever routes to us needs time to see it."""
        self._leaving = True

    async def stop(self) -> None:
        """Store what still waits. The log stays open: it is its opener's to close."""
        self.leave()
        await self._snapshots.stop()
        await self._withdrawals.stop()
        await self.collector.close()

    def why_not_ready(self) -> list[str]:
        """Why the promise cannot be kept now; empty when ready."""
        writer = self.collector.writer
        trouble = None if writer is None else writer.trouble
        checks = {
            "leaving": self._leaving,
            "no snapshot": self._snapshots.directory is None,
            "writer ended": writer is None or not writer.is_alive(),
            f"log takes nothing: {trouble}": trouble is not None,
            "clock drifted": self._clock.has_drifted(),
        }
        return [reason for reason, holds in checks.items() if holds]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection's request, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            reply = await self._reply(scope, receive)
        except ClientGoneError:
            return
        except RefusedRequestError as refused:
            reply = refusal(refused.reason)
        await send(
            {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
        )
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        path, method = scope["path"], scope["method"]
        if method == "OPTIONS" and path.lstrip("/").startswith("v1/"):
            return answers.PREFLIGHT
        route = route_of(path)
        if route is not None:
            return await self._reply_at(route, scope, receive)
        key = key_in(path)
        if key is not None and method in ("GET", "HEAD"):
            return settings_reply(key, self._snapshots.directory, self._public_url)
        if path == "/k.js":
            return script_reply(method, scope["headers"])
        if path == "/healthz":
            return answers.json_reply(200, b'{"status":"alive"}')
        if path == "/readyz":
            return answers.readiness(self.why_not_ready())
        if path == "/metrics":
            return answers.plain(generate_latest(), CONTENT_TYPE_LATEST)
        raise RefusedRequestError("no_route")

    async def _reply_at(self, route: Route, scope: Scope, receive: Receive) -> Reply:
        method = scope["method"]
        if method not in route.methods:
            return answers.wrong_method(", ".join(route.methods).encode())
        body = b"" if method in ("GET", "HEAD") else await read_body(receive)
        return await self._collect(route, _request(scope, body))

    async def _collect(self, route: Route, request: Request) -> Reply:
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def answer(reply: Reply) -> None:
            if not answered.done():  # whoever waited may have gone
                answered.set_result(reply)

        self.collector.collect(route, request, answer)
        return await answered

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})


def create_app(
    log: SqliteLog,
    snapshot_source: SnapshotSource,
    data: Path,
    public_url: str,
    gate: Gate,
    clock: Callable[[], int] = now_ms,
    sns_host: str = "",
    withdrawal_source: WithdrawalSource = none_known,
) -> Tracker:
    """The tracker as an ASGI application.

    Args:
        log: the spool; the tracker is its one writer and trims it, its opener closes it.
        snapshot_source: asked every second, in a thread.
        data: folder for the snapshot's copy.
        public_url: where browsers reach the tracker.
        gate: limits what one sender may bring.
        clock: UTC milliseconds.
        sns_host: one more host that speaks for Amazon SNS.
        withdrawal_source: asked every second, in a thread.
    """
    return Tracker(log, snapshot_source, data, public_url, gate, clock, sns_host, withdrawal_source)


def _request(scope: Scope, body: bytes) -> Request:
    return Request(
        method=scope["method"],
        path=scope["path"],
        headers=headers_of(scope["headers"]),
        request_id=new_id(),
        query=scope["query_string"],
        body=body,
        peer=client[0] if (client := scope.get("client")) else "",
    )
