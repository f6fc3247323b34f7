"""Who is who through the real scorer: joined, parted, and kept as history."""

import itertools
from collections.abc import Iterable

from msgspec.structs import replace
from sqlalchemy import select

from services.contract import tables
from services.contract.event import Event, Identity
from services.contract.phases import DAY_MS
from services.model.rulebook import Rulebook
from services.tracker.accept import accept
from tests.contract.scorer.pure import assert_sound, assert_told_once, intervals, said, stored
from tests.contract.scorer.scene import START_MS, Scene, cookie, mail, token, user
from tests.unit.tracker.scene import DIRECTORY, NOW_MS, request_of

link, person = tables.identity_link.c, tables.person.c


def _assert_as_pure(scene: Scene, events: Iterable[Event]) -> None:
    expected, found = said(events, Rulebook()), stored(scene.engine)
    assert found.links == expected.links
    assert found.persons == expected.persons
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def test_logging_in_joins_what_came_before_and_keeps_the_history(scene: Scene) -> None:
    before = [scene.day("vacancy_viewed", cookie("c"), day=day) for day in (1, 2)]
    scene.score(*before)
    stranger = scene.person_of(cookie("c"))
    known = scene.day("page", user("anna"), day=0)
    scene.score(known)
    anna = scene.person_of(user("anna"))
    assert anna != stranger

    then_ms = scene.now_ms = scene.now_ms + 60_000
    ties = scene.day("identified", user("anna"), cookie("c"), day=3)
    scene.score(ties)

    assert scene.person_of(cookie("c")) == anna, "the earlier person survives"
    merged = scene.rows(select(person.merged_into).where(person.id == stranger))
    assert merged == [(anna,)]
    held = scene.rows(
        select(link.person_id, link.known_to_ms, link.event_id)
        .join(tables.identity, tables.identity.c.id == link.identity_id)
        .where(tables.identity.c.value == "c")
        .order_by(link.id)
    )
    assert held == [(stranger, then_ms, None), (anna, None, None)]
    assert stranger not in intervals(scene.engine)
    row = tables.interval.c
    closed = scene.rows(select(row.known_to_ms, row.valid_from_ms).where(row.person_id == stranger))
    assert closed, "what was believed of the merged person stays readable"
    assert all(to_ms == then_ms for to_ms, _ in closed)
    assert all(from_ms <= then_ms for _, from_ms in closed)
    told = scene.changes("identity")
    names = dict(map(tuple, scene.rows(select(person.id, person.public_id))))
    assert [(c.person_id, c.before, c.after, c.reason) for c in told] == [
        (anna, names[stranger], names[anna], "merged")
    ]
    ended = [
        c for c in scene.changes("phase", "latency") if c.person_id == stranger and not c.after
    ]
    assert {c.kind for c in ended} == {"phase", "latency"}
    _assert_as_pure(scene, [*before, known, ties])


def test_a_newcomer_on_a_used_browser_is_there_by_what_they_did(scene: Scene) -> None:
    scene.score(scene.day("vacancy_viewed", user("anna"), cookie("c"), day=199))
    told = len(scene.changes("phase", "latency"))
    read = scene.day("vacancy_viewed", user("bert"), cookie("c"), day=199.9)
    scene.score(read)
    bert = scene.person_of(user("bert"))
    assert bert != scene.person_of(user("anna"))
    found = scene.changes("phase", "latency")[told:]
    assert {c.person_id for c in found} == {bert}
    first = min(found, key=lambda c: c.valid_ms)
    assert (first.reason, bytes(first.event_id)) == ("event", read.event_id)
    assert {c.reason for c in found} <= {"event", "silence"}


def test_the_earlier_person_survives_whoever_comes_first(scene: Scene) -> None:
    known = scene.day("page", user("bert"), day=5)
    scene.score(known)
    late = scene.day("page", cookie("d"), day=1)
    scene.score(late)
    earlier = scene.person_of(cookie("d"))
    ties = scene.day("page", user("bert"), cookie("d"), day=6)
    scene.score(ties)
    assert scene.person_of(user("bert")) == scene.person_of(cookie("d")) == earlier
    firsts = scene.rows(select(person.first_ms, person.first_event_id).where(person.id == earlier))
    assert [(at, bytes(i)) for at, i in firsts] == [(late.occurred_ms, late.event_id)]
    _assert_as_pure(scene, [known, late, ties])


def test_chains_of_merges_lead_to_the_last_survivor(scene: Scene) -> None:
    events = [scene.day("page", mail(f"a{n}@x.nl"), day=9 - n) for n in range(5)]
    for event in events:
        scene.score(event)
    persons = [scene.person_of(mail(f"a{n}@x.nl")) for n in range(5)]
    for n in range(4):
        both = mail(f"a{n}@x.nl"), mail(f"a{n + 1}@x.nl")
        events.append(scene.day("identified", *both, day=20, server_only=True))
        scene.score(events[-1])
    rows = scene.rows(select(person.merged_into).where(person.id.in_(persons[:4])))
    assert rows == [(persons[4],)] * 4
    _assert_as_pure(scene, events)


