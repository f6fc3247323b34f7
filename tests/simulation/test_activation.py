"""Killed while a version comes into force: the command, and a worker that holds the old one."""

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from services.contract import tables
from services.model.parameters import read
from services.model.rulebook import Rulebook
from services.model.version import build
from services.runtime.database import reading, writing
from services.scorer.replay import Comparison, compare_next
from services.scorer.versions import add, in_force
from tests.contract.scorer import pure
from tests.contract.scorer.pure import assert_sound, assert_told_once, said, stored
from tests.contract.scorer.scene import NOW_MS, Scene, user
from tests.servers.process import free_port, start, wait_until

KENTERING = Path(sys.executable).parent / "kentering"
PATIENCE_S = 120
OTHER = json.dumps(
    json.loads(files("services.model").joinpath("day_one.json").read_bytes())
    | {"version": "eager", "start": [0.4, 0.3, 0.3]}
).encode()


@pytest.fixture
def scene(postgres: str, tmp_path: Path) -> Iterator[Scene]:
    with _prepared(postgres, tmp_path) as scene:
        yield scene


@contextmanager
def _prepared(url: str, folder: Path) -> Iterator[Scene]:
    """People, and a version that is not in force."""
    scene = Scene(url, folder)
    scene.score(*_events(scene, range(40)))
    with writing(scene.engine).begin() as db:
        add(db, OTHER, NOW_MS)
    yield scene
    scene.close()


def _events(scene: Scene, days: range) -> list:
    kinds = ("page", "vacancy_viewed", "application_started")
    return [scene.day(kinds[n % 3], user(f"u{n % 6}"), day=n, number=f"e{n}") for n in days]


def _start(scene: Scene, tmp_path: Path, *command: str, program: Sequence[object] = (KENTERING,)):
    told = {
        "KENTERING_DATABASE_URL": scene.engine.url.render_as_string(hide_password=False),
        "KENTERING_DATA": str(tmp_path),
    }
    return start([*map(str, program), *command], tmp_path / "out.log", env=told)


def _waits_for(engine: Engine, relation: str) -> bool:
    """Whether somebody waits for a lock that has to do with a table."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE :q"
    )
    with engine.connect() as db:
        return bool(db.execute(text(query), {"q": f"%{relation}%"}).scalar_one())


def _name_in_force(engine: Engine) -> str:
    with engine.connect() as db:
        return in_force(db).name


def _assert_replayed(scene: Scene) -> None:
    done = Comparison(1)
    model = build(read(OTHER))
    with reading(scene.engine).begin() as db:
        while compare_next(db, done, model):
            pass
    assert done.is_equal, done.differing
    assert_sound(scene.engine)
    assert_told_once(scene.engine, max(c.recorded_ms for c in scene.changes()))


@pytest.mark.timeout(PATIENCE_S * 4)
def test_the_command_killed_halfway_has_changed_nothing(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(scene.engine)
    last = max(scene.rows(select(tables.person.c.id)))[0]
    with scene.engine.begin() as held:
        # Whoever comes to the last person waits, with everybody else's new intervals in hand.
        held.execute(select(tables.person.c.id).where(tables.person.c.id == last).with_for_update())
        command = _start(scene, tmp_path, "versions", "activate", "eager")
        wait_until(
            lambda: _waits_for(scene.engine, "person"), "to stand halfway", timeout_s=PATIENCE_S
        )
        command.kill()
        command.wait()
    assert _name_in_force(scene.engine) == "day-one"
    assert stored(scene.engine) == before
    events = _events(scene, range(40, 60))
    scene.score(*events)
    everything = _events(scene, range(60))
    assert stored(scene.engine).persons == said(everything, Rulebook()).persons

    assert _start(scene, tmp_path, "versions", "activate", "eager").wait(PATIENCE_S) == 0
    assert _name_in_force(scene.engine) == "eager"
    monkeypatch.setattr(pure, "MODEL", build(read(OTHER)))
    assert stored(scene.engine).persons == said(everything, Rulebook()).persons
    _assert_replayed(scene)


def test_on_sqlite_too(sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = tmp_path / "halfway"
    halting = (sys.executable, "-m", "tests.simulation.halfway", reached)
    with _prepared(sqlite, tmp_path) as scene:
        before = stored(scene.engine)
        command = _start(scene, tmp_path, "versions", "activate", "eager", program=halting)
        log = tmp_path / "out.log"
        wait_until(reached.exists, "to stand halfway", timeout_s=PATIENCE_S, log=log)
        command.kill()
        command.wait()
        assert _name_in_force(scene.engine) == "day-one"
        assert stored(scene.engine) == before
        scene.score(*_events(scene, range(40, 60)))
        everything = _events(scene, range(60))
        assert stored(scene.engine).persons == said(everything, Rulebook()).persons
        assert _start(scene, tmp_path, "versions", "activate", "eager").wait(PATIENCE_S) == 0
        assert _name_in_force(scene.engine) == "eager"
        monkeypatch.setattr(pure, "MODEL", build(read(OTHER)))
        assert stored(scene.engine).persons == said(everything, Rulebook()).persons
        _assert_replayed(scene)


@pytest.mark.timeout(PATIENCE_S * 4)
def test_a_worker_killed_meanwhile_keeps_nobody_and_scores_on_by_the_new_one(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = scene.person_of(user("u0"))
    scorer = ("scorer", "--log", "spool", "--health-port", str(free_port()))
    with scene.engine.begin() as held:
        held.execute(
            select(tables.person.c.id).where(tables.person.c.id == person).with_for_update()
        )
        worker = _start(scene, tmp_path, *scorer)
        scene.append(_events(scene, range(40, 60)))
        wait_until(
            lambda: _waits_for(scene.engine, "person"), "the worker to wait", timeout_s=PATIENCE_S
        )
        command = _start(scene, tmp_path, "versions", "activate", "eager")
        wait_until(
            lambda: _waits_for(scene.engine, "model_version"), "the command to wait", timeout_s=60
        )
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    assert command.wait(PATIENCE_S) == 0
    assert _name_in_force(scene.engine) == "eager"
    _assert_replayed(scene)
    worker = _start(scene, tmp_path, *scorer)
    try:
        wait_until(lambda: scene.count(tables.event) == 60, "all", timeout_s=PATIENCE_S)
        wait_until(
            lambda: scene.rows(select(tables.log_position.c.next)) == [(61,)],
            "the last batch",
            timeout_s=PATIENCE_S,
        )
    finally:
        worker.kill()
        worker.wait()
    monkeypatch.setattr(pure, "MODEL", build(read(OTHER)))
    everything = _events(scene, range(60))
    assert stored(scene.engine).persons == said(everything, Rulebook()).persons
    _assert_replayed(scene)
