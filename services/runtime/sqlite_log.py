"""The log in one SQLite file: the tracker's spool, and the whole log of the embedded default.

One process writes and trims, others read. Everything is partition 0. Positions grow by one with
every record and are never used twice, so a missing one means damage or trimming, and is told.
A damaged file is made anew of what can be read of it (``sqlite_repair``).
"""

import contextlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import structlog

from services.runtime import telemetry
from services.runtime.clock import now_ms
from services.runtime.event_log import Keyed, LogFullError, checked_bytes
from services.runtime.log_mark import LogMark
from services.runtime.reader_position import reader_position
from services.runtime.sqlite_file import (
    connect,
    lock,
    newest_file,
    prepare,
    set_last_position,
    used_bytes,
)
from services.runtime.sqlite_records import LAST_POSITION, insert, is_damage
from services.runtime.sqlite_repair import repair

BYTES_MAX = 20 * 2**30
FREE_BYTES_ENOUGH = 10 * 2**30
"""However large the disk is, so much free room is enough."""
KEEP_MS = 3_600_000
"""How long records stay after every reader is done with them: a broker that lost its memory can
be filled again from the last hour."""
TRIM_RECORDS_MAX = 2_000

_TRIM_UP_TO = """
SELECT max(position) FROM (
    SELECT position, appended_ms FROM record WHERE position < ? ORDER BY position LIMIT ?
) WHERE appended_ms < ?
"""
_ARRIVAL = "SELECT appended_ms FROM record WHERE position >= ? ORDER BY position LIMIT 1"

_log = structlog.get_logger(__name__)

Result = TypeVar("Result")


