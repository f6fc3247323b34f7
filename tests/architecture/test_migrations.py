"""The migrations make exactly the tables of ``services/contract/tables/``, on both databases."""

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from services.runtime.database import open_database, writing
from services.runtime.migrations import FOLDER, NewerDatabaseError, migrate


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_database(database_url)
    yield opened
    opened.dispose()


def test_migrated_tables_are_the_tables_in_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(FOLDER))
        command.check(config)  # raises, and names the differences


def test_migrating_again_changes_nothing(database_url: str) -> None:
    assert migrate(database_url) == migrate(database_url)


def test_a_database_of_a_later_version_is_left_alone(engine: Engine, database_url: str) -> None:
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-tomorrow'"))
    with pytest.raises(NewerDatabaseError, match=r"from-tomorrow.*later version"):
        migrate(database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "from-tomorrow"
