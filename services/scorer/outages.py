"""What went wrong in a transaction: a race to run again, a database that is away, or a fault."""

import random
import sqlite3
import time
import traceback
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from services.scorer.batch import MovedError

RACES_TOLD = 20
"""So many races lost in a row are told of, as trouble; they are gone on with all the same."""

Result = TypeVar("Result")


def patiently(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Do ``work`` in one transaction for who has no log to mind, again where it lost a race."""
    for races in range(RACES_TOLD):
        try:
            with engine.begin() as db:
                return work(db)
        except MovedError:
            pass
        except DBAPIError as error:
            if not is_race(error):
                raise
        time.sleep(random.uniform(0.0, 0.05) * (races + 1))  # noqa: S311
    with engine.begin() as db:
        return work(db)


def short(error: Exception) -> str:
    """What failed and where, without the error's own text: it may quote what people did."""
    return f"{type(error).__name__} in {traceback.extract_tb(error.__traceback__)[-1].name}"


def is_race(error: DBAPIError) -> bool:
    """Deadlock or serialization failure in PostgreSQL; a lock not had in time in SQLite."""
    state = getattr(error.orig, "sqlstate", None)
    return state in {"40P01", "40001"} or "database is locked" in str(error.orig)


def is_away(error: DBAPIError) -> bool:
    """The database cannot be reached, is stopping, or has no room: not what we asked of it.

    Operational errors are also what a driver makes of a statement that can never be done, which
    would be waited on for ever.
    """
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:  # connection, resources, operator intervention, system; read-only
        return state[:2] in {"08", "53", "57", "58"} or state == "25006"
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_AWAY
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


_SQLITE_AWAY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
}
