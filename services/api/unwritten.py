"""Messages that were sent a moment ago, and that the dispatcher has not written down yet."""

from typing import Any

from sqlalchemy import Connection, Row, select

from services.api.context import Context
from services.api.problem import Problem
from services.api.webhook_store import find_webhook
from services.contract.tables import change, delivery, feed_reader
from services.contract.webhook import message_id_of

CHANGES_MAX = 10_000
"""Behind what is written down, the newest: what is older was sent longer ago."""


def until_written(here: Context, workspace_id: int, webhook_id: str, delivery_id: str) -> None:
    """Wait for a message's row, if it is one that may be on its way.

    The dispatcher writes down what it sent within half a second.

    Raises:
        Problem: 404, there is no such webhook; 503, it is on its way still, or too many wait.
    """
    with here.engine.connect() as connection:
        row = find_webhook(connection, workspace_id, webhook_id)
        if _is_written(connection, row, delivery_id) or not _may_come(connection, row, delivery_id):
            return

    def is_there() -> bool:
        with here.engine.connect() as connection:
            return _is_written(connection, row, delivery_id)

    if here.waiting.until(is_there):
        return
    text = "This message is on its way for the first time. Ask again in a moment."
    raise Problem(503, "busy", text, {"Retry-After": "1"})


def _is_written(connection: Connection, row: Row[Any], delivery_id: str) -> bool:
    query = select(delivery.c.id).where(
        delivery.c.workspace_id == row.workspace_id,
        delivery.c.webhook_id == row.id,
        delivery.c.public_id == delivery_id,
    )
    return connection.execute(query).first() is not None


def _may_come(connection: Connection, row: Row[Any], delivery_id: str) -> bool:
    """Whether it is the message about a change behind those that are written down."""
    written = select(feed_reader.c.position).where(feed_reader.c.name == row.public_id)
    query = (
        select(change.c.position)
        .where(
            change.c.workspace_id == row.workspace_id,
            change.c.position > written.scalar_subquery(),
        )
        .order_by(change.c.position.desc())
        .limit(CHANGES_MAX)
    )
    positions = connection.execute(query).scalars()
    return any(message_id_of(row.public_id, one) == delivery_id for one in positions)
