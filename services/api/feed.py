"""How far the change feed is."""

from sqlalchemy import Connection, select

from services.api.problem import Problem
from services.contract.tables import feed_position


def newest_position(connection: Connection) -> int:
    """Of the last change that was told; 0: none was."""
    row = feed_position.c
    return int(connection.execute(select(row.next).where(row.id == 1)).scalar() or 1) - 1


def check_reached(connection: Connection, position: int) -> None:
    """Whether the feed ever came as far as somebody has read it.

    Raises:
        Problem: 400, it did not: they would wait for what they take for read.
    """
    if position > newest_position(connection):
        text = (
            f"No change has the position {position} yet. Was the database put back to an earlier "
            "state? Then read everybody anew, and the feed from 0 on."
        )
        raise Problem(400, "bad_position", text)
