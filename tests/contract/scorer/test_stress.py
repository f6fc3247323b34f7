"""Worlds of identities and ties, in any order and any batches, against the plain function."""

import os
import random

import pytest

from services.contract.event import Event, Identity
from services.contract.phases import DAY_MS
from services.model.rulebook import Rulebook
from services.model.rules import RuleTree
from tests.contract.scorer.pure import assert_sound, assert_told_once, said, stored
from tests.contract.scorer.scene import AGREED, START_MS, Scene

# `make drill` makes more of them.
WORLDS = int(os.environ.get("KENTERING_DRILL_WORLDS", "12"))
EVENTS = 24
RULE = {
    "type": "any",
    "rules": [
        {"type": "phase", "any_of": ["think", "do"]},
        {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 30},
    ],
}
NAMES = {"user_id": 3, "email": 3, "crm": 2, "person_token": 2, "anonymous_id": 4}
TYPES = ("page", "vacancy_viewed", "identified", "application_started", "open", "click", "sent")


@pytest.fixture
def rng() -> random.Random:
    seed = int(os.environ.get("KENTERING_SEED", random.randrange(10**6)))
    print(f"KENTERING_SEED={seed}")  # shown when the test fails
    return random.Random(seed)


def test_any_world_in_any_order_is_the_same(rng: random.Random, scene: Scene) -> None:
    keys, arriving = {}, []
    worlds = {number: _world(rng, scene, number) for number in range(1, WORLDS + 1)}
    for number, events in worlds.items():
        if number > 1:
            scene.workspace(number)
        keys[number] = scene.segment("s", RULE, workspace_id=number)
        arriving += events
    scene.build()
    rng.shuffle(arriving)
    while arriving:
        size = rng.choice((1, 2, 5, 40, 200))
        scene.score(*arriving[:size])
        del arriving[:size]

    for number, events in worlds.items():
        rule = RuleTree.model_validate({"rule": RULE}).rule
        expected = said(events, Rulebook(((keys[number], rule),)))
        found = stored(scene.engine, number)
        assert found.links == expected.links, number
        assert found.persons == expected.persons, number
        assert_sound(scene.engine, number)
    assert_told_once(scene.engine, scene.now_ms)


def _world(rng: random.Random, scene: Scene, workspace_id: int) -> list[Event]:
    """Every copy of every event of a small world that ties whatever can be tied."""
    names = [Identity(space, f"{n}") for space, count in NAMES.items() for n in range(count)]
    arriving = []
    for _ in range(EVENTS):
        # Few different days: events at one moment are common here.
        at_ms = START_MS + rng.randrange(30) * 3 * DAY_MS
        kind = rng.choice(TYPES)
        event = scene.event(
            kind,
            *rng.sample(names, rng.choice((1, 1, 2, 2, 3))),
            at_ms=at_ms,
            workspace_id=workspace_id,
            server_only=rng.random() < 0.3,
            channel="email" if kind in {"open", "click", "sent"} else "website",
            message_id="m" if kind in {"open", "click", "sent"} else None,
            consent=AGREED,
        )
        arriving += [event, *(_later(rng, event) for _ in range(rng.choice((0, 0, 1, 2))))]
    return arriving


def _later(rng: random.Random, event: Event) -> Event:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return Event(**{**fields, "received_ms": event.received_ms + rng.randrange(1, DAY_MS)})
