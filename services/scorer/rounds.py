"""Rounds through the workspaces in which something is kept for a time only, a few in a turn."""

from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, select

from services.contract.tables import workspace

Last = TypeVar("Last")


class Place(NamedTuple, Generic[Last]):
    """How far a round has come: in which workspace, and what was looked at there last."""

    workspace_id: int = 0
    last: Last | None = None


def next_keeping(
    db: Connection, place: Place[Last], how_long: ColumnElement[int | None]
) -> tuple[Place[Last], int] | None:
    """The first workspace, from a place on, that says how long something is kept.

    Args:
        db: any transaction.
        place: where to go on; its own workspace is among those looked for.
        how_long: the column of ``workspace`` that says it; NULL: for good.

    Returns:
        (where to go on in it, how long, in the column's unit); None: there is none.
    """
    query = (
        select(workspace.c.id, how_long)
        .where(workspace.c.id >= place.workspace_id, how_long.is_not(None))
        .order_by(workspace.c.id)
        .limit(1)
    )
    found = db.execute(query).one_or_none()
    if found is None:
        return None
    workspace_id, kept_for = found
    return place if workspace_id == place.workspace_id else Place(workspace_id), kept_for
