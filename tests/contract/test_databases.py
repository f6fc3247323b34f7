"""The two databases that every test can run on are there, migrated and apart."""

from sqlalchemy import select

from services.contract import tables
from services.runtime.database import open_database, writing


def test_a_fresh_migrated_database(database_url: str) -> None:
    engine = open_database(database_url)
    row = {"public_id": "w", "name": "W", "time_zone": "Europe/Amsterdam", "created_ms": 0}
    with writing(engine).begin() as connection:
        connection.execute(tables.workspace.insert().values(row))
        assert len(connection.execute(select(tables.workspace)).all()) == 1
    engine.dispose()


test_the_next_test_has_another_one = test_a_fresh_migrated_database