class SqliteLog:
    """The writing end: one process holds it, and uses it from one thread at a time.

    Args:
        directory: where the log lives; made if it is not there.
        readers: names of the readers that trimming waits for, see ``reader_position``.
        bytes_max: bound of the space that records take, in bytes.
        free_share_min: share of the disk that must stay free, 0-1, or ``FREE_BYTES_ENOUGH``.
        keep_ms: how long records stay after every reader is done with them.
        clock: UTC milliseconds.

    Raises:
        OSError: another process writes this log, or the folder cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        *,
        readers: Sequence[str] = (),
        bytes_max: int = BYTES_MAX,
        free_share_min: float = 0.0,
        keep_ms: int = KEEP_MS,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._readers = tuple(readers)
        self._bytes_max = bytes_max
        self._free_share_min = free_share_min
        self._next: int | None = None
        """The next position, where the last commit is known to have been made."""
        self._room_bytes = 0
        """So much may be appended before it is asked again whether there is room."""
        self._keep_ms = keep_ms
        self._clock = clock
        self._lock = lock(directory / "writer.lock")
        try:
            self._mark = LogMark(directory)
        except OSError:
            os.close(self._lock)
            raise
        self.log_id, self._last = self._mark.read() or ("", 0)
        try:
            self._connection = self._open()
        except (OSError, sqlite3.Error) as error:
            self._mark.close()
            os.close(self._lock)
            raise OSError(f"the log in {directory} cannot be opened: {error}") from error

    def append(self, records: Sequence[Keyed]) -> None:
        """Store all records in one transaction; they are on disk when it returns.

        Raises:
            ValueError: a record is too large; nothing was stored.
            LogFullError: no room; nothing was stored.
            OSError: it could not be stored.
        """
        if not records:
            return
        size = checked_bytes(records)
        appended_ms = self._clock()
        if size > self._room_bytes and (reason := self.why_full()):
            raise LogFullError(reason)
        self._sound(lambda: self._insert(records, appended_ms))
        self._room_bytes -= size
        self._mark.write(self.log_id, self._last)

    def why_full(self) -> str | None:
        """Why nothing more is taken; ``None`` while there is room.

        It is asked again whenever a thousandth of the log was appended: it costs as much as a
        record or two.

        Raises:
            OSError: it cannot be known.
        """
        self._room_bytes = 0
        used = self._sound(lambda: used_bytes(self._connection))
        if used >= self._bytes_max:
            return f"the log holds {used} bytes of at most {self._bytes_max}"
        disk = shutil.disk_usage(self._directory)
        wanted = min(disk.total * self._free_share_min, FREE_BYTES_ENOUGH)
        if disk.free < wanted:
            return (
                f"only {disk.free / 2**30:.1f} GB of the spool's disk are free, and "
                f"{wanted / 2**30:.1f} are to stay so (KENTERING_SPOOL_FREE_PERCENT_MIN)"
            )
        self._room_bytes = self._bytes_max // 1000
        return None

    def probe(self) -> None:
        """Write to the disk what stands there already.

        Raises:
            OSError: the log cannot be written.
        """
        self._sound(lambda: self._connection.execute("UPDATE log SET log_id = log_id"))

    def trim(self, records_max: int = TRIM_RECORDS_MAX) -> int:
        """Delete what every registered reader is done with and is older than ``keep_ms``.

        Nothing while a registered reader's position is missing. At most ``records_max`` records,
        so that appending waits some 10 ms at most; call it again while it returns that many.
        Returns how many were deleted.

        Raises:
            OSError: it could not be done; nothing was deleted.
        """
        lowest = self._lowest_reader()
        if lowest is None:
            return 0
        bounds = (lowest, records_max, self._clock() - self._keep_ms)
        return self._sound(lambda: self._delete(bounds))

    def tell(self) -> None:
        """Say in the metrics how much the log holds, how much of it waits, and since when.

        Raises:
            OSError: it cannot be known.
        """
        disk = shutil.disk_usage(self._directory)
        telemetry.LOG_BYTES.set(self._sound(lambda: used_bytes(self._connection)))
        telemetry.LOG_BYTES_MAX.set(self._bytes_max)
        telemetry.LOG_DISK_FREE.set(disk.free / disk.total)
        waiting = self._lowest_reader() or 1
        arrived_ms = self._sound(lambda: self._connection.execute(_ARRIVAL, (waiting,)).fetchone())
        telemetry.LOG_UNREAD_RECORDS.set(max(0, self._last + 1 - waiting) if arrived_ms else 0)
        waited_ms = self._clock() - arrived_ms[0] if arrived_ms else 0
        telemetry.LOG_UNREAD_SECONDS.set(max(0, waited_ms) / 1000)

    def close(self) -> None:
        """Let go of the file; another process may write then."""
        self._connection.close()
        self._mark.close()
        os.close(self._lock)

    def _sound(self, work: Callable[[], Result]) -> Result:
        """Do it; where the file turns out to be damaged, repair that and do it again."""
        try:
            try:
                return work()
            except sqlite3.Error as error:
                self._roll_back()
                if not is_damage(error):
                    raise
            self._connection.close()
            repair(self._directory, self.log_id, self._last, self._clock())
            self._connection = self._open()
            return work()
        except sqlite3.Error as error:
            self._roll_back()
            raise _told(error) from error

    def _insert(self, records: Sequence[Keyed], appended_ms: int) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        first, self._next = self._next, None
        if first is None:
            first = int(self._connection.execute(LAST_POSITION).fetchone()[0]) + 1
        insert(self._connection, records, first, appended_ms)
        self._connection.execute("COMMIT")
        self._last = first + len(records) - 1
        self._next = self._last + 1

    def _delete(self, bounds: tuple[int, int, int]) -> int:
        row = self._connection.execute(_TRIM_UP_TO, bounds).fetchone()
        if row[0] is None:
            return 0
        # One statement is one transaction.
        return self._connection.execute("DELETE FROM record WHERE position <= ?", row).rowcount

    def _open(self) -> sqlite3.Connection:
        """The newest file, ready; made anew where even that shows that it is damaged.

        Raises:
            sqlite3.Error: it cannot be opened.
            OSError: it is damaged and cannot be made anew.
        """
        for left in self._directory.glob("*.part"):
            left.unlink()  # a repair that was cut short
        try:
            return self._connect_and_prepare()
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
        log_id = self.log_id or _new_id()
        repair(self._directory, log_id, self._seen(log_id), self._clock())
        return self._connect_and_prepare()

    def _connect_and_prepare(self) -> sqlite3.Connection:
        connection = connect(newest_file(self._directory))
        try:
            self._prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._next = None
        prepare(connection)
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute("SELECT log_id FROM log").fetchone()
        log_id = str(row[0]) if row else self.log_id or _new_id()
        if not row:
            connection.execute("INSERT INTO log VALUES (?)", (log_id,))
        if log_id != self.log_id:  # the mark is of another log, or there is none
            self.log_id, self._last = log_id, 0
        last = int(connection.execute(LAST_POSITION).fetchone()[0])
        if last < self._last:
            _log.error("the log's end is gone", expected=self._last, found=last)
        # A damaged write-ahead log can lose its tail silently. Positions that were given out must
        # not be given out again: a reader would take the new records for old ones.
        self._last = max(last, self._seen(log_id))
        if self._last > last:
            set_last_position(connection, self._last)
        connection.execute("COMMIT")

    def _seen(self, log_id: str) -> int:
        """The last position that was given out, as the mark and the readers know it."""
        known = (reader_position(self._directory, name, log_id) for name in self._readers)
        seen = max((position - 1 for position in known if position is not None), default=0)
        return max(seen, self._last)

    def _lowest_reader(self) -> int | None:
        lowest: int | None = None
        for name in self._readers:
            position = reader_position(self._directory, name, self.log_id)
            if position is None:
                return None
            lowest = position if lowest is None else min(lowest, position)
        return lowest

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            # What cannot even roll back is of no use any more; closing undoes what was begun.
            self._connection.close()
            with contextlib.suppress(sqlite3.Error):
                self._connection = connect(newest_file(self._directory))


def _new_id() -> str:
    return f"spool-{secrets.token_hex(8)}"


def _told(error: sqlite3.Error) -> LogFullError | OSError:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return LogFullError(str(error))
    return OSError(f"the log could not be written: {error}")
