"""Events of people who were erased: known again by their marks, whenever and however they come.

Nothing of them is stored but that something happened on a day. Consent given anew lifts a mark
from its own time on.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, update

from services.contract import tables
from services.contract.erasure import ERASED, Tomb, left_of, renewed_by, renewed_ms
from services.contract.event import Event, Identity, encode
from services.contract.tables.unguessed import unguessed
from services.contract.withdrawal import mark_of
from services.runtime.bulk import among
from services.scorer.record import Arrived
from services.scorer.withdrawals import Mark, secret_of, write_marks

_row = tables.erasure.c


@dataclass(frozen=True)
class Suppressed:
    """A batch's events of one workspace, without what was erased."""

    arrived: Sequence[Arrived]
    tombs: dict[Identity, list[Tomb]] = field(default_factory=dict)
    """Of the identities that the batch names, as far as they were erased."""
    named: frozenset[Identity] = frozenset()
    lifted: tuple[Identity, ...] = ()
    """Those for whom consent was given anew in this batch."""


def number_of(mark: bytes) -> int:
    """A mark as the number that is stored of it."""
    return int.from_bytes(mark, signed=True)


def suppress(db: Connection, workspace_id: int, arrived: Sequence[Arrived]) -> Suppressed:
    """Leave out of events what erasures leave nothing of; note whose mark is lifted."""
    arrived = [one for one in arrived if one.event.type != ERASED]
    if not _anybody(db, workspace_id):
        return Suppressed(arrived)
    named = frozenset(i for one in arrived for i in one.event.identities)
    tombs = tombs_of(db, workspace_id, named)
    lifted = _lift(db, workspace_id, [one.event for one in arrived], tombs)
    kept: list[Arrived] = []
    for one in arrived:
        left = left_of(one.event, tombs)
        if left is one.event:
            kept.append(one)
        elif left is not None:
            kept.append(Arrived(left, encode(left)))
    return Suppressed(kept, tombs, named, lifted)


def still_so(db: Connection, workspace_id: int, found: Suppressed) -> bool:
    """Whether nobody was erased, and no mark lifted, since: to be asked with locks in hand."""
    if not found.named:
        if not _anybody(db, workspace_id):
            return True
        named = frozenset(i for one in found.arrived for i in one.event.identities)
        return not tombs_of(db, workspace_id, named)
    return tombs_of(db, workspace_id, found.named) == found.tombs


def tombs_of(
    db: Connection, workspace_id: int, identities: Collection[Identity]
) -> dict[Identity, list[Tomb]]:
    """What is erased of identities; those of which nothing is are left out."""
    secret = secret_of(db, workspace_id)
    if secret is None or not identities:
        return {}
    who = {number_of(mark_of(one, secret)): one for one in identities}
    query = (
        select(_row.mark, _row.from_ms, _row.to_ms, _row.erased_ms, _row.lifted_ms)
        .where(_row.workspace_id == unguessed(workspace_id), among(db, _row.mark, who))
        .order_by(_row.from_ms, _row.to_ms)
    )
    found: dict[Identity, list[Tomb]] = {}
    for mark, *tomb in db.execute(query):
        found.setdefault(who[mark], []).append(Tomb(*tomb))
    return found


def tell_lifted(db: Connection, workspace_id: int, lifted: Iterable[Identity]) -> None:
    """Let trackers know who is followed again."""
    secret = secret_of(db, workspace_id)
    if secret is not None:
        marks = [Mark(mark_of(one, secret), 0, None, None) for one in sorted(lifted)]
        write_marks(db, workspace_id, marks)


def lifted_by(
    events: Iterable[Event], tombs: dict[Identity, list[Tomb]]
) -> dict[Identity, list[Tomb]]:
    """The tombs that fresh consent in events lifts, as they are then."""
    found: dict[Identity, list[Tomb]] = {}
    for event in events:
        at_ms = renewed_ms(event)
        for identity in renewed_by(event):
            before = found.get(identity, tombs.get(identity, []))
            after = [_lifted(tomb, at_ms) for tomb in before]
            if after != before:
                found[identity] = after
    return found


def _lifted(tomb: Tomb, at_ms: int) -> Tomb:
    is_sooner = tomb.lifted_ms is None or at_ms < tomb.lifted_ms
    if tomb.is_whole and at_ms > tomb.erased_ms and is_sooner:
        return tomb._replace(lifted_ms=at_ms)
    return tomb


def _lift(
    db: Connection, workspace_id: int, events: Sequence[Event], tombs: dict[Identity, list[Tomb]]
) -> tuple[Identity, ...]:
    secret = secret_of(db, workspace_id)
    found = lifted_by(events, tombs)
    if secret is None or not found:
        return ()
    for identity in sorted(found):
        for tomb in found[identity]:
            if tomb.lifted_ms is not None:
                db.execute(
                    update(tables.erasure)
                    .where(
                        _row.workspace_id == workspace_id,
                        _row.mark == number_of(mark_of(identity, secret)),
                        _row.from_ms == tomb.from_ms,
                        _row.to_ms == tomb.to_ms,
                    )
                    .values(lifted_ms=tomb.lifted_ms)
                )
    tombs.update(found)
    return tuple(found)


def _anybody(db: Connection, workspace_id: int) -> bool:
    query = select(_row.mark).where(_row.workspace_id == workspace_id).limit(1)
    return db.execute(query).first() is not None
