"""Cursors: where a list goes on, as a text that only that list takes."""

import base64
import binascii
import zlib
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from sqlalchemy import Row

from services.api.problem import Problem
from services.api.wire import INT64_MAX
from services.runtime.clock import now_ms

C = TypeVar("C", bound=msgspec.Struct)

CursorMoment = Annotated[int, msgspec.Meta(ge=31_536_000_000, le=7_226_582_399_999)]
"""A moment inside a cursor, bounded as one outside: UTC milliseconds of 1971-2198."""


CURSOR_LIFE_MS = 24 * 3_600_000
"""How long after a page the next one may be asked for."""


def pack_cursor(cursor: msgspec.Struct, *filters: str | None, at_ms: int | None = None) -> str:
    """A cursor for the wire, made now or at another moment.

    It names its kind, and the filters of the list that it goes on in.
    """
    made_ms = now_ms() if at_ms is None else at_ms
    made = msgspec.msgpack.encode((made_ms, _kind(type(cursor), filters), cursor))
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def bad_cursor() -> Problem:
    """Somebody asks to go on in another list, or made the cursor up."""
    return Problem(
        400, "bad_cursor", "The cursor is not one that this list gave, with these filters."
    )


def _kind(cursor: type[msgspec.Struct], filters: tuple[str | None, ...]) -> int:
    return zlib.crc32(f"{cursor.__module__}.{cursor.__name__}{filters!r}".encode())


def unpack_cursor(text: str, kind: type[C], *filters: str | None) -> C:
    """The cursor again.

    Raises:
        Problem: 400, it is none of ours, or of another list or other filters, or too old.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        made_ms, its_kind, told = msgspec.msgpack.decode(raw, type=tuple[int, int, msgspec.Raw])
        if its_kind != _kind(kind, filters):
            raise bad_cursor()
        cursor = msgspec.msgpack.decode(told, type=kind)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise bad_cursor() from None
    age_ms = now_ms() - made_ms
    if age_ms < -CURSOR_LIFE_MS:
        raise bad_cursor()
    if age_ms > CURSOR_LIFE_MS:
        text = "A cursor is good for 24 hours. Begin again without one."
        raise Problem(400, "cursor_expired", text)
    return cursor


class _RowPlace(msgspec.Struct, array_like=True):
    row_id: Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]


def row_place(cursor: str | None, *filters: str | None, start: int = INT64_MAX) -> int:
    """The last row that a list by row id has shown; without a cursor ``start``.

    Raises:
        Problem: 400, as :func:`unpack_cursor`.
    """
    return start if cursor is None else unpack_cursor(cursor, _RowPlace, *filters).row_id


def next_rows(rows: Sequence[Row[Any]], limit: int, *filters: str | None) -> str | None:
    """The cursor behind a page of a list by row id, of which one row more was read; None: its end.

    Filters begin with the list's name, or the id of whose list it is.
    """
    return pack_cursor(_RowPlace(rows[limit - 1].id), *filters) if len(rows) > limit else None