def test_two_known_people_on_one_browser_stay_who_they_are(scene: Scene) -> None:
    """In whichever order they came, and whoever of them was there first."""
    orders = itertools.product((False, True), repeat=3)
    for n, (known_first, older, uses_first) in enumerate(orders):
        anna, bert, shared = user(f"anna{n}"), user(f"bert{n}"), cookie(f"shared{n}")
        names = [anna, bert]
        for who in names[:: -1 if known_first else 1]:
            scene.score(scene.day("page", who, day=1 if (who == anna) is older else 2))
        persons = {who: scene.person_of(who) for who in names}
        for who in names[:: -1 if uses_first else 1]:
            scene.score(scene.day("page", who, shared, day=10 if who == anna else 20))
        scene.score(scene.day("page", anna, shared, day=30))
        assert {who: scene.person_of(who) for who in names} == persons
    assert scene.rows(select(person.id).where(person.merged_into.is_not(None))) == []
    told = [(c.person_id, c.reason) for c in scene.changes("identity")]
    assert {reason for _, reason in told} == {"linked"}, "the browser, and nobody is merged"
    assert len(set(told)) == len(told) == 16, "each of two people once, in eight orders"


def test_events_of_a_shared_browser_go_by_time(scene: Scene) -> None:
    anna, bert, shared = user("anna"), user("bert"), cookie("shared")
    events = [
        scene.day("page", shared, day=1),
        scene.day("page", anna, shared, day=5),
        scene.day("vacancy_viewed", shared, day=8),
        scene.day("page", bert, shared, day=10),
        scene.day("application_started", shared, day=12),
        scene.day("page", anna, shared, day=20),
        scene.day("page", shared, day=21),
    ]
    for event in reversed(events):
        scene.score(event)
    rows = scene.rows(
        select(link.person_id, link.valid_from_ms, link.valid_to_ms)
        .join(tables.identity, tables.identity.c.id == link.identity_id)
        .where(tables.identity.c.value == "shared", link.known_to_ms.is_(None))
        .order_by(link.valid_from_ms.asc().nulls_first())
    )
    a, b = scene.person_of(anna), scene.person_of(bert)
    ten, twenty = START_MS + 10 * DAY_MS, START_MS + 20 * DAY_MS
    assert rows == [(a, None, ten), (b, ten, twenty), (a, twenty, None)]
    state = tables.person_state.c
    assert dict(map(tuple, scene.rows(select(state.person_id, state.events)))) == {a: 5, b: 2}
    _assert_as_pure(scene, events)


def test_a_forwarded_mail_never_joins_two_people(scene: Scene) -> None:
    anna, bert = user("anna"), user("bert")
    events = [
        scene.day("identified", anna, token("t"), day=0, server_only=True),
        scene.day("page", bert, cookie("c"), day=1),
        # Bert opens what Anna forwarded, in his browser.
        scene.day("click", token("t"), cookie("c"), day=2, channel="email"),
        scene.day("page", bert, token("t"), cookie("c"), day=3),
    ]
    for event in events:
        scene.score(event)
    assert scene.person_of(token("t")) == scene.person_of(anna) != scene.person_of(bert)
    assert scene.person_of(cookie("c")) == scene.person_of(bert)
    _assert_as_pure(scene, events)


def test_a_token_ties_a_browser_until_somebody_surer_comes(scene: Scene) -> None:
    anna, bert = user("anna"), user("bert")
    events = [
        scene.day("identified", anna, token("t"), day=0, server_only=True),
        scene.day("click", token("t"), cookie("c"), day=2, channel="email"),
        scene.day("page", cookie("c"), day=3),
    ]
    scene.score(*events)
    assert scene.person_of(cookie("c")) == scene.person_of(anna)
    events.append(scene.day("page", bert, cookie("c"), day=9))
    scene.score(events[-1])
    assert scene.person_of(cookie("c")) == scene.person_of(bert) != scene.person_of(anna)
    _assert_as_pure(scene, events)


def test_two_user_ids_never_become_one(scene: Scene) -> None:
    address = mail("info@x.nl")
    late = scene.day("identified", user("b"), address, day=3)
    early = scene.day("identified", user("a"), address, day=2)
    scene.score(late)
    b = scene.person_of(user("b"))
    assert scene.person_of(address) == b
    scene.score(early)
    assert scene.person_of(address) == scene.person_of(user("a")) != scene.person_of(user("b"))
    assert scene.person_of(user("b")) == b, "who is known by a user id stays who they are"
    _assert_as_pure(scene, [late, early])


def test_two_cookies_in_one_event(scene: Scene) -> None:
    events = [
        scene.day("page", user("a"), cookie("c1"), cookie("c2"), day=1),
        scene.day("page", user("b"), cookie("c2"), day=2),
        scene.day("page", user("a"), cookie("c2"), cookie("c1"), day=3),
        scene.day("page", user("b"), cookie("c1"), day=4),
    ]
    for event in events:
        scene.score(event)
    assert scene.count(tables.dead_letter) == 0
    _assert_as_pure(scene, events)


