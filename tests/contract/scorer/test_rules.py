"""Rules of every kind kept by the scorer: refolds, replay, references, lists by hand."""

import random

import msgspec
from sqlalchemy import select, update

from services.contract import tables
from services.contract.event import LISTED, Agreement, Event, Identity
from services.scorer.replay import Comparison, compare_next, differing_counts
from tests.contract.scorer.pure import assert_sound, assert_told_once, intervals
from tests.contract.scorer.scene import MODEL, Scene, mail, user

PAGES = {"type": "events", "event": ["page"], "at_least": 2, "within_days": 30}
EVERY_KIND = {
    "time": {"type": "time_in_phase", "any_of": ["see", "think"], "at_least_days": 20},
    "engaged": {"type": "engagement", "topic": "grid", "at_least": 2},
    "against": {"type": "engagement", "of": "against", "at_least": 0.1},
    "interest": {"type": "interest", "topic": ["grid"], "share_at_least": 0.4},
    "absent": {"type": "events", "topic": ["grid"], "at_most": 1, "within_days": 40},
    "first": {"type": "first_event", "campaign": ["m1"], "at_least_days_ago": 10},
    "last": {"type": "last_event", "event": ["page"], "less_than_days_ago": 15},
    "birthday": {
        "type": "attribute_date", "name": "began", "every_year": True,
        "from_days": 0, "to_days": 60,
    },
    "mail": {"type": "identity", "namespace": "email"},
    "agreed": {"type": "consent", "purpose": "contact_mail"},
    "pressed": {"type": "pressure", "at_least": 2, "within_days": 30},
    "due": {"type": "cadence", "every_days": 14},
    "free": {"type": "availability", "within_days": 60},
    "machine": {"type": "machine_share", "at_least": 0.2, "of_at_least": 2},
}  # fmt: skip


def listed(scene: Scene, who: Identity, key: str, listing: str, day: float, **more) -> Event:
    told = {"list": listing, "reason": "r", "by": None, "key": "key 1"}
    return scene.day(LISTED, who, day=day, content_id=key, properties=told, **more)


def replayed(scene: Scene) -> Comparison:
    done = Comparison(1)
    with scene.engine.connect() as db:
        while compare_next(db, done, MODEL):
            pass
        assert list(differing_counts(db, 1)) == []
    return done


def test_every_kind_is_kept_the_same_live_refolded_and_replayed(scene: Scene) -> None:
    half = dict(list(EVERY_KIND.items())[::2])
    for key, rule in half.items():
        scene.segment(key, rule)
    scene.build()
    rng = random.Random(11)
    arriving = [event for n in range(6) for event in _life(rng, scene, user(f"u{n}"))]
    rng.shuffle(arriving)
    for begin in range(0, len(arriving), 40):
        scene.now_ms += 1_000
        scene.score(*arriving[begin : begin + 40])
    for key, rule in EVERY_KIND.items():
        if key not in half:
            scene.segment(key, rule)
    scene.build()
    done = replayed(scene)
    assert done.is_equal, (done.differing, done.examples)
    kinds = {i.key for rows in intervals(scene.engine).values() for i in rows}
    assert len([key for key in kinds if key.isdigit()]) >= 12, "most rules held for somebody"
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def _life(rng: random.Random, scene: Scene, who: Identity) -> list[Event]:
    began = {"began": rng.choice(["2024-02-29", "2020-09-01", "2026-11-20"])}
    life = [scene.day("identified", who, mail(f"{who.value}@example.org"), day=0, properties=began)]
    for _ in range(25):
        kind = rng.choice(["page", "page", "read", "open", "click", "sent", "applied"])
        properties = {"topics": rng.choice([["grid"], ["water"], []])}
        if rng.random() < 0.1:
            properties |= {"available": True, "available_from": "2027-01-01"}
        mailing = rng.choice(["m1", "m2", "m3"]) if kind in {"open", "click", "sent"} else None
        event = scene.day(
            kind, who, day=rng.uniform(0, 199), properties=properties, message_id=mailing
        )
        if rng.random() < 0.1:
            purposes = {"contact_mail": rng.random() < 0.7}
            event = msgspec.structs.replace(event, agreement=Agreement(purposes=purposes))
        life.append(event)
    return life


