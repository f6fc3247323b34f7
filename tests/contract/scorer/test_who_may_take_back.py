"""Who speaks for whom: what a browser tied to somebody neither undoes nor wipes what is theirs."""

import itertools

import pytest

from services.contract.event import Agreement, Consent, Event
from services.contract.withdrawal import mark_of
from tests.contract.scorer.pure import assert_sound
from tests.contract.scorer.scene import AGREED, NOW_MS, SECRET, Scene, cookie, mail, token, user
from tests.contract.scorer.withdrawn import NO, NO_PROFILE, counted, marks, named, state_of, word

pytestmark = pytest.mark.usefixtures("secret")


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
    state = state_of(scene)
    assert (state.score, state.measure) == (None, refusal.measure)
    assert all(m is not None or p is not None for m, p in marks(scene).values())
    assert mark_of(user("a"), SECRET) in marks(scene)
    assert_sound(scene.engine)
    # The person's own word by a server does.
    scene.score(word(scene, user("a"), 40), scene.day("page", user("a"), day=41))
    assert state_of(scene).score is not None
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
    assert state_of(scene).score is None
    held = marks(scene)
    for who in (user("a"), mail("evil@x.org"), token("e"), cookie("evil")):
        assert held[mark_of(who, SECRET)] == (no.occurred_ms, no.occurred_ms)
    scene.score(word(scene, user("a"), 30), scene.day("page", user("a"), day=31))
    assert state_of(scene).score is not None
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
    assert state_of(scene).score is None
    score = scene.score
    score(word(scene, user("a"), 20), scene.day("page", user("a"), day=21))
    state = state_of(scene)
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
    assert state_of(scene).score is not None
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
    assert state_of(scene).score is None
    assert_sound(scene.engine)
    # Once a server says that it is theirs, it speaks for all of the person.
    scene.score(scene.day("page", user("a"), cookie("evil"), day=120, server_only=True))
    assert named(scene) == [("consent_changed", at_ms)]
