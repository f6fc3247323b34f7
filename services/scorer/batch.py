"""One batch of the log becomes what we say of people, in one transaction.

Those records that change who is who come before it (``newcomers.py``).

Locks are taken in one order: positions, the workspace (where who is who changes), event ids,
places that clicks came from, persons, the feed. So batches of several workers wait for each other,
but never in a circle; where the database still sees one, the batch is tried again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.decision import DECIDED
from services.contract.event import primary
from services.model.version import Model
from services.runtime import telemetry
from services.runtime.database import meanwhile
from services.runtime.event_log import Stored
from services.scorer import consent, employed, intervals, sweeps, unsubscribed
from services.scorer.announce import announce_folded, announce_moves, publish
from services.scorer.change import Change
from services.scorer.erasing import Farewell, erase_people
from services.scorer.files import withdraw_files
from services.scorer.folding import Folded, Forecast, fold_ahead, fold_persons
from services.scorer.identities import Identified, Seen, identify, standing
from services.scorer.letters import forget_letters, unnamed
from services.scorer.named import by_names
from services.scorer.owners import (
    NobodysError,
    hold_persons,
    owners_at,
    owners_of,
    share_out,
    still_so,
)
from services.scorer.people import Moves, resolve
from services.scorer.positions import claim
from services.scorer.record import Arrived, Batch, Poison, count, set_aside, store
from services.scorer.save import save, states_of
from services.scorer.segments import load_segments
from services.scorer.shadow import forget_shadows
from services.scorer.states import load
from services.scorer.suppressed import Suppressed, suppress, tell_lifted
from services.scorer.suppressed import still_so as still_suppressed
from services.scorer.ties import still_tied, write_ties
from services.scorer.withdrawals import tell_trackers

NOTHING: Mapping[int, Seen] = {}


class Known(NamedTuple):
    """What is known of a workspace's share of a batch before anybody is held."""

    erased: Farewell
    suppressed: Suppressed
    identified: Identified


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


class Part(NamedTuple):
    """What one workspace's share of a batch came to."""

    new: int
    refolded: int
    count_rows: int
    changes: list[Change]
    identified: Identified | None
    """None: somebody was erased."""


def apply(
    db: Connection,
    log_id: str,
    batch: Batch,
    model: Model,
    now_ms: int,
    seen: Mapping[int, Seen] = NOTHING,
) -> Outcome:
    """Score a batch.

    Args:
        db: in a transaction.
        log_id: whose positions.
        batch: records that come next.
        model: the version in force.
        now_ms: UTC milliseconds.
        seen: per workspace what is known of its events, by a transaction that was committed.

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
    outcome = told(db, parts_of(db, ours, model, now_ms, seen), now_ms)
    repeated = len(batch.records) - outcome.new - len(poison)
    return replace(outcome, repeated=repeated, dead=len(poison))


def score(
    db: Connection, by_workspace: Mapping[int, Sequence[Arrived]], model: Model, now_ms: int
) -> Outcome:
    """Score events of workspaces that there are, wherever they come from.

    Raises:
        MovedError: to be tried again; nothing was written.
    """
    return told(db, parts_of(db, by_workspace, model, now_ms), now_ms)


def parts_of(
    db: Connection,
    by_workspace: Mapping[int, Sequence[Arrived]],
    model: Model,
    now_ms: int,
    seen: Mapping[int, Seen] = NOTHING,
) -> dict[int, Part]:
    """Score each workspace's events, but for what is told of it in the end."""
    return {
        workspace_id: _apply(db, workspace_id, arrived, model, now_ms, seen.get(workspace_id))
        for workspace_id, arrived in by_workspace.items()
    }


def told(db: Connection, parts: Mapping[int, Part], now_ms: int) -> Outcome:
    """Publish the changes of all parts; what they come to."""
    changes = [(workspace_id, one) for workspace_id, part in parts.items() for one in part.changes]
    publish(db, changes, now_ms)
    return Outcome(
        new=sum(part.new for part in parts.values()),
        refolded=sum(part.refolded for part in parts.values()),
        changes=len(changes),
        count_rows=sum(part.count_rows for part in parts.values()),
    )


def _apply(
    db: Connection,
    workspace_id: int,
    arrived: Sequence[Arrived],
    model: Model,
    now_ms: int,
    seen: Seen | None,
) -> Part:
    """Score the batch's events of one workspace."""
    arrived = _left(arrived, seen)
    erased = erase_people(db, workspace_id, arrived, model, now_ms)
    unsubscribed.note(db, workspace_id, [one.event for one in arrived])
    suppressed = suppress(db, workspace_id, arrived)
    arrived = suppressed.arrived
    named = [one.event for one in arrived if one.event.identities]
    identified = identify(db, workspace_id, named, None if suppressed.tombs else seen)
    try:
        return _fold(
            db, workspace_id, arrived, Known(erased, suppressed, identified), model, now_ms
        )
    except NobodysError as error:
        if standing(db, workspace_id) == identified.as_of:
            raise
        raise MovedError from error


