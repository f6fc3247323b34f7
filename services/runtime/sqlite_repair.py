"""Makes a log in SQLite anew of what can be read of a damaged one.

The new file has the next generation's name, so that readers that hold the damaged one open are not
disturbed; they go over to it when they see it. Positions stay what they were: what could not be
read is missing, and readers tell it as a gap. The damaged file is kept, until the next repair.
"""

import contextlib
import itertools
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import structlog

from services.runtime import telemetry
from services.runtime.event_log import Stored
from services.runtime.sqlite_file import (
    INSERT_NEW,
    file_of,
    generation_of,
    prepare,
    set_last_position,
)
from services.runtime.sqlite_pages import records_in_pages
from services.runtime.sqlite_records import LAST_POSITION, checksum, next_sound, read_sound

_BATCH_RECORDS = 1_000
_BATCH_BYTES = 8_000_000

_log = structlog.get_logger(__name__)


def repair(directory: Path, log_id: str, last: int, now_ms: int) -> None:
    """Leave a sound file of the next generation in ``directory``; only the writer may do it.

    Args:
        directory: the log's.
        log_id: the log's.
        last: the last position that was given out, as far as is known.
        now_ms: taken as the records' time of arrival, so that they are kept long enough.

    Raises:
        OSError: no new file could be written; the damaged one is as it was.
    """
    damaged = generation_of(directory)
    fresh = file_of(directory, damaged + 1)
    part = fresh.with_suffix(".part")
    part.unlink(missing_ok=True)
    _log.error("the log is damaged; what can be read of it is put into a new file", file=fresh.name)
    try:
        kept = _copy(file_of(directory, damaged), part, log_id, last, now_ms)
    except sqlite3.Error as error:
        raise OSError(f"the log is damaged and could not be made anew: {error}") from error
    part.rename(fresh)
    _make_durable(directory)
    if damaged:
        for suffix in ("", "-wal", "-shm"):
            older = file_of(directory, damaged - 1)
            older.with_name(older.name + suffix).unlink(missing_ok=True)
    telemetry.LOG_REPAIRS.inc()
    _log.error("the log works again", kept_records=kept, last_position=last)


def _copy(damaged: Path, part: Path, log_id: str, last: int, now_ms: int) -> int:
    kept = 0
    with (
        contextlib.closing(sqlite3.connect(part, isolation_level=None)) as new,
        contextlib.closing(sqlite3.connect(damaged, isolation_level=None)) as old,
    ):
        new.execute("PRAGMA synchronous=FULL")
        prepare(new)
        new.execute("BEGIN")
        new.execute("INSERT INTO log VALUES (?)", (log_id,))
        for record in itertools.chain(_asked_for(old, last), records_in_pages(damaged)):
            place = record.offset
            written = checksum(place, record.key, record.value)
            row = (place, now_ms, record.key, record.value, written)
            kept += new.execute(INSERT_NEW, row).rowcount
        set_last_position(new, max(last, new.execute(LAST_POSITION).fetchone()[0]))
        new.execute("COMMIT")
    return kept


def _asked_for(old: sqlite3.Connection, last: int) -> Iterator[Stored]:
    """All that SQLite can find, in order."""
    try:
        end = max(last, int(old.execute(LAST_POSITION).fetchone()[0])) + 1
    except sqlite3.Error:
        end = last + 1
    try:
        position = next_sound(old, 1, end)
        while position < end:
            batch = read_sound(old, position, _BATCH_RECORDS, _BATCH_BYTES)
            yield from batch
            position = next_sound(old, position + max(1, len(batch)), end)
    except sqlite3.Error as error:
        _log.error("nothing more of the damaged log can be asked for", error=str(error))


def _make_durable(directory: Path) -> None:
    """A new name is durable only with its folder."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
