"""Nothing is said of who did not agree, nor of who works here; nobody's events only count."""

import pytest
from sqlalchemy import select

from services.contract import tables
from services.contract.event import Agreement, Consent
from services.contract.phases import DAY_MS
from services.model.rulebook import Rulebook
from services.model.state import decode_state
from tests.contract.scorer.erased import anna
from tests.contract.scorer.pure import (
    assert_sound,
    assert_told_once,
    intervals,
    said,
    stored,
)
from tests.contract.scorer.scene import START_MS, Scene, user

MEASURED = Consent(measure=True)
WITHDRAWN = Consent(measure=True, profile=False)


def _score(scene: Scene, name: str) -> object:
    row = tables.person_state.c
    query = select(row.state).where(row.person_id == scene.person_of(user(name)))
    return decode_state(bytes(scene.rows(query)[0][0])).score


def _assert_as_pure(scene: Scene, events) -> None:
    assert stored(scene.engine).persons == said(events, Rulebook()).persons
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def test_without_consent_to_profile_nothing_is_said(scene: Scene) -> None:
    events = [scene.day("applied", user("a"), day=d, consent=MEASURED) for d in range(5)]
    scene.score(*events)
    assert intervals(scene.engine) == {}
    assert scene.changes() == []
    assert _score(scene, "a") is None
    _assert_as_pure(scene, events)


def test_withdrawn_and_renewed(scene: Scene) -> None:
    key = scene.segment("s", {"type": "phase", "any_of": ["see", "think", "do"]})
    scene.build()
    events = [scene.day("application_started", user("a"), day=d) for d in (190, 191)]
    scene.score(*events)
    assert {c.kind for c in scene.changes()} == {"phase", "latency", "segment"}
    events.append(scene.day("identified", user("a"), day=195, consent=WITHDRAWN, server_only=True))
    scene.score(events[-1])
    assert {(c.kind, c.after) for c in scene.changes()[3:]} == {
        ("phase", None),
        ("latency", None),
        ("segment", None),
    }
    assert {(c.valid_ms, c.reason, bytes(c.event_id)) for c in scene.changes()[3:]} == {
        (events[-1].occurred_ms, "withdrawn", events[-1].event_id)
    }
    ends = {i.to_ms for i in intervals(scene.engine)[scene.person_of(user("a"))]}
    assert max(end for end in ends if end is not None) == events[-1].occurred_ms
    assert None not in ends
    assert _score(scene, "a") is None
    told = len(scene.changes())
    scene.now_ms += 100 * DAY_MS
    scene.scorer.step(0)
    assert len(scene.changes()) == told, "nothing more is said of them, by time either"

    renewed_ms = scene.now_ms - 1_000
    events.append(scene.event("page", user("a"), at_ms=renewed_ms))
    scene.score(events[-1])
    state = _score(scene, "a")
    assert state is not None
    assert state.since_ms == renewed_ms
    begun = [i for i in intervals(scene.engine)[1] if i.from_ms >= renewed_ms]
    assert {i.kind for i in begun} == {"phase", "latency", "segment"}
    assert min(i.from_ms for i in begun) == renewed_ms
    assert key
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def test_withdrawal_that_comes_late_ends_what_was_said(scene: Scene) -> None:
    events = [scene.day("applied", user("a"), day=d, consent=Consent()) for d in (50, 150)]
    events.insert(0, scene.day("applied", user("a"), day=10))
    scene.score(*events)
    late = scene.day("identified", user("a"), day=100, consent=WITHDRAWN, server_only=True)
    scene.score(late)
    ends = [i.to_ms for i in intervals(scene.engine)[1]]
    assert max(ends) == late.occurred_ms
    _assert_as_pure(scene, [*events, late])


def test_nobodys_events_count_once_each(scene: Scene) -> None:
    events = [
        scene.day(kind, day=day, content_id=content, consent=Consent())
        for kind, day, content in (
            ("page", 1.1, "a"),
            ("page", 1.2, "a"),
            ("page", 1.3, None),
            ("page", 2.1, "a"),
            ("open", 1.1, None),
        )
    ]
    scene.score(*events, *events)
    scene.score(*reversed(events))
    row = tables.aggregate.c
    found = scene.rows(select(row.day_ms, row.type, row.content_id, row["count"]))
    one, two = (START_MS // DAY_MS * DAY_MS + day * DAY_MS for day in (1, 2))
    days = {e.occurred_ms // DAY_MS * DAY_MS for e in events}
    assert days <= {one, two, two + DAY_MS}
    assert sum(count for *_, count in found) == len(events)
    assert max(count for *_, count in found) == 2
    assert scene.count(tables.person) == 0


def test_who_is_hired_is_cared_for_and_no_longer_scored(scene: Scene) -> None:
    scene.segment("s", {"type": "events", "event": ["applied"], "within_days": 300})
    scene.build()
    events = [
        scene.day("applied", user("a"), day=190),
        scene.day("hired", user("a"), day=195, server_only=True, channel="ats"),
        scene.day("applied", user("a"), day=196),
    ]
    scene.score(*events)
    assert _score(scene, "a") is None
    held = [i for i in intervals(scene.engine)[1] if i.to_ms is None or i.to_ms > scene.now_ms]
    assert [(i.kind, i.key, i.from_ms) for i in held] == [("phase", "care", events[1].occurred_ms)]
    assert_told_once(scene.engine, scene.now_ms)
    assert_sound(scene.engine)


@pytest.mark.usefixtures("secret")
def test_an_objection_takes_what_was_scored_before(scene: Scene) -> None:
    scene.segment("s", {"type": "phase", "any_of": ["see", "think", "do"]})
    scene.build()
    scene.score(*anna(scene))
    why = Agreement(given_ms=START_MS + 8 * DAY_MS, objection="by telephone", objection_by="piet")
    no = scene.day(
        "consent_changed", user("anna"), day=8, server_only=True, source_id=0, agreement=why,
        consent=Consent(profile=False),
    )  # fmt: skip
    before = len(scene.changes())
    scene.score(no, *anna(scene))
    assert scene.count(tables.interval) == 0
    told = scene.changes()[before:]
    assert {(c.kind, c.after, c.reason) for c in told} == {
        (kind, None, "objected") for kind in ("phase", "latency", "segment")
    }
    row = tables.consent.c
    (kept,) = scene.rows(select(row.objection, row.objection_by).where(row.objection.is_not(None)))
    assert tuple(kept) == ("by telephone", "piet")
    scene.score(scene.day("applied", user("anna"), day=7), scene.day("page", user("anna"), day=9))
    assert scene.count(tables.interval) == 0
    again = Agreement(given_ms=START_MS + 20 * DAY_MS)
    scene.score(
        scene.day("consent_changed", user("anna"), day=20, server_only=True, agreement=again),
        scene.day("page", user("anna"), day=21),
    )
    (held,) = intervals(scene.engine).values()
    assert min(one.from_ms for one in held) == START_MS + 20 * DAY_MS
    assert_sound(scene.engine)
