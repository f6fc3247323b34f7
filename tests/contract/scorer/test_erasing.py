"""Erasing: the world without the person, in any order, and nothing of them left to be found."""

import json
import random
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from services.contract import tables
from services.contract.erasure import PROOFS_KEPT_MS, Tomb, left_of, renewed_by, renewed_ms
from services.contract.event import (
    Agreement,
    Consent,
    Event,
    Identity,
    Machine,
    encode,
    record_key,
)
from services.contract.phases import DAY_MS
from services.contract.terms import NEVER_MS
from services.contract.withdrawal import mark_of
from services.model.rulebook import Rulebook
from services.runtime.event_log import Record
from services.scorer.replay import Comparison, compare_next, differing_counts
from tests.contract.scorer import pure
from tests.contract.scorer.pure import assert_sound, intervals
from tests.contract.scorer.scene import MODEL, NOW_MS, START_MS, Scene, cookie, mail, token, user

SECRET = b"one secret of thirty-two bytes!!"
RULE = {"type": "phase", "any_of": ["see", "think", "do"]}


@pytest.fixture(autouse=True)
def secret(scene: Scene) -> None:
    row = {"workspace_id": 1, "number": 1, "secret": SECRET, "created_ms": 0}
    scene.write(insert(tables.link_secret).values(row))


def erasure(scene: Scene, *identities: Identity, day: float, spans=(), **more) -> Event:
    told = {
        "reason": "erased",
        "spans": [[i.namespace, i.value, a, b] for i, a, b in spans],
        "key": "key 1",
    }
    return scene.day(
        "erased", *identities, day=day, server_only=True, source_id=0, properties=told, **more
    )


def anna(scene: Scene) -> list[Event]:
    return [
        scene.day("identified", user("anna"), mail("a@x.org"), day=1, server_only=True,
                  properties={"name": "canary name"}, content_id="canary-content",
                  agreement=Agreement(text_version="canary text")),
        scene.day("page", user("anna"), cookie("canary"), day=2, click_id="canary-click"),
        scene.day("page", cookie("canary"), day=3, properties={"url": "canary-url"}),
        scene.day("sent", mail("a@x.org"), day=4, server_only=True, message_id="canary-mailing"),
        scene.day("applied", user("anna"), day=5, server_only=True),
        scene.day("page", cookie("canary"), user("anna"), Identity("crm", "canary-crm"), day=6),
    ]  # fmt: skip


ALL_OF_ANNA = (user("anna"), mail("a@x.org"), cookie("canary"))


def everything(scene: Scene) -> str:
    """All rows of all tables, as text and as bytes."""
    texts = []
    for table in tables.metadata.sorted_tables:
        for row in scene.rows(select(table)):
            texts += [
                one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)
                for one in row
            ]
    return "\n".join(texts)


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


def _equal_to(scene: Scene, events: Iterable[Event]) -> None:
    expected = pure.said(events, _rules())
    assert pure.stored(scene.engine) == expected
    assert_sound(scene.engine)


def _rules() -> Rulebook:
    return Rulebook(())


def left(events: Sequence[Event]) -> list[Event]:
    """What erasures leave of a set of events, by brute force."""
    words = [event for event in events if event.type == "erased"]
    others = [event for event in events if event.type != "erased"]
    tombs: dict[Identity, list[Tomb]] = {}
    for word in words:
        for one in word.identities:
            erased_ms = max(w.occurred_ms for w in words if one in w.identities)
            lifts = [
                renewed_ms(e) for e in others if one in renewed_by(e) and renewed_ms(e) > erased_ms
            ]
            tombs[one] = [Tomb(0, NEVER_MS, erased_ms, min(lifts, default=None))]
        for namespace, value, a, b in word.properties["spans"]:
            tombs.setdefault(Identity(namespace, value), []).append(Tomb(a, b, word.occurred_ms))
    return [kept for event in others if (kept := left_of(event, tombs)) is not None]


