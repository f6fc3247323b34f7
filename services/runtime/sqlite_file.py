"""The file that a log in SQLite stands in: its name, its tables, who may write it."""

import fcntl
import os
import sqlite3
from pathlib import Path

BUSY_TIMEOUT_S = 5.0
INSERT = "INSERT INTO record (position, appended_ms, key, value, checksum) VALUES (?, ?, ?, ?, ?)"
INSERT_NEW = INSERT.replace("INSERT", "INSERT OR IGNORE")

# AUTOINCREMENT: a plain key starts at 1 again once everything is trimmed, and readers would skip.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (log_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS record (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    appended_ms INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    checksum INTEGER
);
"""
_NAME = "log.{}db"


def file_of(directory: Path, generation: int) -> Path:
    """The file of a log: ``log.db``, and after its first repair ``log.1.db``, and so on."""
    return directory / _NAME.format(f"{generation}." if generation else "")


def generation_of(directory: Path) -> int:
    """The newest one that is there; 0 where there is none yet."""
    numbers = [file.name.split(".")[1] for file in directory.glob(_NAME.format("*."))]
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def newest_file(directory: Path) -> Path:
    """The file that the log is in now, be it there or not."""
    return file_of(directory, generation_of(directory))


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables that are not there."""
    connection.executescript(_SCHEMA)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(record)")}
    if "checksum" not in columns:  # a log of before there were checksums
        connection.execute("ALTER TABLE record ADD COLUMN checksum INTEGER")


def set_last_position(connection: sqlite3.Connection, position: int) -> None:
    """Let the next record come after this position."""
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'record'")
    connection.execute("INSERT INTO sqlite_sequence VALUES ('record', ?)", (position,))


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the records take; what is free within the file is not counted."""
    pages, free, page_bytes = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page_bytes


def lock(path: Path) -> int:
    """Hold a file against every other process; closing the descriptor lets it go.

    Raises:
        OSError: another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise OSError(f"{path.parent} is in use: a log has one writer") from error
    return descriptor


def connect(path: Path) -> sqlite3.Connection:
    """The writer's connection: what it commits is on disk."""
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # After a burst the write-ahead log goes back to this size.
    connection.execute("PRAGMA journal_size_limit=67108864")
    return connection
