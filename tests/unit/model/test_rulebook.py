"""Segments together: those that refer to others, those changed by hand, what is kept for whom."""

import json
from pathlib import Path as File

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.contract.event import LISTED
from services.contract.phases import DAY_MS
from services.model.interval import Interval
from services.model.path import Path
from services.model.rulebook import Rulebook
from services.model.rules import TYPES, RuleTree
from services.model.rules.membership import circle, dependents, whole
from services.model.rules.memory import PHASE, Memories
from services.model.state import encode_state
from services.model.timeline import advance, join
from tests.unit.model.journeys import MODEL, T0, agreed, event, folded, quick
from tests.unit.model.rule_trees import LEAVES, lives, read, rules

PAGES = {"type": "events", "event": ["page"], "at_least": 2, "within_days": 10}
GOLDEN = File(__file__).parents[2] / "golden" / "rules.json"


def refer(key: str) -> dict[str, str]:
    return {"type": "in_segment", "segment": key}


def book(**written: dict) -> Rulebook:
    nodes = whole({key: read(rule) for key, rule in written.items()})
    return Rulebook(tuple(nodes.items()))


def segments_of(intervals: list[Interval]) -> dict[str, list[tuple[int, int | None]]]:
    found: dict[str, list[tuple[int, int | None]]] = {}
    for one in intervals:
        if one.kind == "segment":
            found.setdefault(one.key, []).append((one.from_ms, one.to_ms))
    return {key: sorted(rows) for key, rows in found.items()}


@quick
@given(lives(), rules(), rules(), st.data())
def test_a_reference_is_the_rule_that_it_refers_to(events, one, other, data):
    """Through any parts in which events come, with hand-made lists among them."""
    listed = [
        msgspec.structs.replace(
            each,
            type=LISTED,
            content_id=data.draw(st.sampled_from(["one", "both"])),
            properties={"list": data.draw(st.sampled_from(["in", "out", "none"]))},
        )
        if data.draw(st.integers(0, 9)) == 0 and each is not events[0]
        else each
        for each in events
    ]
    both = read({"type": "all", "rules": [refer("one"), {"type": "not", "rule": refer("other")}]})
    nodes = whole({"both": both, "one": one, "other": other})
    rulebook = Rulebook(tuple(nodes.items()))
    state, drawn = advance(None, listed, MODEL, rulebook)
    held = segments_of(drawn)

    def holds(key: str, at_ms: int) -> bool:
        rows = held.get(key, ())
        return any(begin <= at_ms and (end is None or at_ms < end) for begin, end in rows)

    path = Path(state, MODEL)
    by_hand = state.rings_ms.get("!by_hand:both")
    for at_ms in range(state.at_ms, path.end_ms, 13 * DAY_MS):
        wanted = holds("one", at_ms) and not holds("other", at_ms)
        wanted = wanted if by_hand is None else bool(by_hand[0])
        if path.phase_at(state.at_ms)[0] is not None:
            assert holds("both", at_ms) is wanted
    one_by_one, pieces = None, []
    for i, each in enumerate(listed):
        until = listed[i + 1].occurred_ms if i + 1 < len(listed) else None
        one_by_one, rows = advance(one_by_one, [each], MODEL, rulebook, until)
        pieces += rows
    assert encode_state(one_by_one) == encode_state(state)
    assert {i[:4] for i in join(pieces)} == {i[:4] for i in drawn}


def test_by_hand_comes_before_the_rule_and_is_taken_back():
    rulebook = book(s=PAGES)
    life = [agreed(), event("page", T0 + DAY_MS), event("page", T0 + 2 * DAY_MS)]
    for day, listing in ((3, "out"), (4, "none"), (20, "in"), (25, "none")):
        at = T0 + day * DAY_MS
        life.append(event(LISTED, at, content_id="s", properties={"list": listing}))
    _, drawn = advance(None, life, MODEL, rulebook)
    days = [
        (round((begin - T0) / DAY_MS), round((end - T0) / DAY_MS))
        for begin, end in segments_of(drawn)["s"]
    ]
    assert days == [(2, 3), (4, 11), (20, 25)]


def test_a_list_by_hand_is_no_event_that_a_rule_counts():
    anything = read({"type": "events", "within_days": 30})
    listed = event(LISTED, T0 + 1, content_id="s", properties={"list": "in"})
    assert sorted(folded(agreed(), listed, rules=(anything,)).rings_ms.values()) == [
        [1, T0 + 1],
        [T0],
    ]


