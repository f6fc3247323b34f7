"""The ledger, and what withdrawals leave of the record: in any order, any number of times."""

import itertools
import random
import shutil

import pytest
from sqlalchemy import select

from services.contract import tables
from services.contract.event import Agreement, Event, decode
from services.contract.withdrawal import mark_of
from tests.contract.scorer.pure import assert_sound, assert_told_once, intervals
from tests.contract.scorer.scene import SECRET, Scene, cookie, mail, user
from tests.contract.scorer.withdrawn import NO, NO_PROFILE, counted, marks, named, state_of, word

pytestmark = pytest.mark.usefixtures("secret")


def ledger(scene: Scene) -> list[tuple[str, bool, bool]]:
    row = tables.consent.c
    query = select(row.purpose, row.granted, row.answered).order_by(row.id)
    return [(p, bool(g), bool(a)) for p, g, a in scene.rows(query)]


def test_repetitions_do_not_fill_the_ledger_and_answers_do(scene: Scene) -> None:
    pages = [scene.day("page", cookie("c"), day=d) for d in range(5)]
    scene.score(*pages[:2])
    scene.score(*pages[2:])
    assert ledger(scene) == [("measure", True, False), ("profile", True, False)]
    proof = Agreement(
        text_version="v2", given_ms=pages[4].occurred_ms + 1, purposes={"share": True}
    )
    scene.score(word(scene, cookie("c"), 6, agreement=proof, server_only=False))
    assert ledger(scene)[2:] == [
        ("measure", True, True),
        ("profile", True, True),
        ("share", True, True),
    ]
    row = tables.consent.c
    found = scene.rows(select(row.text_version, row.said_ms).where(row.purpose == "share"))
    assert found == [("v2", pages[4].occurred_ms + 1)]


def test_after_withdrawal_of_measure_nothing_is_left(scene: Scene) -> None:
    scene.segment("s", {"type": "phase", "any_of": ["see", "think", "do"]})
    scene.build()
    ada = [
        scene.day("identified", user("a"), mail("a@x.org"), day=1, server_only=True,
                  properties={"name": "Ada canary"}),
        scene.day("applied", user("a"), day=190, content_id="story"),
        scene.day("page", user("a"), cookie("c"), day=191, content_id="a@x.org",
                  server_only=True),
    ]  # fmt: skip
    scene.score(*ada)
    no = word(scene, cookie("c"), 195, NO, server_only=False)
    scene.score(no)
    assert named(scene) == [("consent_changed", no.occurred_ms)]
    assert counted(scene) == 3
    stored = b"".join(bytes(p) for (p,) in scene.rows(select(tables.event.c.payload)))
    assert b"canary" not in stored
    assert b"a@x.org" not in stored
    assert intervals(scene.engine) == {}
    assert scene.count(tables.interval) == 0
    assert {(c.kind, c.after) for c in scene.changes()[3:]} == {
        ("phase", None), ("latency", None), ("segment", None),
    }  # fmt: skip
    assert {c.reason for c in scene.changes()[3:]} == {"withdrawn"}
    assert scene.count(tables.person_state) == 1
    state = state_of(scene)
    assert (state.attributes, state.score, state.measure, state.events) == ({}, None, False, 1)
    assert marks(scene) == {
        mark_of(who, SECRET): (no.occurred_ms, no.occurred_ms)
        for who in (user("a"), mail("a@x.org"), cookie("c"))
    }
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)
    # Late ones, and an old yes said again by an old page, come to nothing either.
    scene.score(
        scene.day("applied", user("a"), day=50), scene.day("page", mail("a@x.org"), day=198)
    )
    scene.score(*ada)
    assert named(scene) == [("consent_changed", no.occurred_ms)]
    assert counted(scene) == 5


def test_renewed_consent_starts_from_its_own_time(scene: Scene) -> None:
    before = scene.day("applied", user("a"), day=100)
    no, between = word(scene, user("a"), 110, NO), scene.day("page", user("a"), day=115)
    yes, after = word(scene, user("a"), 120), scene.day("page", user("a"), day=121)
    scene.score(before, no)
    assert set(marks(scene).values()) == {(no.occurred_ms, no.occurred_ms)}
    scene.score(between, yes)
    scene.score(after)
    assert set(marks(scene).values()) == {(None, None)}
    times = [at for _, at in named(scene)]
    assert times == sorted(e.occurred_ms for e in (no, yes, after))
    state = state_of(scene)
    assert state.score is not None
    assert state.score.since_ms == yes.occurred_ms
    assert_sound(scene.engine)


