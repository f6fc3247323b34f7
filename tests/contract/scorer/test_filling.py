"""Filling a segment a few people at a time: killed anywhere, given up, told once."""

import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from services.api.segment_store import add_version, delete_segment
from services.contract import tables
from services.contract.event import LISTED, Consent, Event, Identity
from services.contract.phases import DAY_MS
from services.model.rulebook import Rulebook
from services.model.rules import RuleTree
from services.model.rules.membership import whole
from services.runtime.database import writing
from services.scorer import aftermath, build
from services.scorer.due import announce_due
from tests.contract.scorer.pure import assert_sound, assert_told_once, said, stored
from tests.contract.scorer.scene import MODEL, Scene, user

LOOKED = {"type": "events", "event": ["vacancy_viewed"], "within_days": 60}
PAGED = {"type": "events", "event": ["page"], "within_days": 60}
PERSONS = 11


class KilledError(Exception):
    """The process ended before it could commit."""


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "PERSONS_PER_STEP", 3)
    monkeypatch.setattr(build, "PERSONS_PER_QUICK_STEP", 3)
    monkeypatch.setattr(aftermath, "PERSONS_PER_STEP", 2)


def _step(scene: Scene, *, killed: bool = False) -> bool:
    with writing(scene.engine).begin() as db:
        more = build.build_step(db, MODEL, scene.now_ms)
        if killed:
            raise KilledError
    return more


def _tell(scene: Scene) -> None:
    with writing(scene.engine).begin() as db:
        announce_due(db, scene.now_ms)


def _people(scene: Scene) -> None:
    kinds = ("vacancy_viewed", "page")
    scene.score(*(scene.day(kinds[n % 2], user(f"u{n}"), day=190) for n in range(PERSONS)))


def _edit(scene: Scene, rule: dict[str, Any]) -> None:
    with writing(scene.engine).begin() as db:
        segment_id = db.execute(select(tables.segment.c.id)).scalar_one()
        add_version(db, 1, segment_id, rule, "test", scene.now_ms)


def _versions(scene: Scene) -> list[tuple[str, int | None]]:
    row = tables.segment_version.c
    return [tuple(one) for one in scene.rows(select(row.status, row.told_to).order_by(row.id))]


def _held(scene: Scene, table: Any) -> Counter[str]:
    query = select(table.c.key, func.count()).where(table.c.kind == "segment").group_by(table.c.key)
    return Counter({row[0]: row[1] for row in scene.rows(query)})


def test_killed_at_every_step_it_is_filled_and_told_once(scene: Scene) -> None:
    _people(scene)
    scene.segment("s", LOOKED)
    more, steps = True, 0
    while more:
        with pytest.raises(KilledError):
            _step(scene, killed=True)
        more = _step(scene)
        _tell(scene)
        steps += 1
    assert steps > PERSONS / 3
    told = scene.changes("segment")
    assert len({c.person_id for c in told}) == len(told) == 6
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def test_the_old_version_answers_until_the_new_one_is_whole(scene: Scene) -> None:
    _people(scene)
    scene.segment("s", LOOKED)
    scene.build()
    scene.now_ms += DAY_MS
    before = len(scene.changes())
    _edit(scene, PAGED)
    for _ in range(4):
        assert _step(scene)
        _tell(scene)
        assert _versions(scene) == [("live", None), ("building", None)]
        assert len(scene.changes()) == before
    assert _step(scene)
    assert _versions(scene) == [("retired", 0), ("live", 0)]
    # While people are gone through, an event tells of its own person, and nobody is told twice.
    scene.score(scene.day("page", user("u10"), day=200.5))
    while _step(scene):
        _tell(scene)
    _tell(scene)
    told = Counter((c.person_id, c.before, c.after) for c in scene.changes("segment")[6:])
    assert set(told.values()) == {1}
    assert sum(after is None for _, _, after in told) == 5  # u10 is a member of the new one too
    assert sum(after is not None for _, _, after in told) == 5
    assert _held(scene, tables.count_delta).keys() == {"2"}
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def test_a_small_workspace_does_not_wait_for_a_large_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "PERSONS_PER_QUICK_STEP", 1)
    scene.score(*(scene.day("page", user(f"u{n}"), day=190) for n in range(40)))
    scene.workspace(2)
    scene.score(scene.day("page", user("u"), day=190, workspace_id=2))
    first, second = (scene.segment(key, PAGED) for key in ("first", "second"))
    theirs = scene.segment("theirs", PAGED, workspace_id=2)
    row = tables.segment_version.c
    live = select(row.id).where(row.status == "live").order_by(row.live_ms)
    while scene.count(tables.segment_version) > len(came := scene.rows(live)):
        scene.now_ms += 1
        _step(scene)
    # By lot: that theirs is not the first by chance happens once in 10¹⁰ times.
    assert [str(one.id) for one in came] == [theirs, first, second]


