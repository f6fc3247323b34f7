"""The reading end of the log in one SQLite file; see :mod:`services.runtime.sqlite_log`."""

import sqlite3
import time
from pathlib import Path

from services.runtime.event_log import LogGapError, Positions, Stored
from services.runtime.sqlite_log import BUSY_TIMEOUT_S, FILE_NAME, LAST_POSITION, PARTITION

POLL_PAUSE_S = 0.01

_READ = "SELECT position, key, value FROM record WHERE position >= ? ORDER BY position LIMIT ?"
_FIRST = "SELECT min(position) FROM record"


class SqliteLogReader:
    """Reads from another thread or process than the one that writes. Use it from one thread.

    Every read is one short statement: a long one would keep the write-ahead log from shrinking.

    Args:
        directory: the log's.
        positions: asked once, at the first poll.

    Raises:
        OSError: there is no log yet, or it cannot be read.
    """

    def __init__(self, directory: Path, positions: Positions) -> None:
        path = directory / FILE_NAME
        if not path.exists():
            raise FileNotFoundError(f"no log in {directory} yet")
        self._positions = positions
        self._next: int | None = None
        self._paused = False
        try:
            self._connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=rw",
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            self.log_id = str(self._connection.execute("SELECT log_id FROM log").fetchone()[0])
        except (sqlite3.Error, TypeError) as error:
            raise OSError(f"the log in {directory} cannot be read yet: {error}") from error

    def poll(self, records_max: int, timeout_s: float) -> list[Stored]:
        """The next records, in order; see ``LogReader.poll``."""
        deadline = time.monotonic() + timeout_s
        while True:
            records = [] if self._paused else self._read(records_max)
            left_s = deadline - time.monotonic()
            if records or left_s <= 0:
                return records
            time.sleep(min(POLL_PAUSE_S, left_s))

    def seek(self, partition: int, offset: int) -> None:
        """Go on from ``offset``; the only partition is 0."""
        if partition != PARTITION:
            raise ValueError(f"this log has no partition {partition}")
        self._next = offset

    def pause(self) -> None:
        """Let :meth:`poll` return nothing."""
        self._paused = True

    def resume(self) -> None:
        """End of :meth:`pause`."""
        self._paused = False

    def lag(self) -> int:
        """How many records :meth:`poll` has still to return."""
        return self._end() - self._where()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _read(self, records_max: int) -> list[Stored]:
        start = self._where()
        rows = self._query(_READ, (start, records_max))
        if not rows:
            self._check_at_end(start)
            return []
        whole = _contiguous(rows, start)
        if not whole:
            raise LogGapError(PARTITION, start, rows[0][0])
        self._next = start + len(whole)
        return whole

    def _check_at_end(self, position: int) -> None:
        end = self._end()
        # The record may have come in between; only one that was passed by is gone.
        if position > end or (position < end and not self._query(_READ, (position, 1))):
            raise LogGapError(PARTITION, position, end)

    def _where(self) -> int:
        if self._next is None:
            position = self._positions(self.log_id, PARTITION)
            self._next = self._first() if position is None else position
        return self._next

    def _first(self) -> int:
        first = self._query(_FIRST)[0][0]
        return self._end() if first is None else int(first)

    def _end(self) -> int:
        return int(self._query(LAST_POSITION)[0][0]) + 1

    def _query(
        self, statement: str, values: tuple[int, ...] = ()
    ) -> list[tuple[int, bytes, bytes]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise OSError(f"the log could not be read: {error}") from error


def _contiguous(rows: list[tuple[int, bytes, bytes]], start: int) -> list[Stored]:
    """The rows up to the first missing position."""
    records = []
    for expected, (position, key, value) in enumerate(rows, start):
        if position != expected:
            break
        records.append(Stored(PARTITION, position, key, value))
    return records
