"""Erasing: the world without the person, and nothing of them left to be found."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import select

from services.contract import tables
from services.contract.event import Agreement, Event, Machine
from services.contract.phases import DAY_MS
from services.contract.terms import NEVER_MS
from services.contract.withdrawal import mark_of
from services.model.rulebook import Rulebook
from services.scorer.replay import Comparison, compare_next, differing_counts
from tests.contract.scorer import pure
from tests.contract.scorer.erased import ALL_OF_ANNA, anna, erasure, everything
from tests.contract.scorer.pure import assert_sound, intervals
from tests.contract.scorer.scene import MODEL, SECRET, START_MS, Scene, cookie, mail, token, user

pytestmark = pytest.mark.usefixtures("secret")


RULE = {"type": "phase", "any_of": ["see", "think", "do"]}


def test_nothing_is_left_of_an_erased_person(scene: Scene) -> None:
    scene.segment("s", RULE)
    scene.build()
    scene.score(*anna(scene), scene.day("page", user("bob"), day=3))
    bob, person = scene.person_of(user("bob")), scene.person_of(user("anna"))
    before = [c for c in scene.changes() if c.person_id == person]
    assert before
    assert "canary" in everything(scene)
    scene.score(erasure(scene, *ALL_OF_ANNA, day=10))
    found = everything(scene)
    for name in ("canary", "a@x.org", "anna"):
        assert name not in found
    told = [c for c in scene.changes() if c.person_id == person]
    assert [(c.kind, c.key, c.before, c.after, c.reason) for c in told] == [
        ("person", "", None, "erased", "erased")
    ]
    assert told[0].person_version > max(c.person_version for c in before)
    assert intervals(scene.engine).keys() == {bob}
    assert_sound(scene.engine)
    proofs = scene.rows(select(tables.erased_consent.c.purpose, tables.erased_consent.c.granted))
    assert ("measure", True) in {(p, bool(g)) for p, g in proofs}
    # The same again, an old copy, a late one, and one that repeats an old yes after it.
    scene.score(*anna(scene), erasure(scene, *ALL_OF_ANNA, day=10))
    scene.score(scene.day("page", user("anna"), cookie("canary"), day=11))
    assert "canary" not in everything(scene)
    assert scene.count(tables.identity) == 1
    assert len(scene.changes()) == len([c for c in scene.changes() if c.person_id == bob]) + 1
    row = tables.withdrawal.c
    marks = {bytes(m): at for m, at in scene.rows(select(row.mark, row.measure_ms))}
    assert marks == {mark_of(i, SECRET): START_MS + 10 * DAY_MS for i in ALL_OF_ANNA}


def test_fresh_consent_begins_anew_as_somebody_new(scene: Scene) -> None:
    scene.score(*anna(scene), erasure(scene, *ALL_OF_ANNA, day=10))
    old = scene.rows(select(tables.person.c.public_id))
    dated = Agreement(given_ms=START_MS + 20 * DAY_MS)
    yes = scene.day("consent_changed", cookie("canary"), day=20, agreement=dated)
    scene.score(yes, scene.day("page", cookie("canary"), day=21), *anna(scene))
    scene.score(scene.day("page", user("anna"), cookie("canary"), day=22))  # not hers to renew
    state = pure.stored(scene.engine)
    assert sum(state.persons.values()) == 1
    kept = scene.rows(
        select(tables.event.c.occurred_ms).where(tables.event.c.identity_id.is_not(None))
    )
    assert sorted(at for (at,) in kept) == [START_MS + d * DAY_MS for d in (20, 21)]
    person = scene.person_of(cookie("canary"))
    assert (scene.rows(select(tables.person.c.public_id).where(tables.person.c.id == person))[0]
            not in old)  # fmt: skip
    row = tables.withdrawal.c
    marks = {bytes(m): at for m, at in scene.rows(select(row.mark, row.measure_ms))}
    assert marks[mark_of(cookie("canary"), SECRET)] is None
    assert marks[mark_of(user("anna"), SECRET)] is not None
    word = scene.day("consent_changed", user("anna"), cookie("canary"), day=23, server_only=True)
    scene.score(word, scene.day("page", user("anna"), cookie("canary"), day=24))
    assert scene.person_of(user("anna")) == scene.person_of(cookie("canary")) == person
    assert_sound(scene.engine)


def test_a_shared_browser_goes_on_as_the_others(scene: Scene) -> None:
    """Whose the browser was meanwhile is as if she had never used it."""
    mine = [
        scene.day("page", user("anna"), cookie("shared"), day=1),
        scene.day("page", cookie("shared"), day=2),
    ]
    his = [
        scene.day("page", user("bob"), cookie("shared"), day=5),
        scene.day("page", cookie("shared"), day=6),
    ]
    span = (cookie("shared"), 0, START_MS + 5 * DAY_MS)
    scene.score(*mine, *his)
    assert scene.count(tables.identity_conflict) == 1
    scene.score(erasure(scene, user("anna"), day=10, spans=[span]))
    _equal_to(scene, his)
    assert scene.count(tables.identity_conflict) == 0
    scene.score(*mine, scene.day("page", cookie("shared"), day=3))
    _equal_to(scene, his)
    assert scene.person_of(cookie("shared")) == scene.person_of(user("bob"))


def _equal_to(scene: Scene, events: Iterable[Event]) -> None:
    assert pure.stored(scene.engine) == pure.said(events, Rulebook(()))
    assert_sound(scene.engine)


def test_who_was_named_beside_somebody_else_is_named_no_more(scene: Scene) -> None:
    """An address that was told of two user ids: of the other's events only the name goes."""
    hers = scene.day("identified", user("anna"), mail("a@x.org"), day=1, server_only=True)
    his = scene.day("identified", user("bob"), mail("a@x.org"), day=2, server_only=True)
    scene.score(hers, his)
    assert scene.count(tables.identity_conflict) == 1
    scene.score(erasure(scene, user("anna"), mail("a@x.org"), day=10))
    assert "a@x.org" not in everything(scene)
    assert "anna" not in everything(scene)
    assert scene.count(tables.identity_conflict) == 0
    scene.score(hers, his)
    assert "a@x.org" not in everything(scene)
    assert scene.person_of(user("bob"))
    assert_sound(scene.engine)


