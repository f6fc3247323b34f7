"""One endpoint: takes from its queue and the feed, and writes down what came of sending.

A turn takes what is new by reading alone, and has what was sent written down beside it: neither
sending nor taking waits for a lock or a disk. There is a turn when something new is in the feed,
when a message is due, and when what was sent has waited long enough to be written down.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from itertools import takewhile

import structlog
from sqlalchemy import Engine

from services.contract.target import Network
from services.dispatch.backlog import Backlog
from services.dispatch.flights import Flights
from services.dispatch.follows import Sent
from services.dispatch.lanes import BATCH_MAX, Message
from services.dispatch.queue import QUEUE_MAX
from services.dispatch.transactions import Transactions
from services.dispatch.wishes import Looked, wants
from services.runtime import telemetry

RECORD_AFTER_S = 0.5
"""So long what was sent may wait to be written down: whoever is killed before sends it again."""
TURN_EVERY_S = 0.02
"""However much there is to do; so that one turn does what several came for."""
FEW = BATCH_MAX // 2
"""On their way: more is fetched."""
TIDY_EVERY_S = 60.0
PAUSE_S = 0.2
STOP_S = 4.0
"""For what is on its way when we are told to stop."""

_log = structlog.get_logger()


class Sender:
    """Sends for one webhook while its process holds it. :meth:`run` is one task.

    Args:
        engine: the database.
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
        self._name, self._clock, self._has_lease = name, clock, has_lease
        self._transactions = Transactions(engine, name, holder)
        self._flights = Flights(networks, clock, self._may_send, self._landed)
        self._backlog: Backlog | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self._must_look = False
        self._has_new = True
        """There may be something in the feed behind what was taken."""
        self._is_stuck = False
        """Something waits for what is on its way."""
        self._news_s: float | None = None
        """Since when something is to be written down."""
        self._recording: asyncio.Task[None] | None = None
        self._turned_s = 0.0
        self._tidy_s = time.monotonic() + TIDY_EVERY_S
        self.oldest_ms: int | None = None
        """Since when the oldest message waits; None: nothing does."""

    @property
    def version(self) -> int | None:
        """Of the webhook, as it was last read."""
        return None if self._backlog is None else self._backlog.hook.version

    def wake(self, looked: Looked) -> None:
        """Something came into the feed."""
        if self._backlog is None:
            return
        hook = self._backlog.hook
        if not wants(hook.wish, looked.kinds.get(hook.workspace_id, ())):
            self._backlog.skip(looked.after, looked.newest)
            return
        self._has_new = True
        if self._flights.count <= FEW and not self._backlog.health.is_held_up(self._clock()):
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
                if not self._has_lease():
                    await asyncio.sleep(PAUSE_S)  # we hardly live
                elif self._backlog is None or self._must_look:
                    if not await self._load():
                        return
                else:
                    await self._turn(self._backlog)
                    await self._wait(self._backlog)
            await self._end()
        finally:
            await self._flights.close()
            if self._recording is not None:
                await asyncio.wait([self._recording])

    async def _end(self) -> None:
        await self._flights.drain(STOP_S)
        if self._backlog is None:
            return
        await self._recorded()
        now_ms = self._clock()
        self._settle(self._backlog, now_ms)
        if self._backlog.has_moved():
            told = self._backlog.hook, self._backlog.outcome(), now_ms
            await asyncio.to_thread(self._transactions.record, *told)

    def _may_send(self) -> bool:
        return not self._stopping and not self._must_look and self._has_lease()

    def _landed(self) -> None:
        is_next = self._is_stuck and self._flights.count <= FEW
        is_first = self._news_s is None and self._recording is None
        if self._flights.failed or is_next or is_first:
            self._wake.set()

    async def _load(self) -> bool:
        """Everything anew, after what was known is written down; whether the webhook is there."""
        await self._flights.drain()
        await self._recorded()
        self._must_look = False
        now_ms, hook, outcome = self._clock(), None, None
        if self._backlog is not None:
            self._settle(self._backlog, now_ms)
            hook, outcome = self._backlog.hook, self._backlog.outcome()
        loaded = await asyncio.to_thread(self._transactions.load, hook, outcome, now_ms)
        if loaded is None:
            return False
        self._backlog, self._has_new, self._news_s = Backlog(loaded), True, None
        return True

    async def _turn(self, backlog: Backlog) -> None:
        self._wake.clear()
        self._turned_s = time.monotonic()
        if self._flights.failed:
            await self._flights.drain()
        now_ms = self._clock()
        self._settle(backlog, now_ms)
        await self._record(backlog)
        room = self._room(backlog, now_ms)
        lanes = backlog.lanes(now_ms, BATCH_MAX - self._flights.count)
        read = [one for lane in lanes for one in lane if not one.is_read]
        if read or room > 0:
            self._has_new = self._has_new and room <= 0
            taken = await asyncio.to_thread(
                self._transactions.take, backlog.hook, read, backlog.position, room, now_ms
            )
            if taken is None:
                self.look()
                return
            backlog.add(taken)
            read += taken.messages
            self._has_new |= taken.has_more
        await self._begin(backlog, read)

    async def _begin(self, backlog: Backlog, read: Sequence[Message]) -> None:
        """Send what may be sent and was read."""
        lanes = backlog.lanes(self._clock(), BATCH_MAX - self._flights.count)
        ready = [list(takewhile(lambda one: one.is_read, lane)) for lane in lanes]
        if not all(ready):
            self._wake.set()  # somebody's turn has come since
        await self._flights.begin(backlog.hook, [lane for lane in ready if lane])
        for message in read:
            if not message.flying:
                message.rest()
        self._is_stuck = self._flights.count > FEW or backlog.is_stuck()
        has_news = backlog.has_news() or self._flights.has_tried()
        if has_news and self._news_s is None and self._recording is None:
            self._news_s = time.monotonic()
        self.oldest_ms = backlog.oldest_ms()

    async def _wait(self, backlog: Backlog) -> None:
        """Until there is something for a turn to do."""
        until_s = [self._tidy_s]
        if self._news_s is not None:
            until_s.append(self._news_s + RECORD_AFTER_S)
        now_ms, now_s = self._clock(), time.monotonic()
        due_ms = backlog.due_ms(now_ms)
        if due_ms is not None and self._flights.count <= FEW:
            until_s.append(now_s + (due_ms - now_ms) / 1000 + 0.001)
        try:
            async with asyncio.timeout(max(0.0, min(until_s) - now_s)):
                await self._wake.wait()
        except TimeoutError:
            pass
        await asyncio.sleep(max(0.0, self._turned_s + TURN_EVERY_S - time.monotonic()))

    def _room(self, backlog: Backlog, now_ms: int) -> int:
        """For so many messages more from the feed."""
        if not self._has_new or backlog.health.is_held_up(now_ms):
            return 0
        return max(0, min(BATCH_MAX - self._flights.count, QUEUE_MAX - len(backlog)))

    async def _record(self, backlog: Backlog) -> None:
        """Have written down, beside everything else, what has waited for it long enough.

        Raises:
            LostError: the last time this was done another process had the webhook.
            sqlalchemy.exc.DBAPIError: the last time it failed.
        """
        if self._recording is not None:
            if not self._recording.done():
                return
            await self._recorded()
        now_s = time.monotonic()
        is_old = self._news_s is not None and now_s >= self._news_s + RECORD_AFTER_S
        is_untidy = now_s >= self._tidy_s
        if is_untidy:
            self._tidy_s = now_s + TIDY_EVERY_S
        if is_old or is_untidy or backlog.is_other():
            self._news_s = None
            self._recording = asyncio.create_task(self._write(backlog, tidying=is_untidy))

    async def _write(self, backlog: Backlog, *, tidying: bool) -> None:
        write = self._transactions.tidy if tidying else self._transactions.record
        outcome = backlog.outcome()
        try:
            await asyncio.to_thread(write, backlog.hook, outcome, self._clock())
            backlog.written(outcome)
        finally:
            self._wake.set()

    async def _recorded(self) -> None:
        """What is being written down is written down."""
        if self._recording is not None:
            recording, self._recording = self._recording, None
            await recording

    def _settle(self, backlog: Backlog, now_ms: int) -> None:
        """What follows from what was tried since."""
        before = backlog.health.status
        for one in backlog.settle(self._flights.take_tried(), now_ms, random.random):
            telemetry.DELIVERIES.labels(_outcome(one)).inc()
            if one.status == "delivered":
                telemetry.DELIVERY_SECONDS.observe((one.last_ms - one.message.recorded_ms) / 1000)
        if backlog.health.status == "dead" and before == "active":
            telemetry.WEBHOOKS_DEAD.inc()
            _log.warning("a webhook is dead", webhook=self._name, reason=backlog.health.notice)


def _outcome(one: Sent) -> str:
    if one.status == "waiting":
        return "failed"
    return "given_up" if one.status == "failed" else one.status
