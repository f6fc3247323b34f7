"""Segments filled, edited and left, and who was a member when, against rules asked by hand."""

import random
from collections import defaultdict

from sqlalchemy import select, update

from services.api.counts import count_at, count_believed
from services.contract import tables
from services.contract.event import Event
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.fold import fold
from services.model.path import Path as Life
from services.model.rulebook import Rulebook
from services.model.rules import RuleTree, evaluate
from tests.contract.scorer.pure import assert_sound, assert_told_once, intervals
from tests.contract.scorer.scene import MODEL, NOW_MS, START_MS, Scene, user

VIEWED = {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 30}
RULES = {
    "viewed": VIEWED,
    "open": {"type": "probability", "of": "openness", "at_least": 0.2},
    "both": {"type": "all", "rules": [VIEWED, {"type": "phase", "any_of": ["think", "do"]}]},
    "quiet": {"type": "not", "rule": {"type": "any", "rules": [VIEWED]}},
    "north": {"type": "attribute", "name": "region", "op": "is", "value": "Noord"},
}
KINDS = ("page", "vacancy_viewed", "application_started", "identified", "click", "sent")


def test_filling_a_segment_tells_of_its_members_once(scene: Scene) -> None:
    scene.score(
        *(scene.day("vacancy_viewed", user("in"), day=day) for day in (180, 190)),
        *(scene.day("vacancy_viewed", user("was"), day=day) for day in (10, 11)),
        scene.day("vacancy_viewed", user("out"), day=190),
    )
    key = scene.segment("s", VIEWED)
    scene.build()
    told = scene.changes("segment")
    assert [(c.person_id, c.key, c.before, c.after, c.reason) for c in told] == [
        (scene.person_of(user("in")), "s", None, "member", "manual")
    ]
    assert told[0].valid_ms == START_MS + 190 * DAY_MS
    held = {p: [i for i in rows if i.key == key] for p, rows in intervals(scene.engine).items()}
    was = [(i.from_ms, i.to_ms) for i in held[scene.person_of(user("was"))]]
    assert was == [(START_MS + 11 * DAY_MS, START_MS + 40 * DAY_MS)], "the past is filled too"
    scene.now_ms += DAY_MS
    scene.build()
    assert scene.changes("segment") == told
    assert_sound(scene.engine)


def test_an_edit_swaps_in_one_step_and_tells_only_who_differs(scene: Scene) -> None:
    for name, days in {"both": (185, 190), "left": (185, 199), "came": (5, 199, 199.5)}.items():
        kind = "application_started" if name == "came" else "vacancy_viewed"
        scene.score(*(scene.day(kind, user(name), day=day) for day in days))
    scene.score(scene.day("application_started", user("both"), day=195))
    old = scene.segment("s", {"type": "events", "event": ["vacancy_viewed"], "within_days": 60})
    scene.build()
    came, both, left = (scene.person_of(user(name)) for name in ("came", "both", "left"))
    assert {c.person_id for c in scene.changes("segment")} == {both, left}
    told = len(scene.changes())

    swapped_ms = scene.now_ms = scene.now_ms + 5_000
    rule = {"type": "events", "event": ["application_started"], "within_days": 60}
    new = scene.segment("s", rule, number=2)
    assert scene.scorer.step(0) == 0  # filled, and not yet in force
    version = tables.segment_version.c
    status = select(version.status).order_by(version.id)
    assert [s for (s,) in scene.rows(status)] == ["live", "building"]
    assert scene.changes()[told:] == []
    while scene.rows(status)[1].status == "building":
        scene.scorer.step(0)
    scene.now_ms += 500  # what that brings is gone through later
    scene.build()
    assert [s for (s,) in scene.rows(status)] == ["retired", "live"]
    found = {(c.person_id, c.before, c.after, c.reason) for c in scene.changes()[told:]}
    assert found == {(came, None, "member", "manual"), (left, "member", None, "manual")}
    assert len(scene.changes()) == told + 2
    with scene.engine.connect() as db:
        assert count_believed(db, 1, "segment", old, swapped_ms - 1, swapped_ms - 1) == 2
        assert count_at(db, 1, "segment", new, scene.now_ms) == 2
    assert_told_once(scene.engine, scene.now_ms)
    assert scene.scorer.step(0) == 0
    scene.score(*(scene.day("page", user(name), day=199.9) for name in ("came", "both", "left")))
    assert [c for c in scene.changes("segment")[2:] if c.reason != "manual"] == []
    assert_sound(scene.engine)


