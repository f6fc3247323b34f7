"""A change as everybody is told of it: over REST, as a server-sent event, in Kafka, by webhook."""

from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import Row, Select, and_, select

from services.contract.moment import rfc3339
from services.contract.phases import ChangeReason
from services.contract.tables import change, person, workspace

ChangeType = Literal["phase", "latency", "segment", "identity", "person", "trigger"]
"""What changed: ``person`` says that somebody was erased; ``after`` is then ``erased``.
``trigger`` says that somebody is handed to a tool, with content, at a moment."""
CHANGE_TYPES: tuple[ChangeType, ...] = get_args(ChangeType)

ERASED = "erased"
"""What is after a change of type ``person``."""


class Told(NamedTuple):
    """One change, by the names that it has outside."""

    position: int
    type: ChangeType
    person: str
    segment: str | None
    namespace: str | None
    before: str | None
    after: str | None
    valid_at: str
    recorded_at: str
    reason: ChangeReason
    event: str | None
    person_version: int
    trigger: str | None
    content: str | None


def select_changes(workspace_id: int) -> Select[Any]:
    """Changes of a workspace with the public id of their person."""
    return (
        select(change, person.c.public_id)
        .join(
            person, and_(person.c.workspace_id == workspace_id, person.c.id == change.c.person_id)
        )
        .where(change.c.workspace_id == workspace_id)
    )


def select_all_changes() -> Select[Any]:
    """Changes of all workspaces, each with the public id of its workspace (``workspace``)."""
    return (
        select(change, person.c.public_id, workspace.c.public_id.label("workspace"))
        .join(
            person,
            and_(person.c.workspace_id == change.c.workspace_id, person.c.id == change.c.person_id),
        )
        .join(workspace, workspace.c.id == change.c.workspace_id)
    )


def told(row: Row[Any]) -> Told:
    """A row of :func:`select_changes` as it is told."""
    key = row.key or None
    is_trigger = row.kind == "trigger"
    return Told(
        position=row.position,
        type=row.kind,
        person=row.public_id,
        segment=key if row.kind == "segment" else None,
        namespace=key if row.kind == "identity" else None,
        before=row.before,
        after=None if is_trigger else row.after,
        valid_at=rfc3339(row.valid_ms),
        recorded_at=rfc3339(row.recorded_ms),
        reason=row.reason,
        event=None if row.event_id is None else bytes(row.event_id).hex(),
        person_version=row.person_version,
        trigger=key if is_trigger else None,
        content=row.after if is_trigger else None,
    )
