"""Why the feed says that something is different: the event that made it so, or the rule."""

from typing import Any

import pytest
from sqlalchemy import select

from services.contract import tables
from services.contract.event import Consent, Event
from services.contract.phases import DAY_MS
from tests.contract.scorer.scene import START_MS, Scene, cookie, user

VIEWED = {"type": "events", "event": ["vacancy_viewed"], "within_days": 30}
STARTED = {"type": "events", "event": ["application_started"], "within_days": 60}
NO = Consent(measure=True, profile=False)


def _in_force(scene: Scene, rule: dict[str, Any], day: float) -> None:
    """A segment, and so much later a moment at which nobody is announced any more."""
    scene.score(scene.day("page", user("somebody"), day=1))
    scene.segment("s", rule)
    scene.build()
    scene.now_ms = START_MS + round(day * DAY_MS)


def _told(scene: Scene, *events: Event) -> list[tuple[str, str | None, str, bytes | None]]:
    """What one batch brings: (kind, after, reason, event)."""
    before = len(scene.changes())
    scene.score(*events)
    return [
        (c.kind, c.after, c.reason, None if c.event_id is None else bytes(c.event_id))
        for c in scene.changes()[before:]
    ]


@pytest.mark.parametrize(
    ("rule", "was", "late", "after"),
    [
        ({"type": "not", "rule": {**VIEWED, "at_least": 3, "within_days": 100}},
         ("vacancy_viewed", 220, 230), ("vacancy_viewed", 225), None),
        ({"type": "not", "rule": VIEWED}, ("page", 202), ("vacancy_viewed", 235), None),
        ({"type": "last_event", "event": ["play"], "at_least_days_ago": 5},
         ("page", 210), ("play", 225), "member"),
        (VIEWED, ("vacancy_viewed", 190), ("vacancy_viewed", 215), "member"),
    ],
)  # fmt: skip
def test_a_late_event_is_what_made_the_difference(
    scene: Scene, rule: dict[str, Any], was: Any, late: Any, after: str | None
) -> None:
    """Also where it ends or begins something at another event, or at none."""
    _in_force(scene, rule, 240)
    kind, *days = was
    scene.score(*(scene.day(kind, user("a"), day=day) for day in days))
    scene.scorer.step(0)
    event = scene.day(late[0], user("a"), day=late[1])
    told = [one for one in _told(scene, event) if one[0] == "segment"]
    assert told == [("segment", after, "event", event.event_id)]


def test_a_new_rule_is_what_made_the_difference_and_no_event_that_came_with_it(
    scene: Scene,
) -> None:
    scene.score(scene.day("application_started", user("in"), day=195))
    scene.score(scene.day("vacancy_viewed", user("out"), day=195))
    scene.segment("s", VIEWED)
    scene.build()
    scene.now_ms += 60_000
    scene.segment("s", STARTED, number=2)
    status = select(tables.segment_version.c.status).order_by(tables.segment_version.c.id)
    while scene.rows(status)[1].status == "building":
        scene.scorer.step(0)
    before = len(scene.changes("segment"))
    scene.now_ms += 500
    scene.score(*(scene.day("page", user(name), day=150) for name in ("in", "out")))
    scene.build()
    found = [(c.after, c.reason, c.event_id) for c in scene.changes("segment")[before:]]
    assert sorted(found, key=str) == [("member", "manual", None), (None, "manual", None)]


def test_on_a_browser_of_several_each_moves_by_what_they_do(scene: Scene) -> None:
    _in_force(scene, STARTED, 220)
    for day, name in ((201, "anna"), (202, "bert"), (203, "anna"), (204, "bert")):
        scene.score(scene.day("page", user(name), cookie("c"), day=day))
    for name in ("anna", "bert"):
        started = scene.day("application_started", user(name), cookie("c"), day=219)
        told = _told(scene, started)
        assert ("segment", "member", "event", started.event_id) in told
        assert {reason for _, _, reason, _ in told} == {"event"}


def test_who_is_hired_is_out_by_that(scene: Scene) -> None:
    _in_force(scene, VIEWED, 210)
    scene.score(*(scene.day(kind, user("a"), day=day) for kind, day in
                  (("vacancy_viewed", 203), ("page", 204))))  # fmt: skip
    hired = scene.day("hired", user("a"), day=202, server_only=True)
    told = _told(scene, hired)
    assert {"segment", "latency"} <= {kind for kind, *_ in told}
    assert {one[2:] for one in told} == {("event", hired.event_id)}


def test_a_no_brings_nobody_in_and_said_again_ends_nothing(scene: Scene) -> None:
    scene.segment("care", {"type": "phase", "any_of": ["care"]})
    _in_force(scene, STARTED, 220)
    no = scene.day("consent_changed", user("a"), day=202, consent=NO, server_only=True)
    scene.score(scene.day("page", user("a"), day=201))
    assert {reason for _, _, reason, _ in _told(scene, no)} == {"withdrawn"}
    hired = scene.day("hired", user("a"), day=210, consent=NO, server_only=True)
    told = _told(scene, hired)
    assert ("phase", "care", "event", hired.event_id) in told
    assert {reason for _, _, reason, _ in told} == {"event"}

    yes = scene.day("consent_changed", user("b"), day=205, server_only=True)
    no = scene.day("consent_changed", user("b"), day=201, consent=NO, server_only=True)
    scene.score(no, yes, scene.day("page", user("b"), day=206))
    stripped = scene.day("page", user("b"), day=203)
    started = scene.day("application_started", user("b"), day=210)
    told = _told(scene, stripped, started)
    assert ("segment", "member", "event", started.event_id) in told
