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
_TRUTHS = {None: _NULL, False: _SIZE(1) + b"\0", True: _SIZE(1) + b"\1"}


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
    oid, all_written, written = _WAYS[type_]
    try:
        body = b"".join(all_written(values))
    except (TypeError, struct.error):  # None is among them; who looks for it first looks at all
        body = b"".join([_NULL if value is None else written(value) for value in values])
    return Column(_HEAD(1, 1, oid, len(values), 1) + body)


_All = Callable[[Sequence[Any]], Iterable[bytes]]
_One = Callable[[Any], bytes]


def _numbers(size: int, letter: str) -> tuple[_All, _One]:
    pack = struct.Struct(f">i{letter}").pack
    return lambda values: map(pack, repeat(size), values), lambda value: pack(size, value)


def _truths(values: Sequence[Any]) -> Iterable[bytes]:
    return map(_TRUTHS.__getitem__, values)


def _texts(values: Sequence[Any]) -> Iterable[bytes]:
    """Few are different in most columns: each of those is written once."""
    parts = {value: _NULL if value is None else _text(value) for value in set(values)}
    return map(parts.__getitem__, values)


def _text(value: str) -> bytes:
    return _sized(value.encode())


def _bytes(values: Sequence[Any]) -> Iterable[bytes]:
    sizes = {length: _SIZE(length) for length in set(map(len, values))}
    each = zip(map(sizes.__getitem__, map(len, values)), values, strict=True)
    return chain.from_iterable(each)


def _sized(value: bytes) -> bytes:
    return _SIZE(len(value)) + value


_WAYS: dict[str, tuple[int, _All, _One]] = {
    "BIGINT": (20, *_numbers(8, "q")),
    "INTEGER": (23, *_numbers(4, "i")),
    "SMALLINT": (21, *_numbers(2, "h")),
    "BOOLEAN": (16, _truths, _TRUTHS.__getitem__),
    "TEXT": (25, _texts, _text),
    "BYTEA": (17, _bytes, _sized),
}
"""Type → (its number in PostgreSQL, how all values are written, how one is)."""
