"""Copies of an event and events that come late: one history, whatever came when."""

import itertools
import random

from sqlalchemy import select

from services.contract import tables
from services.contract.event import Event
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.rulebook import Rulebook
from services.model.rules import RuleTree
from services.model.state import encode_state
from services.model.timeline import advance
from tests.contract.scorer.pure import (
    assert_sound,
    assert_told_once,
    canonical,
    intervals,
    said,
    stored,
)
from tests.contract.scorer.scene import MODEL, START_MS, Scene, cookie, user

RULE = {"type": "events", "event": ["vacancy_viewed"], "at_least": 3, "within_days": 2}


def _copy(event: Event, **more) -> Event:
    return Event(**{**{name: getattr(event, name) for name in event.__struct_fields__}, **more})


def _assert_as_pure(scene: Scene, events: list[Event], workspace_id: int = 1) -> None:
    expected, found = said(events, Rulebook()), stored(scene.engine, workspace_id)
    assert found.persons == expected.persons
    assert_sound(scene.engine, workspace_id)


def test_the_smaller_copy_replaces_and_refolds(scene: Scene) -> None:
    original = scene.day("vacancy_viewed", user("a"), day=5)
    others = [scene.day("page", user("a"), day=day) for day in (1, 9)]
    at = original.received_ms
    copies = [
        _copy(original, received_ms=at + 10),
        _copy(original, received_ms=at, occurred_ms=original.occurred_ms - DAY_MS),
        _copy(original, received_ms=at + 10, type="applied"),
        _copy(original, received_ms=at - 1, type="application_started"),
    ]
    for n, order in enumerate(itertools.permutations(copies), 1):
        if n > 1:
            scene.workspace(n)
        here = [_copy(event, workspace_id=n) for event in (*others, *order)]
        for event in here:
            scene.score(event)
        _assert_as_pure(scene, here, n)
    assert_told_once(scene.engine, scene.now_ms)


def test_copies_within_one_batch(scene: Scene) -> None:
    rng = random.Random(1)
    events = [scene.day("vacancy_viewed", user("a"), cookie("c"), day=day) for day in range(9)]
    copies = [
        _copy(event, received_ms=event.received_ms + later, type=kind)
        for event in events
        for later, kind in ((0, event.type), (5, "page"), (0, "applied"))
    ]
    rng.shuffle(copies)
    scene.score(*copies)
    assert scene.count(tables.event) == len(events)
    _assert_as_pure(scene, copies)


def test_the_same_records_again_change_nothing(scene: Scene) -> None:
    events = [scene.day("vacancy_viewed", user("a"), cookie("c"), day=day) for day in range(9)]
    scene.score(*events)
    everything = (
        tables.event,
        tables.person_state,
        tables.interval,
        tables.count_delta,
        tables.change,
        tables.identity_link,
    )
    before = [scene.rows(select(table)) for table in everything]
    scene.now_ms += 1
    scene.score(*reversed(events))
    assert [scene.rows(select(table)) for table in everything] == before


def test_a_view_told_again_after_consent_is_the_persons_in_any_order(scene: Scene) -> None:
    stripped = scene.day("page", day=1)
    whole = _copy(stripped, received_ms=stripped.received_ms + 9, identities=(user("a"),))
    for n, order in enumerate([(whole, stripped), (stripped, whole), (stripped, whole, stripped)]):
        if n:
            scene.workspace(n + 1)
        here = [_copy(event, workspace_id=n + 1) for event in order]
        for event in here:
            scene.score(event)
        _assert_as_pure(scene, here, n + 1)
    counts = tables.aggregate.c["count"]
    assert not any(count for (count,) in scene.rows(select(counts)))


def test_long_histories_with_late_events_are_as_in_order(scene: Scene) -> None:
    """Beyond two checkpoints; late ones before the first, between them and after the last."""
    rng = random.Random(2)
    key = scene.segment("s", RULE)
    scene.build()
    kinds = ("page", "read", "vacancy_viewed", "application_started")
    events = [
        scene.event(rng.choice(kinds), user("a"), at_ms=START_MS + rng.randrange(5_000) * HOUR_MS)
        for _ in range(620)
    ]
    events.sort(key=lambda e: (e.occurred_ms, e.event_id))
    late = [*rng.sample(events, 8), events[0], events[256], events[255], events[-1]]
    left = [event for event in events if event not in late]
    for begin in range(0, len(left), 97):
        scene.score(*left[begin : begin + 97])
    for event in {event.event_id: event for event in late}.values():
        scene.score(event)
    rule = RuleTree.model_validate({"rule": RULE}).rule
    rulebook = Rulebook(((key, rule),))
    expected = said(events, rulebook)
    assert stored(scene.engine).persons == expected.persons
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)
    row = tables.checkpoint.c
    held = scene.rows(select(row.occurred_ms, row.event_id, row.state).order_by(row.occurred_ms))
    for (at, event_id, packed), count in zip(held, (256, 512), strict=True):
        state, _ = advance(None, events[:count], MODEL, rulebook)
        assert (at, bytes(event_id)) == (state.at_ms, state.at_id)
        assert bytes(packed) == encode_state(state)


def test_a_replaced_copy_refolds_beyond_its_checkpoint(scene: Scene) -> None:
    events = [scene.day("page", user("a"), day=n / 4) for n in range(300)]
    scene.score(*events)
    better = _copy(events[10], received_ms=events[10].received_ms - 1, type="applied")
    scene.score(better)
    assert canonical([*events, better])[10].type == "applied"
    _assert_as_pure(scene, [*events, better])
    assert intervals(scene.engine)
