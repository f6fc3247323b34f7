"""The records of a log in SQLite as they stand in its file, and what to make of a damaged one.

A record is sound when it has the checksum that it was written with, its position included. SQLite
itself notices damage to its pages' structure, not to what they hold.
"""

import contextlib
import sqlite3
from collections.abc import Sequence

from crc32c import crc32c

from services.runtime.event_log import Keyed, Stored
from services.runtime.sqlite_file import INSERT

PARTITION = 0
LAST_POSITION = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'record'), 0)"

_READ = (
    "SELECT position, key, value, checksum FROM record "
    "WHERE position >= ? ORDER BY position LIMIT ?"
)
_STEP_BY_STEP = 4_096
_MORE_ROWS = INSERT[INSERT.index("(?") :]
_INSERTS = [(rows, INSERT + f", {_MORE_ROWS}" * (rows - 1)) for rows in (256, 64, 16, 4, 1)]


def checksum(position: int, key: bytes, value: bytes) -> int:
    """Of a record, as it stands beside it."""
    return crc32c(key + value, position & 0xFFFF_FFFF)


def insert(
    connection: sqlite3.Connection, records: Sequence[Keyed], first: int, appended_ms: int
) -> None:
    """Write records from the position ``first`` on, within the transaction at hand.

    A statement for many rows costs less than many for one: it notes the last position once, and
    lets another thread run once.

    Raises:
        sqlite3.Error: they cannot be written.
    """
    place = first
    for rows, statement in _INSERTS:
        while place - first + rows <= len(records):
            values: list[object] = []
            for one in records[place - first : place - first + rows]:
                key, value = one.key, one.value
                values += (place, appended_ms, key, value, checksum(place, key, value))
                place += 1
            connection.execute(statement, values)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that its file is not as it was written."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def read_sound(
    connection: sqlite3.Connection, start: int, records_max: int, bytes_max: int
) -> list[Stored]:
    """The records from ``start`` on, up to the first that is missing or damaged.

    At most ``records_max``, and no more once they hold ``bytes_max``.

    Raises:
        sqlite3.Error: the file cannot be read just now.
    """
    found = _read(connection, start, records_max, bytes_max)
    # A cursor looks one row ahead: damage behind the first one hides that too.
    return found or _read(connection, start, 1, bytes_max)


def next_sound(connection: sqlite3.Connection, position: int, end: int) -> int:
    """The first position from ``position`` on, before ``end``, that can be read; else ``end``.

    Within a damaged stretch it goes step by step, and in growing strides only where thousands
    cannot be read: those lie below one page.

    Raises:
        sqlite3.Error: the file cannot be read just now.
    """
    steps = 0
    while position < end:
        try:
            row = connection.execute(_READ, (position, 1)).fetchone()
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
        else:
            if row is None:
                return end
            if position <= row[0] < end and _is_sound(*row):
                return int(row[0])
        steps += 1
        position += max(1, steps - _STEP_BY_STEP)
    return end


def _read(
    connection: sqlite3.Connection, start: int, records_max: int, bytes_max: int
) -> list[Stored]:
    records: list[Stored] = []
    size = 0
    try:
        # The statement ends with its cursor, wherever that was left.
        with contextlib.closing(connection.execute(_READ, (start, records_max))) as rows:
            for expected, (position, key, value, written) in enumerate(rows, start):
                if position != expected or not _is_sound(position, key, value, written):
                    break
                records.append(Stored(PARTITION, position, key, value))
                size += len(value)
                if size >= bytes_max:
                    break
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
    return records


def _is_sound(position: int, key: object, value: object, written: int | None) -> bool:
    """Records from before there were checksums have none."""
    if not isinstance(key, bytes) or not isinstance(value, bytes):
        return False
    return written is None or written == checksum(position, key, value)
