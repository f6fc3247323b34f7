"""The migrations make exactly the tables of ``services/contract/tables.py``, on both databases."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from services.runtime.database import open_database, writing
from services.runtime.migrations import FOLDER, NewerDatabaseError, migrate


def test_migrated_tables_are_the_tables_in_the_code(database_url: str) -> None:
    engine = open_database(database_url)
    with engine.connect() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(FOLDER))
        command.check(config)  # raises, and names the differences
    engine.dispose()


def test_migrating_again_changes_nothing(database_url: str) -> None:
    assert migrate(database_url) == migrate(database_url)


def test_a_database_of_a_later_version_is_left_alone(database_url: str) -> None:
    engine = open_database(database_url)
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-tomorrow'"))
    with pytest.raises(NewerDatabaseError, match="from-tomorrow.*later version"):
        migrate(database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "from-tomorrow"
    engine.dispose()
