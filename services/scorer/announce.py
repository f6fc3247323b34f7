"""The change feed: what is different from what was last announced, each told once.

A batch compares what was announced of a person with what holds now; boundaries that were
predicted are announced by ``due.py`` when their time comes. Both end here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, update

from services.contract import tables
from services.contract.phases import ChangeReason
from services.model.interval import Interval
from services.runtime.bulk import among, insert_rows
from services.runtime.database import insert_new
from services.scorer.change import Change
from services.scorer.folding import Folded
from services.scorer.people import Linked, Moves
from services.scorer.segments import Segments
from services.scorer.states import Announced, Place
from services.scorer.triggers import give_turns

MEMBER = "member"
TURN = 3
"""The row of ``feed_position`` that is held by whoever announces what is due."""


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
    said: Mapping[bytes, ChangeReason] = field(default_factory=dict)
    """The events by which somebody said how it is to be, and what that is as a reason."""
    came: Mapping[int, bytes] = field(default_factory=dict)
    """By when they happened, the events that came just now."""
    is_read: bool = False
    """Nothing was folded: what was announced ended as stored intervals tell, or by another rule."""


def changes_at(one: Standing, segments: Segments, at_ms: int) -> tuple[Announced, list[Change]]:
    """What holds at ``at_ms``, and how it differs from what was announced."""
    names = segments.announced_names
    holds: dict[str, Interval] = {}
    for interval in one.intervals:
        kind, key, from_ms, to_ms, _ = interval
        if from_ms <= at_ms and (to_ms is None or at_ms < to_ms):
            name = names.get(key) if kind == "segment" else kind
            if name is not None:
                holds[name] = interval
    before = one.announced
    now = {name: _value(interval) for name, interval in holds.items()}
    if now == before:
        return before, []
    now = dict(sorted(now.items()))
    differs = sorted(
        name for name in before.keys() | now.keys() if before.get(name) != now.get(name)
    )
    return now, [_change(one, name, holds.get(name), segments, at_ms, now) for name in differs]


def _change(
    one: Standing,
    name: str,
    holds: Interval | None,
    segments: Segments,
    at_ms: int,
    now: Announced,
) -> Change:
    known_ms = _end_of(one, name, segments, at_ms) if holds is None else holds.from_ms
    began_ms = at_ms if known_ms is None else known_ms
    kind, _, key = name.partition(":")
    if known_ms is None and kind == "segment" and one.remade is None:
        reason, event_id = _why_not_any_more(one, is_there=key in segments.in_force_ms)
    else:
        reason, event_id = _why(one, name, holds, segments, began_ms)
    before, after = one.announced.get(name), now.get(name)
    return Change(one.person_id, one.version, kind, key, before, after, began_ms, reason, event_id)


_BY_RULE: tuple[ChangeReason, None] = ("manual", None)


def _end_of(one: Standing, name: str, segments: Segments, at_ms: int) -> int | None:
    """When what was announced ended; None: no interval tells."""
    names = segments.announced_names
    ends = (
        i.to_ms
        for i in one.intervals
        if i.to_ms is not None
        and i.to_ms <= at_ms
        and name == (names.get(i.key) if i.kind == "segment" else i.kind)
    )
    return max(ends, default=None)


def _value(interval: Interval) -> str:
    return MEMBER if interval.kind == "segment" else interval.key


def _why(
    one: Standing, name: str, interval: Interval | None, segments: Segments, began_ms: int
) -> tuple[ChangeReason, bytes | None]:
    if one.remade is not None:
        return one.remade, None
    if began_ms == one.last[0]:
        event_id: bytes | None = one.last[1]
    else:
        event_id = one.came.get(began_ms) if interval is None else interval.event_id
    if name.startswith("segment:") and event_id not in one.came.values():
        in_force_ms = segments.in_force_ms.get(name.removeprefix("segment:"))
        if in_force_ms is None:
            return _BY_RULE
        if began_ms <= in_force_ms:
            late_ms = max((ms for ms in one.came if ms <= began_ms), default=None)
            return _BY_RULE if late_ms is None else ("event", one.came[late_ms])
    if event_id is None:
        return "silence", None
    return one.said.get(event_id, "event"), event_id


def _why_not_any_more(one: Standing, *, is_there: bool) -> tuple[ChangeReason, bytes | None]:
    """Of who is out of a segment, and no interval tells when they left.

    What was told of them is of a rule that is no more, or never was so, by an event that came late.
    """
    listed = [event_id for event_id in one.came.values() if one.said.get(event_id) == "manual"]
    first_ms = min(one.came, default=one.last[0])
    if not is_there or one.is_read:
        return _BY_RULE
    if listed:
        return "manual", listed[0]
    return ("event", one.came[first_ms]) if first_ms < one.last[0] else _BY_RULE


def next_boundary(intervals: Iterable[Interval], after_ms: int) -> int | None:
    """The first moment after ``after_ms`` at which an interval begins or ends."""
    first_ms: int | None = None
    for _, _, from_ms, to_ms, _ in intervals:
        for edge_ms in (from_ms, to_ms):
            if edge_ms is not None and edge_ms > after_ms:
                first_ms = edge_ms if first_ms is None else min(first_ms, edge_ms)
    return first_ms


def announce_folded(folded: Iterable[Folded], segments: Segments, now_ms: int) -> list[Change]:
    """Changes by a batch; what is announced, and due next, is kept with each person."""
    found: list[Change] = []
    for one in folded:
        last = (one.state.at_ms, one.state.at_id) if one.state else (0, b"")
        standing = Standing(
            one.person_id,
            one.version,
            one.announced,
            last,
            one.intervals,
            one.remade,
            one.said,
            one.came,
        )
        one.announced, changes = changes_at(standing, segments, now_ms)
        one.due_ms = next_boundary(one.intervals, now_ms)
        found += changes
    return found


def announce_moves(
    db: Connection, moves: Moves, folded: Sequence[Folded], now_ms: int
) -> list[Change]:
    """What the feed says of who is who: persons who turned out to be one, or two; links."""
    told = [
        *(Linked(now, "", was, now, "merged") for was, now in sorted(moves.merged.items())),
        *(Linked(now, "", was, now, "parted") for now, was in sorted(moves.parted.items())),
        *moves.linked,
    ]
    if not told:
        return []
    row = tables.person.c
    persons = {i for one in told for i in (one.was, one.now) if i is not None}
    query = select(row.id, row.public_id).where(among(db, row.id, persons))
    names = {row.id: row.public_id for row in db.execute(query)}
    versions = {one.person_id: one.version for one in folded}
    return [
        Change(
            person_id=one.person,
            person_version=versions.get(one.person, 0),
            kind="identity",
            key=one.namespace,
            before=None if one.was is None else names[one.was],
            after=None if one.now is None else names[one.now],
            valid_ms=now_ms,
            reason=one.reason,
            event_id=None,
        )
        for one in told
    ]


def prepare_feed(db: Connection) -> None:
    """Make the rows that positions and turns are given out from, where they are not there yet."""
    rows = [{"id": 1, "next": 1}, {"id": TURN, "next": 1}]
    db.execute(insert_new(db, tables.feed_position), rows)


def publish(db: Connection, changes: Sequence[tuple[int, Change]], now_ms: int) -> None:
    """Give (workspace, change) pairs their positions and store them, with the turns they bring.

    The last thing in a transaction: the row of ``feed_position`` stays locked until it commits,
    so that whoever can read a position can read all before it.
    """
    if not changes:
        return
    give_turns(db, changes, now_ms)
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
            (position, workspace_id, now_ms, *change)
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
