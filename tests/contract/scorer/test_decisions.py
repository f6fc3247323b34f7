"""Links and unlinks, in any order and number: the world that would be without what was undone."""

import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from msgspec.structs import replace as copy
from sqlalchemy import select

from services.contract import tables
from services.contract.decision import DECIDED, Decision
from services.contract.event import Event, Identity, primary
from services.contract.phases import DAY_MS
from services.model.identity import COOKIE
from services.model.timeline import Rulebook
from tests.contract.scorer.pure import Said, assert_sound, assert_told_once, said, stored
from tests.contract.scorer.scene import START_MS, Scene, cookie, mail, token, user

KNOWN = [*map(user, "abc"), *map(mail, ("x@x.nl", "y@x.nl")), Identity("crm", "1"), token("t")]
COOKIES = [cookie("c"), cookie("d")]
TYPES = ("page", "read", "vacancy_viewed", "application_started", "identified")
WORDS: tuple[Decision, ...] = ("same_person", "two_people", "undecided")
# `make drill` plays more.
SEEDS = range(int(os.environ.get("KENTERING_DRILL_WORLDS", "8")) // 4)


def _word(scene: Scene, pair: Sequence[Identity], decision: Decision, day: float) -> Event:
    return scene.day(
        DECIDED, *pair, day=day, server_only=True, properties={"decision": decision, "reason": "r"}
    )


def _doings(scene: Scene, rng: random.Random) -> list[Event]:
    """Events of a few people on few browsers, who name each other; some in a second, other copy."""
    events = []
    for _ in range(rng.randrange(10, 24)):
        names = rng.sample(KNOWN, rng.choice((1, 1, 1, 2))) + rng.sample(
            COOKIES, rng.choice((0, 1))
        )
        names = names[rng.choice((0, 0, 0, 1)) :] or names
        event = scene.day(
            rng.choice(TYPES),
            *names,
            day=rng.randrange(400) / 10,
            server_only=rng.random() < 0.6,
        )
        event = copy(event, received_ms=event.received_ms + rng.randrange(40 * DAY_MS))
        events.append(event)
        if rng.random() < 0.2:
            others = tuple(rng.sample(KNOWN, 2))
            later = event.received_ms + rng.choice((-1, 1)) * rng.randrange(400)
            events.append(copy(event, identities=others, received_ms=later))
    return events


def _pairs(rng: random.Random, number: int) -> list[list[Identity]]:
    return [
        pair
        for pair in (rng.sample([*KNOWN, *COOKIES], 2) for _ in range(number))
        if {i.namespace for i in pair} != {COOKIE}
    ]


def _score(scene: Scene, rng: random.Random, events: Sequence[Event], workspace_id: int) -> None:
    """In any order, some twice, in batches of any size."""
    if workspace_id > 1:
        scene.workspace(workspace_id)
    arriving = [copy(event, workspace_id=workspace_id) for event in events]
    arriving += rng.sample(arriving, len(arriving) // 4)
    rng.shuffle(arriving)
    while arriving:
        some = rng.randrange(1, 16)
        scene.score(*arriving[:some])
        del arriving[:some]


def _stored(scene: Scene, expected: Said, workspace_id: int) -> Said:
    """What is stored, but for identities that only copies named which count for nothing."""
    named = {piece[0] for pieces in expected.links for piece in pieces}
    found = stored(scene.engine, workspace_id)
    links = Counter({p: n for p, n in found.links.items() if named & {i for i, *_ in p}})
    return replace(found, links=links)


def _sums(scene: Scene, workspace_id: int) -> Counter[tuple[str, str, int]]:
    row, sums = tables.count_delta.c, Counter()
    query = select(row.kind, row.key, row.hour_ms, row.delta)
    for kind, key, hour_ms, delta in scene.rows(query.where(row.workspace_id == workspace_id)):
        sums[kind, key, hour_ms] += delta
    return Counter({place: n for place, n in sums.items() if n})


def _conflicts(scene: Scene, workspace_id: int) -> set[tuple[frozenset[str], str | None]]:
    names = {None: None, 0: None}
    row, conflict = tables.identity.c, tables.identity_conflict.c
    names |= dict(map(tuple, scene.rows(select(row.id, row.value))))
    query = select(conflict.a_id, conflict.b_id, conflict.cookie_id)
    return {
        (frozenset((names[a], names[b])), names[browser])
        for a, b, browser in scene.rows(query.where(conflict.workspace_id == workspace_id))
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_random_worlds(scene: Scene, seed: int) -> None:
    """Whatever comes when, it is what all of it together says; undone, what is left says."""
    rng = random.Random(seed)
    doings = _doings(scene, rng)
    pairs = _pairs(rng, 6)
    words = [_word(scene, p, rng.choice(WORDS), rng.randrange(40, 80)) for p in pairs * 2]
    _score(scene, rng, [*doings, *words], 1)
    expected = said([*doings, *words], Rulebook())
    assert _stored(scene, expected, 1) == expected
    assert_sound(scene.engine, 1)
    assert_told_once(scene.engine, scene.now_ms)

    undone = [_word(scene, pair, "undecided", 90) for pair in pairs]
    _score(scene, rng, [*doings, *words, *undone], 2)
    _score(scene, rng, doings, 3)
    without = said(doings, Rulebook())
    assert _stored(scene, without, 3) == without
    assert _stored(scene, without, 2) == without
    assert _sums(scene, 2) == _sums(scene, 3)
    assert _conflicts(scene, 2) == _conflicts(scene, 3)
    scene.score(*(copy(word, workspace_id=1) for word in undone))
    assert _stored(scene, without, 1) == without
    assert _conflicts(scene, 1) == _conflicts(scene, 3)
    assert_told_once(scene.engine, scene.now_ms)


def _without(event: Event, pair: set[Identity]) -> Event:
    """The event as it would be, had it not named the two together."""
    if not pair <= set(event.identities):
        return event
    left = pair - {primary(tuple(pair))}
    return copy(event, identities=tuple(i for i in event.identities if i not in left))


@pytest.mark.parametrize("other", [mail("x@x.nl"), cookie("c")])
def test_parted_from_what_events_tied_it_to_it_is_as_if_they_never_had(
    scene: Scene, other: Identity
) -> None:
    rng = random.Random(repr(other))
    anna = user("anna")
    doings = [
        scene.day(
            rng.choice(TYPES),
            *rng.choice(((anna,), (other,), (anna, other))),
            day=day,
            server_only=True,
        )
        for day in range(30)
    ]
    word = _word(scene, (anna, other), "two_people", 50)
    _score(scene, rng, [*doings, word], 1)
    expected = said([_without(event, {anna, other}) for event in doings], Rulebook())
    assert stored(scene.engine) == expected
    assert scene.person_of(anna) != scene.person_of(other)


def _names(scene: Scene) -> dict[str, str]:
    row, person = tables.identity.c, tables.person.c
    query = select(row.value, person.public_id).join(tables.person, person.id == row.person_id)
    return dict(map(tuple, scene.rows(query)))


def test_who_was_merged_is_again_who_they_were(scene: Scene) -> None:
    """Also who had been merged into them before, and whoever of the two survived."""
    for n, older in enumerate((True, False)):
        anna, bert, browser = user(f"anna{n}"), mail(f"b{n}@x.nl"), cookie(f"c{n}")
        scene.score(scene.day("page", browser, day=5))
        stranger = _names(scene)[browser.value]
        scene.score(scene.day("page", anna, day=1 if older else 3))
        scene.score(scene.day("page", bert, day=2))
        scene.score(scene.day("page", anna, browser, day=6))
        before = _names(scene)
        scene.score(_word(scene, (bert, anna), "same_person", 10))
        assert len({_names(scene)[i.value] for i in (anna, bert, browser)}) == 1
        scene.score(_word(scene, (bert, anna), "undecided", 11))
        assert _names(scene) == before
        person = tables.person.c
        leads_to = dict(map(tuple, scene.rows(select(person.public_id, person.merged_into))))
        assert leads_to[stranger] == scene.person_of(anna), "and not to whom it never was"
        scene.score(_word(scene, (browser, anna), "two_people", 12))
        assert _names(scene)[browser.value] == stranger


def test_what_follows_from_parting_is_told_as_that(scene: Scene) -> None:
    anna, bert = user("anna"), mail("b@x.nl")
    scene.score(scene.day("vacancy_viewed", anna, day=1), scene.day("applied", bert, day=199))
    older, newer = scene.person_of(anna), scene.person_of(bert)
    scene.score(_word(scene, (bert, anna), "same_person", 199.5))
    told = len(scene.changes())
    scene.score(_word(scene, (bert, anna), "two_people", 199.6))
    found = scene.changes()[told:]
    moves = [c for c in found if c.kind != "identity"]
    assert {c.person_id for c in moves} == {older, newer}
    assert {c.reason for c in moves} == {"parted"}
    names = _names(scene)
    assert [(c.person_id, c.key, c.before, c.after, c.reason) for c in found if c not in moves] == [
        (newer, "", names["anna"], names["b@x.nl"], "parted"),
        (older, "email", names["anna"], names["b@x.nl"], "unlinked"),
    ]


def test_whoever_has_more_than_a_browser_stays_though_it_was_first_by_itself(scene: Scene) -> None:
    anna, bert, browser, phone = user("anna"), Identity("crm", "1"), cookie("c"), cookie("d")
    events = [
        scene.day("page", anna, phone, day=1),
        scene.day("page", browser, day=2),
        scene.day("page", anna, browser, day=3),
        scene.day("page", bert, browser, day=4),
        _word(scene, (bert, browser), "two_people", 5),
    ]
    for event in events:
        scene.score(event)
    assert stored(scene.engine) == said(events, Rulebook())
    assert scene.person_of(browser) == scene.person_of(anna)


def test_same_person_comes_before_what_forbids_it_and_never_joins_two_people(scene: Scene) -> None:
    a, b, c = user("a"), user("b"), user("c")
    scene.score(*(scene.day("page", one, day=1) for one in (a, b, c)))
    scene.score(_word(scene, (a, c), "two_people", 5))
    scene.score(_word(scene, (a, b), "same_person", 6))
    scene.score(_word(scene, (b, c), "same_person", 7))
    assert scene.person_of(a) == scene.person_of(b) != scene.person_of(c)
    (conflict,) = _conflicts(scene, 1)
    assert conflict == (frozenset({"b", "c"}), None), "what cannot be is told"
    scene.score(_word(scene, (a, c), "undecided", 8))
    assert scene.person_of(a) == scene.person_of(b) == scene.person_of(c)
    assert not _conflicts(scene, 1)


def test_a_browser_is_whose_it_was_decided_to_be(scene: Scene) -> None:
    anna, bert, shared = user("anna"), user("bert"), cookie("tablet")
    uses = [scene.day("page", who, shared, day=day) for day, who in enumerate((anna, bert) * 3)]
    scene.score(*uses, scene.day("read", shared, day=9))
    assert len(_conflicts(scene, 1)) == 1
    word = _word(scene, (shared, anna), "same_person", 20)
    scene.score(word)
    row = tables.identity_link.c
    held = select(row.person_id, row.valid_from_ms).where(row.known_to_ms.is_(None))
    assert sorted(scene.rows(held.where(row.event_id.is_not(None)))) == []
    state = tables.person_state.c
    events = dict(map(tuple, scene.rows(select(state.person_id, state.events))))
    assert events == {scene.person_of(anna): 4, scene.person_of(bert): 3}
    assert not _conflicts(scene, 1)


def test_decisions_come_again_and_change_nothing(scene: Scene) -> None:
    events = [
        scene.day("page", user("a"), cookie("c"), day=1),
        scene.day("page", mail("x@x.nl"), day=2),
        _word(scene, (user("a"), mail("x@x.nl")), "same_person", 5),
    ]
    scene.score(*events)
    held = (tables.person_state, tables.identity_decision, tables.change, tables.identity_link)
    before = [scene.rows(select(table)) for table in held]
    scene.now_ms += 1
    scene.score(*events)
    assert [scene.rows(select(table)) for table in held] == before
    assert scene.count(tables.dead_letter) == 0
    nonsense = scene.event(DECIDED, user("a"), at_ms=START_MS, properties={"decision": "perhaps"})
    scene.score(nonsense)
    assert scene.count(tables.dead_letter) == 1
