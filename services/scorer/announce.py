"""The change feed: what is different from what was last announced, each told once.

A batch compares what was announced of a person with what holds now. Boundaries that were
predicted are announced when their time comes, by reading intervals, without folding.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

import msgspec
from sqlalchemy import Connection, select, update

from services.contract import tables
from services.contract.phases import ChangeReason
from services.model.timeline import Interval
from services.runtime.bulk import among, insert_rows, update_rows
from services.runtime.database import insert_new
from services.scorer.folding import Folded
from services.scorer.segments import Segments, Version, load_segments
from services.scorer.states import Announced, Place

DUE_MAX = 2_000
"""Persons whose boundaries are announced in one transaction."""

MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the feed, before it has its position."""

    person_id: int
    person_version: int
    kind: str
    key: str
    before: str | None
    after: str | None
    valid_ms: int
    reason: ChangeReason
    event_id: bytes | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A person as announcements need to see one."""

    person_id: int
    version: int
    announced: Announced
    last: Place
    """The last event."""
    intervals: Sequence[Interval]
    remade: ChangeReason | None = None
    """Why everything may be different, where it is not for an event or for silence."""


def changes_at(one: Standing, segments: Segments, at_ms: int) -> tuple[Announced, list[Change]]:
    """What holds at ``at_ms``, and how it differs from what was announced."""
    live = segments.live
    holds: dict[str, Interval] = {}
    ended_ms: dict[str, int] = {}
    for interval in one.intervals:
        name = _name(interval, live)
        if name is None or interval.from_ms > at_ms:
            continue
        if interval.to_ms is None or at_ms < interval.to_ms:
            holds[name] = interval
        else:
            ended_ms[name] = max(ended_ms.get(name, 0), interval.to_ms)
    now = {name: _value(interval) for name, interval in sorted(holds.items())}
    changes = []
    for name in sorted(one.announced.keys() | now.keys()):
        before, after = one.announced.get(name), now.get(name)
        if before != after:
            began = holds[name].from_ms if name in holds else ended_ms.get(name, at_ms)
            kind, _, key = name.partition(":")
            reason, event_id = _why(one, name, holds.get(name), segments, began)
            changes.append(
                Change(
                    one.person_id, one.version, kind, key, before, after, began, reason, event_id
                )
            )
    return now, changes


def _name(interval: Interval, live: dict[str, Version]) -> str | None:
    """What is announced about: ``phase``, ``latency`` or ``segment:KEY``; None: nothing."""
    if interval.kind != "segment":
        return interval.kind
    version = live.get(interval.key)
    return None if version is None else f"segment:{version.segment_key}"


def _value(interval: Interval) -> str:
    return MEMBER if interval.kind == "segment" else interval.key


def _why(
    one: Standing, name: str, interval: Interval | None, segments: Segments, began_ms: int
) -> tuple[ChangeReason, bytes | None]:
    if one.remade is not None:
        return one.remade, None
    if name.startswith("segment:"):
        in_force_ms = segments.in_force_ms.get(name.removeprefix("segment:"))
        if in_force_ms is None or began_ms <= in_force_ms:
            return "manual", None
    if began_ms == one.last[0]:
        return "event", one.last[1]
    if interval is not None and interval.event_id is not None:
        return "event", interval.event_id
    return "silence", None


def next_boundary(intervals: Iterable[Interval], after_ms: int) -> int | None:
    """The first moment after ``after_ms`` at which an interval begins or ends."""
    edges = (edge for i in intervals for edge in (i.from_ms, i.to_ms))
    return min((edge for edge in edges if edge is not None and edge > after_ms), default=None)


def announce_folded(folded: Iterable[Folded], segments: Segments, now_ms: int) -> list[Change]:
    """Changes by a batch; what is announced, and due next, is kept with each person."""
    found: list[Change] = []
    for one in folded:
        last = (one.state.at_ms, one.state.at_id) if one.state else (0, b"")
        standing = Standing(
            one.person_id, one.version, one.announced, last, one.intervals, one.remade
        )
        one.announced, changes = changes_at(standing, segments, now_ms)
        one.due_ms = next_boundary(one.intervals, now_ms)
        found += changes
    return found


def announce_due(db: Connection, now_ms: int) -> int:
    """Announce the boundaries that were reached, in the order of their times.

    Returns the number of persons looked at; ``DUE_MAX`` means that there may be more.
    """
    locked = _lock_due(db, now_ms)
    if not locked:
        return 0
    state = tables.person_state.c
    query = (
        select(
            state.workspace_id,
            state.person_id,
            state.version,
            state.announced,
            state.last_ms,
            state.last_event_id,
            state.due_ms,
        )
        .where(among(db, state.person_id, locked), state.due_ms <= now_ms)
        .order_by(state.due_ms, state.person_id)
        .with_for_update()
    )
    due = db.execute(query).all()
    changes: list[Change] = []
    written: list[tuple[object, ...]] = []
    by_workspace: dict[int, list[int]] = {}
    for row in due:
        by_workspace.setdefault(row.workspace_id, []).append(row.person_id)
    books = {workspace_id: load_segments(db, workspace_id) for workspace_id in by_workspace}
    intervals: dict[int, list[Interval]] = {}
    for workspace_id, persons in by_workspace.items():
        intervals |= _around(db, workspace_id, persons, min(row.due_ms for row in due))
    for row in due:
        held = intervals.get(row.person_id, [])
        announced: Announced = msgspec.json.decode(row.announced)
        at: int | None = row.due_ms
        while at is not None and at <= now_ms:
            standing = Standing(
                row.person_id,
                row.version,
                announced,
                (row.last_ms, bytes(row.last_event_id)),
                held,
            )
            announced, found = changes_at(standing, books[row.workspace_id], at)
            changes += found
            at = next_boundary(held, at)
        written.append((msgspec.json.encode(announced).decode(), at, row.person_id))
    update_rows(db, tables.person_state, "person_id", ("announced", "due_ms"), written)
    changes.sort(key=lambda change: (change.valid_ms, change.person_id))
    workspaces = {row.person_id: row.workspace_id for row in due}
    publish(db, [(workspaces[change.person_id], change) for change in changes], now_ms)
    return len(locked)


def _lock_due(db: Connection, now_ms: int) -> list[int]:
    """Persons with a boundary to announce whom no batch has at hand: it announces them itself.

    What is announced of them is read after they are locked, or it would be told twice.
    """
    state, person = tables.person_state.c, tables.person.c
    query = (
        select(person.id)
        .join_from(tables.person, tables.person_state, state.person_id == person.id)
        .where(state.due_ms <= now_ms)
        .order_by(state.due_ms, person.id)
        .limit(DUE_MAX)
        .with_for_update(of=tables.person, key_share=True, skip_locked=True)
    )
    return list(db.execute(query).scalars())


def _around(
    db: Connection, workspace_id: int, persons: Sequence[int], from_ms: int
) -> dict[int, list[Interval]]:
    row = tables.interval.c
    query = select(
        row.person_id, row.kind, row.key, row.valid_from_ms, row.valid_to_ms, row.event_id
    ).where(
        row.workspace_id == workspace_id,
        among(db, row.person_id, persons),
        row.known_to_ms.is_(None),
        row.valid_to_ms.is_(None) | (row.valid_to_ms >= from_ms),
    )
    found: dict[int, list[Interval]] = {}
    for person, kind, key, from_, to, event_id in db.execute(query).all():
        cause = None if event_id is None else bytes(event_id)
        found.setdefault(person, []).append(Interval(kind, key, from_, to, cause))
    return found


def prepare_feed(db: Connection) -> None:
    """Make the row that positions are given out from, where it is not there yet."""
    db.execute(insert_new(db, tables.feed_position), [{"id": 1, "next": 1}])


def publish(db: Connection, changes: Sequence[tuple[int, Change]], now_ms: int) -> None:
    """Give (workspace, change) pairs their positions and store them.

    The last thing in a transaction: the row of ``feed_position`` stays locked until it commits,
    so that whoever can read a position can read all before it.
    """
    if not changes:
        return
    feed = tables.feed_position.c
    following = db.execute(
        update(tables.feed_position)
        .where(feed.id == 1)
        .values(next=feed.next + len(changes))
        .returning(feed.next)
    ).scalar_one()
    first = following - len(changes)
    insert_rows(
        db,
        tables.change,
        _CHANGE,
        [
            (position, workspace_id, now_ms, *astuple(change))
            for position, (workspace_id, change) in enumerate(changes, first)
        ],
    )


# A change's place and time, then Change's fields in their order.
_CHANGE = (
    "position",
    "workspace_id",
    "recorded_ms",
    "person_id",
    "person_version",
    "kind",
    "key",
    "before",
    "after",
    "valid_ms",
    "reason",
    "event_id",
)
