"""The dispatcher: holds webhooks, wakes who sends for them, and copies changes into Kafka."""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
import uvloop
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from services.contract.tables import webhook
from services.contract.target import Network
from services.dispatch.endpoint import Sender
from services.dispatch.readers import (
    LEASE_S,
    RENEW_S,
    Leases,
    LostError,
    make_reader,
    newest_position,
)
from services.dispatch.topic import TOPIC, Topic
from services.dispatch.wishes import Looked, look_between
from services.runtime import telemetry
from services.runtime.clock import now_ms
from services.runtime.database import Kept, glancing, writing
from services.runtime.event_log import EventLog

TICK_S = 0.1
WEBHOOKS_EVERY_S = 0.5
"""So often it is asked whether any webhook was made, changed or deleted."""
LISTED_EVERY_S = 10.0
"""So often they are listed anyway: two changes may hide each other."""
PAUSE_S = 1.0
PATIENCE_S = 5.0
"""For what is being sent when we are told to stop."""
WEBHOOKS_MAX = 10_000
THREADS_MAX = 32
"""For what waits: the database, and names to be looked up."""

_log = structlog.get_logger()
_Numbers = tuple[tuple[str, int, int, int], ...]


@dataclass
class _Known:
    """What was last read of the database."""

    newest: int | None = None
    looked: Looked | None = None
    """What is new; None: nothing."""
    webhooks: dict[str, int] = field(default_factory=dict)
    """Public id → version."""
    numbers: _Numbers | None = None
    """Of them all, when they were listed."""
    mine: set[str] = field(default_factory=set)


@dataclass
class _Job:
    sender: Sender
    task: "asyncio.Task[None]"
    again_s: float | None = None
    """When to begin anew after it failed."""