def test_circles_are_found_and_named():
    rules_ = {
        "a": read({"type": "not", "rule": refer("b")}),
        "b": read({"type": "any", "rules": [refer("d"), refer("c")]}),
        "c": read(refer("a")),
        "d": read(PAGES),
    }
    assert circle("a", rules_) == ("a", "b", "c", "a")
    assert circle("d", rules_) == ()
    assert circle("d", rules_ | {"d": read(refer("d"))}) == ("d", "d")
    assert dependents(["d"], rules_) == {"a", "b", "c"}
    # Should one have come in all the same, nobody is in it, and nothing hangs.
    advance(None, [agreed()], MODEL, Rulebook(tuple(whole(rules_).items())))


def test_nothing_is_kept_that_no_rule_asks_for():
    life = [agreed(), event("page", T0 + 1), event("open", T0 + 2, message_id="m")]
    assert folded(*life).rings_ms == {}
    assert Rulebook().memories == Memories()
    state, _ = advance(None, life, MODEL, book(s=PAGES))
    assert len(state.rings_ms) == 1
    state, _ = advance(state, [event("page", T0 + 3)], MODEL, Rulebook())
    assert state.rings_ms == {}


def test_what_is_withdrawn_is_forgotten_and_what_was_decided_by_hand_is_not():
    asked = tuple(
        read(one)
        for one in (
            PAGES,
            {"type": "time_in_phase", "any_of": ["see"], "at_least_days": 3},
            {"type": "machine_share", "below": 0.5},
        )
    )
    life = [
        agreed(),
        event("page", T0 + DAY_MS),
        event("open", T0 + 2 * DAY_MS, message_id="m"),
        event(LISTED, T0 + 3 * DAY_MS, content_id="s", properties={"list": "out"}),
    ]
    assert len(folded(*life, rules=asked).rings_ms) == 4
    hired = folded(*life, event("hired", T0 + 4 * DAY_MS, server_only=True), rules=asked)
    assert list(hired.rings_ms) == ["!by_hand:s"]
    assert PHASE in folded(*life, rules=asked).rings_ms


def test_time_in_a_phase_is_that_of_its_interval():
    rule = {"type": "time_in_phase", "any_of": ["see"], "at_least_days": 5}
    applied = event("applied", T0 + 2 * DAY_MS, server_only=True)
    page = event("page", T0 + 3 * DAY_MS)
    _, drawn = advance(None, [agreed(), applied, page], MODEL, book(s=rule))
    see = sorted(i.from_ms for i in drawn if (i.kind, i.key) == ("phase", "see"))
    assert see[0] == T0
    assert [begin for begin, _ in segments_of(drawn)["s"]] == [see[1] + 5 * DAY_MS]


@pytest.mark.parametrize("number", range(len(json.loads(GOLDEN.read_text()))))
def test_rules_that_were_stored_once_are_read_for_ever(number):
    """Each line as some version wrote it; none is ever taken out or changed."""
    written, meant = json.loads(GOLDEN.read_text())[number]
    assert read(written).model_dump(mode="json", exclude_defaults=True) == meant


def test_every_type_is_among_the_rules_that_were_stored():
    assert {one["type"] for one, _ in json.loads(GOLDEN.read_text())} == set(TYPES)
    assert set(LEAVES) | {"all", "any", "not", "in_segment"} == set(TYPES)


def test_counts_are_found_where_they_were_stored_before():
    """By the keys under which the first version of this condition kept them."""
    rule = read({"type": "events", "event": ["page"], "content_id": "é", "within_days": 3})
    key = '{"event":["page"],"channel":[],"content_id":"é","content_type":null,"at_least":1}'
    assert rule.ring_key == key


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"type": "evnts", "within_days": 3}, "did you mean `events`?"),
        ({"type": "\ud800"}, "there is no condition"),
        ({"type": "events", "at_least": 0, "within_days": 3}, "at_least 0 says nothing"),
        ({"type": "events", "at_least": 3, "at_most": 2, "within_days": 3}, "at_most"),
        ({"type": "first_event"}, "at_least_days"),
        ({"type": "attribute_date", "name": "a"}, "from_days"),
        ({"type": "attribute_date", "name": "a", "to_days": 9, "every_year": True}, "every_year"),
        ({"type": "availability"}, "within_days goes with available"),
        ({"type": "engagement", "at_least": 1, "below": 2}, "either at_least or below"),
    ],
)
def test_what_is_wrong_is_said(tree, said):
    with pytest.raises(ValidationError, match=said):
        RuleTree.model_validate({"rule": tree})
