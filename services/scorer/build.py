"""A new segment, or a new version of one, filled over the people who are there.

Person by person, each under its lock and as if folded anew with the new rule, while the old
version stays in force; then the new one takes its place in one step. ``built_to`` says how far it
is, so that whoever goes on after a kill does not begin anew. Whom another worker has at hand is not
waited for but passed by, and filled later.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, Select, bindparam, func, select, update
from sqlalchemy.exc import DBAPIError

from services.contract import tables
from services.model.hindsight import Hindsight
from services.model.version import Model
from services.runtime.bulk import among, rows_of
from services.scorer import intervals
from services.scorer.aftermath import aftermath_step
from services.scorer.announce import next_boundary
from services.scorer.batch import MovedError
from services.scorer.filling import fill
from services.scorer.folding import Folded, fold_persons
from services.scorer.save import save, states_of
from services.scorer.segments import load_segments
from services.scorer.states import heads

PERSONS_PER_STEP = 500
PERSONS_PER_QUICK_STEP = 2_000
"""Where nothing is weighed, or hardly anything."""
WAITS_FROM = 100
"""Where so many were passed by, a step waits for the first of them."""
EVENTS_MAX = 50_000
"""Of a step's persons, unless one has more: so long a transaction lasts, and so much it holds."""

_version = tables.segment_version.c
_interval = tables.interval.c
_state = tables.person_state.c


class _Building(NamedTuple):
    """Versions that come into force in one step: one, or those of segments that refer to others."""

    ids: tuple[int, ...]
    workspace_id: int
    segment_ids: tuple[int, ...]
    built_to: int
    passed_by: Sequence[int]


class _Whom(NamedTuple):
    """Whom a step fills, and how far the version is then."""

    persons: list[int]
    passed_by: list[int]
    """In the order of their ids."""
    built_to: int


class FillingFailedError(Exception):
    """A version could not be filled, whatever the database does."""

    def __init__(self, version_id: int, why: Exception) -> None:
        super().__init__(f"the segment version {version_id} cannot be filled")
        self.version_id, self.why = version_id, why


def build_step(db: Connection, model: Model, now_ms: int, besides: Collection[int] = ()) -> bool:
    """Fill one version a little further, put it in force, or go through what that brings.

    Args:
        db: a transaction that writes.
        model: the version in force.
        now_ms: UTC milliseconds.
        besides: ids of versions that could not be filled lately: others go on without them.

    Returns:
        Whether there may be more to do.

    Raises:
        FillingFailedError: one of ``besides`` for the next call.
    """
    if aftermath_step(db, now_ms):
        return True
    version = _next_version(db, besides)
    if version is None:
        return False
    try:
        is_filled = _fill_further(db, version, model, now_ms)
    except (DBAPIError, MovedError):
        raise
    except Exception as error:
        raise FillingFailedError(version.ids[0], error) from error
    if is_filled:
        _put_in_force(db, version, now_ms)
    return True


def is_anything_left(db: Connection, besides: Collection[int]) -> bool:
    """Whether a version is being filled, though another worker may have it at hand just now."""
    return db.execute(_ANY, {"besides": list(besides)}).first() is not None


def _fill_further(db: Connection, version: _Building, model: Model, now_ms: int) -> bool:
    """Whether nobody is left."""
    number = _persons_per_step(db, version, model)
    following = _following(db, version, number)
    if not following and not version.passed_by:
        # Nobody new appears while this lock is held, so this answer stays true.
        db.execute(
            select(tables.workspace.c.id)
            .where(tables.workspace.c.id == version.workspace_id)
            .with_for_update(key_share=True)
        )
        following = _following(db, version, number)
        if not following:
            return True
    _fill(db, version, _whom(db, version, following), model, now_ms)
    return False


def _next_version(db: Connection, besides: Collection[int]) -> _Building | None:
    """The version that is filled next, locked, with those that come into force together with it.

    In a workspace one after the other; among workspaces by lot at each step, so that none waits
    until all people of a large one are through.
    """
    row = db.execute(_FIRST, {"besides": list(besides)}).one_or_none()
    if row is None:
        return None
    others = (
        select(_version.id, _version.segment_id)
        .where(
            _version.workspace_id == row.workspace_id,
            _version.status == "building",
            _version.id != row.id,
            _version.together_id == row.together_id,
        )
        .order_by(_version.id)
    )
    # Who edits one of them may want the one that is held by now: it is never waited for here.
    held = others.with_for_update(skip_locked=True, key_share=True)
    rest = [] if row.together_id is None else db.execute(held).all()
    if row.together_id is not None and len(rest) < len(db.execute(others).all()):
        return None
    return _Building(
        (row.id, *(other.id for other in rest)),
        row.workspace_id,
        (row.segment_id, *(other.segment_id for other in rest)),
        row.built_to,
        row.passed_by,
    )


def _first() -> Select[Any]:
    """The version that is filled next."""
    how_far = (_version.built_to, _version.passed_by, _version.together_id)
    other = tables.segment_version.alias("other").c
    besides: BindParameter[int] = bindparam("besides", expanding=True)
    before_it = (
        select(func.count())
        .where(
            other.workspace_id == _version.workspace_id,
            other.status == "building",
            other.id < _version.id,
            other.id.not_in(besides),
        )
        .correlate(tables.segment_version)
        .scalar_subquery()
    )
    return (
        select(_version.id, _version.workspace_id, _version.segment_id, *how_far)
        .where(_version.status == "building", _version.id.not_in(besides))
        .order_by(before_it, func.random())
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )


_ANY = (
    select(_version.id)
    .where(_version.status == "building", _version.id.not_in(bindparam("besides", expanding=True)))
    .limit(1)
)
_FIRST = _first()
"""Made once: they are asked for ten times a second, and to put one together takes milliseconds."""


def _persons_per_step(db: Connection, version: _Building, model: Model) -> int:
    rulebook = load_segments(db, version.workspace_id).drawing(version.ids).rulebook_for(0)
    return PERSONS_PER_QUICK_STEP if Hindsight(rulebook, model).is_enough else PERSONS_PER_STEP


def _following(db: Connection, version: _Building, number: int) -> Sequence[int]:
    """The persons whose turn is next."""
    row = tables.person.c
    query = (
        select(row.id)
        .where(row.workspace_id == version.workspace_id, row.id > version.built_to)
        .order_by(row.id)
        .limit(number)
    )
    return db.execute(query).scalars().all()


def _whom(db: Connection, version: _Building, following: Sequence[int]) -> _Whom:
    """Whom to fill now, locked: who were passed by, and who follow.

    Whom another has at hand is passed by. Only where none but these are left, or too many, is one
    waited for, while nobody else is held.
    """
    wanted = [*version.passed_by, *following]
    if not following or len(version.passed_by) >= WAITS_FROM:
        _locked(db, wanted[:1], wait=True)
    events = _locked(db, wanted, wait=False)
    number = _at_once(wanted, events)
    missed = [person for person in wanted[:number] if person not in events]
    later = [person for person in wanted[number:] if person <= version.built_to]
    return _Whom(
        persons=[person for person in wanted[:number] if person in events],
        passed_by=sorted({*_there(db, missed), *later}),
        built_to=max(version.built_to, wanted[number - 1]),
    )


def _at_once(wanted: Sequence[int], events: Mapping[int, int]) -> int:
    """How many of these persons a step goes through, by how many events each has."""
    total = 0
    for number, person in enumerate(wanted):
        total += events.get(person, 0)
        if total > EVENTS_MAX and total > events.get(person, 0):
            return number
    return len(wanted)


def _there(db: Connection, persons: Sequence[int]) -> Sequence[int]:
    """Those who are not erased meanwhile."""
    row = tables.person.c
    return db.execute(select(row.id).where(among(db, row.id, persons))).scalars().all()


def _locked(db: Connection, persons: Sequence[int], *, wait: bool) -> dict[int, int]:
    """How many events each of these persons has; they are locked."""
    row, state = tables.person.c, tables.person_state.c
    query = (
        select(row.id, func.coalesce(state.events, 0))
        .join_from(tables.person, tables.person_state, state.person_id == row.id, isouter=True)
        .where(among(db, row.id, persons))
        .order_by(row.id)
        .with_for_update(key_share=True, of=tables.person, skip_locked=not wait)
    )
    return dict(rows_of(db, query))


def _fill(db: Connection, version: _Building, whom: _Whom, model: Model, now_ms: int) -> None:
    db.execute(
        update(tables.segment_version)
        .where(_version.id.in_(version.ids))
        .values(built_to=whom.built_to, passed_by=whom.passed_by)
    )
    # Only what is new is drawn and written: all else of these people is as it was.
    segments = load_segments(db, version.workspace_id).drawing(version.ids)
    left = fill(db, version.workspace_id, whom.persons, segments, model, now_ms)
    if not left:
        return
    before = heads(db, left)
    folded = fold_persons(db, version.workspace_id, {}, list(before), segments, model, {})
    intervals.write(db, version.workspace_id, folded, now_ms)
    for one in folded:
        one.due_ms = _due(one, before[one.person_id].due_ms, now_ms)
    save(db, version.workspace_id, folded, states_of(version.workspace_id, folded, model))


def _due(one: Folded, before_ms: int | None, now_ms: int) -> int | None:
    """When a person's next boundary is to be announced, now that there are new ones."""
    holds = {
        i.kind: i.key
        for i in one.intervals
        if i.kind != "segment" and i.from_ms <= now_ms and (i.to_ms is None or now_ms < i.to_ms)
    }
    if any(one.announced.get(kind) != key for kind, key in holds.items()):
        return min(now_ms, before_ms or now_ms)  # folded by other code, it came out otherwise
    moments = (before_ms, next_boundary(one.intervals, now_ms))
    return min((moment for moment in moments if moment is not None), default=None)


def _put_in_force(db: Connection, version: _Building, now_ms: int) -> None:
    """The new ones answer from here on; what that brings for each person is done after."""
    # Whoever took the version for one being filled ends first (segments.load_segments).
    db.execute(select(_version.id).where(_version.id.in_(version.ids)).with_for_update())
    db.execute(
        update(tables.segment_version)
        .where(_version.segment_id.in_(version.segment_ids), _version.status == "live")
        .values(status="retired", told_to=0)
    )
    db.execute(
        update(tables.segment_version)
        .where(_version.id.in_(version.ids))
        .values(status="live", live_ms=now_ms, told_to=0)
    )