class Dispatcher:
    """One process. :meth:`run` it in the main thread; :meth:`stop` it from any other.

    Args:
        engine: the database.
        networks: one's own, that webhooks may go to.
        kafka: the topic that changes are copied into; None: there is none.
        clock: UTC milliseconds.
    """

    def __init__(
        self,
        engine: Engine,
        networks: Sequence[Network],
        kafka: EventLog | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._engine = writing(engine)
        self._kept = Kept(glancing(engine))
        self._networks, self._clock = networks, clock
        self._leases = Leases(f"d_{secrets.token_hex(8)}")
        self._topic = None if kafka is None else Topic(self._engine, kafka, self._leases.holder)
        self._stop = threading.Event()
        self._trouble: str | None = "not started"
        self._known = _Known()
        self._jobs: dict[str, _Job] = {}
        self._renewed_s = 0.0
        self._renew_s = 0.0
        self._renewing: asyncio.Task[None] | None = None
        self._webhooks_s = self._list_s = 0.0

    def stop(self) -> None:
        """Ask :meth:`run` to return soon."""
        self._stop.set()

    def why_not_ready(self) -> str | None:
        """Why nothing is sent at this moment; None while all is well."""
        if self._trouble is not None:
            return self._trouble
        return None if self._topic is None else self._topic.why_not_ready()

    def run(self) -> None:
        """Send until stopped."""
        thread = None
        if self._topic is not None:
            thread = threading.Thread(target=self._topic.run, name="topic", daemon=True)
            thread.start()
        try:
            uvloop.run(self._run())
        finally:
            self._kept.close()
            if self._topic is not None and thread is not None:
                self._topic.stop()
                thread.join(PATIENCE_S)
            with suppress(DBAPIError), self._engine.begin() as db:
                self._leases.give_back(db)

    async def _run(self) -> None:
        threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="dispatch")
        asyncio.get_running_loop().set_default_executor(threads)
        while not self._stop.is_set():
            try:
                await asyncio.to_thread(self._look)
                self._renew_in_time()
            except DBAPIError as error:
                if self._trouble is None:
                    _log.warning("dispatcher waits", error=type(error).__name__)
                self._trouble = f"waiting: {type(error).__name__}"
                await asyncio.sleep(PAUSE_S)
                continue
            self._trouble = None
            self._arrange()
            self._measure()
            await asyncio.sleep(TICK_S)
        for job in self._jobs.values():
            job.sender.stop()
        tasks = [job.task for job in self._jobs.values()]
        if self._renewing is not None:
            tasks.append(self._renewing)
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE_S)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self) -> None:
        """What there is to send for, and what is new; nothing is written, so none is waited for."""
        known = self._known
        with self._kept.connection() as db:
            newest, known.looked = newest_position(db), None
            if known.newest is not None and newest > known.newest:
                known.looked = look_between(db, known.newest, newest)
            self._look_for_webhooks(db)
        known.newest = newest  # not before: if anything failed, it is looked at again

    def _look_for_webhooks(self, db: Connection) -> None:
        """List them where their numbers are others than before: to list thousands is dear."""
        now_s = time.monotonic()
        if now_s < self._webhooks_s:
            return
        self._webhooks_s = now_s + WEBHOOKS_EVERY_S
        numbers = _numbers(db)
        if numbers != self._known.numbers or now_s >= self._list_s:
            self._list_s = now_s + LISTED_EVERY_S
            self._known.webhooks = _webhooks(db)
            self._known.numbers = numbers

    def _renew_in_time(self) -> None:
        """Give a sign of life, beside everything else.

        Raises:
            DBAPIError: the last one could not be given.
        """
        if self._renewing is not None:
            if not self._renewing.done():
                return
            renewed, self._renewing = self._renewing, None
            renewed.result()
        names = self._known.webhooks.keys()
        if time.monotonic() >= self._renew_s or not names >= self._jobs.keys():
            self._renew_s = time.monotonic() + RENEW_S
            wanted = names | ({TOPIC} if self._topic is not None else set())
            self._renewing = asyncio.create_task(asyncio.to_thread(self._renew, wanted))

    def _renew(self, wanted: Collection[str]) -> None:
        begun_s = time.monotonic()
        with self._engine.begin() as db:
            if self._topic is not None:
                make_reader(db, TOPIC, 0)
            mine = set(self._leases.renew(db, wanted))
        self._known.mine, self._renewed_s = mine, begun_s

    def _arrange(self) -> None:
        """Senders for what is ours, and for nothing else."""
        known = self._known
        if self._topic is not None:
            self._topic.holds(TOPIC in known.mine and self._has_lease())
        for name in list(self._jobs):
            job = self._jobs[name]
            if job.task.done():
                self._ended(name, job)
            elif name not in known.mine:
                job.sender.stop()
        for name, version in known.webhooks.items():
            if name not in known.mine:
                continue
            job = self._jobs.get(name) or self._begin(name)
            if known.looked is not None:
                job.sender.wake(known.looked)
            if job.sender.version is not None and job.sender.version < version:
                job.sender.look()

    def _begin(self, name: str) -> _Job:
        sender = Sender(
            self._engine,
            name,
            self._leases.holder,
            self._networks,
            self._clock,
            self._has_lease,
        )
        job = _Job(sender, asyncio.create_task(sender.run(), name=name))
        self._jobs[name] = job
        return job

    def _ended(self, name: str, job: _Job) -> None:
        """A sender was told to, or its webhook is gone or another's, or it failed."""
        error = None if job.task.cancelled() else job.task.exception()
        if isinstance(error, LostError):
            self._known.mine.discard(name)
        elif error is not None and job.again_s is None:
            job.again_s = time.monotonic() + PAUSE_S
            _log.warning("a webhook's sender failed", webhook=name, error=type(error).__name__)
        if job.again_s is None or time.monotonic() >= job.again_s:
            del self._jobs[name]

    def _has_lease(self) -> bool:
        """Whether others still take us for alive, with some time to spare."""
        return time.monotonic() - self._renewed_s < LEASE_S / 2

    def _measure(self) -> None:
        now_ms = self._clock()
        oldest = [job.sender.oldest_ms for job in self._jobs.values()]
        waited = [now_ms - since_ms for since_ms in oldest if since_ms is not None]
        telemetry.DISPATCH_UNSENT_SECONDS.set(max(waited, default=0) / 1000)
        telemetry.DISPATCH_WEBHOOKS.set(len(self._jobs))


def _numbers(db: Connection) -> _Numbers:
    """By status how many there are, the newest, and all versions together."""
    row = webhook.c
    numbers = (func.count(), func.max(row.id), func.sum(row.version))
    query = select(row.status, *numbers).group_by(row.status).order_by(row.status)
    found = tuple((str(one[0]), int(one[1]), int(one[2]), int(one[3])) for one in db.execute(query))
    counts = {status: count for status, count, *_ in found}
    for status in ("active", "paused", "dead"):
        telemetry.WEBHOOKS.labels(status).set(counts.get(status, 0))
    return found


def _webhooks(db: Connection) -> dict[str, int]:
    query = select(webhook.c.public_id, webhook.c.version).limit(WEBHOOKS_MAX)
    return dict(map(tuple, db.execute(query).all()))