def test_of_a_version_given_up_nothing_stays(scene: Scene) -> None:
    _people(scene)
    scene.segment("s", LOOKED)
    assert _step(scene)
    assert _held(scene, tables.interval)["1"]
    _edit(scene, PAGED)
    scene.build()
    assert _versions(scene) == [("retired", None), ("live", None)]
    assert _held(scene, tables.interval).keys() == {"2"}
    assert _held(scene, tables.count_delta).keys() == {"2"}
    assert {c.after for c in scene.changes("segment")} == {"member"}
    assert_sound(scene.engine)


def test_a_deleted_segment_is_left_by_everybody_once(scene: Scene) -> None:
    _people(scene)
    scene.segment("s", LOOKED)
    scene.build()
    with writing(scene.engine).begin() as db:
        delete_segment(db, 1, scene.now_ms)
    scene.build()
    left = [c.person_id for c in scene.changes("segment") if c.after is None]
    assert len(left) == len(set(left)) == 6
    row = tables.interval.c
    now = select(row.id).where(row.kind == "segment", row.known_to_ms.is_(None))
    assert not scene.rows(now)
    assert _held(scene, tables.interval)["1"] == 6, "what was believed can still be told"


RULES: dict[str, dict[str, Any]] = {
    "viewed": LOOKED | {"at_least": 2},
    "clicked": {"type": "events", "event": ["click"], "at_least": 2, "within_days": 30},
    "quiet": {"type": "not", "rule": {"type": "in_segment", "segment": "viewed"}},
    "came": {"type": "first_event", "less_than_days_ago": 40},
    "north": {
        "type": "all",
        "rules": [
            {"type": "attribute", "name": "region", "op": "is", "value": "Noord"},
            {"type": "latency_state", "any_of": ["latent_latent"]},
        ],
    },
    "open": {"type": "probability", "of": "openness", "at_least": 0.2},
    "engaged": {
        "type": "all",
        "rules": [
            {"type": "engagement", "at_least": 2},
            {"type": "time_in_phase", "any_of": ["see", "think"], "at_least_days": 5},
            {"type": "pressure", "at_most": 1, "within_days": 60},
        ],
    },
}


def test_people_filled_are_as_if_they_had_lived_with_the_rules(scene: Scene) -> None:
    """Whether they were folded or not, and when something late comes in after it too."""
    rng = random.Random(3)
    events = [one for n in range(PERSONS) for one in _life(scene, rng, user(f"u{n}"))]
    late = rng.sample(events, PERSONS)
    scene.score(*(one for one in events if one not in late))
    keys = {name: scene.segment(name, rule) for name, rule in RULES.items()}
    scene.build()
    nodes = whole({name: RuleTree.model_validate({"rule": r}).rule for name, r in RULES.items()})
    rulebook = Rulebook(tuple((keys[name], node) for name, node in nodes.items()))
    assert stored(scene.engine) == said([one for one in events if one not in late], rulebook)
    for one in late:
        scene.score(one)
    assert stored(scene.engine) == said(events, rulebook)
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def test_what_is_late_of_somebody_who_was_hired_is_counted_with_what_was_before(
    scene: Scene,
) -> None:
    """Nothing of it is in the state any more, which a hire made forget."""
    life = [scene.day("vacancy_viewed", user("u"), day=day) for day in (1, 3)]
    hired = scene.day("hired", user("u"), day=12, server_only=True)
    late = scene.day("page", user("u"), day=4)
    scene.score(*life, hired)
    key = scene.segment("s", RULES["viewed"])
    scene.build()
    scene.score(late)
    rulebook = Rulebook(((key, RuleTree.model_validate({"rule": RULES["viewed"]}).rule),))
    assert stored(scene.engine) == said([*life, late, hired], rulebook)


def _life(scene: Scene, rng: random.Random, who: Identity) -> list[Event]:
    """Days at which much happens at once, as in what was imported; clicks, lists, people who go."""
    found = []
    for _ in range(rng.randrange(4, 16)):
        day, kind = rng.randrange(190), rng.choice(_KINDS)
        more: dict[str, Any] = {}
        if kind == "identified":
            more["properties"] = {"region": rng.choice(["Noord", "Zuid"])}
        elif kind == LISTED:
            more = {"content_id": "viewed", "properties": {"list": rng.choice(["in", "none"])}}
        elif kind == "click":
            more = {"message_id": "m", "channel": "email"}
        if kind in {"click", "page", "vacancy_viewed"} and rng.random() < 0.2:
            more["click_id"] = f"c{day // 20}"
        if rng.random() < 0.03:
            more["consent"] = Consent(measure=True, profile=False)
        found.append(scene.day(kind, who, day=day, **more))
    return found


_KINDS = ("page", "page", "vacancy_viewed", "vacancy_viewed", "click", "identified", LISTED)