@pytest.mark.parametrize("seed", range(8))
def test_any_order_comes_to_the_world_without_them(scene: Scene, seed: int) -> None:
    chance = random.Random(seed)
    names = ["anna", "bob", "cees"]
    events: list[Event] = []
    for _ in range(60):
        name, day = chance.choice(names), chance.uniform(0, 90)
        who = chance.choice([
            (user(name),), (mail(f"{name}@x.org"),), (user(name), mail(f"{name}@x.org")),
            (user(name), cookie(f"c-{name}")), (cookie(f"c-{name}"),), (cookie("shared"),),
            (user(name), cookie("shared")), (token(name), cookie(f"c-{name}")),
            (user(name), mail(f"{chance.choice(names)}@x.org")),
        ])  # fmt: skip
        kind = chance.choice(["page", "vacancy_viewed", "applied", "identified", "sent"])
        events.append(
            scene.day(kind, *who, day=day, server_only=chance.random() < 0.5, message_id="m")
        )
    word = erasure(
        scene, user("anna"), mail("anna@x.org"), cookie("c-anna"), token("anna"), day=60,
        spans=[(cookie("shared"), START_MS + 10 * DAY_MS, START_MS + 25 * DAY_MS)],
    )  # fmt: skip
    again = erasure(scene, cookie("c-bob"), day=70)
    yes = scene.day("consent_changed", user("anna"), cookie("c-anna"), day=75, server_only=True)
    told = [*events, word, again, yes]
    copies = told + chance.choices(told, k=30)
    chance.shuffle(copies)
    size = chance.randint(1, 25)
    for i in range(0, len(copies), size):
        scene.score(*copies[i : i + size])
    # What came after a yes, before that yes was known, was stripped: it has to come again.
    scene.score(*told)
    expected = left(told)
    _equal_to(scene, expected)
    total = sum(count for (count,) in scene.rows(select(tables.aggregate.c["count"])))
    assert total == sum(not event.identities for event in expected)


def test_poison_of_somebody_erased_goes_from_the_dead_letter(scene: Scene) -> None:
    good = scene.day("page", user("anna-1"), day=1)
    other = scene.day("page", user("bob"), day=1, properties={"n": "anna-12"})
    for event in (good, other):
        bad = encode(event).replace(b'"v":1', b'"v":99')
        scene.log.append([record_of(event, bad)])
    scene.log.append([record_of(good, b"no json of anna-1")])
    scene.drain()
    assert scene.count(tables.dead_letter) == 3
    scene.score(erasure(scene, user("anna-1"), day=10))
    (kept,) = scene.rows(select(tables.dead_letter.c.value))
    assert b"anna-12" in bytes(kept[0])
    scene.log.append([record_of(good, encode(good).replace(b'"v":1', b'"v":99'))])
    scene.drain()
    assert 'anna-1"' not in everything(scene)


def record_of(event: Event, value: bytes):
    return Record(record_key(event), value)


def test_whoever_is_silent_for_too_long_is_erased(scene: Scene) -> None:
    month_ms = 30 * DAY_MS
    scene.write(tables.workspace.update().values(retention_months=3))
    scene.score(*anna(scene), scene.day("page", user("bob"), day=150))
    scene.drain()
    assert "canary" not in everything(scene)
    told = scene.changes("person")
    assert [(c.after, c.reason) for c in told] == [("erased", "retention")]
    assert START_MS + 6 * DAY_MS + 3 * month_ms < told[0].valid_ms < scene.now_ms
    assert scene.person_of(user("bob"))
    scene.score(*anna(scene))
    assert "canary" not in everything(scene)
    assert_sound(scene.engine)


def test_applicants_who_agreed_to_nothing_are_kept_for_four_weeks(scene: Scene) -> None:
    asserted = Agreement(asserted=True)

    def ats(kind: str, name: str, day: float, **more) -> Event:
        return scene.day(kind, user(name), day=day, server_only=True, channel="ats",
                         agreement=asserted, **more)  # fmt: skip

    names = ("gone", "agreed", "again", "hired", "recent")
    applied = [ats("applied", name, 20) for name in names]
    rejected = [ats("rejected", name, 30) for name in names[:4]]
    scene.score(
        *applied,
        *rejected,
        scene.day("page", user("agreed"), day=25),
        ats("applied", "again", 195),
        ats("hired", "hired", 40),
        ats("rejected", "recent", 180),
    )
    scene.drain()
    left = {value for (value,) in scene.rows(select(tables.identity.c.value))}
    assert left == {"agreed", "again", "hired", "recent"}
    (told,) = scene.changes("person")
    assert (told.after, told.reason) == ("erased", "retention")
    assert told.valid_ms == START_MS + 58 * DAY_MS
    scene.score(*applied, *rejected)  # an ATS that tells everything once more
    assert scene.count(tables.identity) == 4
    scene.write(tables.workspace.update().values(applicant_days=10))
    scene.scorer._chores._rejected_s = 0.0
    scene.drain()
    assert scene.count(tables.identity) == 3
    assert_sound(scene.engine)


