"""Sweeps through the links of many people, found in whatever order their clicks arrive.

Per place and frame of a minute the recipients are noted until there are enough of them. Then it is
a sweep for good: who had been noted is folded again, and whoever is found in it later is judged
at once. So a scanner costs a few refolds a minute, however many people's links it follows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, select

from services.contract import tables
from services.contract.event import Event
from services.contract.phases import DAY_MS
from services.contract.sweeps import Frame, as_swept, frames_of, sweeps_among
from services.model.behaviour import SWEEP_FRAME_MS, SWEEP_RECIPIENTS, swept
from services.runtime.bulk import among, insert_rows, update_rows
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

    def taken(self, events: Iterable[Event]) -> list[Event]:
        """Events, each with what is known of it now."""
        return [
            event if self.frames.isdisjoint(frames_of(event)) else swept(event) for event in events
        ]


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
    query = (
        select(_row.id, _row.from_ms, _row.origin, _row.recipients)
        .where(
            _row.workspace_id == workspace_id,
            among(db, _row.from_ms, sorted({at_ms for at_ms, _ in frames})),
            among(db, _row.origin, sorted({origin for _, origin in frames})),
            _row.known_ms.is_(None),
        )
        .order_by(_row.from_ms, _row.origin)
        .with_for_update()
    )
    wanted = set(frames)
    return {
        (at_ms, origin): (row_id, msgspec.json.decode(recipients))
        for row_id, at_ms, origin, recipients in db.execute(query)
        if (at_ms, origin) in wanted
    }


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
                found[person] = min(found.get(person, (at_ms, b"")), (at_ms, b""))
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


def forget_old(db: Connection, now_ms: int) -> None:
    """Delete who was noted in frames that nothing can be added to any more."""
    end_ms = now_ms - NOTED_DAYS * DAY_MS
    old = (_row.from_ms < end_ms) & (_row.noted_ms < end_ms)
    spaces = db.execute(select(tables.workspace.c.id)).scalars().all()
    for workspace_id in spaces:
        of_workspace = _row.workspace_id == workspace_id
        db.execute(delete(tables.sweep).where(of_workspace, old, _row.known_ms.is_(None)))