def _fold(
    db: Connection,
    workspace_id: int,
    arrived: Sequence[Arrived],
    known: Known,
    model: Model,
    now_ms: int,
) -> Part:
    """Fold the events into their persons, and write what comes of it."""
    erased, suppressed, identified = known
    forecast = _forecast(db, workspace_id, identified)
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
        else share_out(db, workspace_id, identified.by_identity(by_names(fresh)))
    )
    replaced_by = owners_at(db, workspace_id, replaced)
    anew = moves.refold | replaced_by
    rejudged = sweeps.rejudged(db, workspace_id, swept.recalled)
    taken = swept.taken(theirs)
    again = anew | rejudged.keys()
    as_told = taken.keys() - again
    ahead = {person: one for person, one in ahead.items() if person in as_told}
    hold_persons(db, theirs.keys() | again | moves.merged.keys())
    doubtful = standing(db, workspace_id) != identified.as_of
    if (
        (doubtful and owners_of(db, workspace_id, owners) != owners)
        or (doubtful and owners_at(db, workspace_id, replaced) != replaced_by)
        or (doubtful and sweeps.rejudged(db, workspace_id, swept.recalled) != rejudged)
        or (doubtful and not still_tied(db, workspace_id, fresh, identified))
        or not still_so(db, workspace_id, moves.uses, identified.uses() if doubtful else ())
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
    _say_why(folded, moves, withdrawn)
    differences = intervals.compare(db, workspace_id, folded, now_ms)
    count_rows, (changes, written) = meanwhile(
        db,
        lambda: differences.write(db),
        lambda: (
            announce_folded(folded, segments, now_ms),
            states_of(workspace_id, folded, model),
        ),
    )
    consent.forget(db, workspace_id, withdrawn.unmeasured)
    if withdrawn.unmeasured:
        withdraw_files(db, workspace_id)
    forget_letters(db, workspace_id, withdrawn.names)
    # Whoever is no more may be again, and then their versions are counted from 1 once more.
    gone = {one.person_id for one in folded if one.state is None}
    forget_shadows(db, withdrawn.terms.keys() | gone)
    changes += announce_moves(db, moves, folded, now_ms)
    save(db, workspace_id, folded, written)
    if withdrawn.anybody:
        tell_trackers(db, workspace_id, withdrawn.terms, anew)
    tell_lifted(db, workspace_id, suppressed.lifted)
    return Part(
        erased.erasures + len(fresh),
        erased.refolded + sum(one.cut_ms is None and one.version > 1 for one in folded),
        erased.count_rows + count_rows,
        erased.changes + changes,
        None if erased.erasures else identified,
    )


def _left(arrived: Sequence[Arrived], seen: Seen | None) -> Sequence[Arrived]:
    """The events that were not scored before."""
    if seen is None or not seen.done:
        return arrived
    return [one for one in arrived if one.event.event_id not in seen.done]


def _forecast(db: Connection, workspace_id: int, identified: Identified) -> Forecast:
    """What to fold ahead: all is taken for new, and for those whose it seems to be."""
    sure = identified.events
    if identified.words:
        sure = by_names(e for some in sure.values() for e in some if e.type != DECIDED)
    if identified.loose:
        ids, loose = identified.ids, identified.loose
        sure = {names: some for names, some in sure.items() if ids[primary(names)] not in loose}
    owners, theirs = share_out(db, workspace_id, identified.by_identity(sure))
    return Forecast(load(db, theirs), theirs, owners, load_segments(db, workspace_id))


def _say_why(folded: Sequence[Folded], moves: Moves, withdrawn: consent.Enforced) -> None:
    """Why persons were folded anew, where no event was the reason."""
    reasons = moves.reasons()
    for one in folded:
        if one.person_id in withdrawn.refold:
            one.remade = "objected" if one.person_id in withdrawn.objecting else "withdrawn"
        elif one.person_id in moves.refold or one.person_id in moves.merged:
            # On a browser of several what is whose moves with every event of one of them.
            is_whole = reasons.get(one.person_id) in {"merged", "parted"}
            if is_whole or not one.came:
                one.remade = reasons.get(one.person_id, "unlinked")


def known_workspaces(db: Connection, ids: Collection[int]) -> set[int]:
    """Those among the ids that there are."""
    row = tables.workspace.c
    return set(db.execute(select(row.id).where(row.id.in_(list(ids)))).scalars())


def _nobodys(records: Sequence[Stored], arrived: Sequence[Arrived]) -> list[Poison]:
    values = {one.value for one in arrived}
    return [Poison(r, "there is no such workspace") for r in records if r.value in values]
