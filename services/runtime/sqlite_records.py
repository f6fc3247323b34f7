"""The records of a log in SQLite as they stand in its file, and what to make of a damaged one.

A record is sound when its position is there and its bytes have the checksum that they were
written with. SQLite itself notices damage to its pages' structure, not to what they hold.
"""

import sqlite3
from collections.abc import Iterable

from crc32c import crc32c

from services.runtime.event_log import Stored

PARTITION = 0
LAST_POSITION = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'record'), 0)"
READ = (
    "SELECT position, key, value, checksum FROM record "
    "WHERE position >= ? ORDER BY position LIMIT ?"
)

_STEP_BY_STEP = 4_096

Row = tuple[int, bytes, bytes, int | None]


def checksum(key: bytes, value: bytes) -> int:
    """Of a record, as it stands beside it."""
    return crc32c(value, crc32c(key))


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that its file is not as it was written."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def sound_rows(rows: Iterable[Row], start: int, bytes_max: int) -> list[Stored]:
    """The rows up to the first that is missing or damaged, or until there are bytes enough."""
    records: list[Stored] = []
    expected, size = start, 0
    try:
        for position, key, value, written in rows:
            if position != expected or not _is_sound(key, value, written):
                break
            records.append(Stored(PARTITION, position, key, value))
            expected += 1
            size += len(value)
            if size >= bytes_max:
                break
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
    return records


def next_sound(connection: sqlite3.Connection, position: int, end: int) -> int:
    """The first position from ``position`` on, before ``end``, that can be read; else ``end``.

    Within a damaged stretch it goes step by step, and in growing strides only where thousands
    cannot be read: those lie below one page.

    Raises:
        sqlite3.Error: the file cannot be read at all just now.
    """
    steps = 0
    while position < end:
        try:
            row = connection.execute(READ, (position, 1)).fetchone()
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            steps += 1
            position += max(1, steps - _STEP_BY_STEP)
            continue
        if row is None:
            return end
        if _is_sound(*row[1:]):
            return int(row[0])
        position = row[0] + 1
    return end


def _is_sound(key: object, value: object, written: int | None) -> bool:
    """Records from before there were checksums have none."""
    if not isinstance(key, bytes) or not isinstance(value, bytes):
        return False
    return written is None or written == checksum(key, value)
