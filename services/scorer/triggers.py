"""Turns: whoever enters what a trigger waits for gets a moment, and loses it by leaving.

Written in the transaction that tells the feed of entering and leaving, so that there is a turn for
every stay and never two. Whether somebody is handed over is decided when the moment has come
(``firing.py``).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, select, update

from services.contract import tables
from services.contract.tables.unguessed import unguessed
from services.model.state import PersonState, decode_state
from services.model.triggers import LATE_MS, Moment, due_ms
from services.runtime.bulk import among, insert_rows, update_rows
from services.scorer.change import Change

_Place = tuple[int, str, str]
"""(workspace, segment or phase, which)."""
_Turn = tuple[int, int]
"""(trigger, person)."""

_trigger, _firing = tables.trigger.c, tables.firing.c
_PLACES = frozenset({"segment", "phase"})
_NEW = (
    "workspace_id",
    "trigger_id",
    "person_id",
    "entered_ms",
    "due_ms",
    "status",
    "reason",
    "event_id",
)


class _Trigger(NamedTuple):
    id: int
    workspace_id: int
    on_kind: str
    on_key: str
    moment: Moment
    wait_ms: int
    status: str


def give_turns(db: Connection, changes: Sequence[tuple[int, Change]], now_ms: int) -> None:
    """Note who entered and who left, of changes (with their workspaces) that are about to be told.

    Entries that are found out more than a day late give no turn: imported history, a new rule or
    another model say nothing of this moment.
    """
    moved = [one for one in changes if one[1].kind in _PLACES]
    merged = [one for one in changes if one[1].kind == "identity" and one[1].reason == "merged"]
    if not moved and not merged:
        return
    waiting_for = _triggers(db, {workspace_id for workspace_id, _ in (*moved, *merged)})
    if not waiting_for:
        return
    _follow(db, merged)
    over: set[_Turn] = set()
    entered: dict[_Turn, tuple[_Trigger, Change]] = {}
    for workspace_id, change in moved:
        for one in waiting_for.get((workspace_id, change.kind, _left(change)), ()):
            over.add((one.id, change.person_id))
            entered.pop((one.id, change.person_id), None)
        for one in waiting_for.get((workspace_id, change.kind, _entered(change)), ()):
            if one.status == "active" and now_ms - change.valid_ms <= LATE_MS:
                entered[one.id, change.person_id] = one, change
    _end(db, over, now_ms)
    _begin(db, entered, now_ms)


def forget_turns(
    db: Connection, workspace_id: int, gone: Collection[int], others: Collection[int] = ()
) -> None:
    """Nothing is kept of persons who are gone; of others who share an event's loss, not by which.

    Args:
        db: a transaction.
        workspace_id: whose.
        gone: persons of whom nothing may be kept.
        others: persons of whose events some were erased.
    """
    mine = _firing.workspace_id == unguessed(workspace_id)
    db.execute(delete(tables.firing).where(mine, among(db, _firing.person_id, gone)))
    if others:
        theirs = update(tables.firing).where(mine, among(db, _firing.person_id, others))
        db.execute(theirs.values(event_id=None))


def _left(change: Change) -> str:
    if change.before is None:
        return ""
    return change.key if change.kind == "segment" else change.before


def _entered(change: Change) -> str:
    if change.after is None:
        return ""
    return change.key if change.kind == "segment" else change.after


def _triggers(db: Connection, workspaces: Collection[int]) -> dict[_Place, list[_Trigger]]:
    query = select(*(_trigger[name] for name in _Trigger._fields)).where(
        _trigger.workspace_id.in_(workspaces), _trigger.deleted_ms.is_(None)
    )
    found: dict[_Place, list[_Trigger]] = defaultdict(list)
    for row in db.execute(query.order_by(_trigger.id)):
        one = _Trigger(*row)
        found[one.workspace_id, one.on_kind, one.on_key].append(one)
    return found


def _end(db: Connection, over: Collection[_Turn], now_ms: int) -> None:
    """Who left before their moment is not handed over."""
    if not over:
        return
    query = select(_firing.id, _firing.trigger_id, _firing.person_id).where(
        among(db, _firing.trigger_id, {trigger for trigger, _ in over}),
        among(db, _firing.person_id, {person for _, person in over}),
        _firing.status == "waiting",
    )
    ended = [
        ("withheld", "left", now_ms, row_id)
        for row_id, trigger, person in db.execute(query)
        if (trigger, person) in over
    ]
    update_rows(db, tables.firing, "id", ("status", "why", "decided_ms"), ended)


def _begin(db: Connection, entered: Mapping[_Turn, tuple[_Trigger, Change]], now_ms: int) -> None:
    if not entered:
        return
    had = _had(db, entered)
    states = _states(db, {p for (_, p), (one, _) in entered.items() if one.moment == "best_moment"})
    zones = _zones(db, {one.workspace_id for one, _ in entered.values()})
    rows = []
    for (trigger, person), (one, change) in entered.items():
        if had.get((trigger, person), -1) >= change.valid_ms:
            continue  # they were in it then: it is the same stay, seen otherwise
        state = states.get(person)
        at_ms = due_ms(
            one.moment,
            one.wait_ms,
            change.valid_ms,
            now_ms,
            state.habits if state else None,
            zones[one.workspace_id],
        )
        rows.append(
            (
                one.workspace_id,
                trigger,
                person,
                change.valid_ms,
                at_ms,
                "waiting",
                change.reason,
                change.event_id,
            )
        )
    insert_rows(db, tables.firing, _NEW, rows, skip_known=True)


def _had(db: Connection, turns: Collection[_Turn]) -> dict[_Turn, int]:
    """When those who had a turn before last entered."""
    query = (
        select(_firing.trigger_id, _firing.person_id, func.max(_firing.entered_ms))
        .where(
            among(db, _firing.trigger_id, {trigger for trigger, _ in turns}),
            among(db, _firing.person_id, {person for _, person in turns}),
        )
        .group_by(_firing.trigger_id, _firing.person_id)
    )
    return {(trigger, person): last_ms for trigger, person, last_ms in db.execute(query)}


def _states(db: Connection, persons: Collection[int]) -> dict[int, PersonState]:
    if not persons:
        return {}
    row = tables.person_state.c
    query = select(row.person_id, row.state).where(among(db, row.person_id, persons))
    return {person: decode_state(bytes(state)) for person, state in db.execute(query)}


def _zones(db: Connection, workspaces: Collection[int]) -> dict[int, ZoneInfo]:
    row = tables.workspace.c
    query = select(row.id, row.time_zone).where(row.id.in_(workspaces))
    return {workspace_id: ZoneInfo(name) for workspace_id, name in db.execute(query)}


def _follow(db: Connection, merged: Sequence[tuple[int, Change]]) -> None:
    """Turns of persons who turned out to be others go over to these."""
    for workspace_id, change in merged:
        row = tables.person.c
        was = select(row.id).where(row.workspace_id == workspace_id, row.public_id == change.before)
        mine = _firing.workspace_id == workspace_id
        theirs = select(_firing.id, _firing.trigger_id, _firing.entered_ms).where(
            mine, _firing.person_id.in_(was)
        )
        found = db.execute(theirs).all()
        if not found:
            continue
        there = select(_firing.trigger_id, _firing.entered_ms).where(
            mine, _firing.person_id == change.person_id
        )
        taken = {(trigger, entered) for trigger, entered in db.execute(there)}
        twice = [one.id for one in found if (one.trigger_id, one.entered_ms) in taken]
        db.execute(delete(tables.firing).where(mine, _firing.id.in_(twice)))
        update_rows(
            db,
            tables.firing,
            "id",
            ("person_id",),
            [(change.person_id, one.id) for one in found if one.id not in twice],
        )
