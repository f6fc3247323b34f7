"""Workers that come and go, small: `make drill` has more of them for longer."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.workers import workers
from tests.servers.kafka import Kafka, run_kafka
from tests.servers.postgres import NOT_DURABLE, Postgres, run_postgres


@pytest.fixture
def servers() -> Iterator[tuple[Kafka, Postgres]]:
    """Ours alone, for one is stopped."""
    with run_kafka({"broker.session.timeout.ms": "2500"}) as kafka, run_postgres(NOT_DURABLE) as db:
        yield kafka, db


@pytest.mark.timeout(500)
def test_workers_that_come_go_and_freeze_are_as_one(
    servers: tuple[Kafka, Postgres], tmp_path: Path
) -> None:
    seed = int(os.environ.get("KENTERING_SEED", random.randrange(10**6)))
    print(f"KENTERING_SEED={seed}")  # shown when the test fails
    rng, scale = random.Random(seed), {"persons": 30, "moves": 4, "every_s": 0.5}
    workers(tmp_path, *servers, rng, part="workers", **scale).assert_well()
