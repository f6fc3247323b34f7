"""One thread that appends to the log whatever queued up during its previous commit."""

import asyncio
import queue
import threading
import time
from typing import NamedTuple

import structlog

from services.runtime.event_log import LogFullError, Record
from services.runtime.sqlite_log import SqliteLog
from services.tracker import metrics
from services.tracker.reasons import RequestReason

QUEUE_EVENTS_MAX = 20_000
QUEUE_BYTES_MAX = 64 * 2**20
COMMIT_EVENTS_MAX = 5_000
CLOSE_SECONDS_MAX = 10.0
KEEP_MS = 3_600_000
"""How long records stay after every reader is done with them: a broker that lost its memory can
be filled again from the last hour."""

_HOUSEKEEPING_S = 1.0
_TRIM_RECORDS_MAX = 2_000

_log = structlog.get_logger(__name__)


class _Waiting(NamedTuple):
    records: list[Record]
    size: int
    stored: asyncio.Future[RequestReason | None]


class SpoolWriter:
    """Stores records durably, many requests in one commit.

    ``store`` belongs to the event loop that made the writer, all access to the log to the
    writer's thread.
    """

    def __init__(self, log: SqliteLog) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._queued_events = 0
        self._queued_bytes = 0
        self._closing = False
        self._housekeeping_due_s = 0.0
        self.trouble: str | None = None
        """Why nothing can be stored now; None while it can."""
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
        self._thread.start()

    def store(self, records: list[Record]) -> asyncio.Future[RequestReason | None]:
        """Done when the records are on disk (None), or cannot be stored (the reason)."""
        stored: asyncio.Future[RequestReason | None] = self._loop.create_future()
        size = sum([len(record.value) for record in records])
        if (
            self._closing
            or self._queued_events + len(records) > QUEUE_EVENTS_MAX
            or self._queued_bytes + size > QUEUE_BYTES_MAX
        ):
            stored.set_result("busy")
            return stored
        self._queued_events += len(records)
        self._queued_bytes += size
        self._queue.put(_Waiting(records, size, stored))
        return stored

    def is_alive(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    async def close(self) -> None:
        """Store what waits, then end; at most CLOSE_SECONDS_MAX."""
        self._closing = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, CLOSE_SECONDS_MAX)
        if self._thread.is_alive():
            _log.error("spool writer did not end in time", waiting_events=self._queued_events)

    def _run(self) -> None:
        while True:
            waiting, closing = self._take()
            if waiting:
                reason = self._commit([record for one in waiting for record in one.records])
                self._loop.call_soon_threadsafe(self._settle, waiting, reason)
            if closing:
                return
            if time.monotonic() >= self._housekeeping_due_s:
                self._keep_house()

    def _take(self) -> tuple[list[_Waiting], bool]:
        """What waits now, at least one unless nothing comes; and whether that was the last."""
        waiting: list[_Waiting] = []
        events = 0
        try:
            one = self._queue.get(timeout=_HOUSEKEEPING_S)
            while one is not None:
                waiting.append(one)
                events += len(one.records)
                if events >= COMMIT_EVENTS_MAX:
                    return waiting, False
                one = self._queue.get_nowait()
        except queue.Empty:
            return waiting, False
        return waiting, True

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

    def _settle(self, waiting: list[_Waiting], reason: RequestReason | None) -> None:
        for one in waiting:
            self._queued_events -= len(one.records)
            self._queued_bytes -= one.size
            if not one.stored.done():
                one.stored.set_result(reason)
        metrics.QUEUE_EVENTS.set(self._queued_events)

    def _keep_house(self) -> None:
        """Let go of records that nobody needs, and see whether there is room again."""
        self._housekeeping_due_s = time.monotonic() + _HOUSEKEEPING_S
        try:
            trimmed = self._log.trim(KEEP_MS, _TRIM_RECORDS_MAX)
            self.trouble = self._log.why_full()
        except OSError as error:
            self._failed("log_failed", error)
            return
        metrics.RECORDS_TRIMMED.inc(trimmed)
        if trimmed == _TRIM_RECORDS_MAX:
            self._housekeeping_due_s = 0.0  # there is more, but those who wait come first
