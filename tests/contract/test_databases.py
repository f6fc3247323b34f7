"""The two databases that every test can run on are there, migrated and apart."""

import pytest
from sqlalchemy import func, select

from services.contract import tables
from services.runtime import database
from services.runtime.database import open_database, writing


def test_a_fresh_migrated_database(database_url: str) -> None:
    engine = open_database(database_url)
    row = {"public_id": "w", "name": "W", "time_zone": "Europe/Amsterdam", "created_ms": 0}
    with writing(engine).begin() as connection:
        connection.execute(tables.workspace.insert().values(row))
        assert len(connection.execute(select(tables.workspace)).all()) == 1
    engine.dispose()


test_the_next_test_has_another_one = test_a_fresh_migrated_database


def test_a_connection_that_was_closed_while_it_rested_is_replaced(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "RESTED_S", 0)
    engine, other = open_database(postgres), open_database(postgres)
    process = select(func.pg_backend_pid())
    with engine.connect() as connection:
        first = connection.scalar(process)
    with other.connect() as connection:
        connection.execute(select(func.pg_terminate_backend(first)))
    with engine.connect() as connection:
        assert connection.scalar(process) != first
    engine.dispose()
    other.dispose()
