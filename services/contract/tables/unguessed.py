"""Whose rows are asked for, in a statement that names more precisely which."""

from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, bindparam, literal, select


def unguessed(workspace_id: int | ColumnElement[int]) -> ScalarSelect[int]:
    """A workspace's id, of which PostgreSQL does not guess how many rows it has.

    Its statistics tell of large workspaces alone. It takes any other for empty, and would read all
    of that rather than look for a few rows by the index that begins with their ids. The value of
    a subquery it does not look up: then the other conditions decide.
    """
    if isinstance(workspace_id, int):
        return select(literal(workspace_id, BigInteger)).scalar_subquery()
    return select(workspace_id).scalar_subquery()


def workspace_asked() -> ScalarSelect[int]:
    """The same of a statement's parameter ``workspace``."""
    return unguessed(bindparam("workspace", type_=BigInteger))