def test_a_tie_within_one_event_is_the_same_whoever_was_seen_first(scene: Scene) -> None:
    """An address and two systems' ids at once, each already somebody else's."""
    one, two, address = Identity("crm", "1"), Identity("ats", "2"), mail("x@x.nl")
    for order in ((one, two), (two, one)):
        number = scene.count(tables.workspace) + 1
        scene.workspace(number)
        events = [
            scene.day("identified", user("a"), one, day=1, workspace_id=number),
            scene.day("identified", user("b"), two, day=1, workspace_id=number),
            scene.day("identified", address, one, two, day=2, workspace_id=number),
        ]
        for identity in order:
            events.append(scene.day("page", identity, day=9, workspace_id=number))
            scene.score(events[-1])
        scene.score(*events[:3])
        assert stored(scene.engine, number).links == said(events, Rulebook()).links, order


def test_a_browser_joins_no_strangers_and_backdates_nothing(scene: Scene) -> None:
    scene.score(
        scene.day("page", mail("v2@x.nl"), day=1),
        scene.day("page", mail("v3@x.nl"), day=1),
        scene.day("identified", user("vic4"), mail("v4@x.nl"), day=10, server_only=True),
        scene.day("page", user("evil"), day=1),
    )
    scene.score(scene.day("identified", user("vic1"), mail("v2@x.nl"), mail("v3@x.nl"), day=20))
    scene.score(scene.day("identified", user("vic1"), mail("v2@x.nl"), day=21))
    scene.score(scene.day("identified", user("vic1"), mail("v3@x.nl"), day=22))
    scene.score(scene.day("identified", user("evil"), mail("v4@x.nl"), day=2))
    persons = {scene.person_of(mail(f"v{n}@x.nl")) for n in (2, 3, 4)}
    assert len(persons) == 3
    assert scene.person_of(user("evil")) not in persons
    assert scene.person_of(user("vic4")) == scene.person_of(mail("v4@x.nl"))


def test_alias_ties_a_cookie_or_an_address_and_never_two_user_ids(scene: Scene) -> None:
    """As a page's call, through the tracker's decision and the real scorer."""
    for n, previous in enumerate(("c0", "anna@x.nl", "old-user")):
        before = {"c0": cookie("c0"), "anna@x.nl": mail("anna@x.nl"), "old-user": user("old-user")}
        anna = user(f"anna{n}")
        scene.score(scene.day("page", before[previous], day=1), scene.day("page", anna, day=2))
        call = {
            "userId": anna.value,
            "previousId": previous,
            "messageId": f"alias-{n}",
            "context": {"consent": {"categoryPreferences": {"measure": True, "profile": True}}},
        }
        told = {"path": "/v1/alias", "headers": {"authorization": "Bearer kw_shop"}, "body": call}
        (event,) = accept(request_of(told), DIRECTORY, NOW_MS).events
        scene.score(replace(event, workspace_id=1))
        tied = scene.person_of(before[previous]) == scene.person_of(anna)
        assert tied == (previous != "old-user")


def test_a_shared_browser_folds_only_those_whose_share_of_it_changed(scene: Scene) -> None:
    names = [user(f"u{n}") for n in range(5)]
    shared = cookie("library")
    events = [scene.day("page", who, shared, day=n) for n, who in enumerate(names)]
    scene.score(*events)
    state = tables.person_state.c

    def versions() -> list[int]:
        held = dict(map(tuple, scene.rows(select(state.person_id, state.version))))
        return [held[scene.person_of(who)] for who in names]

    before = versions()
    again = scene.day("page", names[4], shared, day=9)
    back = scene.day("page", names[0], shared, day=12)
    scene.score(again)
    assert versions() == [*before[:4], before[4] + 1]
    scene.score(back)
    assert versions()[1:4] == before[1:4]
    _assert_as_pure(scene, [*events, again, back])


def test_the_feed_tells_of_links_that_come_and_go(scene: Scene) -> None:
    anna, bert, browser = user("anna"), user("bert"), cookie("c")
    scene.score(scene.day("page", anna, day=1), scene.day("page", bert, day=2))
    a, b = scene.person_of(anna), scene.person_of(bert)
    scene.score(scene.day("page", anna, browser, day=3))
    scene.score(scene.day("page", bert, browser, day=4))
    decided = {"decision": "two_people"}
    scene.score(scene.day("identity_decision", anna, browser, day=5, properties=decided))
    names = dict(map(tuple, scene.rows(select(person.id, person.public_id))))
    told = [(c.person_id, c.key, c.before, c.after, c.reason) for c in scene.changes("identity")]
    assert told == [
        (a, "anonymous_id", None, names[a], "linked"),
        (b, "anonymous_id", None, names[b], "linked"),
        (a, "anonymous_id", names[a], None, "unlinked"),
    ]
