"""Triggers fired: whose moment has come is handed over in the feed, or it is noted why not.

That they are is one statement in one transaction with the change that tells of it: nobody is
handed over twice, whatever process dies. A person whose boundary is due is left to whoever
announces first, so that nobody is handed over after the feed might have said that they left.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, or_, select

from services.contract import tables
from services.contract.phases import DAY_MS, ChangeReason
from services.contract.tables.unguessed import unguessed
from services.model.engagement import IN_ALL, present
from services.model.next_content import Item, Reader
from services.model.state import decode_state
from services.model.triggers import LATE_MS, Decided, Somebody, Wanted, decided
from services.model.version import Model
from services.runtime.bulk import update_rows
from services.scorer import approach
from services.scorer.announce import MEMBER, publish
from services.scorer.change import Change
from services.scorer.states import Announced

FIRE_MAX = 200
"""Turns that are decided in one transaction."""
KEPT_MS = 400 * DAY_MS
"""How long it is kept who was handed over, and who was not."""
SWEPT_MAX = 2_000

_firing, _trigger, _state = tables.firing.c, tables.trigger.c, tables.person_state.c
_announced = msgspec.json.Decoder(Announced)


class _Turn(NamedTuple):
    """Whose moment has come."""

    id: int
    workspace_id: int
    person_id: int
    due_ms: int
    reason: ChangeReason
    event_id: bytes | None
    public_id: str
    """Of the trigger."""
    is_active: bool
    on: str
    """What they entered, as it is announced: ``phase``, or ``segment:KEY``."""
    value: str
    """What is announced of it while they are in it."""
    wanted: Wanted


@dataclass(frozen=True)
class _Person:
    """What is stored of somebody."""

    version: int
    announced: Announced
    somebody: Somebody


class Fired(NamedTuple):
    """What a look at the turns that came was."""

    decided: int = 0
    """``FIRE_MAX`` means that there may be more."""
    handed: int = 0


def fire_due(db: Connection, model: Model, now_ms: int) -> Fired:
    """Decide about those whose moment has come, in the order of their moments."""
    if not _anything(db, now_ms):
        return Fired()
    turns = _claim(db, now_ms)
    by_workspace: dict[int, list[_Turn]] = defaultdict(list)
    for turn in turns:
        by_workspace[turn.workspace_id].append(turn)
    changes: list[tuple[int, Change]] = []
    rows: list[tuple[Any, ...]] = []
    for workspace_id, some in sorted(by_workspace.items()):
        for turn, version, done in _decide(db, workspace_id, some, model, now_ms):
            status = "fired" if done.why is None else "withheld"
            rows.append((status, done.why, done.content_id, now_ms, turn.id))
            if done.why is None:
                changes.append((workspace_id, _change(turn, version, done)))
    update_rows(db, tables.firing, "id", ("status", "why", "content_id", "decided_ms"), rows)
    changes.sort(key=lambda one: (one[1].valid_ms, one[1].person_id))
    publish(db, changes, now_ms)
    return Fired(len(turns), len(changes))


def forget_fired(db: Connection, now_ms: int) -> int:
    """Forget some turns of long ago; how many."""
    old = select(_firing.id).where(_firing.entered_ms < now_ms - KEPT_MS).limit(SWEPT_MAX)
    return db.execute(delete(tables.firing).where(_firing.id.in_(old))).rowcount


def _anything(db: Connection, now_ms: int) -> bool:
    query = select(_firing.id).where(_firing.status == "waiting", _firing.due_ms <= now_ms)
    return db.execute(query.limit(1)).first() is not None


def _claim(db: Connection, now_ms: int) -> list[_Turn]:
    """Turns that came, of persons whom nobody has at hand and of whom all was announced."""
    query = (
        select(
            _firing.id,
            _firing.workspace_id,
            _firing.person_id,
            _firing.due_ms,
            _firing.reason,
            _firing.event_id,
            _trigger.public_id,
            _trigger.status,
            _trigger.on_kind,
            _trigger.on_key,
            _trigger.content_id,
            _trigger.channel,
            _trigger.per_week,
        )
        .join_from(tables.firing, tables.trigger, _trigger.id == _firing.trigger_id)
        .join(tables.person, tables.person.c.id == _firing.person_id)
        .outerjoin(tables.person_state, _state.person_id == _firing.person_id)
        .where(
            _firing.status == "waiting",
            _firing.due_ms <= now_ms,
            or_(_state.due_ms.is_(None), _state.due_ms > now_ms),
        )
        .order_by(_firing.due_ms, _firing.id)
        .limit(FIRE_MAX)
        .with_for_update(of=(tables.firing, tables.person), key_share=True, skip_locked=True)
    )
    return [_turn(row) for row in db.execute(query).all()]


def _turn(row: Any) -> _Turn:
    is_segment = row.on_kind == "segment"
    return _Turn(
        row.id,
        row.workspace_id,
        row.person_id,
        row.due_ms,
        row.reason,
        None if row.event_id is None else bytes(row.event_id),
        row.public_id,
        row.status == "active",
        f"segment:{row.on_key}" if is_segment else "phase",
        MEMBER if is_segment else row.on_key,
        Wanted(row.content_id, row.channel, row.per_week),
    )


def _decide(
    db: Connection, workspace_id: int, turns: Sequence[_Turn], model: Model, now_ms: int
) -> list[tuple[_Turn, int, Decided]]:
    """What comes of each turn, with the version of its person."""
    people = _people(db, workspace_id, turns, model, now_ms)
    named, offered = _catalogue(db, workspace_id, turns, now_ms)
    fired_ms: dict[int, list[int]] = defaultdict(list)
    found = []
    for turn in turns:
        one = people.get(turn.person_id)
        done = _before(turn, one, now_ms)
        if done is None and one is not None:
            handed = [*one.somebody.handed_ms, *fired_ms[turn.person_id]]
            who = replace(one.somebody, handed_ms=handed)
            done = decided(turn.wanted, who, named, offered, now_ms)
            if done.why is None:
                fired_ms[turn.person_id].append(now_ms)
        assert done is not None  # noqa: S101  nobody is decided about who is not there
        found.append((turn, one.version if one else 0, done))
    return found


def _before(turn: _Turn, one: _Person | None, now_ms: int) -> Decided | None:
    """What settles it before anybody is looked at."""
    if not turn.is_active:
        return Decided(None, "paused")
    if now_ms - turn.due_ms > LATE_MS:
        return Decided(None, "late")
    if one is None:
        return Decided(None, "not_followed")
    if one.announced.get(turn.on) != turn.value:
        return Decided(None, "left")
    return None


def _people(
    db: Connection, workspace_id: int, turns: Sequence[_Turn], model: Model, now_ms: int
) -> dict[int, _Person]:
    persons = sorted({turn.person_id for turn in turns})
    known = approach.known_of(db, workspace_id, persons, now_ms)
    query = select(_state.person_id, _state.version, _state.announced, _state.state).where(
        _state.workspace_id == unguessed(workspace_id), _state.person_id.in_(persons)
    )
    found = {}
    for person, version, told, stored in db.execute(query):
        state, announced = decode_state(bytes(stored)), _announced.decode(told)
        phase = announced.get("phase")
        if phase is None:
            continue
        engaged = present(state.engagement, now_ms, model)
        whole = engaged.get(IN_ALL, 0.0)
        shares = {t: min(e / whole, 1.0) for t, e in engaged.items() if t != IN_ALL and whole}
        one = known[person]
        reader = Reader(phase, shares, one.seen, one.in_procedure)  # type: ignore[arg-type]
        somebody = Somebody(state, reader, one.said, one.unsubscribed, one.handed_ms)
        found[person] = _Person(version, announced, somebody)
    return found


def _catalogue(
    db: Connection, workspace_id: int, turns: Sequence[_Turn], now_ms: int
) -> tuple[Mapping[str, Item], list[Item]]:
    """The items that triggers name; and those to choose among, where any trigger does."""
    row = tables.content.c
    query = select(tables.content).where(row.workspace_id == workspace_id)
    names = {turn.wanted.content_id for turn in turns}
    chosen = None in names
    if not chosen:
        query = query.where(row.content_id.in_(names))
    found = [
        (
            Item(
                one.content_id,
                one.kind,
                one.phase,
                frozenset(one.topics),
                one.published_ms or 0,
                one.closes_ms,
            ),
            one.address is not None,
        )
        for one in db.execute(query)
        if one.closes_ms is None or one.closes_ms > now_ms
    ]
    offered = [item for item, has_address in found if has_address] if chosen else []
    return {item.content_id: item for item, _ in found}, offered


def _change(turn: _Turn, version: int, done: Decided) -> Change:
    return Change(
        person_id=turn.person_id,
        person_version=version,
        kind="trigger",
        key=turn.public_id,
        before=None,
        after=done.content_id,
        valid_ms=turn.due_ms,
        reason=turn.reason,
        event_id=turn.event_id,
    )
