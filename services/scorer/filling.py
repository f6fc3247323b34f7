"""Segment versions filled without folding, for those of whom what is stored tells enough.

See ``services/model/hindsight.py``. It writes what folding them would write: the intervals of the
new versions, what the rules ask to be kept, and when the next boundary is due.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, null, select, update

from services.contract import tables
from services.contract.event import LISTED, Event
from services.model.behaviour import judged
from services.model.glimpse import glimpse
from services.model.hindsight import Drawn, Hindsight, Person, Place
from services.model.interval import Interval
from services.model.rules.early import lists_of
from services.model.rules.memory import BY_HAND
from services.model.state import PersonState, decode_state, encode_state
from services.model.version import Model
from services.runtime.bulk import Row, among, update_rows
from services.scorer import intervals
from services.scorer.announce import next_boundary
from services.scorer.causes import Causes
from services.scorer.segments import Segments
from services.scorer.states import CHECKPOINT_EVENTS
from services.scorer.sweeps import histories_of

_row, _interval = tables.person_state.c, tables.interval.c


class _Stored(NamedTuple):
    """What is stored of a person."""

    state: bytes
    settled: bytes | None
    version: int
    due_ms: int | None
    events: int


class _Filled(NamedTuple):
    """A person, and what is new."""

    person_id: int
    stored: _Stored
    seen: PersonState
    drawn: Drawn


def fill(
    db: Connection,
    workspace_id: int,
    persons: Sequence[int],
    segments: Segments,
    model: Model,
    now_ms: int,
) -> list[int]:
    """Fill the versions that are drawn for as many of some persons as can be without folding.

    Args:
        db: a transaction that has the persons locked.
        workspace_id: whose.
        persons: none of whom they were filled for.
        segments: of which these versions alone are drawn.
        model: the version in force.
        now_ms: UTC milliseconds.

    Returns:
        Those who have to be folded.
    """
    by_rules: dict[int, list[int]] = defaultdict(list)
    rulebooks = {}
    for person in persons:
        rulebook = segments.rulebook_for(person)
        rulebooks[id(rulebook)] = rulebook
        by_rules[id(rulebook)].append(person)
    left: list[int] = []
    for key, some in by_rules.items():
        left += _fill(db, workspace_id, some, Hindsight(rulebooks[key], model), now_ms)
    return sorted(left)


def _fill(
    db: Connection, workspace_id: int, persons: Sequence[int], hindsight: Hindsight, now_ms: int
) -> list[int]:
    stored = _stored(db, persons, settled=bool(hindsight.memories))
    if not hindsight.is_enough:
        return sorted(stored)
    seen = {person: glimpse(one.state) for person, one in stored.items()}
    steps = _steps_of(db, workspace_id, seen, hindsight)
    waiting = [
        person
        for person, one in stored.items()
        # Checkpoints hold what rules ask to be kept too: of short histories there are none.
        if (one.events < CHECKPOINT_EVENTS or not hindsight.memories)
        and hindsight.fits(seen[person], steps.get(person, ()))
    ]
    drawn: dict[int, Drawn] = {}
    for types in dict.fromkeys((_types(db, workspace_id, hindsight), None)):
        events = _events(db, workspace_id, waiting, types)
        for person in waiting:
            told = judged(events.get(person, []))
            settled = _place_of(stored[person].settled)
            known = Person(seen[person], settled, steps.get(person, ()), told, types is None)
            found = hindsight.draw(known)
            if found is not None:
                drawn[person] = found
        waiting = [person for person in waiting if person not in drawn]
    causes = Causes(db, workspace_id, seen, drawn)
    filled = [
        _Filled(person, stored[person], seen[person], causes.told(person, one))
        for person, one in sorted(drawn.items())
        if causes.agree(person, one)
    ]
    _write(db, workspace_id, filled, now_ms)
    return sorted(stored.keys() - {one.person_id for one in filled})


def _stored(db: Connection, persons: Sequence[int], *, settled: bool) -> dict[int, _Stored]:
    columns = (_row.state, _row.settled if settled else null(), _row.version, _row.due_ms)
    query = select(_row.person_id, *columns, _row.events).where(among(db, _row.person_id, persons))
    return {
        person: _Stored(bytes(state), None if kept is None else bytes(kept), *more)
        for person, state, kept, *more in db.execute(query)
    }


def _place_of(settled: bytes | None) -> Place | None:
    if settled is None:
        return None
    state = glimpse(settled)
    return state.at_ms, state.at_id


def _steps_of(
    db: Connection, workspace_id: int, seen: Mapping[int, PersonState], hindsight: Hindsight
) -> dict[int, list[Interval]]:
    """Phases and latency states of those of whom they matter, as now known."""
    asked = [
        person
        for person, state in seen.items()
        if hindsight.reads_steps or state.score is None or state.score.since_ms != state.first_ms
    ]
    if not asked:
        return {}
    row = _interval
    columns = (row.person_id, row.kind, row.key, row.valid_from_ms, row.valid_to_ms)
    query = select(*columns).where(
        row.workspace_id == workspace_id,
        row.kind.in_(hindsight.kinds),
        among(db, row.person_id, asked),
        row.known_to_ms.is_(None),
    )
    found: dict[int, list[Interval]] = defaultdict(list)
    for person, kind, key, from_ms, to_ms in db.execute(query):
        found[person].append(Interval(kind, key, from_ms, to_ms, None))
    return found


def _types(db: Connection, workspace_id: int, hindsight: Hindsight) -> frozenset[str] | None:
    """The types of events that matter: lists by hand where there are any of these segments."""
    keys = {
        place.removeprefix(BY_HAND) for _, rule in hindsight.segments for place in lists_of(rule)
    }
    row = tables.event.c
    query = select(row.event_id).where(
        row.workspace_id == workspace_id, row.type == LISTED, row.content_id.in_(sorted(keys))
    )
    types = hindsight.types
    if types is None or db.execute(query.limit(1)).first() is None:
        return types
    return types | {LISTED}


def _events(
    db: Connection, workspace_id: int, persons: Collection[int], types: Collection[str] | None
) -> dict[int, list[Event]]:
    if not persons or types == frozenset():
        return {}
    return histories_of(db, workspace_id, persons, types=types)


def _write(db: Connection, workspace_id: int, filled: Sequence[_Filled], now_ms: int) -> None:
    new = [(one.person_id, piece) for one in filled for piece in one.drawn.pieces]
    intervals.add(db, workspace_id, new, now_ms)
    states: list[Row] = []
    dues: list[Row] = []
    others: list[int] = []
    for one in filled:
        stored, rings_ms = one.stored, one.drawn.rings_ms
        moments = (stored.due_ms, next_boundary(one.drawn.pieces, now_ms))
        due_ms = min((at_ms for at_ms in moments if at_ms is not None), default=None)
        place = (stored.version + 1, due_ms, one.person_id)
        if any(one.seen.rings_ms.get(key) != kept for key, kept in rings_ms.items()):
            state = _keeping(stored.state, rings_ms)
            settled = stored.settled and _keeping(stored.settled, one.drawn.settled_ms)
            states.append((state, settled, *place))
        elif due_ms != stored.due_ms:
            dues.append(place)
        else:
            others.append(one.person_id)
    columns = ("version", "due_ms")
    update_rows(db, tables.person_state, "person_id", ("state", "settled", *columns), states)
    update_rows(db, tables.person_state, "person_id", columns, dues)
    if others:
        # A version that is folded beside this one must not take them for what they were.
        query = update(tables.person_state).where(among(db, _row.person_id, others))
        db.execute(query.values(version=_row.version + 1))


def _keeping(stored: bytes, rings_ms: dict[str, list[int]]) -> bytes:
    """A state in which these are kept too."""
    state = decode_state(stored)
    state.rings_ms = state.rings_ms | rings_ms
    return encode_state(state)
