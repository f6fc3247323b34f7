"""Triggers as rows: found, made, changed, taken out of use."""

import secrets
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem
from services.contract.tables import firing, person, trigger

TRIGGERS_MAX = 100
"""Of one workspace."""


def add_trigger(
    connection: Connection, workspace_id: int, values: dict[str, Any], by: str, now_ms: int
) -> Row[Any]:
    """A new trigger: whoever enters from now on.

    Raises:
        Problem: 409, there are too many.
    """
    one_at_a_time(connection, workspace_id)
    if len(triggers_of(connection, workspace_id)) >= TRIGGERS_MAX:
        raise Problem(409, "too_many_triggers", f"A workspace has at most {TRIGGERS_MAX}.")
    public_id = f"tr_{secrets.token_hex(8)}"
    row = {
        **values,
        "workspace_id": workspace_id,
        "public_id": public_id,
        "status": "active",
        "created_ms": now_ms,
        "created_by": by,
    }
    connection.execute(insert(trigger).values(row))
    return find_trigger(connection, workspace_id, public_id)


def triggers_of(connection: Connection, workspace_id: int) -> list[Row[Any]]:
    """All that are there, the oldest first."""
    query = select(trigger).where(
        trigger.c.workspace_id == workspace_id, trigger.c.deleted_ms.is_(None)
    )
    return list(connection.execute(query.order_by(trigger.c.id)).all())


def find_trigger(
    connection: Connection, workspace_id: int, public_id: str, *, ever: bool = False
) -> Row[Any]:
    """The row of a trigger; ``ever``: a deleted one's too.

    Raises:
        Problem: 404, there is none in this workspace.
    """
    query = select(trigger).where(
        trigger.c.workspace_id == workspace_id, trigger.c.public_id == public_id
    )
    if not ever:
        query = query.where(trigger.c.deleted_ms.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Problem(404, "not_found", "There is no trigger with this id in this workspace.")
    return row


def change_trigger(connection: Connection, row: Row[Any], values: dict[str, Any]) -> Row[Any]:
    """Write what its owner wishes."""
    mine = trigger.c.workspace_id == row.workspace_id, trigger.c.id == row.id
    connection.execute(update(trigger).where(*mine).values(values))
    return find_trigger(connection, row.workspace_id, row.public_id)


def end_trigger(connection: Connection, row: Row[Any], now_ms: int) -> None:
    """Hand over nobody any more, who waits included."""
    mine = trigger.c.workspace_id == row.workspace_id, trigger.c.id == row.id
    connection.execute(update(trigger).where(*mine).values(status="paused", deleted_ms=now_ms))


def firings_of(
    connection: Connection, row: Row[Any], status: str | None, below: int, limit: int
) -> list[Row[Any]]:
    """Whom it gave a moment, the newest first, with the public id of each (``person``)."""
    query = (
        select(firing, person.c.public_id.label("person"))
        .join(person, person.c.id == firing.c.person_id)
        .where(
            firing.c.workspace_id == row.workspace_id,
            firing.c.trigger_id == row.id,
            firing.c.id < below,
        )
        .order_by(firing.c.id.desc())
        .limit(limit)
    )
    if status is not None:
        query = query.where(firing.c.status == status)
    return list(connection.execute(query).all())


def check_untriggered(connection: Connection, workspace_id: int, key: str) -> None:
    """Whether no trigger waits for a segment.

    Raises:
        Problem: 409, some do; it names them.
    """
    users = [
        f"{row.name} ({row.public_id})"
        for row in triggers_of(connection, workspace_id)
        if (row.on_kind, row.on_key) == ("segment", key)
    ]
    if users:
        text = f"Triggers wait for who enters this segment: {', '.join(users)}. Delete these first."
        raise Problem(409, "segment_in_use", text)
