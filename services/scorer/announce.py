"""The change feed: what is different from what was last announced, each told once.

A batch compares what was announced of a person with what holds now; boundaries that were
predicted are announced by ``due.py`` when their time comes. Both end here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection, select, update

from services.contract import tables
from services.contract.phases import ChangeReason
from services.model.interval import Interval
from services.runtime.bulk import among, insert_rows
from services.runtime.database import insert_new
from services.scorer.change import Change
from services.scorer.folding import Folded, Stored
from services.scorer.people import Linked, Moves
from services.scorer.segments import Segments
from services.scorer.states import Announced, Place
from services.scorer.triggers import give_turns

Held = TypeVar("Held", bound=Stored)
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
    held: Sequence[Stored] = ()
    """The intervals as they were stored before."""
    is_read: bool = False
    """Nothing was folded: what was announced ended as stored intervals tell, or by another rule."""


def changes_at(one: Standing, segments: Segments, at_ms: int) -> tuple[Announced, list[Change]]:
    """What holds at ``at_ms``, and how it differs from what was announced."""
    holds = _holding(one.intervals, segments, at_ms)
    before, now = one.announced, _values(holds)
    if now == before:
        return before, []
    now = dict(sorted(now.items()))
    stood = now if one.is_read else _values(_holding(one.held, segments, at_ms))
    telling = _Telling(one, segments, at_ms, holds, now, stood)
    names = sorted(before.keys() | now.keys())
    return now, [telling.change(name) for name in names if before.get(name) != now.get(name)]


def _holding(intervals: Iterable[Held], segments: Segments, at_ms: int) -> dict[str, Held]:
    """What holds at a moment, by what it is called in what is announced."""
    names = segments.announced_names
    holds: dict[str, Held] = {}
    for interval in intervals:
        kind, key, from_ms, to_ms, _ = interval
        if from_ms <= at_ms and (to_ms is None or at_ms < to_ms):
            name = names.get(key) if kind == "segment" else kind
            if name is not None:
                holds[name] = interval
    return holds


def _values(holds: Mapping[str, Stored]) -> Announced:
    return {name: MEMBER if held[0] == "segment" else held[1] for name, held in holds.items()}


_Why = tuple[ChangeReason, bytes | None]
_BY_RULE: _Why = ("manual", None)
_NO: frozenset[ChangeReason] = frozenset({"withdrawn", "objected"})


@dataclass(frozen=True, slots=True)
class _Telling:
    """Tells why something of a person is different from what was announced."""

    one: Standing
    segments: Segments
    at_ms: int
    holds: Mapping[str, Interval]
    now: Announced
    stood: Announced
    """What held now, before the events that came were folded."""

    def change(self, name: str) -> Change:
        """How it differs, since when, and why."""
        one, interval = self.one, self.holds.get(name)
        began_ms = self._end_of(name) if interval is None else interval.from_ms
        reason, event_id = self._why(name, interval, began_ms)
        kind, _, key = name.partition(":")
        valid_ms = self.at_ms if began_ms is None else began_ms
        before, after = one.announced.get(name), self.now.get(name)
        told = (one.person_id, one.version, kind, key, before, after, valid_ms, reason, event_id)
        return Change(*told)

    def _end_of(self, name: str) -> int | None:
        """When what was announced ended; None: no interval tells."""
        names = self.segments.announced_names
        ends = (
            i.to_ms
            for i in self.one.intervals
            if i.to_ms is not None
            and i.to_ms <= self.at_ms
            and name == (names.get(i.key) if i.kind == "segment" else i.kind)
        )
        return max(ends, default=None)

    def _why(self, name: str, interval: Interval | None, began_ms: int | None) -> _Why:
        remade = self.one.remade
        # Nobody comes in by saying no; other events of the batch bring that.
        if remade is not None and not (remade in _NO and name in self.now):
            return remade, None
        if self.one.came and self.stood.get(name) != self.now.get(name):
            return self._said_by(self._bringing(name, interval, began_ms))
        if name.startswith("segment:") and self._is_by_rule(name, began_ms):
            return _BY_RULE
        event_id = self._at(began_ms) or (interval.event_id if interval is not None else None)
        return ("silence", None) if event_id is None else self._said_by(event_id)

    def _said_by(self, event_id: bytes) -> _Why:
        reason = self.one.said.get(event_id, "event")
        is_unscored = "latency" in self.one.announced and "latency" not in self.now
        return "event" if reason in _NO and not is_unscored else reason, event_id

    def _bringing(self, name: str, interval: Interval | None, began_ms: int | None) -> bytes:
        """The one of the events that came which made the difference."""
        came = self.one.came
        if began_ms is None:
            listed = [one for one in came.values() if self.one.said.get(one) == "manual"]
            return listed[0] if listed and name.startswith("segment:") else came[min(came)]
        begun_by = None if interval is None else interval.event_id
        if begun_by is not None and begun_by in came.values():
            return begun_by
        return came[max((ms for ms in came if ms <= began_ms), default=min(came))]

    def _is_by_rule(self, name: str, began_ms: int | None) -> bool:
        """Whether a segment was made, changed or deleted, and this is what comes of it."""
        in_force_ms = self.segments.in_force_ms.get(name.removeprefix("segment:"))
        return began_ms is None or in_force_ms is None or began_ms <= in_force_ms

    def _at(self, moment_ms: int | None) -> bytes | None:
        """The event at a moment, of those at hand."""
        if moment_ms is None:
            return None
        last_ms, last_id = self.one.last
        return last_id if moment_ms == last_ms else self.one.came.get(moment_ms)


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
            one.held,
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
