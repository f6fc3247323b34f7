"""Intervals: they tile time, join over events, and say what the path and the rules say."""

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.event import Event
from services.contract.phases import DAY_MS, HORIZON_MS
from services.model.fold import fold
from services.model.interval import Interval
from services.model.path import Path
from services.model.rulebook import Rulebook
from services.model.rules import Events, Not, evaluate
from services.model.state import PersonState, encode_state
from services.model.timeline import advance, ahead, go_on, join, standing
from tests.unit.model.journeys import (
    AGREED,
    MODEL,
    REFUSED,
    T0,
    agreed,
    event,
    folded,
    journeys,
    quick,
)
from tests.unit.model.rule_trees import lives, rules

NO_SEGMENTS = Rulebook()


def rows(intervals: list[Interval]) -> set[tuple]:
    """What intervals say, without what began them."""
    return {tuple(i[:4]) for i in intervals}


def of_kind(intervals: list[Interval], kind: str) -> list[Interval]:
    return sorted((i for i in intervals if i.kind == kind), key=lambda i: i.from_ms)


def clipped(intervals: list[Interval], until_ms: int) -> list[Interval]:
    """What stays of intervals that were drawn ahead when the next event comes."""
    return [
        i if i.to_ms is not None and i.to_ms <= until_ms else i._replace(to_ms=until_ms)
        for i in intervals
        if i.from_ms < until_ms
    ]


@quick
@given(lives(), st.lists(rules(), max_size=3))
def test_many_events_at_once_are_one_after_the_other(events, trees):
    rulebook = Rulebook(tuple((str(i), rule) for i, rule in enumerate(trees)))
    state, whole = advance(None, events, MODEL, rulebook)
    one: PersonState | None = None
    pieces: list[Interval] = []
    for i, each in enumerate(events):
        one, drawn = advance(one, [each], MODEL, rulebook)
        until = events[i + 1].occurred_ms if i + 1 < len(events) else None
        pieces += drawn if until is None else clipped(drawn, until)
    assert encode_state(one) == encode_state(state)
    assert rows(join(pieces)) == rows(whole)


@quick
@given(lives(), st.lists(rules(), max_size=3), st.data())
def test_what_events_do_not_touch_stands_as_it_was_drawn_ahead(events, trees, data):
    """Parts of any size, down to what began each interval."""
    rulebook = Rulebook(tuple((str(i), rule) for i, rule in enumerate(trees)))
    place = data.draw(st.integers(1, len(events)))
    state, held = advance(None, events[:place], MODEL, rulebook)
    while place < len(events):
        part = events[place : place + data.draw(st.integers(1, 4))]
        place += len(part)
        state, drawn, since_ms = go_on(state, part, MODEL, rulebook)
        held = continued(held, drawn, since_ms, part)
    whole_state, whole = advance(None, events, MODEL, rulebook)
    assert encode_state(state) == encode_state(whole_state)
    assert set(held) == set(whole)


def continued(
    held: list[Interval], drawn: list[Interval], since_ms: dict[str, int], events: list[Event]
) -> list[Interval]:
    """What was held, with what was drawn anew in its place."""
    begin_ms = events[0].occurred_ms
    past = []
    for one in held:
        known = one if one.from_ms < begin_ms else standing(one, events)
        if one.kind == "segment" and one.key not in since_ms:
            past.append(known)
        else:
            past += clipped([known], since_ms.get(one.key, begin_ms))
    return join([*sorted(past, key=lambda one: one.from_ms), *drawn])


@quick
@given(lives(), st.lists(rules(), max_size=3), st.data())
def test_a_late_event_redraws_from_its_place_on(events, trees, data):
    rulebook = Rulebook(tuple((str(i), rule) for i, rule in enumerate(trees)))
    cut = data.draw(st.integers(1, len(events)))
    state, before = advance(None, events[:cut], MODEL, rulebook)
    if cut == len(events):
        return
    state, after = advance(state, events[cut:], MODEL, rulebook)
    whole_state, whole = advance(None, events, MODEL, rulebook)
    assert encode_state(state) == encode_state(whole_state)
    joined = join([*clipped(before, events[cut].occurred_ms), *after])
    assert rows(joined) == rows(whole)


