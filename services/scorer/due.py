"""Boundaries that were predicted, announced when their time comes: by reading, without folding.

One worker at a time has its turn, the others go on scoring. It takes boundaries in the order of
their times and tells none of a later time before: so the feed is in order, however many are due
at once, and after days in which nobody announced too.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.event import LISTED
from services.contract.tables.unguessed import unguessed
from services.model.interval import Interval
from services.runtime.bulk import among, update_rows
from services.scorer.announce import TURN, Standing, changes_at, next_boundary, publish
from services.scorer.change import Change
from services.scorer.segments import Segments, load_segments
from services.scorer.states import Announced

DUE_MAX = 2_000
"""Persons whose boundaries are announced in one transaction."""


class _Due(NamedTuple):
    """A person whose next boundary was reached."""

    person_id: int
    workspace_id: int
    version: int
    announced: str
    last_ms: int
    last_event_id: bytes
    due_ms: int


_person, _state, _interval = tables.person.c, tables.person_state.c, tables.interval.c
_announced = msgspec.json.Decoder(Announced)


def announce_due(db: Connection, now_ms: int) -> int:
    """Announce the boundaries that were reached, in the order of their times.

    Returns the number of persons looked at; ``DUE_MAX`` means that there may be more.
    """
    if not _anything(db, now_ms) or not _our_turn(db):
        return 0
    due = _lock_due(db, now_ms)
    if not due:
        return 0
    # Where more are due than we take, nothing is told that came after the last one we take.
    until_ms = now_ms if len(due) < DUE_MAX else max(row.due_ms for row in due)
    by_workspace: dict[int, list[int]] = defaultdict(list)
    for row in due:
        by_workspace[row.workspace_id].append(row.person_id)
    books = {workspace_id: load_segments(db, workspace_id) for workspace_id in by_workspace}
    held: dict[int, list[Interval]] = defaultdict(list)
    from_ms = min(row.due_ms for row in due)
    for workspace_id, persons in by_workspace.items():
        _read_intervals(db, workspace_id, persons, from_ms, held)
    changes: list[tuple[int, Change]] = []
    written: list[tuple[object, ...]] = []
    for row in due:
        segments = books[row.workspace_id]
        announced, next_ms, found = _tell(row, held[row.person_id], segments, until_ms)
        written.append((announced, next_ms, row.person_id))
        changes += [(row.workspace_id, change) for change in found]
    update_rows(db, tables.person_state, "person_id", ("announced", "due_ms"), written)
    changes = _by_hand(db, changes)
    changes.sort(key=_in_order)
    publish(db, changes, now_ms)
    return len(due)


def _by_hand(db: Connection, changes: list[tuple[int, Change]]) -> list[tuple[int, Change]]:
    """The same, with the reason ``manual`` for what people decided by a clock ahead of ours."""
    caused = {change.event_id for _, change in changes if change.event_id is not None}
    if not caused:
        return changes
    row = tables.event.c
    query = select(row.event_id).where(
        row.workspace_id.in_({workspace_id for workspace_id, _ in changes}),
        row.event_id.in_(caused),
        row.type == LISTED,
    )
    decided = {bytes(event_id) for event_id in db.execute(query).scalars()}
    return [
        (one, change._replace(reason="manual") if change.event_id in decided else change)
        for one, change in changes
    ]


def _in_order(found: tuple[int, Change]) -> tuple[int, int]:
    return found[1].valid_ms, found[1].person_id


def _anything(db: Connection, now_ms: int) -> bool:
    query = select(_state.person_id).where(_state.due_ms <= now_ms).limit(1)
    return db.execute(query).first() is not None


def _our_turn(db: Connection) -> bool:
    """Whether nobody else is announcing; if so, nobody else does until this transaction ends."""
    row = tables.feed_position.c.id
    query = select(row).where(row == TURN).with_for_update(skip_locked=True)
    return db.execute(query).first() is not None


def _lock_due(db: Connection, now_ms: int) -> list[_Due]:
    """Persons with a boundary to announce whom no batch has at hand: it announces them itself.

    Both rows are locked, so that what was written of somebody meanwhile is read again: or it
    would be told twice.
    """
    query = (
        select(
            _state.person_id,
            _state.workspace_id,
            _state.version,
            _state.announced,
            _state.last_ms,
            _state.last_event_id,
            _state.due_ms,
        )
        .join_from(tables.person_state, tables.person, _state.person_id == _person.id)
        .where(_state.due_ms <= now_ms)
        .order_by(_state.due_ms, _state.person_id)
        .limit(DUE_MAX)
        .with_for_update(of=(tables.person, tables.person_state), key_share=True, skip_locked=True)
    )
    return [_Due(*row) for row in db.execute(query).all()]


def _read_intervals(
    db: Connection,
    workspace_id: int,
    persons: Sequence[int],
    from_ms: int,
    held: dict[int, list[Interval]],
) -> None:
    """What holds of persons, as now known, from a moment on."""
    query = select(
        _interval.person_id,
        _interval.kind,
        _interval.key,
        _interval.valid_from_ms,
        _interval.valid_to_ms,
        _interval.event_id,
    ).where(
        _interval.workspace_id == unguessed(workspace_id),
        among(db, _interval.person_id, persons),
        _interval.known_to_ms.is_(None),
        _interval.valid_to_ms.is_(None) | (_interval.valid_to_ms >= from_ms),
    )
    for person, kind, key, from_, to, event_id in db.execute(query).all():
        cause = None if event_id is None else bytes(event_id)
        held[person].append(Interval(kind, key, from_, to, cause))


def _tell(
    row: _Due, held: Sequence[Interval], segments: Segments, until_ms: int
) -> tuple[str, int | None, list[Change]]:
    """(what is announced of a person now, its next boundary, changes) up to a moment."""
    announced = _announced.decode(row.announced)
    changes: list[Change] = []
    last = row.last_ms, bytes(row.last_event_id)
    at: int | None = row.due_ms
    while at is not None and at <= until_ms:
        standing = Standing(row.person_id, row.version, announced, last, held, is_read=True)
        announced, found = changes_at(standing, segments, at)
        changes += found
        at = next_boundary(held, at)
    return msgspec.json.encode(announced).decode(), at, changes
