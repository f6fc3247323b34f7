"""The account of a score adds up, at any moment, for both signals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.phases import DAY_MS
from services.model.explain import explain, state_at
from services.model.filter import log_odds
from services.model.fold import fold
from services.model.path import Path
from services.model.words import strength, together, what
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
    score_of,
)


@quick
@given(journeys(employment=True), st.integers(-DAY_MS, 500 * DAY_MS))
def test_prior_and_contributions_are_the_score(events, after_ms):
    at = T0 + after_ms
    account = explain(events, MODEL, at)
    state = None
    for each in events:
        if each.occurred_ms <= at:
            state = fold(state, each, MODEL)
    if state is None or state.score is None:
        assert account is None
        return
    active, turning = log_odds(Path(state, MODEL, until_ms=at).probabilities_at(at))
    assert account.active == pytest.approx(active, abs=1e-12)
    assert account.turning == pytest.approx(turning, abs=1e-12)
    steps = account.contributions
    assert math.fsum([account.prior_active, *(c.active for c in steps)]) == pytest.approx(
        active, abs=1e-9
    )
    assert math.fsum([account.prior_turning, *(c.turning for c in steps)]) == pytest.approx(
        turning, abs=1e-9
    )


@quick
@given(journeys(employment=True), st.integers(0, 500 * DAY_MS))
def test_an_account_is_in_order_without_holes_and_can_be_said(events, after_ms):
    account = explain(events, MODEL, T0 + after_ms)
    if account is None:
        return
    assert (account.prior_active, account.prior_turning) == log_odds(MODEL.start)
    heard = account.since_ms
    for step in account.contributions:
        assert step.from_ms == heard or step.from_ms == step.to_ms == heard
        assert (step.event is None) == (step.kind == "silence" or "_not_" in step.kind)
        assert (step.kind == "silence") == (step.to_ms > step.from_ms)
        heard = step.to_ms
        for language in ("nl", "en"):
            assert what(step, language)
            assert "{" not in together([step, step], language)
            assert strength(step.turning, language)
    assert heard == account.at_ms or not account.contributions


def test_a_fresh_start_forgets_what_was_said_before():
    events = [
        agreed(),
        event("vacancy_viewed", T0 + DAY_MS),
        event("consent_changed", T0 + 2 * DAY_MS, consent=REFUSED),
        event("page", T0 + 3 * DAY_MS, consent=AGREED),
    ]
    account = explain(events, MODEL, T0 + 4 * DAY_MS)
    assert account.since_ms == T0 + 3 * DAY_MS
    assert [c.kind for c in account.contributions] == ["page", "silence"]


def test_every_step_is_named():
    window = MODEL.mail_window_ms
    events = [
        agreed(),
        event("sent", T0, message_id="a"),
        event("sent", T0 + 1, message_id="b"),
        event("open", T0 + DAY_MS, message_id="b"),
        event("vacancy_viewed", T0 + DAY_MS, properties={"title": "Monteur"}),
    ]
    account = explain(events, MODEL, T0 + window + DAY_MS)
    assert [c.kind for c in account.contributions] == [
        "silence",
        "silence",
        "mail_open",
        "vacancy_view",
        "silence",
        "mail_not_opened",
        "silence",
        "mail_not_clicked",
        "silence",
    ]
    assert what(account.contributions[3], "nl") == "bekeek een vacature: Monteur"


def test_what_is_alike_is_said_at_once():
    window = MODEL.mail_window_ms
    events = [agreed(), *(event("sent", T0 + i, message_id=str(i)) for i in range(3))]
    told = explain(events, MODEL, T0 + window + 3 * DAY_MS).contributions
    unopened = [c for c in told if c.kind == "mail_not_opened"]
    silences = [c for c in told if c.kind == "silence"]
    assert together(unopened, "nl") == "liet 3 mails ongeopend"
    assert together(unopened[:1], "en") == "left a mail unopened"
    days = round((window + 3 * DAY_MS) / DAY_MS)
    times = f"bleef {len(silences)} keer stil tussen wat er gebeurde"
    assert together(silences, "nl") == f"{times}, bij elkaar opgeteld {days} dagen"
    short = [c for c in silences if c.to_ms - c.from_ms < DAY_MS]
    assert what(short[0], "nl") == "liet niets van zich horen (korter dan een dag)"
    assert (
        together(short[:2], "en")
        == "was quiet 2 times between what happened, less than a day added up"
    )


@quick
@given(journeys(), st.integers(0, 200 * DAY_MS), st.integers(0, 200 * DAY_MS))
def test_the_state_between_events_is_the_same_however_often_it_is_asked_for(events, a, b):
    first = state_at(events, MODEL, T0 + a)
    state_at(events, MODEL, T0 + b)
    assert state_at(events, MODEL, T0 + a) == first


def test_no_digits_are_lost_near_certainty():
    certain = [event("application_started", T0 + i * DAY_MS) for i in range(1, 30)]
    score = score_of(folded(agreed(), *certain))
    assert log_odds(score.p)[1] > 10.0
    account = explain([agreed(), *certain], MODEL, certain[-1].occurred_ms)
    total = account.prior_turning + math.fsum(c.turning for c in account.contributions)
    assert total == pytest.approx(log_odds(score.p)[1], abs=1e-9)


@quick
@given(journeys(employment=True), st.integers(0, 500 * DAY_MS), st.integers(1, 7))
def test_told_in_pieces_it_is_the_same(events, after_ms, limit):
    whole = explain(events, MODEL, T0 + after_ms)
    if whole is None:
        return
    told, until = [], None
    ends = whole.active, whole.turning
    while until != 0:
        part = explain(iter(events), MODEL, T0 + after_ms, until=until, limit=limit)
        assert (part.active, part.turning) == ends, "where a part ends the next one began"
        ends = part.prior_active, part.prior_turning
        told, until = [*part.contributions, *told], part.earlier
    assert tuple(told) == whole.contributions
    assert ends == (whole.prior_active, whole.prior_turning)
