"""The migrations make exactly the tables of ``services/contract/tables/``, on both databases."""

from collections import Counter
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, func, insert, select, text

from services.contract import tables
from services.contract.phases import hour_until
from services.runtime.database import open_database, writing
from services.runtime.migrations import FOLDER, NewerDatabaseError, migrate


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_database(database_url)
    yield opened
    opened.dispose()


# Of an index over more than columns SQLAlchemy cannot tell what SQLite has.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
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


def test_buckets_of_hours_that_begin_become_those_that_end(engine: Engine) -> None:
    """Counts of before 0022 come to what this code would have counted."""
    hour = 3_600_000
    stays = [
        (5 * hour, 7 * hour),
        (5 * hour + 1, None),
        (6 * hour - 1, 7 * hour + 2),
        (0, 5 * hour),
    ]
    before, wanted = Counter[int](), Counter[int]()
    for stay in stays:
        for moment, one in zip(stay, (1, -1), strict=True):
            if moment is not None:
                before[moment // hour * hour] += one
                wanted[hour_until(moment)] += one
    with writing(engine).begin() as db:
        for begin, end in stays:
            held = {"valid_from_ms": begin, "valid_to_ms": end, "known_from_ms": 0}
            place = {"workspace_id": 1, "kind": "phase", "key": "see"}
            db.execute(insert(tables.interval).values(**place, **held, person_id=1))
        for at, number in before.items():
            db.execute(insert(tables.count_delta).values(**place, hour_ms=at, delta=number))
    with engine.connect() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(FOLDER))
        command.stamp(config, "0021")
        command.upgrade(config, "0022")
        row = tables.count_delta.c
        query = select(row.hour_ms, func.sum(row.delta)).group_by(row.hour_ms)
        found = {at: int(number) for at, number in connection.execute(query).all() if number}
    assert found == {at: number for at, number in wanted.items() if number}
