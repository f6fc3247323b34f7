"""The reading end of the log in one SQLite file; see :mod:`services.runtime.sqlite_log`."""

import sqlite3
import time
from pathlib import Path

from services.runtime.event_log import LogGapError, Positions, Stored
from services.runtime.sqlite_file import BUSY_TIMEOUT_S, file_of, generation_of
from services.runtime.sqlite_records import LAST_POSITION, PARTITION, next_sound, read_sound

POLL_PAUSE_S = 0.01
POLL_BYTES_MAX = 16_000_000
"""One poll returns no more than about this, however many records were asked for."""

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
        self._directory = directory
        self._positions = positions
        self._next: int | None = None
        self._paused = False
        self._open()

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

    def _open(self) -> None:
        """Open the newest file of the log."""
        self._generation = generation_of(self._directory)
        path = file_of(self._directory, self._generation)
        if not path.exists():
            raise FileNotFoundError(f"no log in {self._directory} yet")
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
            raise OSError(f"the log in {self._directory} cannot be read yet: {error}") from error

    def _read(self, records_max: int) -> list[Stored]:
        try:
            return self._read_here(records_max)
        except (LogGapError, OSError):
            if not self._is_repaired():
                raise
        return []

    def _is_repaired(self) -> bool:
        """Whether a damaged file was made anew; if so, we read the new one from now on."""
        if not file_of(self._directory, self._generation + 1).exists():
            return False
        self._connection.close()
        self._open()
        return True

    def _read_here(self, records_max: int) -> list[Stored]:
        start = self._where()
        try:
            records = read_sound(self._connection, start, records_max, POLL_BYTES_MAX)
            if not records:
                self._check_at_end(start)
        except sqlite3.Error as error:
            raise OSError(f"the log could not be read: {error}") from error
        self._next = start + len(records)
        return records

    def _check_at_end(self, position: int) -> None:
        """Nothing could be read: there is nothing yet, or something is gone."""
        end = self._end()
        if position > end:
            raise LogGapError(PARTITION, position, end)
        if position == end:
            self._is_repaired()
            return
        found = next_sound(self._connection, position, end)
        # The record may have come in between; only one that was passed by is gone.
        if found > position:
            raise LogGapError(PARTITION, position, found)

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
