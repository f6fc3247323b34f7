"""One batch of the log becomes what we say of people, in one transaction.

Before it, in a transaction of its own, the few records that change who is who: they hold the
workspace's lock, and other workers shall not wait for the whole batch. It moves no position; if
the batch never follows, its records come again, and each event counts once.

Locks are taken in one order: positions, the workspace (where who is who changes), event ids,
places that clicks came from, persons, the feed. So batches of several workers wait for each other,
but never in a circle; where the database still sees one, the batch is tried again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.decision import DECIDED
from services.contract.erasure import ERASED
from services.contract.event import Event
from services.model.version import Model
from services.runtime import telemetry
from services.runtime.database import meanwhile
from services.runtime.event_log import Stored
from services.scorer import consent, employed, intervals, sweeps, unsubscribed
from services.scorer.announce import Change, announce_folded, announce_moves, publish
from services.scorer.erasing import erase_people
from services.scorer.files import withdraw_files
from services.scorer.folding import Folded, Forecast, fold_ahead, fold_persons
from services.scorer.identities import Identified, identify, unsettled
from services.scorer.letters import forget_letters, unnamed
from services.scorer.owners import Piece, hold_persons, owner_at, owners_of, still_so
from services.scorer.people import resolve
from services.scorer.positions import claim
from services.scorer.record import Arrived, Batch, Poison, count, set_aside, store
from services.scorer.save import save
from services.scorer.segments import load_segments
from services.scorer.shadow import forget_shadows
from services.scorer.states import load
from services.scorer.suppressed import still_so as still_suppressed
from services.scorer.suppressed import suppress, tell_lifted
from services.scorer.ties import write_ties
from services.scorer.withdrawals import tell_trackers


class MovedError(Exception):
    """Who is who changed while we waited for a lock: the batch must be tried again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch came to, for metrics."""

    new: int = 0
    repeated: int = 0
    refolded: int = 0
    dead: int = 0
    changes: int = 0
    count_rows: int = 0


class _Part(NamedTuple):
    """What one workspace's share of a batch came to."""

    new: int
    refolded: int
    count_rows: int
    changes: list[Change]


def introduce(db: Connection, log_id: str, batch: Batch, model: Model, now_ms: int) -> Outcome:
    """Score those events of a batch which change who is who, and those that go with them.

    Raises:
        FencedError, MovedError: as :func:`apply`.
    """
    claim(db, log_id, batch.records, finish=False)
    known = known_workspaces(db, batch.by_workspace)
    newcomers = {
        workspace_id: found
        for workspace_id, arrived in batch.by_workspace.items()
        if workspace_id in known and (found := _newcomers(db, workspace_id, arrived))
    }
    return score(db, newcomers, model, now_ms)


def apply(db: Connection, log_id: str, batch: Batch, model: Model, now_ms: int) -> Outcome:
    """Score a batch.

    Raises:
        FencedError: its records do not come next; nothing was written.
        MovedError: to be tried again; nothing was written.
    """
    claim(db, log_id, batch.records, finish=True)
    known = known_workspaces(db, batch.by_workspace)
    poison = list(batch.poison)
    for workspace_id in batch.by_workspace.keys() - known:
        poison += _nobodys(batch.records, batch.by_workspace[workspace_id])
    set_aside(db, log_id, unnamed(db, poison), now_ms)
    ours = {i: arrived for i, arrived in batch.by_workspace.items() if i in known}
    outcome = score(db, ours, model, now_ms)
    repeated = len(batch.records) - outcome.new - len(poison)
    return replace(outcome, repeated=repeated, dead=len(poison))


def score(
    db: Connection, by_workspace: Mapping[int, Sequence[Arrived]], model: Model, now_ms: int
) -> Outcome:
    """Score events of workspaces that there are, wherever they come from.

    Raises:
        MovedError: to be tried again; nothing was written.
    """
    changes: list[tuple[int, Change]] = []
    new = refolded = count_rows = 0
    for workspace_id, arrived in by_workspace.items():
        part = _apply(db, workspace_id, arrived, model, now_ms)
        changes += [(workspace_id, change) for change in part.changes]
        new += part.new
        refolded += part.refolded
        count_rows += part.count_rows
    publish(db, changes, now_ms)
    return Outcome(new=new, refolded=refolded, changes=len(changes), count_rows=count_rows)


def _newcomers(db: Connection, workspace_id: int, arrived: Sequence[Arrived]) -> list[Arrived]:
    """The events that change who is who, and those that name one of the same identities.

    Erasures do, and are carried out first.
    """
    named = [one.event for one in arrived if one.event.identities and one.event.type != ERASED]
    moving = unsettled(db, workspace_id, named)
    touched = {identity for event in moving for identity in event.identities}
    return [
        one
        for one in arrived
        if one.event.type == ERASED or not touched.isdisjoint(one.event.identities)
    ]


