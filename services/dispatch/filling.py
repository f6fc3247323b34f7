"""From the feed into an endpoint's queue: what its webhook asked for."""

from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from services.contract.tables import change, delivery, webhook
from services.contract.webhook import LATE_MS, message_id_of
from services.dispatch.readers import move, newest_position
from services.runtime.bulk import insert_rows

QUEUE_MAX = 1_000
"""Messages of one endpoint that wait; what comes after them waits in the feed."""
PAGE_MAX = 500


def anything_new(db: Connection, name: str, version: int, position: int) -> tuple[bool, int]:
    """Whether something behind a position is wanted, by a look that locks nothing.

    Returns:
        That, and up to where it was looked.
    """
    newest = newest_position(db)
    row = db.execute(select(webhook).where(webhook.c.public_id == name)).one_or_none()
    if row is None or row.version != version:
        return True, newest
    query = select(change.c.position).where(
        change.c.workspace_id == row.workspace_id,
        change.c.position > position,
        change.c.position <= newest,
        *_wanted(row),
    )
    return db.execute(query.limit(1)).first() is not None, newest


def fill(
    db: Connection, row: Row[Any], holder: str, position: int, now_ms: int
) -> tuple[bool, int]:
    """Messages about what the feed holds behind a position.

    Returns:
        Whether it holds more, and the position up to which it was taken.
    """
    room = min(PAGE_MAX, QUEUE_MAX - _count(db, row))
    newest = newest_position(db)
    if newest <= position:
        return False, position
    if room <= 0:
        return True, position
    query = select(change.c.position, change.c.person_id).where(
        change.c.workspace_id == row.workspace_id,
        change.c.position > position,
        change.c.position <= newest,
        *_wanted(row),
    )
    found = db.execute(query.order_by(change.c.position).limit(room)).all()
    rows = [
        (
            row.workspace_id,
            row.id,
            message_id_of(row.public_id, position_),
            position_,
            person,
            "waiting",
            False,
            0,
            now_ms,
            now_ms,
        )
        for position_, person in found
    ]
    insert_rows(db, delivery, _NEW, rows)
    is_full = len(found) == room
    position = found[-1].position if is_full else newest
    move(db, row.public_id, holder, position)
    return is_full, position


_NEW = (
    "workspace_id",
    "webhook_id",
    "public_id",
    "position",
    "person_id",
    "status",
    "asked",
    "attempts",
    "next_ms",
    "created_ms",
)


def _wanted(row: Row[Any]) -> list[Any]:
    """What a webhook asked for, as conditions on changes; who was erased is always told."""
    conditions: list[Any] = []
    if row.types:
        conditions.append(change.c.kind.in_([*row.types, "person"]))
    if row.segments:
        conditions.append(or_(change.c.kind != "segment", change.c.key.in_(row.segments)))
    if not row.late:
        is_soon = change.c.recorded_ms - change.c.valid_ms <= LATE_MS
        conditions.append(or_(change.c.kind == "person", is_soon))
    return conditions


def _count(db: Connection, row: Row[Any]) -> int:
    query = select(func.count()).where(
        *of_webhook(row.workspace_id, row.id), delivery.c.status == "waiting"
    )
    return int(db.execute(query).scalar_one())


def of_webhook(workspace_id: int, webhook_id: int) -> tuple[Any, Any]:
    """The conditions for a webhook's messages."""
    return delivery.c.workspace_id == workspace_id, delivery.c.webhook_id == webhook_id
