"""What is announced by time and by history that comes late."""

import random

from sqlalchemy import select

from services.contract import tables
from services.contract.phases import DAY_MS
from tests.contract.scorer.pure import assert_sound, assert_told_once, intervals
from tests.contract.scorer.scene import START_MS, Scene, mail, user

RULE = {"type": "events", "event": ["vacancy_viewed"], "at_least": 1, "within_days": 20}


def _begin(scene: Scene) -> None:
    """A person who was very active, seen at the time itself."""
    key = scene.segment("s", RULE)
    scene.now_ms = START_MS
    scene.build()
    for day in range(4):
        for kind in ("vacancy_viewed", "application_started"):
            event = scene.day(kind, user("a"), day=day)
            scene.now_ms = event.received_ms
            scene.score(event)
    assert key


def _told(scene: Scene) -> list[tuple]:
    return [(c.kind, c.key, c.before, c.after, c.valid_ms, c.reason) for c in scene.changes()]


def test_boundaries_are_told_at_their_time_with_their_time(scene: Scene) -> None:
    _begin(scene)
    before = len(scene.changes())
    edges = sorted(
        {edge for i in intervals(scene.engine)[1] for edge in (i.from_ms, i.to_ms) if edge}
    )
    ahead = [edge for edge in edges if edge > scene.now_ms]
    assert len(ahead) >= 3
    for edge in ahead:
        scene.now_ms = edge - 1
        scene.scorer.step(0)
        told = len(scene.changes())
        scene.now_ms = edge
        scene.scorer.step(0)
        fresh = scene.changes()[told:]
        assert fresh, "told the very millisecond that it is reached"
        assert {c.valid_ms for c in fresh} == {edge}
        assert {c.reason for c in fresh} == {"silence"}
        assert_told_once(scene.engine, scene.now_ms)
    assert len(scene.changes()) > before
    left = [c for c in scene.changes("segment") if c.after is None]
    assert [c.valid_ms for c in left] == [START_MS + 23 * DAY_MS]


def test_a_long_stop_tells_the_same_with_the_same_times(scene: Scene) -> None:
    _begin(scene)
    told = len(scene.changes())
    ahead = {
        edge
        for i in intervals(scene.engine)[1]
        for edge in (i.from_ms, i.to_ms)
        if edge and edge > scene.now_ms
    }
    scene.now_ms += 399 * DAY_MS
    scene.scorer.step(0)
    fresh = scene.changes()[told:]
    assert {c.valid_ms for c in fresh} == {edge for edge in ahead if edge <= scene.now_ms}
    assert [c.valid_ms for c in fresh] == sorted(c.valid_ms for c in fresh)
    assert {c.recorded_ms for c in fresh} == {scene.now_ms}
    assert_told_once(scene.engine, scene.now_ms)
    scene.scorer.step(0)
    assert len(scene.changes()) == told + len(fresh)


def test_an_event_after_a_long_stop_finds_what_silence_did(scene: Scene) -> None:
    _begin(scene)
    scene.now_ms += 100 * DAY_MS
    scene.score(scene.event("page", user("a"), at_ms=scene.now_ms - 10))
    assert_told_once(scene.engine, scene.now_ms)
    left = [c for c in scene.changes("segment") if c.after is None]
    assert [c.valid_ms for c in left] == [START_MS + 23 * DAY_MS]
    assert_sound(scene.engine)


def test_history_that_comes_late_tells_only_what_is_different_now(scene: Scene) -> None:
    rng = random.Random(9)
    _begin(scene)
    late = [scene.day("vacancy_viewed", user("a"), day=-rng.uniform(60, 200)) for _ in range(20)]
    told = _told(scene)
    scene.score(*late)
    fresh = scene.changes()[len(told) :]
    assert len({(c.kind, c.key) for c in fresh}) == len(fresh), "each at most once"
    assert not [c for c in fresh if c.kind == "segment"], "who is a member stays one"
    assert_told_once(scene.engine, scene.now_ms)
    assert_sound(scene.engine)


def test_an_import_of_the_past_tells_the_present_alone(scene: Scene) -> None:
    scene.score(*(scene.day("vacancy_viewed", user("a"), day=day) for day in range(0, 190, 5)))
    assert {c.kind for c in scene.changes()} == {"phase", "latency"}
    assert len(scene.changes()) == 2
    assert_told_once(scene.engine, scene.now_ms)


def test_each_change_is_in_the_order_of_its_persons_versions(scene: Scene) -> None:
    rng = random.Random(3)
    for _ in range(30):
        scene.now_ms += rng.randrange(20) * DAY_MS
        at_ms = scene.now_ms - rng.randrange(30 * DAY_MS)
        kind = rng.choice(["vacancy_viewed", "application_started", "page"])
        scene.score(scene.event(kind, user(f"u{rng.randrange(3)}"), at_ms=at_ms))
    row = tables.change.c
    seen: dict[int, int] = {}
    for person, version in scene.rows(
        select(row.person_id, row.person_version).order_by(row.position)
    ):
        assert seen.get(person, 0) <= version
        seen[person] = version
    assert_told_once(scene.engine, scene.now_ms)
    assert_sound(scene.engine)


def test_whoever_is_somebody_again_is_told_of_as_newer(scene: Scene) -> None:
    scene.score(scene.day("page", user("a"), day=1), scene.day("page", mail("a@x.org"), day=2))
    scene.score(
        scene.day("page", mail("a@x.org"), day=3), scene.day("page", mail("a@x.org"), day=4)
    )
    was = scene.person_of(mail("a@x.org"))
    scene.score(scene.day("identified", user("a"), mail("a@x.org"), day=5, server_only=True))
    told = max(c.person_version for c in scene.changes() if c.person_id == was)
    scene.score(
        scene.day("identity_decision", user("a"), mail("a@x.org"), day=6, server_only=True,
                  properties={"decision": "two_people", "reason": "r"})
    )  # fmt: skip
    assert scene.person_of(mail("a@x.org")) == was
    row = tables.person_state.c
    ((version,),) = scene.rows(select(row.version).where(row.person_id == was))
    assert version > told