def _apply(
    db: Connection, workspace_id: int, arrived: Sequence[Arrived], model: Model, now_ms: int
) -> _Part:
    """Score the batch's events of one workspace."""
    erased = erase_people(db, workspace_id, arrived, model, now_ms)
    unsubscribed.note(db, workspace_id, [one.event for one in arrived])
    suppressed = suppress(db, workspace_id, arrived)
    arrived = suppressed.arrived
    named = [one.event for one in arrived if one.event.identities]
    identified = identify(db, workspace_id, named)
    forecast = _forecast(db, workspace_id, named, identified)
    (fresh, replaced), ahead = meanwhile(
        db,
        lambda: store(db, workspace_id, arrived, identified),
        lambda: fold_ahead(forecast, model),
    )
    all_are_new = len(fresh) == len(arrived)
    swept = sweeps.note(db, workspace_id, fresh, identified, now_ms)
    fresh = write_ties(db, workspace_id, fresh, identified, now_ms)
    count(db, workspace_id, fresh)
    answered_by = consent.write_ledger(db, workspace_id, fresh, identified, now_ms)
    moves = resolve(db, workspace_id, identified.loose, identified.new, now_ms)
    as_foretold = all_are_new and not identified.loose
    owners, theirs = (
        (forecast.owners, forecast.theirs)
        if as_foretold
        else _owned(db, workspace_id, fresh, identified)
    )
    replaced_by = _owners_at(db, workspace_id, replaced)
    anew = moves.refold | replaced_by
    rejudged = sweeps.rejudged(db, workspace_id, swept.recalled)
    taken: Mapping[int, Sequence[Event]] = {
        person: swept.taken(events) for person, events in theirs.items()
    }
    again = anew | rejudged.keys()
    ahead = {person: one for person, one in ahead.items() if person in taken.keys() - again}
    hold_persons(db, theirs.keys() | again | moves.merged.keys())
    used = identified.uses_in(named)
    if (
        owners_of(db, workspace_id, owners) != owners
        or _owners_at(db, workspace_id, replaced) != replaced_by
        or sweeps.rejudged(db, workspace_id, swept.recalled) != rejudged
        or not still_so(db, workspace_id, moves.uses, used)
        or not still_suppressed(db, workspace_id, suppressed)
    ):
        raise MovedError
    segments = load_segments(db, workspace_id, hold=True)
    withdrawn = consent.enforce(db, workspace_id, theirs, anew, answered_by | identified.loose)
    left_out = employed.leave_out(db, workspace_id, theirs, anew | withdrawn.refold)
    anew |= moves.merged.keys() | withdrawn.refold | left_out.refold
    taken = left_out.taken(taken)
    with telemetry.SCORER_FOLD_SECONDS.time():
        folded = fold_persons(
            db, workspace_id, taken, anew, segments, model, ahead, rejudged=rejudged
        )
    _say_why(folded, withdrawn, left_out.refold - moves.refold)
    count_rows = intervals.write(db, workspace_id, folded, now_ms)
    consent.forget(db, workspace_id, withdrawn.unmeasured)
    if withdrawn.unmeasured:
        withdraw_files(db, workspace_id)
    forget_letters(db, workspace_id, withdrawn.names)
    # Whoever is no more may be again, and then their versions are counted from 1 once more.
    gone = {one.person_id for one in folded if one.state is None}
    forget_shadows(db, withdrawn.terms.keys() | gone)
    changes = announce_folded(folded, segments, now_ms)
    changes += announce_moves(db, moves, folded, now_ms)
    save(db, workspace_id, folded, model)
    if withdrawn.anybody:
        tell_trackers(db, workspace_id, withdrawn.terms, anew)
    tell_lifted(db, workspace_id, suppressed.lifted)
    refolded = sum(one.cut_ms is None and one.version > 1 for one in folded)
    return _Part(
        erased.erasures + len(fresh),
        erased.refolded + refolded,
        erased.count_rows + count_rows,
        erased.changes + changes,
    )


def _forecast(
    db: Connection,
    workspace_id: int,
    events: Iterable[Event],
    identified: Identified,
) -> Forecast:
    """What to fold ahead: all is taken for new, and for those whose it seems to be."""
    sure = [event for event in events if event.type != DECIDED]
    if identified.loose:
        sure = [event for event in sure if identified.primary(event) not in identified.loose]
    owners, theirs = _owned(db, workspace_id, sure, identified)
    return Forecast(load(db, theirs), theirs, owners, load_segments(db, workspace_id))


def _say_why(
    folded: Sequence[Folded], withdrawn: consent.Enforced, employed_: Collection[int]
) -> None:
    """Why persons were folded anew, where no event and no tie was the reason."""
    for one in folded:
        if one.person_id in withdrawn.refold:
            one.remade = "objected" if one.person_id in withdrawn.objecting else "withdrawn"
        elif one.person_id in employed_:
            one.remade = None


def known_workspaces(db: Connection, ids: Collection[int]) -> set[int]:
    """Those among the ids that there are."""
    row = tables.workspace.c
    return set(db.execute(select(row.id).where(row.id.in_(list(ids)))).scalars())


def _nobodys(records: Sequence[Stored], arrived: Sequence[Arrived]) -> list[Poison]:
    values = {one.value for one in arrived}
    return [Poison(r, "there is no such workspace") for r in records if r.value in values]


def _owned(
    db: Connection, workspace_id: int, events: Sequence[Event], identified: Identified
) -> tuple[dict[int, set[Piece]], dict[int, list[Event]]]:
    """Whose the identities of events are, and the events per person, without those of nobody."""
    by_identity: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event.identities:
            by_identity[identified.primary(event)].append(event)
    owners = owners_of(db, workspace_id, by_identity.keys())
    found: dict[int, list[Event]] = defaultdict(list)
    for identity, some in by_identity.items():
        pieces = owners[identity]
        for event in some:
            found[owner_at(pieces, event.occurred_ms)].append(event)
    return owners, dict(found)


def _owners_at(db: Connection, workspace_id: int, places: Collection[tuple[int, int]]) -> set[int]:
    """Whose (identity id, occurred_ms) are."""
    pieces = owners_of(db, workspace_id, {identity for identity, _ in places})
    return {owner_at(pieces[identity], at) for identity, at in places}
