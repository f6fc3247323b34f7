"""Engagement: weights that fade, kept as one number that does not change by waiting."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.event import Machine
from services.contract.phases import DAY_MS
from services.model.engagement import TOPICS_MAX, present
from services.model.fold import fold
from tests.unit.model.journeys import MODEL, T0, agreed, event, folded, journeys, quick

NUMBERS = MODEL.parameters.engagement
WEIGHTS = NUMBERS.weights
HALF_LIFE_MS = MODEL.parameters.engagement.half_life_days * DAY_MS


def seen_at(kept: float, at_ms: int) -> float:
    return math.exp(kept - MODEL.engagement_per_ms * at_ms)


@quick
@given(journeys(), st.integers(0, 100 * DAY_MS))
def test_it_is_the_plain_decayed_sum_at_any_moment(events, later_ms):
    state = folded(*events)
    now = state.at_ms + later_ms
    clicks: set[str] = set()
    plain: dict[str, float] = {}
    followed = False
    for each in events:
        if each.consent.profile is False and not each.server_only:
            continue  # no answer, and told by no server: it is not heard
        if each.consent.profile is not None:
            followed = each.consent.profile
        if not followed:
            clicks, plain = set(), {}
            continue
        if each.machine.p >= 0.5 or each.click_id in clicks:
            continue
        clicks |= {each.click_id} - {None}
        worth = WEIGHTS.get(each.type, 0.0) * 0.5 ** ((now - each.occurred_ms) / HALF_LIFE_MS)
        for key in ["", *sorted(set(each.properties.get("topics", [])))] if worth else []:
            plain[key] = plain.get(key, 0.0) + worth
    assert set(state.engagement) == set(plain)
    for key, kept in state.engagement.items():
        assert seen_at(kept, now) == pytest.approx(plain[key], rel=1e-9)


def test_it_halves_in_a_half_life_and_nothing_is_kept_anew_by_waiting():
    state = folded(agreed(), event("page", T0))
    later = fold(state, event("custom", T0 + 300 * DAY_MS), MODEL)
    assert later.engagement == state.engagement
    kept = state.engagement[""]
    assert seen_at(kept, T0) == pytest.approx(WEIGHTS["page"])
    assert seen_at(kept, T0 + round(HALF_LIFE_MS)) == pytest.approx(WEIGHTS["page"] / 2)


def test_topics_that_are_no_list_of_words_are_left_out():
    for topics in ("a", {"a": 1}, [1, None, "", ["a"]], None, ["a" * 201]):
        state = folded(agreed(), event("page", T0, properties={"topics": topics}))
        assert list(state.engagement) == [""]


def test_a_machine_is_not_engaged():
    assert folded(agreed(), event("page", T0, machine=Machine(p=0.7))).engagement == {}


def against_at(state, at_ms: int) -> dict[str, float]:
    return present(state.habits.against, at_ms, MODEL)


def test_what_speaks_against_stands_apart():
    window = MODEL.mail_window_ms
    sent = [event("sent", T0, message_id=m) for m in "abc"]
    state = folded(
        agreed(),
        *sent,
        event("open", T0 + 1, message_id="a"),
        event("open", T0 + 2, message_id="b", machine=Machine(p=0.9)),
        event("custom", T0 + window),
    )
    assert against_at(state, T0 + window) == {"": pytest.approx(NUMBERS.unopened)}
    gone = fold(state, event("unsubscribe", T0 + window, properties={"topics": ["a"]}), MODEL)
    worth = NUMBERS.against["unsubscribe"]
    assert against_at(gone, T0 + window) == {
        "": pytest.approx(NUMBERS.unopened + worth),
        "a": pytest.approx(worth),
    }
    assert gone.engagement == state.engagement


def test_after_unsubscribing_no_mail_left_alone_speaks_against():
    state = folded(
        agreed(),
        event("unsubscribe", T0),
        event("sent", T0 + 1, message_id="a"),
        event("custom", T0 + 99 * DAY_MS),
    )
    assert against_at(state, T0) == {"": pytest.approx(NUMBERS.against["unsubscribe"])}


def test_of_too_many_topics_the_weakest_gives_way():
    pages = [
        event("page", T0 + i * DAY_MS, properties={"topics": [f"t{i}"]}) for i in range(TOPICS_MAX)
    ]
    state = folded(agreed(), *pages)
    assert set(state.engagement) == {"", *(f"t{i}" for i in range(1, TOPICS_MAX))}
