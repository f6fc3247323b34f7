"""Visits: bursts count once, visits call visits, a click and its landing page are one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.contract.event import Event, Machine
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.filter import log_odds
from services.model.fold import fold
from tests.unit.model.journeys import MINUTE_MS, MODEL, T0, agreed, event, folded, quick, score_of

N = MODEL.parameters.echo.visits_per_visit
TAU = MODEL.parameters.echo.time_constant_days
SESSION_MS = MODEL.session_ms


def counts(before: list[Event], one: Event) -> bool:
    """Whether an event moves the probabilities more than the silence before it does."""
    state = folded(agreed(), *before)
    nothing = fold(state, event("custom", one.occurred_ms), MODEL)
    return score_of(fold(state, one, MODEL)).p != score_of(nothing).p


@quick
@given(st.lists(st.integers(0, 2 * SESSION_MS), min_size=1, max_size=8))
def test_a_session_slides(gaps):
    """A kind counts if there was none of it in the half hour before, counted or not."""
    at, before = T0, []
    for i, gap in enumerate(gaps):
        at += gap
        one = event("page", at)
        assert counts(before, one) is (i == 0 or gap >= SESSION_MS)
        before.append(one)


@pytest.mark.parametrize("type_", ["page", "vacancy_viewed", "click", "open"])
def test_what_anybody_may_send_of_somebody_is_bounded(type_):
    """Hundreds at once with the key of a page, of any date and any mailing, count as one."""
    now = T0 + 200 * DAY_MS
    forged = [
        structs.replace(
            event(type_, T0 + i * HOUR_MS, message_id=f"m{i}", source_id=1), received_ms=now + i
        )
        for i in range(300)
    ]
    one, all_ = folded(agreed(), forged[0]), folded(agreed(), *forged)
    silent = folded(agreed(), forged[0], event("custom", forged[-1].occurred_ms))
    assert score_of(all_).p == pytest.approx(score_of(silent).p)
    assert score_of(one).turning_ms is None or type_ == "vacancy_viewed"
    assert score_of(all_).mails == []
    by_server = [structs.replace(each, server_only=True) for each in forged]
    assert score_of(folded(agreed(), *by_server)).p != pytest.approx(score_of(silent).p)


def test_kinds_have_sessions_of_their_own():
    first = event("page", T0 + MINUTE_MS)
    assert not counts([first], event("read", T0 + 2 * MINUTE_MS))  # the same kind of evidence
    assert counts([first], event("vacancy_viewed", T0 + 2 * MINUTE_MS))
    assert counts([first], event("page", T0 + 2 * MINUTE_MS, channel="magazine"))


def test_a_machines_visit_says_nothing_and_begins_no_session():
    robot = event("page", T0 + MINUTE_MS, machine=Machine(p=0.5))
    assert not counts([], robot)
    assert counts([robot], event("page", T0 + 2 * MINUTE_MS))


@quick
@given(
    st.lists(
        st.tuples(
            st.integers(SESSION_MS, 3 * DAY_MS),
            st.sampled_from(["page", "vacancy_viewed", "play", "share", "click", "open"]),
        ),
        min_size=1,
        max_size=10,
    )
)
def test_the_echo_is_the_sum_over_earlier_visits_and_mail_clicks(gaps):
    at, calls, state = T0, [], folded(agreed())
    for i, (gap, type_) in enumerate(gaps):
        at += gap
        mail = {"message_id": f"m{i}"} if type_ in {"click", "open"} else {}
        state = fold(state, event(type_, at, **mail), MODEL)
        if type_ in {"page", "vacancy_viewed", "click"}:
            calls.append(at)
        score = score_of(state)
        kept = score.echo_per_day * math.exp(-(at - score.echo_ms) / DAY_MS / TAU)
        plain = sum(N / TAU * math.exp(-(at - t) / DAY_MS / TAU) for t in calls)
        assert kept == pytest.approx(plain, abs=1e-12)


def test_an_evening_of_visits_says_less_each_time():
    state, gains = folded(agreed()), []
    for i in range(6):
        at = T0 + DAY_MS + i * SESSION_MS
        silent = fold(state, event("custom", at), MODEL)
        state = fold(state, event("page", at), MODEL)
        gains.append(log_odds(score_of(state).p)[1] - log_odds(score_of(silent).p)[1])
    assert gains == sorted(gains, reverse=True)
    assert gains[0] > 0.5
    # What remains is what was looked at: of all visits more are pages in those who do not look.
    assert -0.3 < gains[-1] < 0.0


@pytest.mark.parametrize("first", ["click", "page"])
def test_a_redirect_and_its_landing_page_are_one(first):
    second = "page" if first == "click" else "click"
    one = event(first, T0 + DAY_MS, click_id="c")
    other = event(second, T0 + 2 * DAY_MS, click_id="c")
    assert counts([], one)
    assert not counts([one], other)
    assert counts([one], event(second, T0 + 2 * DAY_MS, click_id="d"))
    state = folded(agreed(), one)
    assert fold(state, other, MODEL).engagement == state.engagement


@pytest.mark.parametrize(
    ("type_", "fields", "kind"),
    [
        ("page", {}, "page"),
        ("read", {}, "page"),
        ("page", {"channel": "social"}, "social"),
        ("read", {"channel": "podcast"}, "podcast"),
        ("vacancy_viewed", {"channel": "social"}, "vacancy_view"),
        ("click", {}, "page"),
        ("click", {"content_type": "vacancy"}, "vacancy_click"),
        ("applied", {"channel": "ats", "server_only": True}, "application"),
    ],
)
def test_what_an_event_is_evidence_of(type_, fields, kind):
    rates = MODEL.parameters.rates_per_day[kind]
    start = folded(agreed())
    z = MODEL.parameters.frailty.points
    raw = [p * rates[i % 3] * z[i // 3] for i, p in enumerate(MODEL.start)]
    found = score_of(fold(start, event(type_, T0, **fields), MODEL)).p
    assert found == pytest.approx([x / sum(raw) for x in raw], abs=1e-14)


@pytest.mark.parametrize("type_", ["custom", "comment", "stage_changed", "rejected", "sent"])
def test_other_events_are_no_evidence(type_):
    assert not counts([], event(type_, T0 + DAY_MS))
