"""How far the readers of a spool are: one small file each, ``readers/NAME`` beside the spool.

A reader writes its file after its own effects are durable (the relay after the broker's
acknowledgement, the embedded scorer after its database's commit); the spool's one writer reads
all of them before it trims. A file belongs to one log: beside another one it counts as missing.
"""

import json
import os
from pathlib import Path


def reader_position(directory: Path, name: str, log_id: str) -> int | None:
    """The next offset that reader ``name`` wants of log ``log_id``; ``None`` if not known."""
    try:
        stored = json.loads((directory / "readers" / name).read_bytes())
        return int(stored["next"]) if stored["log_id"] == log_id else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def save_reader_position(directory: Path, name: str, log_id: str, next_offset: int) -> None:
    """Store that everything before ``next_offset`` is done with; durable when it returns.

    Raises:
        OSError: the file could not be written; the one before stands.
    """
    folder = directory / "readers"
    folder.mkdir(exist_ok=True)
    temporary = folder / f".{name}.new"
    with temporary.open("wb") as file:
        file.write(json.dumps({"log_id": log_id, "next": next_offset}).encode())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / name)
    # The rename itself is durable only with its folder.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