def test_a_decision_about_somebody_erased_is_forgotten(scene: Scene) -> None:
    scene.score(*anna(scene), scene.day("page", user("bob"), day=1))
    word = scene.day("identity_decision", user("anna"), user("bob"), day=7, server_only=True,
                     properties={"decision": "two_people", "reason": "canary"})  # fmt: skip
    scene.score(word)
    scene.score(erasure(scene, *ALL_OF_ANNA, day=10))
    scene.score(word)
    assert "canary" not in everything(scene)
    assert scene.count(tables.identity_decision) == 0
    assert scene.count(tables.identity_edge) == 0


def test_whoever_is_erased_is_counted_in_no_sweep_that_may_come(scene: Scene) -> None:
    def click(name: str, second: float) -> Event:
        at_ms = START_MS + DAY_MS + round(1000 * second)
        told = {"message_id": "m", "channel": "email", "machine": Machine(origin="0a1b2")}
        return scene.event("click", token(name), at_ms=at_ms, **told)

    scene.score(*(click(f"r{n}", n) for n in range(8)), click("anna", 8))
    gone = scene.rows(select(tables.identity.c.id).where(tables.identity.c.value == "anna"))[0][0]
    scene.score(erasure(scene, token("anna"), day=10))
    frames = scene.rows(select(tables.sweep.c.recipients))
    assert [len(json.loads(told)) for (told,) in frames] == [8, 8]
    assert all(gone not in json.loads(told) for (told,) in frames)
    scene.score(click("r9", 9))
    assert scene.rows(select(tables.sweep.c.id).where(tables.sweep.c.known_ms.is_not(None))) == []
    scene.score(click("r10", 10))
    assert scene.rows(select(tables.sweep.c.id).where(tables.sweep.c.known_ms.is_not(None))) != []


# A server's files are not ours to read; its rows are searched above.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_byte_is_found_in_the_database_file(scene: Scene) -> None:
    scene.score(*anna(scene), scene.day("page", user("bob-canary"), day=2))
    scene.score(erasure(scene, *ALL_OF_ANNA, day=10))
    file = Path(str(scene.engine.url.database))
    scene.engine.dispose()
    with sqlite3.connect(file) as db:
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    found = b"".join(one.read_bytes() for one in file.parent.glob(f"{file.name}*"))
    assert found.count(b"canary") == found.count(b"bob-canary") > 0
    assert b"a@x.org" not in found


def test_folding_anew_finds_what_is_stored(scene: Scene) -> None:
    scene.score(*anna(scene), scene.day("page", user("bob"), cookie("shared"), day=3))
    scene.score(scene.day("page", user("anna"), cookie("shared"), day=4))
    span = (cookie("shared"), START_MS + 4 * DAY_MS, NEVER_MS)
    scene.score(erasure(scene, *ALL_OF_ANNA, day=10, spans=[span]))
    done = Comparison(1)
    with scene.engine.connect() as db:
        while compare_next(db, done, MODEL):
            pass
        counts = list(differing_counts(db, 1))
    assert (done.is_equal, done.examples, counts) == (True, [], [])
    assert scene.person_of(cookie("shared")) == scene.person_of(user("bob"))
