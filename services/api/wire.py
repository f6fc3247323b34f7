"""How values look on the wire: moments, cursors, text that every database can hold."""

import base64
import binascii
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema, model_validator

from services.api.problem import Problem
from services.contract import moment
from services.runtime.clock import now_ms

C = TypeVar("C", bound=msgspec.Struct)

YEAR_MAX = 2200
INT64_MAX = 2**63 - 1

rfc3339 = moment.rfc3339


def rfc3339_or_none(at_ms: int | None) -> str | None:
    """The same, where there may be no moment."""
    return None if at_ms is None else rfc3339(at_ms)


_NO_MOMENT = "there is no such moment, or RFC 3339 writes it otherwise, as 2026-11-22T09:30:00Z"


def parse_moment(text: object) -> int:
    """An RFC 3339 moment with its offset, as UTC milliseconds.

    Raises:
        ValueError: it is none, or lies outside 1971-2199.
    """
    if not isinstance(text, str) or len(text) > 40:
        raise ValueError(_NO_MOMENT)
    try:
        # A plus sign that was not percent-encoded arrives as a space.
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        raise ValueError(_NO_MOMENT) from None
    if moment.tzinfo is None:
        raise ValueError("a moment needs its offset, as in 2026-11-22T09:30:00Z")
    if not 1970 < moment.year < YEAR_MAX:
        raise ValueError(f"a moment lies between 1970 and {YEAR_MAX}")
    return round(moment.timestamp() * 1000)


CursorMoment = Annotated[int, msgspec.Meta(ge=31_536_000_000, le=7_226_582_399_999)]
"""A moment inside a cursor, bounded as one outside: UTC milliseconds of 1971-2198."""

Moment = Annotated[
    int,
    BeforeValidator(parse_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T09:30:00Z"]}),
]
"""A parameter: RFC 3339 outside, UTC milliseconds inside."""

AsOf = Annotated[
    Moment | None,
    Query(description="The moment asked about: past, now (when left out) or ahead."),
]
KnownAt = Annotated[
    Moment | None,
    Query(description="Answer as it was believed at this moment; left out: as known now."),
]
Cursor = Annotated[
    str | None,
    Query(max_length=500, description="`next` of the page before; the same filters go with it."),
]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows on a page.")]
After = Annotated[
    str | None,
    Query(
        pattern="^[0-9a-f]{32}$",
        description="The `position` of a write: the answer waits up to 2 s until it is in.",
    ),
]
PersonPath = Annotated[str, Path(min_length=1, max_length=64, examples=["p_6f1c0b9a2d3e4f50"])]


class Out(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(extra="forbid")


class Body(BaseModel):
    """A request's body: no unknown fields, and no text that PostgreSQL cannot store."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: Any) -> Any:
        for text in _texts(data):
            if "\x00" in text:
                raise ValueError("text may not contain NUL")
            try:
                text.encode()
            except UnicodeEncodeError:
                raise ValueError("text may not contain lone surrogates") from None
        return data


def _texts(root: Any) -> Iterator[str]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            waiting.extend(node)
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


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
