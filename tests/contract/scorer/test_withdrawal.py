"""The ledger, and what withdrawals leave of the record: in any order, any number of times."""

import itertools
import random
import shutil

import pytest
from sqlalchemy import insert, select

from services.contract import tables
from services.contract.event import Agreement, Consent, Event, decode
from services.contract.withdrawal import mark_of
from services.model.state import decode_state
from tests.contract.scorer.pure import assert_sound, assert_told_once, intervals
from tests.contract.scorer.scene import AGREED, NOW_MS, Scene, cookie, mail, token, user

NO = Consent(measure=False, profile=False)
NO_PROFILE = Consent(measure=True, profile=False)
SECRET = b"one secret of thirty-two bytes!!"


@pytest.fixture(autouse=True)
def secret(scene: Scene) -> None:
    _with_secret(scene)


def _with_secret(scene: Scene) -> None:
    row = {"workspace_id": 1, "number": 1, "secret": SECRET, "created_ms": 0}
    scene.write(insert(tables.link_secret).values(row))


def word(scene: Scene, who, day: float, consent: Consent | None = None, **more) -> Event:
    more.setdefault("server_only", True)
    if consent is not None:
        more["consent"] = consent
    return scene.day("consent_changed", who, day=day, **more)


def kept(scene: Scene) -> list[Event]:
    query = select(tables.event.c.payload).order_by(tables.event.c.occurred_ms)
    return [decode(bytes(payload)) for (payload,) in scene.rows(query)]


def named(scene: Scene) -> list[tuple[str, int]]:
    query = select(tables.event.c.type, tables.event.c.occurred_ms).where(
        tables.event.c.identity_id.is_not(None)
    )
    return sorted((kind, at) for kind, at in scene.rows(query))


def counted(scene: Scene) -> int:
    return sum(count for (count,) in scene.rows(select(tables.aggregate.c["count"])))


def marks(scene: Scene) -> dict[bytes, tuple[int | None, int | None]]:
    row = tables.withdrawal.c
    query = select(row.mark, row.measure_ms, row.profile_ms)
    return {bytes(mark): (m, p) for mark, m, p in scene.rows(query)}


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
    states = scene.rows(select(tables.person_state.c.state))
    (state,) = [decode_state(bytes(s)) for (s,) in states]
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
    state = decode_state(bytes(scene.rows(select(tables.person_state.c.state))[0][0]))
    assert state.score is not None
    assert state.score.since_ms == yes.occurred_ms
    assert_sound(scene.engine)


def test_withdrawal_of_profile_is_not_undone_by_a_page_that_repeats(scene: Scene) -> None:
    first = scene.day("page", user("a"), day=1)
    no, stale = word(scene, user("a"), 10, NO_PROFILE), scene.day("page", user("a"), day=11)
    scene.score(first, no)
    scene.score(stale)
    state = decode_state(bytes(scene.rows(select(tables.person_state.c.state))[0][0]))
    assert (state.score, state.measure, state.events) == (None, True, 3)
    assert set(marks(scene).values()) == {(None, no.occurred_ms)}
    dated = Agreement(given_ms=scene.day("page", day=12).occurred_ms)
    yes = scene.day("identified", user("a"), day=12, agreement=dated, server_only=True)
    scene.score(yes)
    state = decode_state(bytes(scene.rows(select(tables.person_state.c.state))[0][0]))
    assert state.score is not None
    assert state.score.since_ms == yes.occurred_ms
    assert set(marks(scene).values()) == {(None, None)}
    assert_sound(scene.engine)


def _state(scene: Scene):
    states = scene.rows(select(tables.person_state.c.state))
    return decode_state(bytes(states[0][0]))


def _forged(scene: Scene, day: float, consent: Consent) -> Event:
    """An answer of a cookie that a browser writes beside somebody's user id."""
    who = user("a"), cookie("evil")
    dated = Agreement(given_ms=NOW_MS * 2)
    return scene.day("identified", *who, day=day, consent=consent, agreement=dated)


