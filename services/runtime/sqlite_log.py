"""The log in one SQLite file: the tracker's spool, and the whole log of the embedded default.

One process writes and trims, others read. Everything is partition 0. Positions grow by one with
every record and are never used twice, so a missing one means damage or trimming, and is told.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from services.runtime.clock import now_ms
from services.runtime.event_log import Keyed, LogFullError, check_sizes
from services.runtime.reader_position import reader_position

FILE_NAME = "log.db"
PARTITION = 0
BUSY_TIMEOUT_S = 5.0

# AUTOINCREMENT: a plain key starts at 1 again once everything is trimmed, and readers would skip.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (log_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS record (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    appended_ms INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL
);
"""
_INSERT = "INSERT INTO record (appended_ms, key, value) VALUES (?, ?, ?)"
LAST_POSITION = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'record'), 0)"
_TRIM_UP_TO = """
SELECT max(position) FROM (
    SELECT position, appended_ms FROM record WHERE position < ? ORDER BY position LIMIT ?
) WHERE appended_ms < ?
"""


class SqliteLog:
    """The writing end: one process holds it, and uses it from one thread at a time.

    Args:
        directory: where the log lives; made if it is not there.
        readers: names of the readers that trimming waits for, see ``reader_position``.
        bytes_max: bound of the space that records take, in bytes.
        free_share_min: share of the disk that must stay free, 0-1.
        clock: UTC milliseconds.

    Raises:
        OSError: another process writes this log, or the folder cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        *,
        readers: Sequence[str] = (),
        bytes_max: int = 20 * 2**30,
        free_share_min: float = 0.1,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._readers = tuple(readers)
        self._bytes_max = bytes_max
        self._free_share_min = free_share_min
        self._clock = clock
        self._lock = _lock(directory / "writer.lock")
        try:
            self._connection = _connect(directory / FILE_NAME)
            self.log_id = self._prepare()
        except sqlite3.Error as error:
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
        check_sizes(records)
        appended_ms = self._clock()
        try:
            if reason := self.why_full():
                raise LogFullError(reason)
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                _INSERT, [(appended_ms, record.key, record.value) for record in records]
            )
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise _told(error) from error

    def why_full(self) -> str | None:
        """Why nothing more is taken; ``None`` while there is room. Costs some microseconds.

        Raises:
            OSError: it cannot be known.
        """
        used = self._used_bytes()
        if used >= self._bytes_max:
            return f"the log holds {used} bytes of at most {self._bytes_max}"
        disk = shutil.disk_usage(self._directory)
        if disk.free < disk.total * self._free_share_min:
            return f"only {disk.free} of {disk.total} bytes of the disk are free"
        return None

    def probe(self) -> None:
        """Write to the disk what stands there already.

        Raises:
            OSError: the log cannot be written.
        """
        try:
            self._connection.execute("UPDATE log SET log_id = log_id")
        except sqlite3.Error as error:
            self._roll_back()
            raise _told(error) from error

    def trim(self, keep_ms: int, records_max: int = 2_000) -> int:
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
        before_ms = self._clock() - keep_ms
        try:
            row = self._connection.execute(_TRIM_UP_TO, (lowest, records_max, before_ms)).fetchone()
            if row[0] is None:
                return 0
            # One statement is one transaction.
            done = self._connection.execute("DELETE FROM record WHERE position <= ?", row)
        except sqlite3.Error as error:
            self._roll_back()
            raise _told(error) from error
        return done.rowcount

    def close(self) -> None:
        """Let go of the file; another process may write then."""
        self._connection.close()
        os.close(self._lock)

    def _prepare(self) -> str:
        self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN IMMEDIATE")
        row = self._connection.execute("SELECT log_id FROM log").fetchone()
        log_id = str(row[0]) if row else f"spool-{secrets.token_hex(8)}"
        if not row:
            self._connection.execute("INSERT INTO log VALUES (?)", (log_id,))
        self._continue_after_readers(log_id)
        self._connection.execute("COMMIT")
        return log_id

    def _continue_after_readers(self, log_id: str) -> None:
        # A damaged write-ahead log can lose its tail silently. Positions that a reader has seen
        # must not be given out again: the reader would take the new records for old ones.
        known = (reader_position(self._directory, name, log_id) for name in self._readers)
        seen = max((position - 1 for position in known if position is not None), default=0)
        last = int(self._connection.execute(LAST_POSITION).fetchone()[0])
        if seen > last:
            self._connection.execute("DELETE FROM sqlite_sequence WHERE name = 'record'")
            self._connection.execute("INSERT INTO sqlite_sequence VALUES ('record', ?)", (seen,))

    def _lowest_reader(self) -> int | None:
        lowest: int | None = None
        for name in self._readers:
            position = reader_position(self._directory, name, self.log_id)
            if position is None:
                return None
            lowest = position if lowest is None else min(lowest, position)
        return lowest

    def _used_bytes(self) -> int:
        pages, free, page_bytes = (
            int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * page_bytes

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            # What cannot even roll back is of no use any more; closing undoes what was begun.
            self._connection.close()
            with contextlib.suppress(sqlite3.Error):
                self._connection = _connect(self._directory / FILE_NAME)


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise OSError(f"{path.parent} is in use: a log has one writer") from error
    return descriptor


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # After a burst the write-ahead log goes back to this size.
    connection.execute("PRAGMA journal_size_limit=67108864")
    return connection


def _told(error: sqlite3.Error) -> LogFullError | OSError:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return LogFullError(str(error))
    return OSError(f"the log could not be written: {error}")
