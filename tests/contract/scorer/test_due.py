"""Many boundaries at once: each told once, with its time, none before an earlier one."""

import random
from itertools import pairwise

import pytest
from sqlalchemy import select

from bench.known import Kind, kinds, know
from services.contract import tables
from services.contract.phases import DAY_MS
from services.runtime.database import writing
from services.scorer import due
from services.scorer.announce import TURN
from services.scorer.due import announce_due
from tests.contract.scorer.scene import NOW_MS, Scene

PERSONS = 60
TAKEN = 7


@pytest.fixture
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "DUE_MAX", TAKEN)


def _know(scene: Scene, due_ms: list[int]) -> list[Kind]:
    rng = random.Random(5)
    people = kinds(30)
    known = [(rng.choice(people), at) for at in due_ms]
    know(scene.engine, known)
    return [kind for kind, _ in known]


def _announce(scene: Scene) -> int:
    with writing(scene.engine).begin() as db:
        return announce_due(db, scene.now_ms)


def test_after_days_all_is_told_in_the_order_of_its_times(scene: Scene, few_at_a_time) -> None:
    rng = random.Random(1)
    begins = [NOW_MS + rng.randrange(3 * DAY_MS) for _ in range(PERSONS)]
    known = _know(scene, begins)
    scene.now_ms = NOW_MS + 30 * DAY_MS
    while _announce(scene):
        pass
    told = [(c.valid_ms, c.person_id) for c in scene.changes("latency", "phase")]
    wanted = {
        (begin + edge, person)
        for person, (kind, begin) in enumerate(zip(known, begins, strict=True), 1)
        for edge in kind.boundaries()
        if begin + edge <= scene.now_ms
    }
    assert set(told) == wanted
    assert len(wanted) > PERSONS
    assert all(earlier[0] <= later[0] for earlier, later in pairwise(told))
    assert {c.recorded_ms for c in scene.changes()} == {scene.now_ms}


def test_one_mailings_windows_close_together(scene: Scene, few_at_a_time) -> None:
    _know(scene, [NOW_MS] * PERSONS)
    scene.now_ms = NOW_MS
    taken = []
    while looked_at := _announce(scene):
        taken.append(looked_at)
    assert taken == [TAKEN] * (PERSONS // TAKEN) + [PERSONS % TAKEN]
    told = scene.changes("latency")
    assert [c.person_id for c in told] == sorted(range(1, PERSONS + 1))
    assert {c.valid_ms for c in told} == {NOW_MS}


def test_one_announces_and_the_others_go_on(postgres: str, tmp_path) -> None:
    scene = Scene(postgres, tmp_path)
    _know(scene, [NOW_MS] * PERSONS)
    scene.now_ms = NOW_MS
    row = tables.feed_position.c.id
    with scene.engine.begin() as other:
        other.execute(select(row).where(row == TURN).with_for_update())
        assert _announce(scene) == 0, "nobody waits for a turn"
    assert _announce(scene) == PERSONS
    scene.close()


def test_what_a_batch_has_at_hand_is_left_to_it(postgres: str, tmp_path) -> None:
    scene = Scene(postgres, tmp_path)
    _know(scene, [NOW_MS] * PERSONS)
    scene.now_ms = NOW_MS
    person = tables.person.c.id
    with scene.engine.begin() as batch:
        batch.execute(select(person).where(person <= 10).with_for_update(key_share=True)).all()
        assert _announce(scene) == PERSONS - 10
    assert _announce(scene) == 10
    told = [(c.person_id, c.kind) for c in scene.changes("latency", "phase")]
    assert len(told) == len(set(told)) > PERSONS
    scene.close()
