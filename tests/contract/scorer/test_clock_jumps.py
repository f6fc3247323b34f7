"""A clock that is set wrong and right again: what is said of people's own times stays the same."""

import random

from sqlalchemy import insert, select

from services.contract import tables
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.rulebook import Rulebook
from services.runtime.steady_clock import SteadyClock
from tests.contract.scorer.pure import assert_sound, assert_told_once, said, stored
from tests.contract.scorer.scene import NOW_MS, Scene, cookie, user

JUMPS_MS = (HOUR_MS, -HOUR_MS, DAY_MS, -DAY_MS, 0)


def test_scores_and_what_holds_are_the_same(scene: Scene) -> None:
    rng = random.Random(3)
    letter = {"log_id": "x", "partition": 0, "offset": 1, "reason": "r", "value": b"v"}
    scene.write(insert(tables.dead_letter).values(letter | {"recorded_ms": NOW_MS - 28 * DAY_MS}))
    events = [
        scene.day("vacancy_viewed", user(f"u{n % 4}"), cookie(f"c{n % 5}"), day=150 + n % 37)
        for n in range(40)
    ]
    for begin in range(0, len(events), 4):
        scene.now_ms = NOW_MS + rng.choice(JUMPS_MS)
        scene.score(*events[begin : begin + 4])
    scene.now_ms = NOW_MS + DAY_MS
    scene.drain()
    assert stored(scene.engine).persons == said(events, Rulebook()).persons
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)
    assert len(scene.rows(select(tables.dead_letter.c.id))) == 1, "nothing is deleted early"


def test_a_worker_does_not_see_the_wall_clock_jump() -> None:
    wall_ms = [NOW_MS]
    clock = SteadyClock(lambda: wall_ms[0])
    for jump_ms in JUMPS_MS:
        wall_ms[0] = NOW_MS + jump_ms
        assert 0 <= clock.now_ms() - NOW_MS < HOUR_MS / 2
        assert clock.has_drifted() is (jump_ms != 0)
