"""What is kept of the consent of who was erased: that there was some, as proof, and no name."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, select

from services.contract import tables
from services.contract.event import Identity
from services.contract.vault import shown_value
from services.contract.withdrawal import mark_of
from services.runtime.bulk import among, insert_rows
from services.scorer.suppressed import number_of

_row = tables.consent.c
_TEXTS = "text_version"
_AT_ONCE = 500


def keep_proof(
    db: Connection,
    workspace_id: int,
    secret: bytes,
    event_ids: Sequence[bytes],
    dead: Mapping[int, Identity],
) -> None:
    """Reduce entries of the ledger.

    Whoever comes with an address can be shown when what was agreed to by it, or under another
    name of the same person; nobody can be found by going through the proofs.

    Args:
        db: in the transaction that erases.
        workspace_id: whose.
        secret: of the workspace's marks.
        event_ids: of the events that were erased.
        dead: the identities that are no more, by id.
    """
    pieces = [event_ids[i : i + _AT_ONCE] for i in range(0, len(event_ids), _AT_ONCE)]
    ways = [among(db, _row.identity_id, dead), *(_row.event_id.in_(piece) for piece in pieces)]
    who = tables.identity.c
    all_marks = {number_of(mark_of(one, secret)) for one in dead.values()}
    for way in ways:
        query = (
            select(tables.consent, who.namespace, who.value)
            .join(tables.identity, who.id == _row.identity_id)
            .where(_row.workspace_id == workspace_id, way)
        )
        rows = [
            (
                workspace_id,
                mark,
                one.purpose,
                one.granted,
                one.answered,
                one.asserted,
                _text_mark(one.text_version, secret),
                one.said_ms,
                one.source_id,
                one.recorded_ms,
            )
            for one in db.execute(query)
            for mark in sorted(
                {number_of(mark_of(Identity(one.namespace, shown_value(one.value)), secret))}
                | all_marks
            )
        ]
        insert_rows(db, tables.erased_consent, _COLUMNS, rows)
        db.execute(delete(tables.consent).where(_row.workspace_id == workspace_id, way))


_COLUMNS = (
    "workspace_id",
    "mark",
    "purpose",
    "granted",
    "answered",
    "asserted",
    "text_mark",
    "said_ms",
    "source_id",
    "recorded_ms",
)


def _text_mark(text_version: str | None, secret: bytes) -> int | None:
    """A sender may write anything where the name of a text belongs: a mark tells the known ones."""
    if text_version is None:
        return None
    return number_of(mark_of(Identity(_TEXTS, text_version), secret))
