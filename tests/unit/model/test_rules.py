"""Rules: the algebra of all, any and not, and the promise that an answer stands until its time."""

from itertools import pairwise
from typing import Any as Json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.contract.phases import DAY_MS, HORIZON_MS
from services.model.path import Path
from services.model.rules import (
    AllOf,
    AnyOf,
    Attribute,
    Events,
    Not,
    RuleTree,
    conditions,
    evaluate,
)
from tests.unit.model.journeys import (
    MODEL,
    T0,
    agreed,
    event,
    folded,
    quick,
    scored_states,
)
from tests.unit.model.rule_trees import LEAVES, leaf, lives, rules


@quick
@given(lives(), rules(), st.integers(0, HORIZON_MS - 1), st.data())
def test_nothing_changes_before_until(events, rule, after_ms, data):
    path = Path(folded(*events, rules=(rule,)), MODEL)
    at = events[-1].occurred_ms + after_ms
    truth, until = evaluate(rule, path, at)
    assert until is None or until > at
    end = min(path.end_ms, until if until is not None else path.end_ms)
    moments = data.draw(st.lists(st.integers(at, max(at, end - 1)), max_size=20))
    for moment in [*moments, max(at, end - 1)]:
        assert evaluate(rule, path, moment)[0] is truth


@pytest.mark.parametrize("kind", sorted(LEAVES))
def test_each_condition_says_exactly_when_it_changes(kind):
    """Against brute force: no change is missed, and none is told that does not come."""

    @settings(quick, max_examples=15)
    @given(lives(), leaf(kind), st.integers(0, 30 * DAY_MS), st.data())
    def holds(events, rule, after_ms, data):
        path = Path(folded(*events, rules=(rule,)), MODEL)
        at = events[-1].occurred_ms + after_ms
        truth, until = evaluate(rule, path, at)
        end = path.end_ms if until is None else min(until, path.end_ms)
        moments = data.draw(st.lists(st.integers(at, end - 1), max_size=10)) if end > at else []
        every = (
            range(at, end, DAY_MS // 2) if end - at < 60 * DAY_MS else range(at, end, 9 * DAY_MS)
        )
        for moment in {*moments, *every, end - 1}:
            assert evaluate(rule, path, moment)[0] is truth
        if until is not None and until < path.end_ms:
            assert evaluate(rule, path, until)[0] is not truth

    holds()


@quick
@given(scored_states(), rules())
def test_following_until_sees_every_change(state, rule):
    """A bound may be early, never late; and following it comes to an end."""
    path = Path(state, MODEL)
    pieces, at = [], T0
    while at < path.end_ms:
        truth, until = evaluate(rule, path, at)
        pieces.append((at, truth))
        assert len(pieces) < 1000
        if until is None:
            break
        at = until
    changes = [b[0] for a, b in pairwise(pieces) if a[1] is not b[1]]
    for moment in changes:
        assert evaluate(rule, path, moment - 1)[0] is not evaluate(rule, path, moment)[0]
    for moment in range(T0, path.end_ms, 5 * DAY_MS):
        held = [truth for begin, truth in pieces if begin <= moment][-1]
        assert evaluate(rule, path, moment)[0] is held


@quick
@given(lives(employment=False), rules(), rules(), st.integers(0, 100 * DAY_MS))
def test_the_algebra_is_that_of_truth(events, a, b, after_ms):
    both = AllOf(type="all", rules=(a, b))
    either = AnyOf(type="any", rules=(a, b))
    path = Path(folded(*events, rules=(both,)), MODEL)
    at = events[-1].occurred_ms + after_ms

    def truth(rule) -> bool:
        return evaluate(rule, path, at)[0]

    assert truth(both) is (truth(a) and truth(b))
    assert truth(either) is (truth(a) or truth(b))
    assert truth(Not(type="not", rule=a)) is not truth(a)
    inverse = Not(
        type="not", rule=AnyOf(type="any", rules=tuple(Not(type="not", rule=r) for r in (a, b)))
    )
    assert evaluate(inverse, path, at) == evaluate(both, path, at)
    twice = Not(type="not", rule=Not(type="not", rule=a))
    assert evaluate(twice, path, at) == evaluate(a, path, at)


def test_all_stays_false_as_long_as_the_longest_of_those_that_are_false():
    state = folded(agreed())
    one = Events(type="events", event=("page",), within_days=5)
    two = Events(type="events", event=("open",), within_days=9)
    state.rings_ms = {one.ring_key: [T0], two.ring_key: [T0]}
    path = Path(state, MODEL)
    false = tuple(Not(type="not", rule=rule) for rule in (one, two))
    assert evaluate(AllOf(type="all", rules=false), path, T0) == (False, T0 + 9 * DAY_MS)
    assert evaluate(AnyOf(type="any", rules=(one, two)), path, T0) == (True, T0 + 9 * DAY_MS)
    assert evaluate(AllOf(type="all", rules=(one, two)), path, T0) == (True, T0 + 5 * DAY_MS)


@quick
@given(
    st.lists(st.integers(0, 40 * DAY_MS), max_size=12).map(sorted),
    st.integers(1, 5),
    st.integers(1, 30),
    st.integers(0, 60 * DAY_MS),
)
def test_counting_is_counting(times, at_least, within, after_ms):
    rule = Events(type="events", event=("page",), at_least=at_least, within_days=within)
    pages = [event("page", T0 + t) for t in times]
    path = Path(folded(agreed(), *pages, rules=(rule,)), MODEL)
    at = max([T0, *(p.occurred_ms for p in pages)]) + after_ms
    number = sum(at - p.occurred_ms < within * DAY_MS for p in pages)
    truth, until = evaluate(rule, path, at)
    assert truth is (number >= at_least)
    if truth:
        left = sum(until - p.occurred_ms < within * DAY_MS for p in pages)
        assert left < at_least
        assert sum(until - 1 - p.occurred_ms < within * DAY_MS for p in pages) >= at_least


def attribute(op: str, **operands: Json) -> Attribute:
    return Attribute.model_validate({"type": "attribute", "name": "a", "op": op, **operands})


@pytest.mark.parametrize(
    ("rule", "found", "truth"),
    [
        (attribute("is", value="Noord"), "noord", True),
        (attribute("is", value="Noord"), ["zuid", "NOORD"], True),
        (attribute("is", value=1), True, False),
        (attribute("is", value=True), 1, False),
        (attribute("is", value=1), 1.0, True),
        (attribute("is", value="1"), 1, False),
        (attribute("is_not", value="Noord"), None, True),
        (attribute("is_not", value="Noord"), "Zuid", True),
        (attribute("any_of", values=["a", 2]), 2, True),
        (attribute("any_of", values=["a", 2]), "b", False),
        (attribute("contains", value="teur"), "MONTEUR", True),
        (attribute("contains", value="teur"), ["monteur"], False),
        (attribute("contains", value="Monteur"), ["monteur"], True),
        (attribute("contains", value="1"), 1, False),
        (attribute("less", value=3), 2, True),
        (attribute("less", value=3), "2", False),
        (attribute("less", value="2026-11-22"), "2026-11-21", True),
        (attribute("greater", value=3), 3, False),
        (attribute("greater", value=3), 3.5, True),
        (attribute("greater", value=0), True, False),
        (attribute("less", value=3), None, False),
        (attribute("known"), "", True),
        (attribute("known"), None, False),
        (attribute("unknown"), None, True),
    ],
)
def test_attributes(rule, found, truth):
    state = folded(event("identified", T0, properties={"a": found}))
    assert evaluate(rule, Path(state, MODEL), T0) == (truth, None)


@pytest.mark.parametrize(
    "tree",
    [
        {"type": "sql", "value": "1=1"},
        {"type": "phase", "any_of": []},
        {"type": "phase", "any_of": ["dream"]},
        {"type": "phase", "any_of": ["see"], "or": 1},
        {"type": "probability", "of": "active"},
        {"type": "probability", "of": "active", "at_least": 0.5, "below": 0.6},
        {"type": "probability", "of": "active", "at_least": 1},
        {"type": "events", "within_days": 0},
        {"type": "attribute", "name": "a", "op": "is"},
        {"type": "attribute", "name": "a", "op": "known", "value": 1},
        {"type": "attribute", "name": "a", "op": "any_of"},
        {"type": "all", "rules": []},
    ],
)
def test_what_is_no_rule_is_refused(tree):
    with pytest.raises(ValidationError):
        RuleTree.model_validate({"rule": tree})


@pytest.mark.parametrize(
    ("condition", "unit"),
    [
        ({"type": "time_in_phase", "any_of": ["think"]}, "days"),
        ({"type": "first_event", "event": ["page"]}, "days_ago"),
        ({"type": "last_event", "event": ["page"]}, "days_ago"),
    ],
)
def test_a_span_that_cannot_be_names_its_own_fields(condition, unit):
    at_least, less_than = f"at_least_{unit}", f"less_than_{unit}"
    with pytest.raises(ValidationError, match=f"give {at_least}, {less_than} or both"):
        RuleTree.model_validate({"rule": condition})
    with pytest.raises(ValidationError, match=f"{less_than} must be more than {at_least}"):
        RuleTree.model_validate({"rule": condition | {at_least: 5, less_than: 5}})


def test_depth_and_size_are_bounded():
    leaf = {"type": "phase", "any_of": ["see"]}
    deep: Json = leaf
    for _ in range(7):
        deep = {"type": "not", "rule": deep}
    RuleTree.model_validate({"rule": deep})
    with pytest.raises(ValidationError, match="deep"):
        RuleTree.model_validate({"rule": {"type": "not", "rule": deep}})
    eight = {"type": "all", "rules": [leaf] * 8}
    RuleTree.model_validate({"rule": {"type": "any", "rules": [eight] * 8}})
    with pytest.raises(ValidationError, match="conditions"):
        RuleTree.model_validate({"rule": {"type": "any", "rules": [eight] * 9}})


@quick
@given(rules())
def test_a_rule_survives_being_stored(rule):
    tree = RuleTree(rule=rule)
    again = RuleTree.model_validate_json(tree.model_dump_json())
    assert again == tree
    assert len(list(conditions(again.rule))) == len(list(conditions(rule)))
