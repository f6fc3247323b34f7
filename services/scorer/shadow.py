"""People as a version says that is not in force: folded beside the live ones, then exchanged.

A person's shadow is good as long as nobody touched the person and the segments are the same;
else it is stale, and folded again. Putting the version in force exchanges shadows and what is
live in one transaction, and what was live stays as the shadows of the version that went: so it
is as easily taken back.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, case, delete, func, literal, select

from services.contract import tables
from services.model.interval import Interval
from services.model.state import PersonState, decode_state, encode_state
from services.model.version import Model
from services.runtime.bulk import among, insert_rows
from services.scorer import intervals
from services.scorer.anew import EVENTS_MAX, PERSONS_MAX, fold_anew, intervals_of
from services.scorer.announce import announce_folded, publish
from services.scorer.folding import Folded
from services.scorer.save import save, states_of
from services.scorer.segments import Segments, load_segments
from services.scorer.states import Head, Place, heads
from services.scorer.versions import in_force, keep_out, put_in_force

_fold, _state, _checkpoint = tables.model_fold.c, tables.person_state.c, tables.checkpoint.c


class Shadow(msgspec.Struct, array_like=True):
    """All that a version says of a person."""

    state: bytes
    settled: bytes | None
    checkpoints: list[tuple[Place, bytes]]
    intervals: list[Interval]


_decoder = msgspec.msgpack.Decoder(Shadow)


def rules_of(segments: Segments, person_id: int) -> str:
    """Which versions of segments are drawn for somebody, as text."""
    reached = (f"{v.id}," for v in segments.being_filled if v.has_reached(person_id))
    return _in_force(segments) + "".join(reached)


def _rules(segments: Segments) -> ColumnElement[str]:
    """The same of each live person."""
    text: ColumnElement[str] = literal(_in_force(segments))
    for v in segments.being_filled:
        is_passed_by = _state.person_id.in_(sorted(v.passed_by))
        text += case((is_passed_by, ""), (_state.person_id <= v.built_to, f"{v.id},"), else_="")
    return text


def _in_force(segments: Segments) -> str:
    return "".join(f"{v.id}," for v in segments.versions if v.live_ms is not None)


class Shadows(NamedTuple):
    """What a version says of a few persons."""

    workspace_id: int
    last_id: int
    """Nobody up to here was stale; 0: nobody is any more."""
    events: int
    folded: dict[int, tuple[int, str, Shadow]]
    """Per person the version of the live state, the rules, and what the other says."""


def fold_next(
    db: Connection, version_id: int, workspace_id: int, model: Model, after_id: int
) -> Shadows:
    """Fold the stale ones among the next few persons; nothing is written."""
    segments = load_segments(db, workspace_id)
    persons = _next_stale(db, version_id, workspace_id, segments, after_id)
    if not persons:
        return Shadows(workspace_id, 0, 0, {})
    # Read before the events: who is touched in between is stale.
    versions = {person: one.version for person, one in heads(db, persons).items()}
    folded: dict[int, tuple[int, str, Shadow]] = {}
    events = 0
    for one in fold_anew(db, workspace_id, persons, segments, model):
        if one.state is not None and one.person_id in versions:
            rules = rules_of(segments, one.person_id)
            folded[one.person_id] = versions[one.person_id], rules, _shadow(one.state, one)
            events += one.state.events
    return Shadows(workspace_id, persons[-1], events, folded)


def keep(db: Connection, version_id: int, shadows: Shadows) -> None:
    """Store shadows, in place of older ones."""
    forget_shadows(db, shadows.folded.keys(), version_id)
    rows = [
        (
            version_id,
            person,
            shadows.workspace_id,
            version,
            rules,
            msgspec.msgpack.encode(shadow),
        )
        for person, (version, rules, shadow) in shadows.folded.items()
    ]
    insert_rows(db, tables.model_fold, _COLUMNS, rows)


_COLUMNS = ("version_id", "person_id", "workspace_id", "person_version", "rules", "folded")


def _next_stale(
    db: Connection, version_id: int, workspace_id: int, segments: Segments, after_id: int
) -> list[int]:
    """Persons without a good shadow, in the order of their ids."""
    query = (
        select(_state.person_id, _state.events)
        .where(
            _state.workspace_id == workspace_id,
            _state.person_id > after_id,
            ~_is_good(version_id, segments),
        )
        .order_by(_state.person_id)
        .limit(PERSONS_MAX)
    )
    taken: list[int] = []
    total = 0
    for person, events in db.execute(query).all():
        total += events
        if taken and total > EVENTS_MAX:
            break
        taken.append(person)
    return taken


def _shadow(state: PersonState, one: Folded) -> Shadow:
    return Shadow(encode_state(state), one.settled, one.checkpoints, one.intervals)


def forget_shadows(db: Connection, persons: Collection[int], version_id: int | None = None) -> None:
    """Delete the shadows of persons, of one version or of all."""
    if not persons:
        return
    of = () if version_id is None else (_fold.version_id == version_id,)
    db.execute(delete(tables.model_fold).where(among(db, _fold.person_id, persons), *of))


def shadows_of(
    db: Connection, version_id: int, persons: Sequence[int]
) -> dict[int, tuple[int, str, Shadow]]:
    """(the person's version, rules, shadow) of each person who has one, stale or not."""
    query = select(_fold.person_id, _fold.person_version, _fold.rules, _fold.folded).where(
        _fold.version_id == version_id, among(db, _fold.person_id, persons)
    )
    return {
        person: (version, rules, _decoder.decode(bytes(folded)))
        for person, version, rules, folded in db.execute(query).all()
    }


def exchange(
    db: Connection, version_id: int, model: Model, workspaces: Sequence[int], now_ms: int
) -> Iterator[int]:
    """Put a version in force, in one transaction; yields how many persons were exchanged more.

    Nobody scores meanwhile; what is stale is folded here. Differences that hold now are
    announced with reason ``model``.
    """
    keep_out(db)
    before = in_force(db)
    if before.id == version_id:
        return
    for workspace_id in workspaces:
        segments = load_segments(db, workspace_id)
        after_id = 0
        while persons := _lock_next(db, workspace_id, after_id):
            folded = _folded(db, version_id, workspace_id, persons, segments, model)
            _keep_live(db, before.id, workspace_id, persons, segments)
            intervals.write(db, workspace_id, folded, now_ms)
            changes = announce_folded(folded, segments, now_ms)
            save(db, workspace_id, folded, states_of(workspace_id, folded, model))
            publish(db, [(workspace_id, change) for change in changes], now_ms)
            after_id = persons[-1]
            yield len(persons)
    db.execute(delete(tables.model_fold).where(_fold.version_id == version_id))
    put_in_force(db, version_id, now_ms)


def count_exchanged(db: Connection, workspace_id: int) -> int:
    """Persons that are exchanged: those of whom there is a state, so nobody who was merged."""
    query = select(func.count()).where(_state.workspace_id == workspace_id)
    return int(db.execute(query).scalar_one())


def _lock_next(db: Connection, workspace_id: int, after_id: int) -> list[int]:
    """The next few persons, locked, so that nobody announces of them before we do."""
    row = tables.person.c
    query = (
        select(row.id)
        .join_from(tables.person, tables.person_state, _state.person_id == row.id)
        # Of both: PostgreSQL merges the two, and would go through all states from the first on.
        .where(row.workspace_id == workspace_id, row.id > after_id, _state.person_id > after_id)
        .order_by(row.id)
        .limit(PERSONS_MAX)
        .with_for_update(of=tables.person, key_share=True)
    )
    return list(db.execute(query).scalars())


def _folded(
    db: Connection,
    version_id: int,
    workspace_id: int,
    persons: Sequence[int],
    segments: Segments,
    model: Model,
) -> list[Folded]:
    """Persons as the version says, from their shadows where those are good."""
    standing = heads(db, persons)
    good = {
        person: shadow
        for person, (version, of, shadow) in shadows_of(db, version_id, persons).items()
        if version == standing[person].version and of == rules_of(segments, person)
    }
    stale = [person for person in persons if person not in good]
    found = [_from(person, good[person], standing[person], segments) for person in good]
    found += fold_anew(db, workspace_id, stale, segments, model) if stale else []
    for one in found:
        one.remade = "model"
    return sorted(found, key=lambda one: one.person_id)


def _from(person: int, shadow: Shadow, head: Head, segments: Segments) -> Folded:
    rulebook = segments.rulebook_for(person)
    # A segment that was being filled then may have been given up since.
    kept = [i for i in shadow.intervals if i.kind != "segment" or i.key in rulebook.keys]
    return Folded(
        person_id=person,
        state=decode_state(shadow.state),
        version=head.version + 1,
        cut_ms=None,
        intervals=kept,
        rulebook=rulebook,
        announced=head.announced,
        checkpoints=shadow.checkpoints,
        settled=shadow.settled,
    )


def _keep_live(
    db: Connection, version_id: int, workspace_id: int, persons: Sequence[int], segments: Segments
) -> None:
    """What is live becomes the shadows of the version that goes."""
    held = intervals_of(db, workspace_id, persons)
    checkpoints: dict[int, list[tuple[Place, bytes]]] = {person: [] for person in persons}
    query = select(
        _checkpoint.person_id, _checkpoint.occurred_ms, _checkpoint.event_id, _checkpoint.state
    ).where(among(db, _checkpoint.person_id, persons))
    for person, at, event_id, state in db.execute(query).all():
        checkpoints[person].append(((at, bytes(event_id)), bytes(state)))
    rows = select(_state.person_id, _state.version, _state.state, _state.settled).where(
        among(db, _state.person_id, persons)
    )
    shadows = {}
    for person, version, state, settled in db.execute(rows).all():
        kept = None if settled is None else bytes(settled)
        shadow = Shadow(bytes(state), kept, checkpoints[person], held[person])
        # As it will be when the other is written.
        shadows[person] = version + 1, rules_of(segments, person), shadow
    keep(db, version_id, Shadows(workspace_id, persons[-1], 0, shadows))


def count_stale(db: Connection, version_id: int, workspace_id: int) -> int:
    """Persons without a good shadow."""
    segments = load_segments(db, workspace_id)
    query = (
        select(func.count())
        .select_from(tables.person_state)
        .where(_state.workspace_id == workspace_id, ~_is_good(version_id, segments))
    )
    return int(db.execute(query).scalar_one())


def _is_good(version_id: int, segments: Segments) -> ColumnElement[bool]:
    """Whether a live person has a good shadow."""
    return (
        select(_fold.person_id)
        .where(
            _fold.version_id == version_id,
            _fold.person_id == _state.person_id,
            _fold.person_version == _state.version,
            _fold.rules == _rules(segments),
        )
        .exists()
    )