@pytest.mark.parametrize("no_first", [True, False])
@pytest.mark.parametrize("refusal", [NO, NO_PROFILE])
def test_a_cookie_that_a_browser_tied_undoes_nothing(scene, no_first, refusal) -> None:
    no, later = word(scene, user("a"), 10, refusal), scene.day("page", user("a"), day=30)
    forged = _forged(scene, 20, AGREED)
    scene.score(scene.day("page", user("a"), day=1))
    for event in (no, forged, later) if no_first else (forged, no, later):
        scene.score(event)
    state = _state(scene)
    assert (state.score, state.measure) == (None, refusal.measure)
    assert all(m is not None or p is not None for m, p in marks(scene).values())
    assert mark_of(user("a"), SECRET) in marks(scene)
    assert_sound(scene.engine)
    # The person's own word by a server does.
    scene.score(word(scene, user("a"), 40), scene.day("page", user("a"), day=41))
    assert _state(scene).score is not None
    assert set(marks(scene).values()) == {(None, None)}


def _with_anothers_address(scene: Scene) -> None:
    """A browser gives somebody's user id the address of whoever forges, who gets mail there."""
    scene.score(
        scene.day("applied", user("a"), day=1, server_only=True),
        scene.day("sent", mail("evil@x.org"), token("e"), day=2, server_only=True),
        scene.day("identified", user("a"), mail("evil@x.org"), cookie("evil"), day=3),
        scene.day("page", token("e"), cookie("evil"), day=4),
    )


@pytest.mark.parametrize("forger", [token("e"), mail("evil@x.org"), cookie("evil")])
def test_an_address_that_a_browser_tied_undoes_nothing(scene: Scene, forger) -> None:
    _with_anothers_address(scene)
    no = word(scene, user("a"), 10, NO)
    scene.score(no)
    by_server = forger == mail("evil@x.org")
    scene.score(word(scene, forger, 20, server_only=by_server))
    scene.score(scene.day("page", user("a"), day=21), scene.day("page", token("e"), day=22))
    assert _state(scene).score is None
    held = marks(scene)
    for who in (user("a"), mail("evil@x.org"), token("e"), cookie("evil")):
        assert held[mark_of(who, SECRET)] == (no.occurred_ms, no.occurred_ms)
    scene.score(word(scene, user("a"), 30), scene.day("page", user("a"), day=31))
    assert _state(scene).score is not None
    assert marks(scene)[mark_of(user("a"), SECRET)] == (None, None)
    assert_sound(scene.engine)


@pytest.mark.parametrize("forger", [token("e"), mail("evil@x.org"), cookie("evil")])
def test_an_address_that_a_browser_tied_wipes_nothing_and_is_overruled(scene, forger) -> None:
    _with_anothers_address(scene)
    by_server = forger == mail("evil@x.org")
    no = word(scene, forger, 10, NO, server_only=by_server)
    scene.score(no, scene.day("vacancy_viewed", user("a"), day=11))
    assert named(scene) == [
        ("applied", scene.day("applied", day=1).occurred_ms),
        ("consent_changed", no.occurred_ms),
    ]
    assert _state(scene).score is None
    score = scene.score
    score(word(scene, user("a"), 20), scene.day("page", user("a"), day=21))
    state = _state(scene)
    assert state.score is not None
    assert state.score.since_ms == scene.day("applied", day=1).occurred_ms, "what was before counts"
    assert marks(scene)[mark_of(user("a"), SECRET)] == (None, None)
    assert marks(scene)[mark_of(token("e"), SECRET)] == (no.occurred_ms, no.occurred_ms)
    assert_sound(scene.engine)
    # Named together by a server they are one for certain.
    score(scene.day("identified", user("a"), mail("evil@x.org"), day=30, server_only=True))
    assert ("applied", scene.day("applied", day=1).occurred_ms) not in named(scene)
    assert set(marks(scene).values()) == {(None, None)}


