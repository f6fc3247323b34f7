"""Real servers for the tests, started once a process when its first test asks for them."""

import gc
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from kafka.admin import KafkaAdminClient
from xdist.remote import Producer

from services.runtime.migrations import migrate
from tests.servers.kafka import run_kafka
from tests.servers.postgres import NOT_DURABLE, Postgres, run_postgres
from tests.side_by_side import SideBySide, slow_first

# Tests write little, and are to pass on a disk that is nearly full too.
os.environ["KENTERING_SPOOL_FREE_PERCENT_MIN"] = "0"

# No test is about how fast this machine is just now.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_TEMPLATE = "kentering_template"
_numbers = itertools.count(1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only where processes share the tests; alone, the quick ones are as well told first."""
    if hasattr(config, "workerinput"):
        slow_first(items)


def pytest_collection_finish() -> None:
    """What is there by now stays, and need not be looked through whenever garbage is collected."""
    gc.collect()
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SideBySide:
    """Of ``pytest -n``, as ``make test`` calls it."""
    config.option.loadscopereorder = False
    return SideBySide(config, log)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The bootstrap address of a real Apache Kafka; topics in it are of whoever made them."""
    with run_kafka() as broker:
        yield broker.bootstrap


@pytest.fixture
def empty_kafka(kafka: str) -> str:
    """The same without topics, for what has the product's own topics in it."""
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.delete_topics([name for name in admin.list_topics() if not name.startswith("__")])
    admin.close()
    return kafka


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A real PostgreSQL with one migrated database to copy from."""
    with run_postgres(NOT_DURABLE) as server:
        server.execute(f"CREATE DATABASE {_TEMPLATE}")
        migrate(server.url(_TEMPLATE))
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy from."""
    file = tmp_path_factory.mktemp("template") / "kentering.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[str]:
    """The address of a fresh, migrated PostgreSQL database, for this test alone."""
    name = f"kentering_{next(_numbers)}"
    # By its files: a third cheaper than through the log.
    postgres_server.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
    yield postgres_server.url(name)
    # To drop it would cost more than to make it; it goes with the server.
    postgres_server.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh, migrated SQLite database, for this test alone."""
    file = tmp_path / "kentering.db"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each of the two databases in turn, fresh and migrated."""
    return str(request.getfixturevalue(request.param))
