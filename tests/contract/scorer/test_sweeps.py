"""One place from which the links of many people are followed: software, in whatever order."""

import random
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from services.contract import tables
from services.contract.event import Event, Machine
from services.contract.phases import DAY_MS
from services.model.behaviour import SWEEP_RECIPIENTS
from services.model.rulebook import Rulebook
from services.model.rules import RuleTree
from services.runtime import telemetry
from services.scorer.sweeps import NOTED_DAYS
from tests.contract.scorer.pure import assert_sound, assert_told_once, said, stored
from tests.contract.scorer.scene import NOW_MS, START_MS, Scene, token, user

CLICKED = {"type": "events", "event": ["click"], "at_least": 1, "within_days": 400}
SCANNER = "0a1b2"
AT_MS = NOW_MS - DAY_MS


def _click(scene: Scene, who: str, at_ms: int, origin: str = SCANNER, **more: Any) -> Event:
    told = {"channel": "email", "message_id": "newsletter", "content_id": "story"}
    machine = Machine(origin=origin)
    return scene.event("click", token(who), at_ms=at_ms, machine=machine, **told, **more)


def test_the_tenth_recipient_takes_back_what_the_first_nine_said(scene: Scene) -> None:
    scene.segment("clicked", CLICKED)
    scene.build()
    for n in range(SWEEP_RECIPIENTS - 1):
        scene.score(_click(scene, f"r{n}", AT_MS + n * 1000))
    scene.score(_click(scene, "r0", AT_MS + 20_000), _click(scene, "human", AT_MS, "ffff0"))
    assert [(c.before, c.after) for c in scene.changes("segment")] == [(None, "member")] * 10
    scene.now_ms += 1000
    scene.score(_click(scene, "last", AT_MS + 20_000))
    told = scene.changes("segment")[10:]
    assert [(c.after, c.reason) for c in told] == [(None, "reclassified")] * 9
    assert scene.person_of(token("human")) not in {c.person_id for c in told}
    assert_told_once(scene.engine, scene.now_ms)


@pytest.mark.parametrize("seed", range(2))
def test_in_any_order_and_batches_it_is_as_all_at_once(scene: Scene, seed: int) -> None:
    rng = random.Random(seed)
    key = scene.segment("clicked", CLICKED)
    scene.build()
    events = [_hit(scene, rng, n) for n in range(90)]
    # Who was mailed turns out to be a user, and some have much before and after it.
    events += [
        scene.event(
            "identified", token(f"r{n}"), user(f"u{n % 9}"), at_ms=START_MS, server_only=True
        )
        for n in range(12)
    ]
    events += [scene.day("page", user(f"u{n % 9}"), day=3 * n) for n in range(30)]
    rng.shuffle(events)
    begin = 0
    while begin < len(events):
        end = begin + rng.choice((2, 5, 40))
        scene.score(*events[begin:end], *events[: rng.randrange(3)])
        begin = end
    rulebook = Rulebook(((key, RuleTree.model_validate({"rule": CLICKED}).rule),))
    assert stored(scene.engine).persons == said(events, rulebook).persons
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def test_a_scanner_of_many_costs_a_few_refolds(scene: Scene) -> None:
    before = telemetry.SCORER_REFOLDED._value.get()
    clicks = [_click(scene, f"r{n}", AT_MS + n * 200) for n in range(300)]
    for begin in range(0, len(clicks), 12):
        scene.score(*clicks[begin : begin + 12])
    frames = scene.rows(select(tables.sweep.c.recipients).where(tables.sweep.c.known_ms > 0))
    assert telemetry.SCORER_REFOLDED._value.get() - before <= len(frames) * SWEEP_RECIPIENTS
    assert frames == [("[]",)] * len(frames), "whose links they were is not kept"
    assert len(frames) in {3, 4}


def test_who_was_noted_in_vain_is_forgotten(scene: Scene) -> None:
    scene.score(_click(scene, "r", AT_MS))
    assert scene.count(tables.sweep) == 2
    scene.now_ms += NOTED_DAYS * DAY_MS + 1
    scene.scorer._chores._look_s = 0.0
    scene.drain()
    assert scene.count(tables.sweep) == 0


def _hit(scene: Scene, rng: random.Random, number: int) -> Event:
    """A click in one of a few minutes, from one of two places, on links of a dozen people."""
    at_ms = START_MS + rng.randrange(4) * 20 * DAY_MS + rng.randrange(110_000)
    origin = f"0000{rng.randrange(2)}"
    machine = Machine(0.9, ("prefetch",), origin) if rng.random() < 0.1 else Machine(origin=origin)
    click = _click(scene, f"r{rng.randrange(14)}", at_ms, origin, number=f"h{number}")
    return msgspec.structs.replace(click, machine=machine)
