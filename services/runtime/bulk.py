"""Many rows in one statement: the scorer's way of writing, and of asking for many at once.

PostgreSQL takes whole columns as arrays and unnests them, which costs it and us a fraction of
row after row; SQLite takes row after row, which there is the fast way. Rows are tuples in the
order of the named columns. Values are whole numbers, texts, bytes or None.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    any_,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import NullType

Row = tuple[Any, ...]

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]


def insert_rows(
    db: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    *,
    skip_known: bool = False,
) -> None:
    """Insert rows.

    Args:
        db: in a transaction.
        table: where.
        columns: names, in the order of each row's values.
        rows: none are fine too.
        skip_known: leave rows alone whose key is there already.
    """
    if not rows:
        return
    ending = " ON CONFLICT DO NOTHING" if skip_known else ""
    into = f"INSERT INTO {_name(table)} ({_names(columns)})"
    if db.dialect.name == "postgresql":
        statement = f"{into} SELECT * FROM unnest({_arrays(table, columns)}){ending}"
        db.exec_driver_sql(statement, _columns(rows))
    else:
        values = ", ".join("?" * len(columns))
        db.exec_driver_sql(f"{into} VALUES ({values}){ending}", list(rows))


def insert_fresh(
    db: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row], key: str
) -> set[Any]:
    """Insert the rows whose key is not there yet; the ``key`` column of those that were not.

    Another transaction that is inserting the same is waited for.
    """
    if not rows:
        return set()
    if db.dialect.name == "postgresql":
        statement = (
            f"INSERT INTO {_name(table)} ({_names(columns)}) "
            f"SELECT * FROM unnest({_arrays(table, columns)}) "
            f'ON CONFLICT DO NOTHING RETURNING "{key}"'
        )
        return {row[0] for row in db.exec_driver_sql(statement, _columns(rows)).all()}
    # SQLite numbers new rows upwards, and nobody else writes in between.
    last = db.exec_driver_sql(f"SELECT coalesce(max(rowid), 0) FROM {_name(table)}").scalar_one()
    insert_rows(db, table, columns, rows, skip_known=True)
    query = f'SELECT "{key}" FROM {_name(table)} WHERE rowid > ?'
    return {row[0] for row in db.exec_driver_sql(query, (last,)).all()}


def update_rows(
    db: Connection, table: Table, key: str, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    """Set ``columns`` of the rows with a ``key``; each tuple holds the columns, then the key."""
    if not rows:
        return
    if db.dialect.name == "postgresql":
        sets = ", ".join(f'"{name}" = new."{name}"' for name in columns)
        statement = (
            f"UPDATE {_name(table)} AS old SET {sets} "
            f"FROM unnest({_arrays(table, (*columns, key))}) AS new ({_names((*columns, key))}) "
            f'WHERE old."{key}" = new."{key}"'
        )
        db.exec_driver_sql(statement, _columns(rows))
    else:
        sets = ", ".join(f'"{name}" = ?' for name in columns)
        statement = f'UPDATE {_name(table)} SET {sets} WHERE "{key}" = ?'
        db.exec_driver_sql(statement, list(rows))


def delete_rows(db: Connection, table: Table, key: str, keys: Sequence[Any]) -> None:
    """Delete the rows with these keys, however many."""
    if not keys:
        return
    if db.dialect.name == "postgresql":
        arrays = _arrays(table, (key,))
        statement = f'DELETE FROM {_name(table)} WHERE "{key}" = ANY({arrays})'
        db.exec_driver_sql(statement, (list(keys),))
    else:
        statement = f'DELETE FROM {_name(table)} WHERE "{key}" = ?'
        db.exec_driver_sql(statement, [(one,) for one in keys])


def among(db: Connection, column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """That a column's value is one of many whole numbers or texts.

    The statement is the same however many there are: nothing is parsed or planned anew.
    """
    listed = list(values)
    if db.dialect.name == "postgresql":
        # Without a type of its own the value is taken for an array at once, so that the plan is
        # made for these values: else each row would be compared with them one by one.
        value = bindparam(None, _literal(listed), NullType())
        return column == any_(cast(value, postgresql.ARRAY(column.type)))
    each = func.json_each(msgspec.json.encode(listed).decode()).table_valued("value")
    return column.in_(select(each.c.value))


def pairs(
    db: Connection, values: Sequence[tuple[int, int]]
) -> tuple[FromClause, ColumnElement[int], ColumnElement[int]]:
    """Many pairs of whole numbers as a table to join with, and its two columns."""
    if db.dialect.name == "postgresql":
        columns = (
            bindparam(None, _literal(column), NullType()) for column in zip(*values, strict=True)
        )
        arrays = [cast(column, postgresql.ARRAY(BigInteger)) for column in columns]
        listed = func.unnest(*arrays).table_valued("a", "b").render_derived(name="pair")
        return listed, listed.c.a, listed.c.b
    each = func.json_each(msgspec.json.encode(values).decode()).table_valued("value", name="pair")
    a, b = (func.json_extract(each.c.value, f"$[{i}]", type_=BigInteger) for i in (0, 1))
    return each, a, b


def _columns(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(_literal(column) for column in zip(*rows, strict=True))


def _literal(values: Sequence[Any]) -> str:
    """A PostgreSQL array, written out: several times as fast as the driver's way by elements."""
    sample = next((value for value in values if value is not None), None)
    if isinstance(sample, int):
        texts: Iterable[str] = map(str, values)
        if None in values:
            texts = ["NULL" if value is None else str(value) for value in values]
    elif isinstance(sample, bytes):
        texts = ["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]
    else:
        texts = ["NULL" if value is None else _quoted(value) for value in values]
    return "{" + ",".join(texts) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


@lru_cache
def _arrays(table: Table, columns: tuple[str, ...]) -> str:
    types = (table.c[name].type.compile(dialect=_POSTGRES) for name in columns)
    return ", ".join(f"%s::{type_}[]" for type_ in types)


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _name(table: Table) -> str:
    return f'"{table.name}"'