def test_rules_that_are_gone_leave_nothing_behind_that_replay_minds(scene: Scene) -> None:
    scene.score(scene.day("page", user("a"), day=1), scene.day("page", user("b"), day=1))
    scene.segment("s", PAGES)
    scene.build()
    scene.segment("s", EVERY_KIND["time"], number=2)
    scene.build()
    scene.score(scene.day("page", user("a"), day=2))
    assert replayed(scene).is_equal


def test_segments_that_refer_to_each_other_come_into_force_in_one_step(scene: Scene) -> None:
    scene.score(*(scene.day("page", user("a"), day=day) for day in (190, 191)))
    scene.score(scene.day("page", user("b"), day=195))
    scene.segment("below", PAGES)
    scene.segment("not", {"type": "not", "rule": {"type": "in_segment", "segment": "below"}})
    scene.build()
    a, b = scene.person_of(user("a")), scene.person_of(user("b"))
    assert {(c.person_id, c.key) for c in scene.changes("segment")} == {(a, "below"), (b, "not")}
    told = len(scene.changes())
    one = scene.segment("below", {**PAGES, "at_least": 1}, number=2)
    other = scene.segment(
        "not", {"type": "not", "rule": {"type": "in_segment", "segment": "below"}}, number=2
    )
    row = tables.segment_version.c
    together = update(tables.segment_version).where(row.id.in_([int(one), int(other)]))
    scene.write(together.values(together_id=int(one)))
    assert scene.scorer.step(0) == 0
    assert [s for (s,) in scene.rows(select(row.status).order_by(row.id))] == [
        "live", "live", "building", "building",
    ]  # fmt: skip
    scene.scorer.step(0)
    assert [s for (s,) in scene.rows(select(row.status).order_by(row.id))] == [
        "retired", "retired", "live", "live",
    ]  # fmt: skip
    scene.build()
    assert {(c.person_id, c.key, c.after) for c in scene.changes()[told:]} >= {
        (b, "below", "member"),
        (b, "not", None),
    }
    # In silence the one is left and the other entered at the same moment.
    held = {
        p: [i for i in rows if i.kind == "segment"] for p, rows in intervals(scene.engine).items()
    }
    for rows in held.values():
        left = {i.to_ms for i in rows if i.key == one and i.to_ms}
        assert left <= {i.from_ms for i in rows if i.key == other}
    assert replayed(scene).is_equal
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def test_lists_by_hand(scene: Scene) -> None:
    scene.segment("s", PAGES)
    scene.segment("of-s", {"type": "in_segment", "segment": "s"})
    scene.build()
    scene.score(
        *(scene.day("page", user("out"), day=day) for day in (190, 191)),
        scene.day("page", user("in"), day=190),
    )
    out, in_ = scene.person_of(user("out")), scene.person_of(user("in"))
    told = len(scene.changes())
    scene.score(
        listed(scene, user("out"), "s", "out", day=195),
        listed(scene, user("in"), "s", "in", day=195),
    )
    found = {(c.person_id, c.key, c.after, c.reason) for c in scene.changes()[told:]}
    assert found == {
        (out, "s", None, "manual"),
        (out, "of-s", None, "manual"),
        (in_, "s", "member", "manual"),
        (in_, "of-s", "member", "manual"),
    }
    scene.score(scene.day("page", user("out"), day=196))
    assert len(scene.changes("segment")) == 6, "a list stands whatever comes"
    # Two persons turn out to be one: what was decided last of either holds.
    scene.score(scene.day("identified", user("in"), mail("m"), day=196.5, server_only=True))
    assert replayed(scene).is_equal
    scene.score(listed(scene, user("out"), "s", "none", day=197))
    assert scene.changes()[-1].reason == "manual"
    assert replayed(scene).is_equal
    assert_told_once(scene.engine, scene.now_ms)


def test_a_list_that_names_no_segment_is_set_aside(scene: Scene) -> None:
    scene.score(scene.day(LISTED, user("a"), day=1, properties={"list": "in"}))
    scene.score(listed(scene, user("a"), "s", "perhaps", day=1))
    assert scene.count(tables.dead_letter) == 2
    assert scene.count(tables.event) == 0
