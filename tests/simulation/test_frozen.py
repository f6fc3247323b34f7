"""A worker frozen past its session, while another took its partitions, and thawed again."""

import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from services.contract import tables
from services.contract.event import encode, record_key
from services.contract.topics import Topic
from services.model.rulebook import Rulebook
from services.runtime.event_log import Record
from services.runtime.kafka_log import KafkaLog
from services.runtime.kafka_topics import ensure_topics
from tests.contract.scorer.pure import assert_sound, assert_told_once, said, stored
from tests.contract.scorer.scene import Scene
from tests.servers.process import start, wait_until
from tests.simulation.world import arrivals, people

PATIENCE_S = 180


@pytest.fixture
def scene(postgres: str, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(postgres, tmp_path)
    yield scene
    scene.close()


@pytest.mark.timeout(PATIENCE_S * 3)
def test_a_thawed_worker_changes_nothing_that_another_did(
    scene: Scene, kafka: str, postgres: str, tmp_path: Path
) -> None:
    rng = random.Random(11)
    arriving = arrivals(rng, people(rng, 40, 12, workspace_id=1))
    half = len(arriving) // 2
    topic, worker_log = "frozen", tmp_path / "workers.log"
    list(ensure_topics(kafka, [Topic(topic, 2)], timeout_s=60))
    log = KafkaLog(kafka, topic)
    command = [sys.executable, "-m", "tests.simulation.worker", postgres, kafka, topic]
    workers = [start(command, worker_log)]
    try:
        log.append([Record(record_key(event), encode(event)) for event in arriving[:half]])
        wait_until(lambda: _read(scene) > 0, "the first ones", timeout_s=PATIENCE_S, log=worker_log)
        workers[0].send_signal(signal.SIGSTOP)
        workers.append(start(command, worker_log))
        log.append([Record(record_key(event), encode(event)) for event in arriving[half:]])
        # Frozen within a transaction it still holds its locks, and the other one waits for them.
        wait_until(
            lambda: _taken_over(scene, half),
            "to take over",
            timeout_s=PATIENCE_S,
            log=worker_log,
        )
        workers[0].send_signal(signal.SIGCONT)
        wait_until(
            lambda: _read(scene) == len(arriving), "all", timeout_s=PATIENCE_S, log=worker_log
        )
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        log.close()
    assert stored(scene.engine).persons == said(arriving, Rulebook()).persons
    assert_sound(scene.engine)
    assert scene.count(tables.dead_letter) == 0
    assert_told_once(scene.engine, max(c.recorded_ms for c in scene.changes()))


def _read(scene: Scene) -> int:
    return int(scene.rows(select(func.sum(tables.log_position.c.next)))[0][0] or 0)


def _taken_over(scene: Scene, before: int) -> bool:
    with scene.engine.connect() as db:
        waiting = db.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(waiting.scalar_one()) or _read(scene) > before
