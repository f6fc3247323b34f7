"""One endpoint: takes from its queue, sends side by side, writes down what came of it."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from sqlalchemy import Engine

from services.contract.target import Network, check_addresses, target_of
from services.contract.webhook import signature
from services.dispatch.filling import anything_new
from services.dispatch.follows import Tried, health_after, sent_of
from services.dispatch.lanes import Lane, Message
from services.dispatch.queue import Health, Sent, Work, load, settle, tidy
from services.dispatch.verdict import Verdict, verdict_on
from services.runtime import telemetry
from services.runtime.outbound import Outbound

CONNECTIONS_MAX = 16
"""To one endpoint at one time."""
FAILURES_MAX = 3
"""In a row, and the rest of a batch waits."""
TIDY_EVERY_S = 60.0
PAUSE_S = 0.2

_log = structlog.get_logger()


class Sender:
    """Sends for one webhook while its process holds it. :meth:`run` is one task.

    Args:
        engine: the database, for transactions that write.
        name: the webhook's public id.
        holder: our process.
        networks: one's own, that webhooks may go to.
        clock: UTC milliseconds.
        has_lease: whether our process was heard of lately enough to send at all.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        holder: str,
        networks: Sequence[Network],
        clock: Callable[[], int],
        has_lease: Callable[[], bool],
    ) -> None:
        self._engine, self._name, self._holder = engine, name, holder
        self._networks, self._clock, self._has_lease = networks, clock, has_lease
        self._wake = asyncio.Event()
        self._reading = engine.execution_options(writing=False)
        self._stopping = False
        self._must_look = False
        self._unwell = False
        self._outbound: tuple[str, Outbound] | None = None
        self._failures_in_a_row = 0
        self._tidy_s = time.monotonic() + TIDY_EVERY_S
        self.oldest_ms: int | None = None
        """Since when the oldest message waits; None: nothing does."""
        self.version: int | None = None
        """Of the webhook, as it was last read."""

    def wake(self) -> None:
        """There may be something new in the feed."""
        if not self._unwell:
            self._wake.set()

    def look(self) -> None:
        """Its owner changed something, or asked for a message."""
        self._must_look = True
        self._wake.set()

    def stop(self) -> None:
        """Let :meth:`run` end after what is being sent."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Send until stopped.

        Raises:
            LostError: another process has the webhook.
            sqlalchemy.exc.DBAPIError: the database is away; what was sent is sent again.
        """
        try:
            while not self._stopping:
                self._wake.clear()
                self._must_look = False
                work = await asyncio.to_thread(self._load)
                if work is None:
                    return
                if work.lanes:
                    if not await self._send(work):
                        await asyncio.sleep(PAUSE_S)  # we hardly live, or are told to stop
                elif not work.behind:
                    await self._wait(work)
        finally:
            if self._outbound is not None:
                await self._outbound[1].close()

    async def _wait(self, work: Work) -> None:
        if time.monotonic() >= self._tidy_s:
            self._tidy_s = time.monotonic() + TIDY_EVERY_S
            await asyncio.to_thread(self._tidy, work)
        wait_s = TIDY_EVERY_S
        if work.next_ms is not None:
            wait_s = min(wait_s, max(0, work.next_ms - self._clock()) / 1000 + 0.001)
        try:
            async with asyncio.timeout(wait_s):
                await self._until_there_is_something(work)
        except TimeoutError:
            pass

    async def _until_there_is_something(self, work: Work) -> None:
        """Nothing is locked for what is new in the feed and nothing to this webhook."""
        position, found = work.position, False
        while not found:
            await self._wake.wait()
            self._wake.clear()
            if self._stopping or self._must_look:
                return
            found, position = await asyncio.to_thread(self._anything_new, work, position)

    def _anything_new(self, work: Work, position: int) -> tuple[bool, int]:
        with self._reading.connect() as db:
            return anything_new(db, work.public_id, work.version, position)

    def _load(self) -> Work | None:
        now_ms = self._clock()
        with self._engine.begin() as db:
            work = load(db, self._name, self._holder, now_ms)
        if work is not None:
            self.oldest_ms, self.version = work.oldest_ms, work.version
            health = work.health
            is_waiting = health.retry_ms is not None and now_ms < health.retry_ms
            self._unwell = health.status != "active" or is_waiting or health.failing_ms is not None
        return work

    def _tidy(self, work: Work) -> None:
        with self._engine.begin() as db:
            tidy(db, work, self._clock())

    async def _send(self, work: Work) -> bool:
        """Send what may be sent; whether anything was tried at all."""
        outbound = await self._connected(work.url)
        self._failures_in_a_row = 0
        free = asyncio.Semaphore(CONNECTIONS_MAX)
        lanes = [self._send_lane(work, lane, outbound, free) for lane in work.lanes]
        tried = [one for some in await asyncio.gather(*lanes) for one in some]
        if not tried:
            return False
        now_ms = self._clock()
        health = health_after(work.health, [one.verdict for one in tried], now_ms, random.random())  # noqa: S311
        sent = [sent_of(one, health, now_ms, random.random()) for one in tried]  # noqa: S311
        await asyncio.to_thread(self._settle, work, sent, health, now_ms)
        for one in sent:
            telemetry.DELIVERIES.labels(_outcome(one)).inc()
            if one.status == "delivered":
                telemetry.DELIVERY_SECONDS.observe((one.last_ms - one.message.recorded_ms) / 1000)
        if health.status == "dead" and work.health.status == "active":
            telemetry.WEBHOOKS_DEAD.inc()
            _log.warning("a webhook is dead", webhook=work.public_id, reason=health.notice)
        return True

    def _settle(self, work: Work, sent: Sequence[Sent], health: Health, now_ms: int) -> None:
        with self._engine.begin() as db:
            settle(db, work, self._holder, sent, health, now_ms)

    async def _send_lane(
        self, work: Work, lane: Lane, outbound: Outbound, free: asyncio.Semaphore
    ) -> list[Tried]:
        """A person's messages, up to the first that fails."""
        tried: list[Tried] = []
        for message in lane:
            async with free:
                too_many = self._failures_in_a_row >= FAILURES_MAX
                if self._stopping or too_many or not self._has_lease():
                    break
                tried.append(await self._try(work, message, outbound))
            kind = tried[-1].verdict.kind
            if kind in {"delivered", "void"}:
                self._failures_in_a_row = 0
                continue
            if kind != "refused":
                self._failures_in_a_row += 1
            break
        return tried

    async def _try(self, work: Work, message: Message, outbound: Outbound) -> Tried:
        if message.body is None:
            return Tried(message, None, Verdict("void", "what it told of was erased", 0))
        at_ms = self._clock()
        headers = {
            "host": _host_of(work.url),
            "content-type": "application/json",
            "content-length": str(len(message.body)),
            "user-agent": "Kentering",
            "webhook-id": message.public_id,
            "webhook-timestamp": str(at_ms // 1000),
            "webhook-signature": signature(work.secrets, message.public_id, at_ms, message.body),
        }
        answer = await outbound.post(work.url, headers, message.body)
        return Tried(message, answer, verdict_on(answer, self._clock()))

    async def _connected(self, url: str) -> Outbound:
        if self._outbound is not None and self._outbound[0] == url:
            return self._outbound[1]
        if self._outbound is not None:
            await self._outbound[1].close()
        check = partial(check_addresses, target_of(url), allowed=self._networks)
        self._outbound = url, Outbound(check, CONNECTIONS_MAX)
        return self._outbound[1]


def _host_of(url: str) -> str:
    return url.split("/", 3)[2].partition("?")[0]


def _outcome(one: Sent) -> str:
    if one.status == "waiting":
        return "failed"
    return "given_up" if one.status == "failed" else one.status
