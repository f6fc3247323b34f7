"""The catalogue in the database: items found, put in, and bounded in number."""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select, update

from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem
from services.contract.tables import content

CONTENT_MAX = 20_000
"""Items in one workspace: all of them are weighed for one person's next."""

Outcome = Literal["new", "changed", "unchanged"]


def rows_of(connection: Connection, workspace_id: int, ids: list[str]) -> list[Row[Any]]:
    """The rows of some items; those that are not there are left out."""
    query = select(content).where(
        content.c.workspace_id == workspace_id, content.c.content_id.in_(ids)
    )
    return list(connection.execute(query).all())


def hold_item(connection: Connection, workspace_id: int, content_id: str) -> Row[Any] | None:
    """The row of an item, which nobody else changes, or puts in, before the transaction ends."""
    query = select(content).where(
        content.c.workspace_id == workspace_id, content.c.content_id == content_id
    )
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        one_at_a_time(connection, workspace_id)
        row = connection.execute(query.with_for_update()).one_or_none()
    return row


def find_content(connection: Connection, workspace_id: int, content_id: str) -> Row[Any]:
    """The row of an item.

    Raises:
        Problem: 404, there is none in this workspace. It names no other: a smart link is asked for
            by anybody, and what is not published yet stands in the catalogue too.
    """
    rows = rows_of(connection, workspace_id, [content_id])
    if not rows:
        raise Problem(404, "not_found", "There is no content with this id in this workspace.")
    return rows[0]


def outcome_of(row: Row[Any] | None, values: Mapping[str, Any]) -> Outcome:
    """What it would be to store these values in the place of a row."""
    if row is None:
        return "new"
    same = all(getattr(row, name) == value for name, value in values.items())
    return "unchanged" if same else "changed"


def store_item(
    connection: Connection,
    workspace_id: int,
    content_id: str,
    row: Row[Any] | None,
    values: Mapping[str, Any],
    now_ms: int,
) -> Outcome:
    """Put an item into the catalogue; one that is there becomes what is given.

    Its row is what :func:`hold_item` found in this transaction.

    Raises:
        Problem: 409, the catalogue is full.
    """
    outcome = outcome_of(row, values)
    own = {"workspace_id": workspace_id, "content_id": content_id}
    if row is None:
        _must_have_room(connection, workspace_id)
        connection.execute(insert(content).values(**own, **values, changed_ms=now_ms))
    elif outcome == "changed":
        mine = (content.c.workspace_id == workspace_id) & (content.c.id == row.id)
        connection.execute(update(content).where(mine).values(**values, changed_ms=now_ms))
    return outcome


def _must_have_room(connection: Connection, workspace_id: int) -> None:
    query = (
        select(content.c.id).where(content.c.workspace_id == workspace_id).offset(CONTENT_MAX - 1)
    )
    if connection.execute(query.limit(1)).first() is not None:
        text = f"The catalogue holds at most {CONTENT_MAX} items. Take out what has closed."
        raise Problem(409, "catalogue_full", text)
