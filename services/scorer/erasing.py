"""People erased: out of the record, out of all that is said of them, and told in the feed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update

from services.contract import tables
from services.contract.change import ERASED
from services.contract.tables.unguessed import unguessed
from services.model.version import Model
from services.runtime.bulk import among
from services.scorer import consent, intervals
from services.scorer.announce import announce_folded, announce_moves
from services.scorer.change import Change
from services.scorer.erased_record import Erased, erase
from services.scorer.files import withdraw_files
from services.scorer.folding import Folded, fold_persons
from services.scorer.letters import forget_letters
from services.scorer.owners import hold_persons
from services.scorer.record import Arrived
from services.scorer.save import save, states_of
from services.scorer.segments import load_segments
from services.scorer.shadow import forget_shadows
from services.scorer.triggers import forget_turns
from services.scorer.withdrawals import tell_trackers, write_marks

_link = tables.identity_link.c


@dataclass(frozen=True)
class Farewell:
    """What erasures in a batch came to."""

    erasures: int = 0
    refolded: int = 0
    count_rows: int = 0
    changes: list[Change] = field(default_factory=list)


def erase_people(
    db: Connection, workspace_id: int, arrived: Sequence[Arrived], model: Model, now_ms: int
) -> Farewell:
    """Carry out the erasures among a batch's events, before anything else of it is looked at.

    Args:
        db: in the batch's transaction.
        workspace_id: whose.
        arrived: the batch's events; only erasures are looked at.
        model: the version in force.
        now_ms: UTC milliseconds.
    """
    done = erase(db, workspace_id, arrived, now_ms)
    if not done.words:
        return Farewell()
    moves = done.moves
    anew = done.refold | moves.refold | moves.merged.keys()
    hold_persons(db, anew)
    segments = load_segments(db, workspace_id, hold=True)
    withdrawn = consent.enforce(db, workspace_id, {}, anew, done.loose)
    anew |= withdrawn.refold
    folded = fold_persons(db, workspace_id, {}, anew, segments, model, {})
    gone = _gone_of(db, workspace_id, done)
    reason = done.words[-1].reason
    for one in folded:
        one.remade = "withdrawn" if one.person_id in withdrawn.refold else reason
    count_rows = intervals.write(db, workspace_id, folded, now_ms)
    consent.forget(db, workspace_id, withdrawn.unmeasured)
    forget_shadows(db, anew)
    staying = [one for one in folded if one.person_id not in gone]
    changes = announce_folded(staying, segments, now_ms)
    changes += announce_moves(db, moves, folded, now_ms)
    changes += _farewells(done, gone, folded)
    save(db, workspace_id, folded, states_of(workspace_id, folded, model))
    _wipe(db, workspace_id, done, gone.keys())
    withdraw_files(db, workspace_id)
    forget_letters(db, workspace_id, done.names)
    if withdrawn.anybody:
        tell_trackers(db, workspace_id, withdrawn.terms, anew)
    write_marks(db, workspace_id, done.marks)
    return Farewell(len(done.words), len(folded), count_rows, changes)


def _farewells(done: Erased, gone: dict[int, bool], folded: Sequence[Folded]) -> list[Change]:
    """One for each person who was somebody until now: nothing else of theirs is told again."""
    versions = {one.person_id: one.version for one in folded}
    last = max(done.words, key=lambda one: one.at_ms)
    return [
        Change(
            person_id=person,
            person_version=versions.get(person, 0),
            kind="person",
            key="",
            before=None,
            after=ERASED,
            valid_ms=last.at_ms,
            reason=last.reason,
            event_id=None,
        )
        for person, was_somebody in sorted(gone.items())
        if was_somebody
    ]


def _gone_of(db: Connection, workspace_id: int, done: Erased) -> dict[int, bool]:
    """Those of the persons concerned who are nobody any more, and whether they were until now."""
    held = select(_link.person_id).where(
        _link.workspace_id == unguessed(workspace_id),
        among(db, _link.person_id, done.persons),
        _link.known_to_ms.is_(None),
    )
    empty = done.persons - set(db.execute(held).scalars())
    row = tables.person.c
    query = select(row.id, row.merged_into, row.erased_ms).where(
        row.workspace_id == unguessed(workspace_id), among(db, row.id, empty)
    )
    return {
        person: into is None and erased_ms is None
        for person, into, erased_ms in db.execute(query)
        if into is None or into in empty
    }


def _wipe(db: Connection, workspace_id: int, done: Erased, gone: Collection[int]) -> None:
    """Delete what was ever said of persons, once what holds of them was folded anew.

    Args:
        db: in the same transaction.
        workspace_id: whose.
        done: what was erased.
        gone: those of whom nothing is left; of the others what was once believed goes.
    """
    at_ms = max(one.at_ms for one in done.words)
    everybody = set(gone) | done.refold
    interval, change, row = tables.interval.c, tables.change.c, tables.person.c
    db.execute(
        delete(tables.interval).where(
            interval.workspace_id == unguessed(workspace_id),
            among(db, interval.person_id, everybody),
            interval.known_to_ms.is_not(None) | among(db, interval.person_id, gone),
        )
    )
    db.execute(
        delete(tables.change).where(
            change.workspace_id == unguessed(workspace_id), among(db, change.person_id, everybody)
        )
    )
    db.execute(
        delete(tables.identity_link).where(
            _link.workspace_id == unguessed(workspace_id), among(db, _link.person_id, gone)
        )
    )
    forget_turns(db, workspace_id, gone, done.refold)
    for table in (tables.person_state, tables.checkpoint, tables.model_fold):
        db.execute(delete(table).where(among(db, table.c.person_id, gone)))
    db.execute(
        update(tables.person)
        .where(row.workspace_id == unguessed(workspace_id), among(db, row.id, gone))
        .values(erased_ms=at_ms, first_event_id=b"", first_ms=at_ms)
    )
