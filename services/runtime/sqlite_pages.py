"""Finds records in the bare pages of a damaged SQLite file, whatever became of those above them.

SQLite finds a record by way of the file's first page, a root and what lies between; where one of
those is damaged, thousands of sound records cannot be asked for. They stand in leaf pages all the
same, and each carries its position and a checksum of it all, so that what is found by looking at
every page is known to be true. The layout is SQLite's documented one
(https://www.sqlite.org/fileformat2.html).
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from services.runtime.event_log import Stored
from services.runtime.sqlite_records import PARTITION, checksum

PAGE_BYTES = 4_096
"""SQLite's own default, with which our files are made."""

_LEAF = 13
_HEAD_BYTES = 8
_AHEAD_HEADER, _AHEAD_FRAME = 32, 24
_INLINE_MAX = PAGE_BYTES - 35
_INLINE_MIN = (PAGE_BYTES - 12) * 32 // 255 - 23
_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
_COLUMNS = 5


def records_in_pages(file: Path) -> Iterator[Stored]:
    """Every sound record of a log's file and its write-ahead log, in no order, perhaps repeatedly.

    Records that were trimmed but not yet written over are found too.

    Raises:
        OSError: the file cannot be read.
    """
    with file.open("rb") as pages:
        while len(page := pages.read(PAGE_BYTES)) == PAGE_BYTES:
            yield from _records(page, file)
    ahead = file.with_name(file.name + "-wal")
    if not ahead.exists():
        return
    with ahead.open("rb") as frames:
        frames.seek(_AHEAD_HEADER + _AHEAD_FRAME)
        while len(page := frames.read(PAGE_BYTES)) == PAGE_BYTES:
            yield from _records(page, file)
            frames.seek(_AHEAD_FRAME, 1)


def _records(page: bytes, file: Path) -> Iterator[Stored]:
    if page[0] != _LEAF:
        return
    count = min(int.from_bytes(page[3:5]), PAGE_BYTES // 4)
    for place in range(_HEAD_BYTES, _HEAD_BYTES + 2 * count, 2):
        try:
            found = _record(page, int.from_bytes(page[place : place + 2]), file)
        except (IndexError, struct.error):
            continue
        if found is not None:
            yield found


def _record(page: bytes, at: int, file: Path) -> Stored | None:
    """The record that begins there; ``None`` where it is no sound one of ours."""
    size, at = _varint(page, at)
    position, at = _varint(page, at)
    content = _content(page, at, size, file)
    end, at = _varint(content, 0)
    kinds: list[int] = []
    while at < end and len(kinds) < _COLUMNS:
        kind, at = _varint(content, at)
        kinds.append(kind)
    if len(kinds) < _COLUMNS:
        return None
    values = []
    at = end
    for kind in kinds:
        length = _INTEGER_BYTES[kind] if kind < len(_INTEGER_BYTES) else (kind - 12) // 2
        values.append(content[at : at + length])
        at += length
    _, _, key, value, written = values
    if at != len(content) or int.from_bytes(written) != checksum(position, key, value):
        return None
    return Stored(PARTITION, position, key, value)


def _content(page: bytes, at: int, size: int, file: Path) -> bytes:
    """What a cell holds, with the pages that it runs over to."""
    if size <= _INLINE_MAX:
        return page[at : at + size]
    inline = _INLINE_MIN + (size - _INLINE_MIN) % (PAGE_BYTES - 4)
    inline = inline if inline <= _INLINE_MAX else _INLINE_MIN
    parts = [page[at : at + inline]]
    left = size - inline
    (following,) = struct.unpack_from(">I", page, at + inline)
    with file.open("rb") as pages:
        while left > 0:
            pages.seek((following - 1) * PAGE_BYTES)
            more = pages.read(PAGE_BYTES)
            (following,) = struct.unpack_from(">I", more)
            parts.append(more[4 : 4 + left])
            left -= PAGE_BYTES - 4
    return b"".join(parts)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """(a number, where it ends): groups of seven bits, the highest first."""
    number = 0
    for step in range(8):
        byte = data[at + step]
        number = number << 7 | byte & 127
        if byte < 128:
            return number, at + step + 1
    return number << 8 | data[at + 8], at + 9