def test_events_while_a_segment_is_filled(scene: Scene) -> None:
    people = [user(f"p{n}") for n in range(230)]  # more than two steps fill
    scene.score(*(scene.day("page", who, day=100) for who in people))
    scene.segment("s", {"type": "events", "event": ["vacancy_viewed"], "within_days": 60})
    for n in range(6):
        scene.scorer.step(0)
        scene.now_ms += 1_000
        scene.score(
            scene.day("vacancy_viewed", people[n * 40], day=199),
            scene.day("vacancy_viewed", user(f"new{n}"), day=199),
        )
    scene.build()
    assert len(scene.changes("segment")) == 12
    assert_told_once(scene.engine, scene.now_ms)
    assert_sound(scene.engine)


def test_who_moves_by_an_event_from_before_the_segment_moves_by_that_event(scene: Scene) -> None:
    """It came in after the rule was in force for everybody, so the rule let nobody in or out.

    One of them was told of as one who had not viewed since an event after that one: never was so.
    """
    pages = [
        scene.day("page", user(name), day=day) for name, day in (("old", 100), ("late", 199.5))
    ]
    scene.score(*pages)
    rule = {"type": "events", "event": ["vacancy_viewed"], "within_days": 60}
    scene.segment("viewed", rule)
    scene.segment("not-viewed", {"type": "not", "rule": rule})
    scene.build()
    told = len(scene.changes("segment"))
    scene.now_ms += 60_000
    views = [scene.day("vacancy_viewed", user(name), day=199) for name in ("old", "late", "new")]
    scene.score(*views)
    found = scene.changes("segment")[told:]
    assert {(c.key, c.after) for c in found} == {("viewed", "member"), ("not-viewed", None)}
    assert len(found) == 5  # the new one was never told of as one who had not
    assert {c.reason for c in found} == {"event"}
    assert {bytes(c.event_id) for c in found} == {view.event_id for view in views}


def test_who_leaves_by_an_edited_rule_leaves_by_no_event_that_came_with_it(scene: Scene) -> None:
    scene.score(scene.day("vacancy_viewed", user("a"), day=190))
    scene.segment("s", {"type": "events", "event": ["vacancy_viewed"], "within_days": 60})
    scene.build()
    scene.now_ms += 60_000
    rule = {"type": "events", "event": ["application_started"], "within_days": 60}
    scene.segment("s", rule, number=2)
    status = select(tables.segment_version.c.status).order_by(tables.segment_version.c.id)
    while scene.rows(status)[1].status == "building":
        scene.scorer.step(0)
    scene.now_ms += 500
    scene.score(scene.day("page", user("a"), day=199.9))
    scene.build()
    (*_, left) = scene.changes("segment")
    assert (left.after, left.reason, left.event_id) == (None, "manual", None)


def test_of_several_events_the_late_one_takes_back(scene: Scene) -> None:
    scene.score(scene.day("page", user("a"), day=199.5))
    rule = {"type": "events", "event": ["vacancy_viewed"], "within_days": 60}
    scene.segment("not-viewed", {"type": "not", "rule": rule})
    scene.build()
    scene.now_ms += 60_000
    view = scene.day("vacancy_viewed", user("a"), day=190)
    scene.score(view, scene.day("page", user("a"), day=199.9))
    (*_, left) = scene.changes("segment")
    assert (left.after, left.reason, bytes(left.event_id)) == (None, "event", view.event_id)


def test_who_is_in_by_time_since_a_late_event_came_in_by_that_event(scene: Scene) -> None:
    scene.score(scene.day("page", user("a"), day=199.5))
    scene.segment("s", {"type": "last_event", "event": ["play"], "at_least_days_ago": 2})
    scene.build()
    scene.now_ms += 60_000
    played = scene.day("play", user("a"), day=190)
    scene.score(played, scene.day("page", user("a"), day=199.9))
    (came,) = scene.changes("segment")
    assert (came.after, came.reason, bytes(came.event_id)) == ("member", "event", played.event_id)
    assert came.valid_ms == played.occurred_ms + 2 * DAY_MS