def test_withdrawal_of_profile_is_not_undone_by_a_page_that_repeats(scene: Scene) -> None:
    first = scene.day("page", user("a"), day=1)
    no, stale = word(scene, user("a"), 10, NO_PROFILE), scene.day("page", user("a"), day=11)
    scene.score(first, no)
    scene.score(stale)
    state = state_of(scene)
    assert (state.score, state.measure, state.events) == (None, True, 3)
    assert set(marks(scene).values()) == {(None, no.occurred_ms)}
    dated = Agreement(given_ms=scene.day("page", day=12).occurred_ms)
    yes = scene.day("identified", user("a"), day=12, agreement=dated, server_only=True)
    scene.score(yes)
    state = state_of(scene)
    assert state.score is not None
    assert state.score.since_ms == yes.occurred_ms
    assert set(marks(scene).values()) == {(None, None)}
    assert_sound(scene.engine)


def test_another_workspace_and_another_person_are_left_alone(scene: Scene) -> None:
    scene.workspace(2)
    scene.score(
        scene.day("page", user("a"), day=1, workspace_id=2),
        scene.day("page", user("b"), day=1),
        scene.day("page", user("a"), day=1),
        word(scene, user("a"), 2, NO),
    )
    assert [kind for kind, _ in named(scene)].count("page") == 2


def kept(scene: Scene) -> list[Event]:
    query = select(tables.event.c.payload).order_by(tables.event.c.occurred_ms)
    return [decode(bytes(payload)) for (payload,) in scene.rows(query)]


def _journey(scene: Scene) -> list[Event]:
    number = itertools.count(10_000)

    def of(kind, *who, day, **more):
        return scene.day(kind, *who, day=day, number=next(number), **more)

    def said(who, day, consent=None):
        more = {} if consent is None else {"consent": consent}
        return of("consent_changed", who, day=day, server_only=True, **more)

    return [
        of("identified", user("a"), mail("a@x.org"), day=1, server_only=True, properties={"n": 1}),
        of("page", user("a"), cookie("c"), day=20),
        of("vacancy_viewed", cookie("c"), day=30, content_id="v"),
        said(mail("a@x.org"), 40, NO),
        of("page", user("a"), day=50),
        said(user("a"), 60),
        of("applied", cookie("c"), day=70),
        said(cookie("c"), 80, NO_PROFILE),
        of("page", user("a"), day=90),
        said(user("a"), 100),
        of("vacancy_viewed", mail("a@x.org"), day=110),
    ]


def _outcome(scene: Scene):
    state = state_of(scene)
    return {
        "events": [(e.type, e.occurred_ms, e.identities, e.consent) for e in kept(scene)],
        "counted": counted(scene),
        "state": state,
        "intervals": {i for held in intervals(scene.engine).values() for i in held},
        "marks": {mark: at for mark, at in marks(scene).items() if at != (None, None)},
    }


def _renews(event: Event) -> bool:
    return event.type == "consent_changed" and event.consent.profile is True


@pytest.mark.parametrize("seed", range(3))
def test_any_order_and_any_number_of_times(scene, sqlite_template, tmp_path, seed) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "in-order.db")
    other = Scene(f"sqlite:///{tmp_path / 'in-order.db'}", tmp_path / "other")
    other.secret()
    events = _journey(other)
    for event in events:
        other.score(event)
    expected = _outcome(other)
    other.close()
    chance = random.Random(seed)
    told = [event for event in events for _ in range(chance.randint(1, 3))]
    chance.shuffle(told)
    # Renewals, and whose they are, come first: what came while consent was thought to be gone is
    # gone for good.
    told.sort(key=lambda e: e.type != "identified" and not _renews(e))
    while told:
        size = chance.randint(1, 5)
        scene.score(*told[:size])
        told = told[size:]
    assert _outcome(scene) == expected
    assert_sound(scene.engine)


def test_who_took_it_back_is_tied_anew_without_the_browser_of_then(scene: Scene) -> None:
    """That they shared a browser is still known; of when they used it nothing is left."""
    for day, who in ((1, "a"), (2, "b"), (3, "a"), (4, "b")):
        scene.score(scene.day("page", user(who), cookie("c"), day=day, server_only=True))
    scene.score(word(scene, user("a"), 10, NO))
    scene.score(word(scene, user("b"), 11, NO))
    scene.score(scene.day("identified", user("a"), mail("a@x.org"), day=20, server_only=True))
    scene.score(scene.day("page", cookie("c"), day=21))
    assert scene.count(tables.dead_letter) == 0
