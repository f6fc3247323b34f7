"""Whole columns as PostgreSQL takes them: arrays in its binary format.

Written out as text, bytes take twice their length and are turned over one by one at both ends;
this way they are copied.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from typing import Any

from psycopg import Connection
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = struct.Struct(">iiIii").pack  # dimensions, may hold nulls, type, length, first place
_SIZE = struct.Struct(">i").pack
_NULL = _SIZE(-1)


class Column(bytes):
    """The values of one column, as a parameter that is cast to an array of its type."""


class _AsItIs(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return obj  # type: ignore[no-any-return]


def take_columns(connection: Connection[Any]) -> None:
    """Let a connection take :class:`Column` for a parameter."""
    connection.adapters.register_dumper(Column, _AsItIs)


def packed(type_: str, values: Sequence[Any]) -> Column:
    """Values of a type (as PostgreSQL calls it), any of them None."""
    oid, written = _WAYS[type_]
    return Column(_HEAD(1, 1, oid, len(values), 1) + b"".join(written(values)))


def _numbers(size: int, letter: str) -> Callable[[Sequence[Any]], Iterable[bytes]]:
    pack = struct.Struct(f">i{letter}").pack

    def written(values: Sequence[Any]) -> Iterable[bytes]:
        if None in values:
            return [_NULL if value is None else pack(size, value) for value in values]
        return map(pack, repeat(size), values)

    return written


def _texts(values: Sequence[Any]) -> Iterable[bytes]:
    """Few are different in most columns: each of those is written once."""
    parts = {value: _NULL if value is None else _sized(value.encode()) for value in set(values)}
    return map(parts.__getitem__, values)


def _bytes(values: Sequence[Any]) -> Iterable[bytes]:
    if None in values:
        return [_NULL if value is None else _sized(value) for value in values]
    return chain.from_iterable(zip(map(_SIZE, map(len, values)), values, strict=True))


def _sized(value: bytes) -> bytes:
    return _SIZE(len(value)) + value


_WAYS: dict[str, tuple[int, Callable[[Sequence[Any]], Iterable[bytes]]]] = {
    "BIGINT": (20, _numbers(8, "q")),
    "INTEGER": (23, _numbers(4, "i")),
    "SMALLINT": (21, _numbers(2, "h")),
    "BOOLEAN": (16, _numbers(1, "?")),
    "TEXT": (25, _texts),
    "BYTEA": (17, _bytes),
}
"""Type → (its number in PostgreSQL, how its values are written)."""
