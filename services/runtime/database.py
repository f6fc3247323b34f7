"""The database: PostgreSQL in production, SQLite as the embedded default."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.types.array import ArrayBinaryLoader
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from services.runtime.columns import take_columns
from services.runtime.turns import turn

RESTED_S = 1.0
"""A connection that nobody used for so long may have been closed meanwhile."""

Asked = TypeVar("Asked")
Own = TypeVar("Own")


class _BinaryCursor(psycopg.Cursor[Any]):
    """Values come in PostgreSQL's own format: bytes as they are, and nothing is read as text."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.format = psycopg.pq.Format.BINARY


class _Places(ArrayBinaryLoader):
    """``int2vector``, in which PostgreSQL's catalogue has columns' places: text, as is read."""

    def load(self, data: Any) -> Any:
        """See ``Loader``."""
        return " ".join(map(str, super().load(data)))


def open_database(url: str, frozen_s: int = 30) -> Engine:
    """An engine for ``sqlite:///FILE`` or ``postgresql+psycopg://…``.

    Args:
        url: the database.
        frozen_s: a transaction of ours that does nothing for so long is ended by PostgreSQL.

    On SQLite: write-ahead log, and every transaction that :func:`writing` begins takes the write
    lock at its start, so that none fails halfway for want of it, and in its :mod:`turn
    <services.runtime.turns>`.
    """
    if not url.startswith("sqlite"):
        engine = create_engine(
            url,
            pool_size=10,
            max_overflow=10,
            hide_parameters=True,
            # Never prepared on the server, which would keep a plan made while tables were empty
            # or without knowing how many values are asked for.
            # Our statements are short however many rows lie around: to compile one (jit), or to
            # start processes for it, would take many times as long as to run it.
            # A worker that froze with locks in hand does not keep the others waiting for long.
            connect_args={
                "cursor_factory": _BinaryCursor,
                "prepare_threshold": None,
                "options": f"-c idle_in_transaction_session_timeout={frozen_s * 1000}"
                " -c jit=off -c max_parallel_workers_per_gather=0",
            },
        )

        @event.listens_for(engine, "connect")
        def _on_psycopg(connection: Any, _record: Any) -> None:
            take_columns(connection)
            connection.adapters.register_loader("int2vector", _Places)

        _ask_after_rest(engine)
        return engine
    # Hidden parameters: an error's text goes to the log, and they hold what people did.
    engine = create_engine(url, connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-32000")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writing", False):
            with turn(str(engine.url.database)):
                connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _ask_after_rest(engine: Engine) -> None:
    """Let the pool ask a connection that rested for a while whether it lives; a dead one goes.

    Asked each time, as SQLAlchemy would, a short answer would take a tenth longer.
    """

    @event.listens_for(engine, "checkin")
    def _on_return(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["returned_s"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _on_use(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("returned_s", math.inf) < RESTED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError("The database closed it.") from error


def writing(engine: Engine) -> Engine:
    """The same database for transactions that write."""
    return engine.execution_options(writing=True)


def reading(engine: Engine) -> Engine:
    """The same database for transactions that see one moment of it, however long they take."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine  # SQLite's always do


def glancing(engine: Engine) -> Engine:
    """The same database for statements that each see a moment of their own, and change nothing."""
    if engine.dialect.name == "postgresql":
        # Nothing is sent but the statements: neither BEGIN nor ROLLBACK.
        return engine.execution_options(writing=False, isolation_level="AUTOCOMMIT")
    return engine.execution_options(writing=False)


def insert_new(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that leaves rows alone whose key is there already (in either database)."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def meanwhile(
    connection: Connection, asked: Callable[[], Asked], own: Callable[[], Own]
) -> tuple[Asked, Own]:
    """Compute while the database works; what both came to.

    Args:
        connection: used by ``asked`` alone until both are done.
        asked: statements. A thread waits for PostgreSQL; SQLite works in this very process, and
            before ``own``.
        own: what asks nothing of the database.
    """
    if connection.dialect.name != "postgresql":
        return asked(), own()
    with ThreadPoolExecutor(1) as waiting:
        answer = waiting.submit(asked)
        done = own()
        return answer.result(), done


class Kept:
    """One connection of an engine, kept open from one use to the next; for one thread at a time.

    Taken from the pool each time, it would be asked each time whether it lives.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The connection; a new one after an error."""
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            yield self._connection
            self._connection.rollback()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give it back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
