"""The drills, small: `make drill` runs them at length, and more of them."""

import os
import random
from collections.abc import Iterator

import pytest

from tests.drills.database import database
from tests.drills.ends import disk, stopped
from tests.drills.erasing import erasing, place_of
from tests.drills.guests import bombs, slow
from tests.drills.kills import kills
from tests.drills.outages import frozen
from tests.drills.stack import Stack, run_stack
from tests.servers.kafka import run_kafka
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def rng() -> random.Random:
    """Another one each run; ``KENTERING_SEED`` repeats one."""
    seed = int(os.environ.get("KENTERING_SEED", random.randrange(10**6)))
    print(f"KENTERING_SEED={seed}")  # shown when a test fails
    return random.Random(seed)


@pytest.fixture(scope="module")
def stack(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A broker of our own, to be maltreated, and two trackers."""
    postgres_server.execute("CREATE DATABASE drills")
    folder = tmp_path_factory.mktemp("drills")
    settings = {"broker.session.timeout.ms": "2500"}
    with (
        run_kafka(settings) as kafka,
        run_stack(folder, kafka, postgres_server.url("drills"), 2, 1) as stack,
    ):
        yield stack
    postgres_server.execute("DROP DATABASE drills WITH (FORCE)")


def test_killed_at_any_moment_two_trackers_lose_and_double_nothing(
    stack: Stack, rng: random.Random
) -> None:
    kills(stack, rng, count=5, every_s=0.6).assert_well()


def test_kafka_frozen_for_longer_than_the_delivery_timeout(
    stack: Stack, rng: random.Random
) -> None:
    frozen(stack, rng, seconds=2.5).assert_well()


def test_a_tracker_asked_to_end(stack: Stack, rng: random.Random) -> None:
    stopped(stack, rng, times=1).assert_well()


def test_a_disk_that_takes_nothing(stack: Stack, rng: random.Random) -> None:
    disk(stack, rng, times=1).assert_well()


def test_slow_clients(stack: Stack, rng: random.Random) -> None:
    slow(stack, rng, count=300, seconds=1.5).assert_well()


def test_a_database_that_is_away(
    stack: Stack, postgres_server: Postgres, rng: random.Random
) -> None:
    database(stack, postgres_server, rng, seconds=1.5).assert_well()


def test_people_erased_while_processes_die(stack: Stack, rng: random.Random) -> None:
    erasing(place_of(stack), rng, part="erasing", people=10, kills=2, every_s=0.5).assert_well()


def test_gzip_bombs(stack: Stack, rng: random.Random) -> None:
    bombs(stack, rng, count=12).assert_well()