def test_whoever_claims_an_address_does_not_speak_for_it(scene: Scene) -> None:
    victim = mail("ada@x.org")
    scene.score(
        scene.day("sent", victim, token("t"), day=1, server_only=True),
        scene.day("page", user("evil"), day=2, server_only=True),
        scene.day("identified", user("evil"), victim, day=3),
    )
    # Neither wipes what is hers, by a word of their own that a server brings ...
    scene.score(word(scene, user("evil"), 10, NO), word(scene, user("evil"), 11))
    assert ("sent", scene.day("sent", day=1).occurred_ms) in named(scene)
    # ... nor has her followed again who took it back by her mail.
    no = word(scene, token("t"), 20, NO, server_only=False)
    scene.score(no, word(scene, user("evil"), 30))
    scene.score(scene.day("click", token("t"), day=31, message_id="m"))
    held = marks(scene)
    assert held[mark_of(victim, SECRET)] == held[mark_of(token("t"), SECRET)]
    assert held[mark_of(victim, SECRET)] == (no.occurred_ms, no.occurred_ms)
    assert ("click", scene.day("click", day=31).occurred_ms) not in named(scene)
    assert_sound(scene.engine)


@pytest.mark.parametrize("tied", ["by itself", "by a server", "by a token"])
def test_whoever_took_it_back_and_whoever_is_surely_the_same_renews(scene, tied) -> None:
    if tied == "by itself":  # the very cookie that said no
        scene.score(scene.day("page", user("a"), cookie("c"), day=1))
        no = word(scene, cookie("c"), 10, NO, server_only=False)
    elif tied == "by a server":
        scene.score(scene.day("page", user("a"), cookie("c"), day=1, server_only=True))
        no = word(scene, user("a"), 10, NO)
    else:
        scene.score(scene.day("identified", user("a"), token("t"), day=1, server_only=True))
        scene.score(scene.day("page", token("t"), cookie("c"), day=2))
        no = word(scene, user("a"), 10, NO)
    scene.score(no)
    assert set(marks(scene).values()) == {(no.occurred_ms, no.occurred_ms)}
    scene.score(word(scene, cookie("c"), 20, server_only=False))
    scene.score(scene.day("page", user("a"), day=21))
    assert set(marks(scene).values()) == {(None, None)}
    assert _state(scene).score is not None
    assert_sound(scene.engine)


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::7])
def test_a_cookie_that_a_browser_tied_takes_back_its_own(scene: Scene, order) -> None:
    at_ms = scene.day("page", day=100).occurred_ms
    told = [
        scene.day("applied", user("a"), day=50),
        scene.day("page", user("a"), cookie("evil"), day=60),
        scene.day("page", cookie("evil"), day=61),
        # A date from long ago reaches no further back.
        word(scene, cookie("evil"), 100, NO, server_only=False, agreement=Agreement(given_ms=1)),
        scene.day("page", user("a"), day=110),
    ]
    for i in order:
        scene.score(told[i], told[i])
    assert named(scene) == [
        ("applied", told[0].occurred_ms),
        ("consent_changed", at_ms),
    ]
    assert counted(scene) == 3
    assert _state(scene).score is None
    assert_sound(scene.engine)
    # Once a server says that it is theirs, it speaks for all of the person.
    scene.score(scene.day("page", user("a"), cookie("evil"), day=120, server_only=True))
    assert named(scene) == [("consent_changed", at_ms)]


def test_another_workspace_and_another_person_are_left_alone(scene: Scene) -> None:
    scene.workspace(2)
    scene.score(
        scene.day("page", user("a"), day=1, workspace_id=2),
        scene.day("page", user("b"), day=1),
        scene.day("page", user("a"), day=1),
        word(scene, user("a"), 2, NO),
    )
    assert [kind for kind, _ in named(scene)].count("page") == 2


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
    state = decode_state(bytes(scene.rows(select(tables.person_state.c.state))[0][0]))
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
    _with_secret(other)
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
