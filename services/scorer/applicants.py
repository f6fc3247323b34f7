"""Applicants whose procedure ended long enough ago, and who agreed to nothing themselves: erased.

Whoever is known by an employer's word alone is kept for as long as applicants are, four weeks
unless the workspace says otherwise, counted from the rejection. Who said yes to being measured, was
hired, or has applied again since, is not looked at as an applicant.
"""

from collections.abc import Sequence

from sqlalchemy import BindParameter, Connection, bindparam, select, tuple_

from services.contract import tables
from services.contract.event import Event
from services.contract.phases import DAY_MS
from services.model.version import Model
from services.scorer.identities import lock
from services.scorer.owners import hold_persons, owner_at, owners_of
from services.scorer.record import events_of
from services.scorer.retention import ERASED_MAX, erase_over
from services.scorer.rounds import Place, next_keeping

_event, _workspace = tables.event.c, tables.workspace.c
_GOING_ON = frozenset({"applied", "stage_changed", "rejected"})
# Written out, so that SQLite too knows the index for it.
_REJECTED: BindParameter[str] = bindparam("rejected", "rejected", literal_execute=True)


Rejection = tuple[int, bytes]
"""When it was, and the id of its event."""


def erase_applicants(
    db: Connection, model: Model, place: Place[Rejection], now_ms: int
) -> Place[Rejection] | None:
    """Look at the next few rejections, and erase whom they leave nothing to be kept for.

    Args:
        db: a transaction that holds the version in force.
        model: that version.
        place: where to go on, after a rejection.
        now_ms: UTC milliseconds.

    Returns:
        Where to go on; None: all were looked at.
    """
    kept = next_keeping(db, place, _workspace.applicant_days)
    if kept is None:
        return None
    (workspace_id, after), days = kept
    ended_ms = now_ms - days * DAY_MS
    rejections = (
        select(_event.occurred_ms, _event.event_id, _event.identity_id)
        .where(
            _event.workspace_id == workspace_id,
            _event.type == _REJECTED,
            _event.identity_id.is_not(None),
            _event.occurred_ms <= ended_ms,
            tuple_(_event.occurred_ms, _event.event_id) > (after or (-1, b"")),
        )
        .order_by(_event.occurred_ms, _event.event_id)
        .limit(ERASED_MAX)
    )
    found = db.execute(rejections).all()
    if not found:
        return Place(workspace_id + 1)
    # With the locks in hand: somebody may have been heard of meanwhile.
    lock(db, workspace_id)
    rejected = [(row.identity_id, row.occurred_ms) for row in found]
    rejected_ms = _persons(db, workspace_id, rejected)
    hold_persons(db, rejected_ms)
    events = events_of(db, workspace_id, rejected_ms)
    over_ms = {
        person: at_ms + days * DAY_MS
        for person, at_ms in rejected_ms.items()
        if not any(_keeps(event, ended_ms) for event in events.get(person, ()))
    }
    if over_ms:
        erase_over(db, workspace_id, over_ms, model, now_ms)
    return Place(workspace_id, (found[-1].occurred_ms, bytes(found[-1].event_id)))


def _persons(
    db: Connection, workspace_id: int, rejected: Sequence[tuple[int, int]]
) -> dict[int, int]:
    """When those were rejected, the last time, whose (identity id, moment) these are, in order."""
    pieces = owners_of(db, workspace_id, {identity for identity, _ in rejected})
    return {
        owner_at(pieces[identity], at_ms): at_ms
        for identity, at_ms in rejected
        if identity in pieces  # somebody may have been erased meanwhile
    }


def _keeps(event: Event, ended_ms: int) -> bool:
    """Whether an event tells that its person is more than an applicant who was rejected."""
    if event.type == "hired" or (event.type in _GOING_ON and event.occurred_ms > ended_ms):
        return True
    return event.consent.measure is True and not event.agreement.asserted
