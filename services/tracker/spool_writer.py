"""One thread that appends to the log whatever queued up during its previous commit."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable

import msgspec
import structlog

from services.runtime.event_log import LogFullError, Record
from services.runtime.sqlite_log import TRIM_RECORDS_MAX, SqliteLog
from services.tracker import metrics
from services.tracker.reasons import RequestReason

QUEUE_EVENTS_MAX = 20_000
QUEUE_BYTES_MAX = 64 * 2**20
CLOSE_SECONDS_MAX = 10.0

_HOUSEKEEPING_S = 1.0

_log = structlog.get_logger(__name__)

Done = Callable[[RequestReason | None], None]
"""Told when records are on disk (None), or cannot be stored (the reason)."""


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    records: list[Record]
    size: int
    done: Done


class SpoolWriter:
    """Stores records durably, many requests in one commit.

    What the event loop takes in during one turn is handed to the thread together, and what comes
    while the thread commits goes together into its next commit. So the two threads meet twice per
    commit, not twice per request, and nothing lingers. All but :meth:`_run` and what it calls
    belongs to the event loop's thread; the log belongs to the writer's.
    """

    def __init__(self, log: SqliteLog) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._queue: list[_Waiting] = []
        self._events = 0
        self._bytes = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False
        self._jobs: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self.trouble: str | None = None
        """Why nothing can be stored now; None while it can."""
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
        self._thread.start()

    def store(self, records: list[Record], done: Done) -> None:
        """Store records; ``done`` is called once, in the loop's thread."""
        size = sum([len(record.value) for record in records])
        if (
            self._closing
            or self._events + len(records) > QUEUE_EVENTS_MAX
            or self._bytes + size > QUEUE_BYTES_MAX
        ):
            done("busy")
            return
        self._events += len(records)
        self._bytes += size
        self._queue.append(_Waiting(records, size, done))
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._hand_over)

    def is_alive(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    async def close(self) -> None:
        """Store what waits, then end; at most CLOSE_SECONDS_MAX."""
        self._closing = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await self._idle.wait()
                self._jobs.put(None)
                await asyncio.to_thread(self._thread.join, CLOSE_SECONDS_MAX)
        except TimeoutError:
            _log.error("spool writer did not end in time", waiting_events=self._events)

    def _hand_over(self) -> None:
        """Give the thread what waits; until it is done, more may gather."""
        batch, self._queue = self._queue, []
        self._jobs.put(batch)

    def _settle(self, batch: list[_Waiting], reason: RequestReason | None) -> None:
        for one in batch:
            self._events -= len(one.records)
            self._bytes -= one.size
            try:
                one.done(reason)
            except Exception as error:  # noqa: BLE001 - the others must still get theirs
                _log.error("an answer failed", error=repr(error))
        metrics.QUEUE_EVENTS.set(self._events)
        if self._queue:
            # One turn later: what came meanwhile goes into the same commit. That takes what is
            # there already, so nothing lingers.
            self._loop.call_soon(self._hand_over)
        else:
            self._idle.set()

    def _run(self) -> None:
        house_due_s = 0.0
        while True:
            try:
                batch = self._jobs.get(timeout=_HOUSEKEEPING_S)
            except queue.Empty:
                batch = []
            if batch is None:
                return
            if batch:
                reason = self._commit([record for one in batch for record in one.records])
                self._loop.call_soon_threadsafe(self._settle, batch, reason)
            if time.monotonic() >= house_due_s:
                house_due_s = time.monotonic() + self._keep_house()

    def _commit(self, records: list[Record]) -> RequestReason | None:
        begun_s = time.perf_counter()
        try:
            self._log.append(records)
        except LogFullError as error:
            return self._failed("log_full", error)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told
            return self._failed("log_failed", error)
        self.trouble = None
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - begun_s)
        metrics.COMMIT_EVENTS.observe(len(records))
        metrics.EVENTS_STORED.inc(len(records))
        return None

    def _failed(self, reason: RequestReason, error: Exception) -> RequestReason:
        if self.trouble is None:
            _log.error("log takes nothing", reason=reason, error=str(error))
        self.trouble = str(error)
        return reason

    def _keep_house(self) -> float:
        """Let go of records that nobody needs, and see whether there is room again.

        Returns the seconds until it is due again: none if there is more to trim, but those who
        wait come first.
        """
        try:
            trimmed = self._log.trim()
            if self.trouble is not None:
                # Nobody may be sent here any more, so nobody else would find out.
                self._log.probe()
            self.trouble = self._log.why_full()
            self._log.tell()
        except OSError as error:
            self._failed("log_failed", error)
            return _HOUSEKEEPING_S
        metrics.RECORDS_TRIMMED.inc(trimmed)
        return 0.0 if trimmed == TRIM_RECORDS_MAX else _HOUSEKEEPING_S
