"""Positions are compared and set: whoever comes second writes nothing, and nothing is lost."""

import gc
import inspect
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from services.contract import tables
from services.contract.event import Event, encode, record_key
from services.model.rulebook import Rulebook
from services.runtime.database import open_database, writing
from services.runtime.event_log import Stored
from services.runtime.migrations import migrate
from services.runtime.sqlite_file import newest_file
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.scorer import attempts, consume
from services.scorer.batch import apply
from services.scorer.consume import Scorer
from services.scorer.positions import FencedError
from services.scorer.record import sort_out
from tests.contract.scorer.pure import assert_sound, assert_told_once, said, stored
from tests.contract.scorer.scene import MODEL, Scene, cookie, user
from tests.servers.postgres import NOT_DURABLE, Postgres, run_postgres

PATIENCE_S = 120


def _assert_as_pure(scene: Scene, events: list[Event]) -> None:
    assert stored(scene.engine).persons == said(events, Rulebook()).persons
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def _everything(scene: Scene) -> list:
    return [scene.rows(select(table)) for table in tables.metadata.sorted_tables]


def _records(events: list[Event], first: int) -> list[Stored]:
    return [
        Stored(0, first + n, record_key(event), encode(event)) for n, event in enumerate(events)
    ]


def test_a_zombies_batch_changes_nothing(scene: Scene) -> None:
    events = [scene.day("page", user("a"), cookie("c"), day=day) for day in range(6)]
    scene.score(*events)
    before = _everything(scene)
    news = [scene.day("applied", user("z"), cookie("c"), day=7), *events]
    log_id = scene.rows(select(tables.log_position.c.log_id))[0][0]
    for first in (1, 3, 6, 8, 100):
        with writing(scene.engine).begin() as db, pytest.raises(FencedError) as fenced:
            apply(db, log_id, sort_out(_records(news, first)), MODEL, scene.now_ms)
        assert fenced.value.next_offsets == {0: 7}
    assert _everything(scene) == before


def test_a_worker_whose_records_were_scored_by_another_seeks_on(scene: Scene) -> None:
    events = [scene.day("page", user("a"), cookie("c"), day=day) for day in range(9)]
    first, second = scene.worker(), scene.worker()
    assert first.step(0) == second.step(0) == 0
    scene.append(events[:3])
    assert first.step(0) == second.step(0) == 3, "the second one is fenced, and goes on behind"
    scene.append(events[3:6])
    assert second.step(0) == 3
    scene.append(events[6:])
    assert first.step(0) == 6, "three of them were the other's"
    assert first.step(0) == 3
    assert scene.rows(select(tables.log_position.c.next)) == [(10,)]
    _assert_as_pure(scene, events)


def test_a_stale_worker_that_sees_a_gap_moves_nothing(scene: Scene) -> None:
    events = [scene.day("page", user("a"), day=day) for day in range(9)]
    first, stale = scene.worker(), scene.worker()
    assert first.step(0) == stale.step(0) == 0
    scene.append(events)
    assert first.step(0) == 9
    with sqlite3.connect(newest_file(scene.folder)) as log:
        log.execute("DELETE FROM record WHERE position < 5")  # trimmed by now
    for _ in range(3):
        stale.step(0)
    assert scene.rows(select(tables.log_position.c.next)) == [(10,)]
    scene.append([scene.day("page", user("a"), day=20)])
    assert stale.step(0) == 1
    assert scene.count(tables.event) == 10


