"""Many rows in one statement: the scorer's way of writing, and of asking for many at once.

PostgreSQL takes whole columns as arrays (:mod:`services.runtime.columns`) and unnests them, which
costs it and us a fraction of row after row; SQLite takes row after row, which there is the fast
way. Rows are tuples in the order of the named columns. Values are whole numbers, truths, texts,
bytes or None.
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
    LargeBinary,
    Select,
    Table,
    any_,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import NullType

from services.runtime.columns import Column, packed

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
        statement = f"{into} SELECT {_unnested(table, columns)}{ending}"
        db.exec_driver_sql(statement, _columns(table, columns, rows))
    else:
        values = ", ".join("?" * len(columns))
        db.exec_driver_sql(f"{into} VALUES ({values}){ending}", list(rows))


def insert_fresh(
    db: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row], key: str
) -> set[Any]:
    """Insert the rows whose key is not there yet; the ``key`` column of those that were not.

    Keys are bytes, all of one length. Another transaction that is inserting the same is waited for.
    """
    if not rows:
        return set()
    if db.dialect.name == "postgresql":
        # All keys come in one value: a row each would cost more than the rest of the answer.
        statement = (
            f"WITH fresh AS (INSERT INTO {_name(table)} ({_names(columns)}) "
            f"SELECT {_unnested(table, columns)} "
            f'ON CONFLICT DO NOTHING RETURNING "{key}") '
            f"SELECT string_agg(\"{key}\", '') FROM fresh"
        )
        ((keys,),) = _fetched(db.exec_driver_sql(statement, _columns(table, columns, rows)))
        place = columns.index(key)
        size = len(rows[0][place])
        if keys is not None and len(keys) == size * len(rows):
            return {row[place] for row in rows}
        return {keys[i : i + size] for i in range(0, len(keys or b""), size)}
    # SQLite numbers new rows upwards, and nobody else writes in between.
    last = db.exec_driver_sql(f"SELECT coalesce(max(rowid), 0) FROM {_name(table)}").scalar_one()
    insert_rows(db, table, columns, rows, skip_known=True)
    query = f'SELECT "{key}" FROM {_name(table)} WHERE rowid > ?'
    return {row[0] for row in _fetched(db.exec_driver_sql(query, (last,)))}


def update_rows(
    db: Connection, table: Table, key: str, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    """Set ``columns`` of the rows with a ``key``; each tuple holds the columns, then the key."""
    if not rows:
        return
    if db.dialect.name == "postgresql":
        sets = ", ".join(f'"{name}" = new."{name}"' for name in columns)
        given = _unnested(table, (*columns, key))
        statement = (
            f"UPDATE {_name(table)} AS old SET {sets} "
            f"FROM (SELECT {given}) AS new ({_names((*columns, key))}) "
            f'WHERE old."{key}" = new."{key}"'
        )
        db.exec_driver_sql(statement, _columns(table, (*columns, key), rows))
    else:
        sets = ", ".join(f'"{name}" = ?' for name in columns)
        statement = f'UPDATE {_name(table)} SET {sets} WHERE "{key}" = ?'
        db.exec_driver_sql(statement, list(rows))


def delete_rows(db: Connection, table: Table, key: str, keys: Sequence[Any]) -> None:
    """Delete the rows with these keys, however many."""
    if not keys:
        return
    if db.dialect.name == "postgresql":
        statement = f'DELETE FROM {_name(table)} WHERE "{key}" = ANY({_array(table, key)})'
        db.exec_driver_sql(statement, _columns(table, (key,), [(one,) for one in keys]))
    else:
        statement = f'DELETE FROM {_name(table)} WHERE "{key}" = ?'
        db.exec_driver_sql(statement, [(one,) for one in keys])


def rows_of(db: Connection, query: Select[Any]) -> list[Row]:
    """All rows of a query as the driver has them, where there are many: a fraction of the cost.

    Nothing is made of the values: what is no number, text or bytes is what the driver takes it for.
    """
    return _fetched(db.execute(query))


def among(db: Connection, which: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """That a column's value is one of many whole numbers, texts or bytes.

    The statement is the same however many there are: nothing is parsed or planned anew.
    """
    listed = list(values)
    if db.dialect.name == "postgresql":
        # Without a type of its own the value is taken for an array at once, so that the plan is
        # made for these values: else each row would be compared with them one by one.
        array = packed(which.type.compile(dialect=_POSTGRES), listed)
        value = bindparam(None, array, NullType())
        return which == any_(cast(value, postgresql.ARRAY(which.type)))
    if isinstance(which.type, LargeBinary):  # JSON, by which SQLite takes a list, has no bytes
        return which.in_(listed)
    each = func.json_each(msgspec.json.encode(listed).decode()).table_valued("value")
    return which.in_(select(each.c.value))


def pairs(
    db: Connection, values: Sequence[tuple[int, int]]
) -> tuple[FromClause, ColumnElement[int], ColumnElement[int]]:
    """Many pairs of whole numbers as a table to join with, and its two columns."""
    if db.dialect.name == "postgresql":
        columns = (packed("BIGINT", [value[i] for value in values]) for i in (0, 1))
        typed = postgresql.ARRAY(BigInteger)
        arrays = (cast(bindparam(None, one, NullType()), typed) for one in columns)
        listed = func.unnest(*arrays).table_valued("a", "b").render_derived(name="pair")
        return listed, listed.c.a, listed.c.b
    each = func.json_each(msgspec.json.encode(values).decode()).table_valued("value", name="pair")
    a, b = (func.json_extract(each.c.value, f"$[{i}]", type_=BigInteger) for i in (0, 1))
    return each, a, b


def _fetched(result: Any) -> list[Row]:
    """A result's rows without the object that SQLAlchemy makes for each."""
    cursor = result.cursor
    rows: list[Row] = cursor.fetchall()
    result.close()
    return rows


def _columns(table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> tuple[Column, ...]:
    by_column = zip(*rows, strict=True)
    return tuple(map(packed, _types(table, columns), by_column))


@lru_cache
def _unnested(table: Table, columns: tuple[str, ...]) -> str:
    """Row after row as it is asked for: in a ``FROM`` each column would be written down first."""
    return ", ".join(f"unnest(%s::{type_}[])" for type_ in _types(table, columns))


def _array(table: Table, column: str) -> str:
    return f"%s::{table.c[column].type.compile(dialect=_POSTGRES)}[]"


@lru_cache
def _types(table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(table.c[name].type.compile(dialect=_POSTGRES) for name in columns)


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _name(table: Table) -> str:
    return f'"{table.name}"'
