"""Sweeps through the links of many people, found in whatever order their clicks arrive.

Per place and frame of a minute the recipients are noted until there are enough of them. Then it is
a sweep for good: who had been noted is folded again, and whoever is found in it later is judged
at once. So a scanner costs a few refolds a minute, however many people's links it follows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, select

from services.contract import tables
from services.contract.event import Event
from services.contract.phases import DAY_MS
from services.contract.sweeps import (
    FRAMES_ASKED_MAX,
    Frame,
    as_swept,
    frames_of,
    is_among,
    sweeps_among,
)
from services.contract.tables.unguessed import unguessed
from services.model.behaviour import SWEEP_FRAME_MS, SWEEP_RECIPIENTS, WINDOW_MS, swept
from services.runtime.bulk import insert_rows, update_rows
from services.scorer.identities import Identified
from services.scorer.owners import owners_of
from services.scorer.record import events_of
from services.scorer.states import Place

NOTED_DAYS = 60
"""Longer than log and dead letter keep anything: no click of that time can come any more."""

_row = tables.sweep.c


class Swept(NamedTuple):
    """What a batch's clicks told of sweeps."""

    frames: set[Frame]
    """Those that hold one, among the frames of the batch's clicks."""
    recalled: list[tuple[int, int]]
    """(identity id, when the frame begins) of those noted before in frames that now do."""

    def taken(self, theirs: Mapping[int, Sequence[Event]]) -> Mapping[int, Sequence[Event]]:
        """Events per person, each with what is known of it now."""
        if not self.frames:
            return theirs
        return {
            person: [
                event if self.frames.isdisjoint(frames_of(event)) else swept(event)
                for event in events
            ]
            for person, events in theirs.items()
        }


def note(
    db: Connection,
    workspace_id: int,
    fresh: Iterable[Event],
    identified: Identified,
    now_ms: int,
) -> Swept:
    """Write down whose links were followed from where; to be done once per new event.

    Frames that hold no sweep yet are locked until the transaction ends, in order: of several
    workers one finds that there are enough, and all know it that come after.
    """
    seen: dict[Frame, set[int]] = defaultdict(set)
    for event in fresh:
        if event.type == "click":
            for frame in frames_of(event):
                seen[frame].add(identified.primary(event))
    if not seen:
        return Swept(set(), [])
    known = sweeps_among(db, workspace_id, seen)
    open_ = sorted(seen.keys() - known)
    held = _hold(db, workspace_id, open_)
    found, recalled = set(known), []
    rows: list[tuple[str, int | None, int, int]] = []
    for frame in open_:
        if frame not in held:  # another worker found it while we waited
            found.add(frame)
            continue
        row_id, before = held[frame]
        recipients = seen[frame].union(before)
        is_sweep = len(recipients) >= SWEEP_RECIPIENTS
        if is_sweep:
            found.add(frame)
            recalled += [(identity, frame[0]) for identity in before]
        if is_sweep or len(recipients) > len(before):
            noted = [] if is_sweep else sorted(recipients)
            rows.append((_as_text(noted), now_ms if is_sweep else None, now_ms, row_id))
    update_rows(db, tables.sweep, "id", ("recipients", "known_ms", "noted_ms"), rows)
    return Swept(found, recalled)


def _hold(
    db: Connection, workspace_id: int, frames: Sequence[Frame]
) -> dict[Frame, tuple[int, list[int]]]:
    """(row id, recipients) of frames, locked; those that hold a sweep by now are left out."""
    if not frames:
        return {}
    nobody = _as_text([])
    rows = [(workspace_id, at_ms, origin, nobody, 0) for at_ms, origin in frames]
    columns = ("workspace_id", "from_ms", "origin", "recipients", "noted_ms")
    insert_rows(db, tables.sweep, columns, rows, skip_known=True)
    return _noted(db, workspace_id, frames)


def _noted(
    db: Connection, workspace_id: int, frames: Sequence[Frame]
) -> dict[Frame, tuple[int, list[int]]]:
    found: dict[Frame, tuple[int, list[int]]] = {}
    for begin in range(0, len(frames), FRAMES_ASKED_MAX):
        query = (
            select(_row.id, _row.from_ms, _row.origin, _row.recipients)
            .where(
                _row.workspace_id == unguessed(workspace_id),
                is_among(db, frames[begin : begin + FRAMES_ASKED_MAX]),
                _row.known_ms.is_(None),
            )
            .order_by(_row.from_ms, _row.origin)
            .with_for_update(of=tables.sweep)
        )
        for row_id, at_ms, origin, recipients in db.execute(query):
            found[at_ms, origin] = row_id, msgspec.json.decode(recipients)
    return found


def _as_text(recipients: Sequence[int]) -> str:
    return msgspec.json.encode(recipients).decode()


def rejudged(
    db: Connection, workspace_id: int, recalled: Sequence[tuple[int, int]]
) -> dict[int, Place]:
    """The persons of whom clicks turned out to be a sweep's, and from where on they are folded."""
    if not recalled:
        return {}
    pieces = owners_of(db, workspace_id, {identity for identity, _ in recalled})
    found: dict[int, Place] = {}
    for identity, at_ms in recalled:
        for from_ms, to_ms, person in pieces.get(identity, ()):
            begins = from_ms is None or from_ms < at_ms + SWEEP_FRAME_MS
            if begins and (to_ms is None or at_ms < to_ms):
                back = at_ms - WINDOW_MS, b""  # pages timed before the clicks that led to them
                found[person] = min(found.get(person, back), back)
    return found


def histories_of(
    db: Connection,
    workspace_id: int,
    persons: Iterable[int],
    from_ms: int = 0,
    types: Collection[str] | None = None,
) -> dict[int, list[Event]]:
    """Events of persons as ``record.events_of`` has them, each with what sweeps say of it."""
    stored = events_of(db, workspace_id, persons, from_ms, types)
    clicks = [event for events in stored.values() for event in events if frames_of(event)]
    if not clicks:
        return stored
    taken = {event.event_id: event for event in as_swept(db, workspace_id, clicks)}
    return {
        person: [taken.get(event.event_id, event) for event in events]
        for person, events in stored.items()
    }


def forget_recipients(
    db: Connection, workspace_id: int, clicks: Iterable[Event], gone: Collection[int]
) -> None:
    """Leave identities that are no more out of what was noted for frames that hold no sweep yet.

    Args:
        db: in the transaction that erases.
        workspace_id: whose.
        clicks: events that were erased, as they were; others than clicks are fine too.
        gone: ids that may be given to somebody else.
    """
    frames = sorted({frame for click in clicks for frame in frames_of(click)})
    rows = [
        (_as_text([one for one in recipients if one not in gone]), row_id)
        for row_id, recipients in _noted(db, workspace_id, frames).values()
    ]
    update_rows(db, tables.sweep, "id", ("recipients",), rows)


def forget_old(db: Connection, now_ms: int) -> None:
    """Delete who was noted in frames that nothing can be added to any more."""
    end_ms = now_ms - NOTED_DAYS * DAY_MS
    old = (_row.from_ms < end_ms) & (_row.noted_ms < end_ms)
    spaces = db.execute(select(tables.workspace.c.id)).scalars().all()
    for workspace_id in spaces:
        of_workspace = _row.workspace_id == workspace_id
        db.execute(delete(tables.sweep).where(of_workspace, old, _row.known_ms.is_(None)))