def test_an_objection_takes_what_was_scored_before(scene: Scene) -> None:
    scene.segment("s", RULE)
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


def test_nobody_employed_is_scored_and_late_events_are_of_before(scene: Scene) -> None:
    hired = scene.day("hired", user("anna"), day=50, server_only=True)
    scene.score(scene.day("page", user("anna"), day=1), hired)
    scene.score(scene.day("applied", user("anna"), day=40, server_only=True))  # late
    scene.score(scene.day("vacancy_viewed", user("anna"), day=60))
    scene.score(scene.day("left", user("anna"), day=70, server_only=True))
    scene.score(scene.day("vacancy_viewed", user("anna"), day=71))
    phases = sorted((i.from_ms, i.key) for i in next(iter(intervals(scene.engine).values()))
                    if i.kind == "phase")  # fmt: skip
    assert phases[-1] == (START_MS + 50 * DAY_MS, "care")
    assert "do" in {key for at, key in phases if at < START_MS + 50 * DAY_MS}
    fresh = Agreement(given_ms=START_MS + 80 * DAY_MS)
    scene.score(
        scene.day("consent_changed", user("anna"), day=80, server_only=True, agreement=fresh)
    )
    held = [i for i in next(iter(intervals(scene.engine).values())) if i.kind == "phase"]
    assert any(i.from_ms == START_MS + 80 * DAY_MS for i in held)


@pytest.mark.parametrize("seed", range(2))
def test_what_somebody_employed_does_only_counts(scene: Scene, seed: int) -> None:
    """In whatever order it comes, an old copy after the hire is known among it."""
    fresh = Agreement(given_ms=START_MS + 80 * DAY_MS)
    before = [scene.day("page", user("anna"), day=day) for day in (1, 30, 49)]
    during = [
        scene.day("page", user("anna"), cookie("phone"), day=55, properties={"url": "canary"}),
        scene.day("vacancy_viewed", cookie("phone"), day=60),
        scene.day("sent", user("anna"), day=65, server_only=True, message_id="m"),
        scene.day("page", user("anna"), day=75),  # left, and has not agreed anew
    ]
    words = [
        scene.day("hired", user("anna"), day=50, server_only=True),
        scene.day("left", user("anna"), day=70, server_only=True),
        scene.day("consent_changed", user("anna"), day=80, server_only=True, agreement=fresh),
    ]
    after = [scene.day("vacancy_viewed", user("anna"), day=81)]
    told = [*before, *during, *words]
    random.Random(seed).shuffle(told)
    for begin in range(0, len(told), 3):
        scene.score(*told[begin : begin + 3])
    scene.score(*after, *during, *during[::-1])
    row = tables.event.c
    kept = scene.rows(select(row.event_id).where(row.identity_id.is_not(None)))
    assert {bytes(one) for (one,) in kept} == {e.event_id for e in (*before, *words, *after)}
    assert "canary" not in everything(scene)
    totals = scene.rows(select(tables.aggregate.c["count"]))
    assert sum(count for (count,) in totals) == len(during)
    assert (
        pure.stored(scene.engine).persons == pure.said([*before, *words, *after], _rules()).persons
    )
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


def test_proof_of_consent_has_an_end(scene: Scene) -> None:
    scene.score(*anna(scene))
    scene.score(erasure(scene, *ALL_OF_ANNA, day=10))
    kept = scene.count(tables.erased_consent)
    assert kept
    for more_ms, left in ((-1, kept), (0, 0)):
        scene.now_ms = NOW_MS + PROOFS_KEPT_MS + more_ms
        scene.scorer._chores._erase_s = 0.0
        for _ in range(3):  # until the whole round is done
            scene.drain()
        assert scene.count(tables.erased_consent) == left


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


def test_a_withdrawal_takes_dead_letters_along(scene: Scene) -> None:
    good = scene.day("page", user("anna-1"), day=1)
    scene.log.append([record_of(good, encode(good).replace(b'"v":1', b'"v":99'))])
    scene.score(scene.day("page", user("anna-1"), day=2))
    assert scene.count(tables.dead_letter) == 1
    no = Consent(measure=False, profile=False)
    scene.score(scene.day("consent_changed", user("anna-1"), day=3, consent=no, server_only=True))
    assert scene.count(tables.dead_letter) == 0


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
