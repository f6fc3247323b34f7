"""Scanners are known by their clicks together, whenever these arrive; what was scored is undone."""

import random
from typing import Any

import pytest
from sqlalchemy import select

from services.contract import tables
from services.contract.event import Event, Machine
from services.contract.phases import DAY_MS
from services.model.rulebook import Rulebook
from services.model.rules import RuleTree
from services.model.state import decode_state
from tests.contract.scorer.pure import assert_sound, assert_told_once, said, stored
from tests.contract.scorer.scene import NOW_MS, START_MS, Scene, user

CLICKED = {"type": "events", "event": ["click"], "at_least": 1, "within_days": 400}


def _click(scene: Scene, at_ms: int, link: str, **more: Any) -> Event:
    told = {"message_id": "newsletter", "channel": "email", "content_id": link, **more}
    return scene.event("click", user("a"), at_ms=at_ms, **told)


def test_a_burst_takes_back_what_its_first_click_said(scene: Scene) -> None:
    key = scene.segment("clicked", CLICKED)
    scene.build()
    at = NOW_MS - DAY_MS
    first = _click(scene, at, "one")
    scene.score(scene.event("sent", user("a"), at_ms=at - 60_000, message_id="newsletter"), first)
    member = select(tables.interval.c.known_to_ms).where(tables.interval.c.key == key)
    assert scene.rows(member) == [(None,)]
    scene.now_ms += 1000
    scene.score(_click(scene, at + 3_000, "two"))
    scene.score(_click(scene, at + 6_000, "three"))
    row = tables.change.c
    told = scene.rows(
        select(row.before, row.after, row.reason)
        .where(row.kind == "segment")
        .order_by(row.position)
    )
    assert told[1:] == [("member", None, "reclassified")]
    assert scene.rows(member.where(tables.interval.c.known_to_ms.is_(None))) == []
    assert_told_once(scene.engine, scene.now_ms)


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_and_batches_it_is_as_all_at_once(scene: Scene, seed: int) -> None:
    rng = random.Random(seed)
    key = scene.segment("clicked", CLICKED)
    scene.build()
    events = [event for visit in range(25) for event in _visit(scene, rng, visit)]
    rng.shuffle(events)
    begin = 0
    while begin < len(events):
        end = begin + rng.randrange(1, 6)
        scene.score(*events[begin:end])
        begin = end
    rulebook = Rulebook(((key, RuleTree.model_validate({"rule": CLICKED}).rule),))
    assert stored(scene.engine).persons == said(events, rulebook).persons
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def test_a_delivery_told_after_an_open_of_the_same_moment_speaks_of_it(scene: Scene) -> None:
    at, more = START_MS + DAY_MS, {"message_id": "newsletter", "channel": "email"}
    ids = (bytes(15) + b"1", bytes(15) + b"2")
    doubtful = Machine(0.3, ("bare_mozilla",))
    events = [
        scene.event("page", user("a"), at_ms=START_MS),
        scene.event("open", user("a"), at_ms=at, event_id=ids[0], machine=doubtful, **more),
        scene.event("delivered", user("a"), at_ms=at, event_id=ids[1], **more),
    ]
    for event in events:
        scene.score(event)
    assert stored(scene.engine).persons == said(events, Rulebook()).persons


def _visit(scene: Scene, rng: random.Random, visit: int) -> list[Event]:
    """Some hits within half a minute, of one or two messages."""
    at = START_MS + visit * 3 * DAY_MS
    more = {"message_id": f"m{visit}", "channel": "email"}
    found = [scene.event("sent", user("a"), at_ms=at, **more)]
    for _ in range(rng.randrange(1, 5)):
        moment = at + rng.randrange(30_000)
        kind = rng.choice(["open", "click", "click", "page", "trap"])
        if kind == "page":
            found.append(scene.event("page", user("a"), at_ms=moment))
            continue
        machine = Machine(0.3, ("bare_mozilla",)) if kind == "open" else Machine()
        link = {"content_id": f"l{rng.randrange(4)}"}
        if kind == "trap" and rng.random() < 0.5:
            link = {"content_id": "trap", "content_type": "honeypot"}
        type_ = "open" if kind == "open" else "click"
        if type_ == "click" and rng.random() < 0.4:
            link["click_id"] = f"k{visit}-{len(found)}"
            beside = moment + rng.randrange(-4_000, 4_000)
            page = {"click_id": link["click_id"]}
            found.append(scene.event("vacancy_viewed", user("a"), at_ms=beside, **page))
        found.append(scene.event(type_, user("a"), at_ms=moment, machine=machine, **more, **link))
    return found


@pytest.mark.parametrize("order", ["page first", "click first", "together"])
def test_the_page_before_a_scanner_s_click_counts_no_more(scene: Scene, order: str) -> None:
    """The page's clock is ahead of ours; the click turns out to be software's with its third."""
    at = NOW_MS - DAY_MS
    page = scene.event("vacancy_viewed", user("a"), at_ms=at - 800, click_id="k", number="page")
    clicks = [
        _click(scene, at + 2_000 * n, link, click_id=key, number=link)
        for n, (link, key) in enumerate((("one", "k"), ("two", "l"), ("three", "m")))
    ]
    early = scene.event("page", user("a"), at_ms=at - 40 * DAY_MS)
    later = [scene.event("page", user("a"), at_ms=at + DAY_MS // 2)]
    batches = {
        "page first": [[page], clicks[:1], clicks[1:2], clicks[2:]],
        "click first": [clicks[:1], [page], clicks[1:], later],
        "together": [later, [page, clicks[0]], clicks[1:]],
    }[order]
    scene.score(early)
    for batch in batches:
        scene.score(*batch)
    told = [early, *(event for batch in batches for event in batch)]
    assert stored(scene.engine).persons == said(told, Rulebook()).persons
    state = decode_state(bytes(scene.rows(select(tables.person_state.c.state))[0][0]))
    assert state.score is not None
    assert "vacancy_view" not in state.score.seen_ms
    assert_told_once(scene.engine, scene.now_ms)