def test_a_deleted_segment_is_left(scene: Scene) -> None:
    scene.score(scene.day("vacancy_viewed", user("a"), day=199))
    scene.segment("s", {"type": "events", "within_days": 60})
    scene.build()
    segment = tables.segment
    scene.write(update(segment).where(segment.c.key == "s").values(deleted_ms=scene.now_ms))
    scene.score(scene.day("page", user("a"), day=199.5))
    assert [(c.after, c.reason) for c in scene.changes("segment")] == [
        ("member", "manual"),
        (None, "manual"),
    ]


def test_a_rule_that_cannot_be_read_stops_nobody(scene: Scene) -> None:
    scene.segment("broken", {"type": "attribute", "name": "a", "op": "is", "value": None})
    scene.build()
    scene.score(scene.day("page", user("a"), day=1), scene.day("page", user("b"), day=2))
    assert scene.count(tables.person_state) == 2
    assert scene.count(tables.dead_letter) == 0


def test_a_segment_is_filled_while_events_keep_coming(scene: Scene) -> None:
    scene.score(*(scene.day("page", user(f"u{n}"), day=1) for n in range(5)))
    scene.segment("all", {"type": "phase", "any_of": ["see"]})
    for n in range(6):
        scene.append([scene.day("page", user("u0"), day=2 + n)])
        assert scene.scorer.step(0)
    status = select(tables.segment_version.c.status)
    assert [row.status for row in scene.rows(status)] == ["live"]


def test_members_at_any_moment_are_those_whose_rule_held(scene: Scene) -> None:
    rng = random.Random(5)
    keys = {name: scene.segment(name, rule) for name, rule in RULES.items() if name != "both"}
    scene.build()
    histories = {f"u{n}": _history(rng, scene, f"u{n}") for n in range(8)}
    arriving = [event for events in histories.values() for event in events]
    rng.shuffle(arriving)
    for begin in range(0, len(arriving), 50):
        scene.now_ms += 1_000
        scene.score(*arriving[begin : begin + 50])
    keys["both"] = scene.segment("both", RULES["both"])
    scene.build()

    held = intervals(scene.engine)
    moments = [rng.randrange(START_MS - DAY_MS, NOW_MS + 90 * DAY_MS) for _ in range(40)]
    moments += [i.from_ms for rows in held.values() for i in rng.sample(rows, 2)]
    moments += [i.to_ms for rows in held.values() for i in rng.sample(rows, 2) if i.to_ms]
    moments += [at // HOUR_MS * HOUR_MS for at in moments[:10]]
    members: dict[tuple[str, int], set[int]] = defaultdict(set)
    for name, events in histories.items():
        person = scene.person_of(user(name))
        for at in moments:
            for segment in _true_at(events, at):
                members[segment, at].add(person)
    with scene.engine.connect() as db:
        for segment, key in keys.items():
            for at in moments:
                found = {p for p, rows in held.items() if any(_holds(i, key, at) for i in rows)}
                assert found == members[segment, at], (segment, at)
                counted = count_at(db, 1, "segment", key, at)
                assert counted == len(found) == count_believed(db, 1, "segment", key, at, 2**60)
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def _history(rng: random.Random, scene: Scene, name: str) -> list[Event]:
    events = []
    for _ in range(12):
        kind = rng.choice(KINDS)
        region = {"region": rng.choice(["noord", "Zuid"])} if kind == "identified" else {}
        day = rng.choice([rng.uniform(0, 199), rng.uniform(150, 199)])
        mailing = "m1" if kind in {"click", "sent"} else None
        events.append(scene.day(kind, user(name), day=day, properties=region, message_id=mailing))
    return events


def _true_at(events: list[Event], at_ms: int) -> set[str]:
    """The segments that a person is in: the state by then, its path, and the rules."""
    rules = {name: RuleTree.model_validate({"rule": rule}).rule for name, rule in RULES.items()}
    memories = Rulebook(tuple(rules.items())).memories
    before = sorted(
        (e for e in events if e.occurred_ms <= at_ms), key=lambda e: (e.occurred_ms, e.event_id)
    )
    state = None
    for event in before:
        state = fold(state, event, MODEL, memories)
    if state is None:
        return set()
    path = Life(state, MODEL)
    return {name for name, rule in rules.items() if evaluate(rule, path, at_ms)[0]}


def _holds(interval, key: str, at_ms: int) -> bool:
    return (
        (interval.kind, interval.key) == ("segment", key)
        and interval.from_ms <= at_ms
        and (interval.to_ms is None or at_ms < interval.to_ms)
    )
