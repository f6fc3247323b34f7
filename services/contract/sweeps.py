"""Clicks as the record takes them: those that were part of a sweep through many people's links.

What a sweep is says ``services/model/behaviour.py``; the scorer writes down which there were.
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import UNSET
from sqlalchemy import BigInteger, ColumnElement, Connection, Text, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from services.contract import tables
from services.contract.event import Event
from services.contract.tables.unguessed import unguessed
from services.model.behaviour import frames_ms, swept

Frame = tuple[int, str]
"""(when it begins, an origin of clicks)."""

FRAMES_ASKED_MAX = 5_000
"""At once."""


def frames_of(event: Event) -> list[Frame]:
    """The frames in which a click is looked at; none where it tells no origin."""
    origin = event.machine.origin
    return [] if origin is UNSET else [(at_ms, origin) for at_ms in frames_ms(event)]


def as_swept(
    db: Connection, workspace_id: int, events: Sequence[Event], known_at_ms: int | None = None
) -> list[Event]:
    """Events as they were stored, each with what sweeps say of it.

    Args:
        db: where it is recorded.
        workspace_id: whose.
        events: as many as are at hand.
        known_at_ms: as it was known then; None: now.
    """
    asked = {frame for event in events for frame in frames_of(event)}
    if not asked:
        return list(events)
    found = sweeps_among(db, workspace_id, asked, known_at_ms)
    if not found:
        return list(events)
    return [event if found.isdisjoint(frames_of(event)) else swept(event) for event in events]


def sweeps_among(
    db: Connection, workspace_id: int, frames: Iterable[Frame], known_at_ms: int | None = None
) -> set[Frame]:
    """Those among the frames that hold a sweep."""
    row = tables.sweep.c
    listed = sorted(frames)
    found: set[Frame] = set()
    for begin in range(0, len(listed), FRAMES_ASKED_MAX):
        query = select(row.from_ms, row.origin).where(
            row.workspace_id == unguessed(workspace_id),
            is_among(db, listed[begin : begin + FRAMES_ASKED_MAX]),
            row.known_ms.is_not(None) if known_at_ms is None else row.known_ms <= known_at_ms,
        )
        found.update((at_ms, origin) for at_ms, origin in db.execute(query))
    return found


def is_among(db: Connection, frames: Sequence[Frame]) -> ColumnElement[bool]:
    """That a row of the table is one of these frames.

    Moments and origins asked for apart would be all combinations of the two. The statement is the
    same however many there are.
    """
    row = tables.sweep.c
    if db.dialect.name == "postgresql":
        moments = cast([at_ms for at_ms, _ in frames], ARRAY(BigInteger))
        origins = cast([origin for _, origin in frames], ARRAY(Text))
        one = func.unnest(moments, origins).table_valued("at", "origin").render_derived()
        asked = select(one.c.at, one.c.origin)
    else:
        each = func.json_each(msgspec.json.encode(frames).decode()).table_valued("value")
        parts = (func.json_extract(each.c.value, path) for path in ("$[0]", "$[1]"))
        asked = select(*parts)
    return tuple_(row.from_ms, row.origin).in_(asked)
