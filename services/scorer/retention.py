"""What is kept for a time only: people of whom nothing is heard, and proofs of who was erased.

A few are looked at in a turn, in the order of their ids, round after round. Nothing is done while
events wait to be scored: there may be one of theirs among them.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.erasure import ERASED, PROOFS_KEPT_MS
from services.contract.event import VERSION, Event, encode, event_id_of
from services.contract.ledger import possessions
from services.contract.phases import DAY_MS
from services.contract.tables.unguessed import unguessed
from services.model.version import Model
from services.runtime.bulk import among, delete_rows
from services.scorer.announce import publish
from services.scorer.erasing import erase_people
from services.scorer.identities import lock
from services.scorer.owners import hold_persons
from services.scorer.record import Arrived
from services.scorer.rounds import Place, next_keeping

MONTH_MS = DAY_MS * 487 // 16
"""A twelfth of a year of 365.25 days."""
LOOKED_AT_MAX = 1_000
"""Persons looked at in one turn."""
ERASED_MAX = 20
"""Persons erased in one transaction."""
PROOFS_MAX = 1_000
"""Of a workspace, deleted in one transaction."""

_state, _workspace = tables.person_state.c, tables.workspace.c


def erase_silent(db: Connection, model: Model, place: Place[int], now_ms: int) -> Place[int] | None:
    """Look at the next few persons, and erase those whose time is over.

    Args:
        db: a transaction that holds the version in force.
        model: that version.
        place: where to go on, after a person.
        now_ms: UTC milliseconds.

    Returns:
        Where to go on; None: everybody was looked at.
    """
    kept = next_keeping(db, place, _workspace.retention_months)
    if kept is None:
        return None
    (workspace_id, after_id), months = kept
    persons = (
        select(_state.person_id, _state.last_ms)
        .where(_state.workspace_id == workspace_id, _state.person_id > (after_id or 0))
        .order_by(_state.person_id)
        .limit(LOOKED_AT_MAX)
    )
    looked_at = db.execute(persons).all()
    heard_ms = now_ms - months * MONTH_MS
    due = [person for person, last_ms in looked_at if last_ms <= heard_ms][:ERASED_MAX]
    if due:
        _erase(db, workspace_id, due, months, model, now_ms)
    if len(due) == ERASED_MAX:
        return Place(workspace_id, due[-1])
    if len(looked_at) == LOOKED_AT_MAX:
        return Place(workspace_id, looked_at[-1].person_id)
    return Place(workspace_id + 1)


def forget_proofs(db: Connection, now_ms: int) -> bool:
    """Delete proofs of consent that nobody can ask for any more; whether there may be more."""
    end_ms = now_ms - PROOFS_KEPT_MS
    proof, tomb = tables.erased_consent.c, tables.erasure.c
    found = 0
    for workspace_id in db.execute(select(_workspace.id)).scalars().all():
        erased_since = select(tomb.mark).where(
            tomb.workspace_id == workspace_id, tomb.erased_ms > end_ms
        )
        over = (
            select(proof.id)
            .where(
                proof.workspace_id == workspace_id,
                proof.recorded_ms <= end_ms,
                proof.mark.not_in(erased_since),
            )
            .limit(PROOFS_MAX)
        )
        ids = db.execute(over).scalars().all()
        delete_rows(db, tables.erased_consent, "id", ids)
        found = max(found, len(ids))
    return found == PROOFS_MAX


def _erase(
    db: Connection, workspace_id: int, persons: list[int], months: int, model: Model, now_ms: int
) -> None:
    lock(db, workspace_id)
    hold_persons(db, persons)
    # With the locks in hand: somebody may have been heard of meanwhile.
    query = select(_state.person_id, _state.last_ms).where(
        _state.workspace_id == unguessed(workspace_id),
        among(db, _state.person_id, persons),
        _state.last_ms <= now_ms - months * MONTH_MS,
    )
    over_ms = {person: last_ms + months * MONTH_MS for person, last_ms in db.execute(query)}
    erase_over(db, workspace_id, over_ms, model, now_ms)


def erase_over(
    db: Connection, workspace_id: int, over_ms: Mapping[int, int], model: Model, now_ms: int
) -> None:
    """Erase persons whose time is over, each as of when it was, with the reason `retention`.

    Args:
        db: a transaction that holds the version in force.
        workspace_id: whose.
        over_ms: when each one's time was over.
        model: that version.
        now_ms: UTC milliseconds.
    """
    lock(db, workspace_id)
    hold_persons(db, over_ms)
    words = [
        word
        for person, at_ms in over_ms.items()
        if (word := _word(db, workspace_id, person, at_ms, now_ms)) is not None
    ]
    arrived = [Arrived(word, encode(word)) for word in words]
    farewell = erase_people(db, workspace_id, arrived, model, now_ms)
    publish(db, [(workspace_id, change) for change in farewell.changes], now_ms)


def _word(
    db: Connection, workspace_id: int, person: int, over_ms: int, now_ms: int
) -> Event | None:
    held = possessions(db, workspace_id, person)
    if not held.identities:
        return None
    spans = [[s.identity.namespace, s.identity.value, *s[1:]] for s in held.spans]
    return Event(
        v=VERSION,
        workspace_id=workspace_id,
        event_id=event_id_of(workspace_id, 0, f"retention:{person}:{over_ms}"),
        source_id=0,
        type=ERASED,
        identities=held.identities,
        occurred_ms=over_ms,
        received_ms=now_ms,
        channel="website",
        server_only=True,
        properties={"reason": "retention", "spans": spans},
    )
