"""Copies the spool into Kafka, in order; its position moves after the acknowledgement."""

import contextlib
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog

from services.runtime import telemetry
from services.runtime.event_log import EventLog, LogGapError, Stored
from services.runtime.reader_position import reader_position, save_reader_position
from services.runtime.sqlite_log_reader import SqliteLogReader

READER = "relay"
"""The name of the relay's position file, for the tracker that trims."""

BATCH_RECORDS_MAX = 4_000
POLL_S = 0.5
GATHER_S = 0.05
"""So long records may gather when few came: each batch costs a round trip, and the tracker may be
on the same core."""
SAVE_S = 0.5
"""So long the position may stay unsaved while more comes: to save it costs two fsyncs, and the
tracker's answers wait for the same disk. A relay that was killed sends again what it had sent since
then, and whoever reads the log tells copies by their event id."""
BACKOFF_MIN_S = 0.2
BACKOFF_MAX_S = 10.0

_log = structlog.get_logger()

Result = TypeVar("Result")


class Relay:
    """One per spool. :meth:`run` it in a thread; :meth:`stop` it from any other.

    At most one batch is in memory. A batch that was not acknowledged is sent again until it is,
    so Kafka may hold a record twice, but never misses one.

    Args:
        spool: the tracker's folder; it need not exist yet.
        kafka: where to; closed by whoever opened it.
        backoff_max_s: longest pause between two tries while the broker is away.
    """

    def __init__(
        self, spool: Path, kafka: EventLog, *, backoff_max_s: float = BACKOFF_MAX_S
    ) -> None:
        self._spool = spool
        self._kafka = kafka
        self._backoff_max_s = backoff_max_s
        self._stop = threading.Event()
        self._unsaved: int | None = None
        """All before this offset is acknowledged, and that is not saved yet."""
        self._save_due_s = 0.0
        self._trouble: str | None = "not started"

    def run(self) -> None:
        """Copy until stopped."""
        reader = self._persist(self._open)
        if reader is None:
            return
        try:
            while not self._stop.is_set():
                self._persist(lambda: self._copy_batch(reader))
        finally:
            with contextlib.suppress(OSError):
                self._save(reader)
            reader.close()

    def stop(self) -> None:
        """Ask :meth:`run` to return after the batch at hand."""
        self._stop.set()

    def why_not_ready(self) -> str | None:
        """Why nothing is being copied at this moment; ``None`` while all is well."""
        return self._trouble

    def _open(self) -> SqliteLogReader:
        return SqliteLogReader(
            self._spool, lambda log_id, _partition: reader_position(self._spool, READER, log_id)
        )

    def _copy_batch(self, reader: SqliteLogReader) -> None:
        batch = _read(reader)
        # Told before it is sent as well, for that is when it grows.
        telemetry.RELAY_LAG.set(len(batch) + reader.lag())
        if batch:
            self._send(reader, batch)
            self._unsaved = batch[-1].offset + 1
        lag = reader.lag()
        telemetry.RELAY_LAG.set(lag)
        if lag == 0 or time.monotonic() >= self._save_due_s:
            self._save(reader)
        if batch and lag < BATCH_RECORDS_MAX:
            self._stop.wait(GATHER_S)

    def _save(self, reader: SqliteLogReader) -> None:
        if self._unsaved is not None:
            save_reader_position(self._spool, READER, reader.log_id, self._unsaved)
            self._unsaved = None
            self._save_due_s = time.monotonic() + SAVE_S

    def _send(self, reader: SqliteLogReader, batch: list[Stored]) -> None:
        started = time.monotonic()
        try:
            self._kafka.append(batch)
        except OSError:
            telemetry.RELAY_FAILURES.inc()
            reader.seek(batch[0].partition, batch[0].offset)
            raise
        telemetry.RELAY_BATCH_SECONDS.observe(time.monotonic() - started)
        telemetry.RELAYED.inc(len(batch))

    def _persist(self, action: Callable[[], Result]) -> Result | None:
        """Try until it is done; ``None`` when stopped before that."""
        pause_s = BACKOFF_MIN_S
        while not self._stop.is_set():
            try:
                result = action()
            except OSError as error:
                self._trouble = str(error)
                _log.warning("relay waits", reason=self._trouble)
                # Jitter: relays that failed together shall not come back together.
                self._stop.wait(random.uniform(0.5, 1.0) * pause_s)  # noqa: S311
                pause_s = min(2 * pause_s, self._backoff_max_s)
            else:
                self._trouble = None
                return result
        return None


def _read(reader: SqliteLogReader) -> list[Stored]:
    """The next batch; over what damage took away, told and counted, it goes on behind."""
    try:
        return reader.poll(BATCH_RECORDS_MAX, POLL_S)
    except LogGapError as gap:
        lost = max(0, gap.found - gap.expected)
        telemetry.LOG_GAP_RECORDS.labels(READER).inc(lost)
        _log.error("records are gone from the spool", expected=gap.expected, found=gap.found)
        reader.seek(gap.partition, gap.found)
        return []
