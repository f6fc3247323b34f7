"""Segments are filled beside scoring, and scoring has the better part of the time."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, select

from services.contract import tables
from services.runtime.database import writing
from services.scorer import consume, filler
from services.scorer.consume import Scorer
from services.scorer.filler import SHARE_MAX, Filler
from services.scorer.owners import hold_persons
from tests.contract.scorer.pure import assert_sound
from tests.contract.scorer.scene import MODEL, Scene, user
from tests.servers.process import wait_until

PAGED = {"type": "events", "event": ["page"], "within_days": 300}
PEOPLE = 5

_version = tables.segment_version.c


def _people(scene: Scene) -> None:
    scene.score(*(scene.day("page", user(f"u{n}"), day=190) for n in range(PEOPLE)))


@contextmanager
def _at_work(scorer: Scorer) -> Iterator[None]:
    thread = threading.Thread(target=scorer.run)
    thread.start()
    try:
        yield
    finally:
        scorer.stop()
        thread.join()


def _is_live(scene: Scene) -> bool:
    return all(status == "live" for (status,) in scene.rows(select(_version.status)))


def test_a_running_scorer_fills_and_scores(scene: Scene) -> None:
    _people(scene)
    with _at_work(scene.worker()):
        scene.segment("s", PAGED)
        scene.append([scene.day("page", user("late"), day=195)])
        wait_until(lambda: _is_live(scene), "the segment")
        wait_until(lambda: len(scene.changes("segment")) == PEOPLE + 1, "who entered")
    assert_sound(scene.engine)


def test_segments_are_filled_while_a_batch_waits(postgres: str, tmp_path: Path) -> None:
    scene = Scene(postgres, tmp_path)
    _people(scene)
    one = scene.person_of(user("u0"))
    with _at_work(scene.worker()):
        with writing(scene.engine).begin() as other:
            hold_persons(other, [one])
            scene.append([scene.day("page", user("u0"), day=195)])
            scene.segment("s", PAGED)
            passed_by = select(_version.passed_by)
            wait_until(lambda: scene.rows(passed_by)[0].passed_by == [one], "all others")
        wait_until(lambda: _is_live(scene), "the segment")
        wait_until(lambda: scene.count(tables.event) == PEOPLE + 1, "the event")
    assert_sound(scene.engine)
    scene.close()


class _Watched(threading.Event):
    """An end that comes after some waits, and tells how long they were to be."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.asked_s: list[float] = []
        self._waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        self.asked_s.append(timeout or 0.0)
        if len(self.asked_s) == self._waits:
            self.set()
        return self.is_set()


def _run(scene: Scene, *, waits: int, is_behind: bool) -> list[float]:
    """A filler's thread until it has waited so often; how long it wanted to, in seconds."""
    watched = _Watched(waits)
    one = Filler(scene.engine, MODEL, lambda: scene.now_ms, lambda: is_behind, watched)
    one._run()
    return watched.asked_s


def test_it_rests_while_events_wait(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _people(scene)
    scene.segment("s", PAGED)
    moments = itertools.count()  # each look at the clock is a second after the one before
    monkeypatch.setattr(filler, "time", SimpleNamespace(monotonic=lambda: float(next(moments))))
    took_s = 2  # the step itself looks once
    rests_s = _run(scene, waits=1, is_behind=True)
    assert rests_s == [pytest.approx(took_s / SHARE_MAX - took_s)]


def test_a_batch_at_hand_is_a_backlog_where_it_is_large(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consume, "BACKLOG_RECORDS", PEOPLE)
    rests: list[bool] = []
    is_behind = scene.scorer._filler._is_behind
    monkeypatch.setattr(Filler, "step", lambda _self: rests.append(is_behind()))
    _people(scene)
    assert rests[0] is True
    assert rests[-1] is False


def test_it_goes_on_at_once_while_none_wait(scene: Scene) -> None:
    _people(scene)
    scene.segment("s", PAGED)
    assert _run(scene, waits=1, is_behind=False) == [filler.LOOK_EVERY_S], "there is nothing left"
    assert _is_live(scene)


def test_what_fails_is_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _people(scene)
    scene.segment("s", PAGED)
    really, tries = filler.build_step, iter(range(1_000))

    def build_step(db: Connection, *more: Any) -> bool:
        if next(tries) == 0:
            raise RuntimeError("of whatever kind")
        return really(db, *more)

    monkeypatch.setattr(filler, "build_step", build_step)
    assert _run(scene, waits=2, is_behind=False) == [filler.AGAIN_S, filler.LOOK_EVERY_S]
    assert _is_live(scene)


def _gathered(scorer: Scorer, monkeypatch: pytest.MonkeyPatch, *numbers: int) -> list[float]:
    """How long a scorer that reads batches of so many waits between them."""
    scorer._stop = watched = _Watched(len(numbers))
    batches = iter(numbers)

    def turn(_self: Scorer, _timeout_s: float) -> int:
        number = next(batches)
        scorer._is_behind = number >= consume.BACKLOG_RECORDS
        return number

    monkeypatch.setattr(Scorer, "_turn", turn)
    monkeypatch.setattr(Filler, "at_work", lambda _self: nullcontext())
    monkeypatch.setattr(consume, "time", SimpleNamespace(monotonic=lambda: 7.0))
    with suppress(StopIteration):
        scorer.run()
    return watched.asked_s


def test_batches_are_larger_while_segments_are_filled(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.scorer._filler.is_filling = True
    few, backlog = 3, consume.BACKLOG_RECORDS
    assert _gathered(scene.scorer, monkeypatch, 100, few, backlog, 100) == [consume.GATHER_S] * 2
    scene.scorer._records_max = full = consume.BATCH_RECORDS_MIN
    assert _gathered(scene.scorer, monkeypatch, full, 100) == [consume.GATHER_S]
    scene.scorer._filler.is_filling = False
    assert _gathered(scene.scorer, monkeypatch, 100, 100) == []


def test_a_worker_knows_what_another_fills(scene: Scene) -> None:
    _people(scene)
    scene.segment("s", PAGED)
    one, other = (scene.worker()._filler for _ in range(2))
    with writing(scene.engine).begin() as db:
        assert one._build(db)
        if scene.engine.dialect.name == "postgresql":  # in SQLite one writes, and others wait
            assert not other.step()
            assert other.is_filling
    while other.step():
        pass
    assert not other.is_filling
