"""How values look on the wire: moments, parameters, text that every database can hold."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema, model_validator

from services.contract import moment

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
