"""Messages of one endpoint on their way: side by side, a person's one after the other."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from services.contract.target import Network, check_addresses, target_of
from services.contract.webhook import signature
from services.dispatch.follows import Tried
from services.dispatch.lanes import Lane, Message
from services.dispatch.queue import Hook
from services.dispatch.verdict import Verdict, verdict_on
from services.runtime.outbound import Outbound

CONNECTIONS_MAX = 32
"""To one endpoint at one time."""
FAILURES_MAX = 3
"""In a row, and the rest of what was begun waits."""


class Flights:
    """Sends lanes, each in a task; used from the event loop alone.

    Args:
        networks: one's own, that webhooks may go to.
        clock: UTC milliseconds.
        may_send: asked before each message.
        landed: called when a lane has ended.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        clock: Callable[[], int],
        may_send: Callable[[], bool],
        landed: Callable[[], None],
    ) -> None:
        self._networks, self._clock = networks, clock
        self._may_send, self._landed = may_send, landed
        self._outbound: tuple[str, Outbound] | None = None
        self._free = asyncio.Semaphore(CONNECTIONS_MAX)
        self._tasks: set[asyncio.Task[None]] = set()
        self._tried: list[Tried] = []
        self._failures_in_a_row = 0
        self._fault: BaseException | None = None
        self.count = 0
        """Messages in lanes that have not ended."""
        self.failed = False
        """The endpoint did badly by one of those that were tried."""

    async def begin(self, hook: Hook, lanes: Sequence[Lane]) -> None:
        """Send lanes; their messages are read."""
        if not lanes:
            return
        outbound = await self._connected(hook.url)
        for lane in lanes:
            for message in lane:
                message.flying = True
            self.count += len(lane)
            task = asyncio.create_task(self._send(hook, lane, outbound))
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, len(lane)))

    def take_tried(self) -> list[Tried]:
        """What came of messages since this was asked last.

        Raises:
            Exception: what nobody foresaw in sending.
        """
        if self._fault is not None:
            raise self._fault
        tried, self._tried = self._tried, []
        if not self._tasks:
            self.failed, self._failures_in_a_row = False, 0
        return tried

    def has_tried(self) -> bool:
        """Whether there is something for :meth:`take_tried`."""
        return bool(self._tried)

    async def drain(self, patience_s: float | None = None) -> None:
        """Wait until all have landed; those that have not by then are given up."""
        if not self._tasks:
            return
        await asyncio.wait(self._tasks, timeout=patience_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Give up what is on its way, and let go of the connections."""
        await self.drain(0)
        if self._outbound is not None:
            await self._outbound[1].close()

    def _ended(self, count: int, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self.count -= count
        if not task.cancelled() and task.exception() is not None:
            self._fault = task.exception()
        self._landed()

    async def _send(self, hook: Hook, lane: Lane, outbound: Outbound) -> None:
        """A person's messages, up to the first that fails."""
        tried = 0
        try:
            for message in lane:
                async with self._free:
                    if self._failures_in_a_row >= FAILURES_MAX or not self._may_send():
                        break
                    done = await self._try(hook, message, outbound)
                tried += 1
                self._tried.append(done)
                kind = done.verdict.kind
                if kind in {"delivered", "void"}:
                    self._failures_in_a_row = 0
                    continue
                if kind != "refused":
                    self.failed = True
                    self._failures_in_a_row += 1
                break
        finally:
            for message in lane[tried:]:
                message.rest()

    async def _try(self, hook: Hook, message: Message, outbound: Outbound) -> Tried:
        if message.body is None:
            return Tried(message, None, Verdict("void", "what it told of was erased", 0))
        at_ms = self._clock()
        headers = {
            "content-type": "application/json",
            "webhook-id": message.public_id,
            "webhook-timestamp": str(at_ms // 1000),
            "webhook-signature": signature(hook.secrets, message.public_id, at_ms, message.body),
        }
        answer = await outbound.post(hook.url, headers, message.body)
        return Tried(message, answer, verdict_on(answer, self._clock()))

    async def _connected(self, url: str) -> Outbound:
        if self._outbound is not None and self._outbound[0] == url:
            return self._outbound[1]
        if self._outbound is not None:
            await self._outbound[1].close()
        check = partial(check_addresses, target_of(url), allowed=self._networks)
        self._outbound = url, Outbound(check, CONNECTIONS_MAX)
        return self._outbound[1]