@quick
@given(journeys(employment=True))
def test_phases_and_latency_states_tile_the_time_that_is_scored(events):
    _, intervals = advance(None, events, MODEL, NO_SEGMENTS)
    state: PersonState | None = None
    covered: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for i, each in enumerate(events):
        state = fold(state, each, MODEL)
        until = events[i + 1].occurred_ms if i + 1 < len(events) else None
        if until == each.occurred_ms:
            continue
        employed = state.hired_ms is not None and state.left_ms is None
        if state.score is not None:
            covered["latency"].append((each.occurred_ms, until))
        if state.score is not None or employed:
            covered["phase"].append((each.occurred_ms, until))
    for kind in ("phase", "latency"):
        found = of_kind(intervals, kind)
        assert all(i.to_ms is None or i.from_ms < i.to_ms for i in found)
        assert _union([(i.from_ms, i.to_ms) for i in found]) == _union(covered[kind])
        for a, b in pairwise(found):
            assert a.to_ms is not None
            assert a.to_ms <= b.from_ms
            assert a.to_ms < b.from_ms or a.key != b.key


def _union(spans: list[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    whole: list[tuple[int, int | None]] = []
    for begin, end in spans:
        if whole and whole[-1][1] == begin:
            whole[-1] = (whole[-1][0], end)
        else:
            whole.append((begin, end))
    return whole


@quick
@given(journeys(employment=True), rules(), st.integers(0, 500 * DAY_MS))
def test_at_any_moment_an_interval_holds_exactly_if_its_condition_does(events, rule, after_ms):
    rulebook = Rulebook((("7", rule),))
    _, intervals = advance(None, events, MODEL, rulebook)
    at = min(T0 + after_ms, events[-1].occurred_ms + HORIZON_MS - 1)
    last = max(i for i, e in enumerate(events) if e.occurred_ms <= at)
    state = folded(*events[: last + 1], rules=tuple(rule for _, rule in rulebook.segments))
    path = Path(state, MODEL)
    holding = {
        (i.kind, i.key) for i in intervals if i.from_ms <= at and (i.to_ms is None or at < i.to_ms)
    }
    expected = {("phase", path.phase_at(at)[0]), ("latency", path.latency_state_at(at)[0])}
    expected = {pair for pair in expected if pair[1] is not None}
    if evaluate(rule, path, at)[0]:
        expected.add(("segment", "7"))
    assert holding == expected


@quick
@given(journeys())
def test_what_an_event_began_names_it_and_what_silence_began_names_nothing(events):
    _, intervals = advance(None, events, MODEL, NO_SEGMENTS)
    moments = {e.occurred_ms: e.event_id for e in events}  # the last of each moment
    for interval in intervals:
        assert interval.event_id == moments.get(interval.from_ms)


@quick
@given(journeys())
def test_ahead_is_what_the_last_event_drew(events):
    state, drawn = advance(None, events, MODEL, NO_SEGMENTS)
    last = events[-1].occurred_ms
    again = ahead(state, MODEL, NO_SEGMENTS)
    assert {(i.kind, i.key, i.to_ms) for i in again} == {
        (i.kind, i.key, i.to_ms) for i in drawn if i.to_ms is None or i.to_ms > last
    }


@pytest.mark.parametrize("type_", ["hired", "consent_changed"])
def test_a_hire_or_a_withdrawal_ends_what_was_drawn(type_):
    consent = REFUSED if type_ == "consent_changed" else AGREED
    events = [agreed(), event(type_, T0 + DAY_MS, consent=consent)]
    _, intervals = advance(None, events, MODEL, NO_SEGMENTS)
    expected = {
        ("phase", "see", T0, T0 + DAY_MS),
        ("latency", "latent_latent", T0, T0 + DAY_MS),
    }
    if type_ == "hired":
        expected.add(("phase", "care", T0 + DAY_MS, None))
    assert rows(intervals) == expected


def test_a_count_that_runs_out_beyond_the_horizon_is_drawn_as_far_as_it_reaches():
    recent = Events(type="events", event=("page",), within_days=730)
    rulebook = Rulebook((("in", recent), ("out", Not(type="not", rule=recent))))
    _, intervals = advance(None, [event("page", T0, consent=AGREED)], MODEL, rulebook)
    assert {row for row in rows(intervals) if row[0] == "segment"} == {
        ("segment", "in", T0, T0 + 730 * DAY_MS),
        ("segment", "out", T0 + 730 * DAY_MS, None),
    }


def test_whoever_did_not_agree_is_in_no_segment():
    rulebook = Rulebook((("out", Not(type="not", rule=Events(type="events", within_days=1))),))
    _, intervals = advance(None, [event("page", T0)], MODEL, rulebook)
    assert intervals == []