def test_a_stale_worker_buries_nothing_that_another_scored(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [scene.day("page", user("a"), day=day) for day in range(6)]
    first, stale = scene.worker(), scene.worker()
    assert first.step(0) == stale.step(0) == 0
    scene.append(events)

    def fail(*_: object) -> None:
        assert first.step(0) in {0, 6}, "meanwhile it is another's"
        raise ZeroDivisionError

    monkeypatch.setattr(consume, "sort_out", _first_time(stale, fail, consume.sort_out))
    stale.step(0)
    assert scene.count(tables.dead_letter) == 0
    assert scene.rows(select(tables.log_position.c.next)) == [(7,)]
    assert stale.step(0) == 0
    _assert_as_pure(scene, events)


def _first_time(worker: Scorer, fails: Callable[[], None], works: Callable) -> Callable:
    """Fails for one worker, until its batch is down to one record and that was tried too."""

    def sort_out(records: Sequence[Stored]) -> object:
        if inspect.currentframe().f_back.f_locals["self"] is worker:
            fails()
        return works(records)

    return sort_out


def test_two_workers_on_one_partition_score_each_record_once(scene: Scene) -> None:
    events = [
        scene.day("vacancy_viewed", user(f"u{n % 5}"), cookie(f"c{n % 7}"), day=n % 40)
        for n in range(120)
    ]
    workers = [scene.worker() for _ in range(2)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    for begin in range(0, len(events), 8):
        scene.append(events[begin : begin + 8])
    try:  # newcomers are scored before the position moves
        _until(lambda: scene.rows(select(tables.log_position.c.next)) == [(len(events) + 1,)])
    finally:
        for worker in workers:
            worker.stop()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert scene.rows(select(tables.log_position.c.next)) == [(len(events) + 1,)]
    _assert_as_pure(scene, events)


def test_a_locked_sqlite_is_waited_for(sqlite: str, tmp_path: Path) -> None:
    scene = Scene(sqlite, tmp_path)
    events = [scene.day("page", user("a"), day=day) for day in range(6)]
    scene.score(*events[:3])
    other = sqlite3.connect(scene.engine.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=scene.drain)
    scene.append(events[3:])
    thread.start()
    thread.join(1)
    assert thread.is_alive()
    other.execute("ROLLBACK")
    other.close()
    thread.join(PATIENCE_S)
    _assert_as_pure(scene, events)
    scene.close()


def test_waiting_for_a_database_takes_no_more_memory_the_longer_it_lasts(
    sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "DATABASE_PAUSE_S", 0.0)
    scene = Scene(sqlite, tmp_path)
    away = open_database("postgresql+psycopg://nobody:none@127.0.0.1:1/none")
    reader = SqliteLogReader(scene.folder, lambda *_: 1)
    worker = Scorer(away, reader, MODEL)
    scene.append([scene.day("page", user("a"), day=1)])
    records = iter([reader.poll(1, 0)])
    objects: list[int] = []

    def poll(*_: object) -> list[Stored]:
        objects.append(len(gc.get_objects()))
        if len(objects) == 12:
            worker.stop()
        return next(records, [])

    monkeypatch.setattr(reader, "poll", poll)
    worker.step(0)
    assert objects[-1] - objects[4] < 200
    scene.close()


@pytest.fixture
def server() -> Iterator[Postgres]:
    """One of its own, for it is stopped. (In order, so that nothing durable is needed.)"""
    with run_postgres(NOT_DURABLE) as server:
        server.execute("CREATE DATABASE kentering")
        migrate(server.url("kentering"))
        yield server


def test_postgres_goes_and_comes_back_while_scoring(server: Postgres, tmp_path: Path) -> None:
    scene = Scene(server.url("kentering"), tmp_path)
    events = [
        scene.day("vacancy_viewed", user(f"u{n % 5}"), cookie(f"c{n % 7}"), day=n % 40)
        for n in range(90)
    ]
    worker = scene.worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        for begin in range(0, 45, 5):
            scene.append(events[begin : begin + 5])
        server.stop()
        for begin in range(45, 90, 5):
            scene.append(events[begin : begin + 5])
        _until(lambda: worker.why_not_ready() is not None)
        server.start()
        _wait(scene, len(events))
        _until(lambda: worker.why_not_ready() is None)
    finally:
        worker.stop()
        thread.join(PATIENCE_S)
    assert scene.count(tables.dead_letter) == 0
    _assert_as_pure(scene, events)
    scene.close()


def _wait(scene: Scene, events: int) -> None:
    _until(lambda: scene.count(tables.event) == events)


def _until(true) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE_S * 20):
        if true():
            return
        pause.wait(0.05)
    raise AssertionError("not in time")


def test_of_slow_events_fewer_are_read_at_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consume, "BATCH_RECORDS_MIN", 2)
    monkeypatch.setattr(consume, "BATCH_S_MAX", 0.0)  # any event is too slow
    scene.append(scene.day("page", user(f"p{n}"), day=n) for n in range(7))
    assert scene.scorer.step(0) == 7
    scene.append(scene.day("page", user(f"q{n}"), day=n) for n in range(5))
    assert [scene.scorer.step(0) for _ in range(4)] == [2, 2, 1, 0]
    monkeypatch.setattr(consume, "BATCH_S_MAX", 3_600.0)
    scene.append(scene.day("page", user("r"), day=n) for n in range(6))
    assert [scene.scorer.step(0) for _ in range(3)] == [2, 4, 0]
