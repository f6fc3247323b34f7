"""Scoring begins with consent to profile, ends with its withdrawal or a hire, and begins anew."""

import pytest

from services.contract.event import Agreement, Consent, Event
from services.contract.phases import DAY_MS
from services.model.fold import fold
from services.model.path import Path
from services.model.rules import Events
from services.model.state import PersonState
from tests.unit.model.journeys import AGREED, MODEL, REFUSED, T0, agreed, event, folded, score_of


def day(number: float) -> int:
    return T0 + round(number * DAY_MS)


def phase(state: PersonState) -> str | None:
    return Path(state, MODEL).phase_at(state.at_ms)[0]


def test_nothing_is_scored_without_consent():
    state = folded(event("page", day(0)), event("applied", day(1)))
    path = Path(state, MODEL)
    assert state.score is None
    assert not path.scored
    assert path.phase_at(day(1)) == path.latency_state_at(day(1)) == (None, None)
    assert path.probability_at_least("active", 0.5, day(1)) is None
    assert path.switches == []


def test_what_came_before_consent_is_no_evidence_and_the_event_that_brings_it_is():
    fresh = folded(event("page", day(5), consent=AGREED))
    late = folded(event("vacancy_viewed", day(0)), event("page", day(5), consent=AGREED))
    assert score_of(late).p == score_of(fresh).p
    assert score_of(late).since_ms == day(5)


def test_consent_that_is_repeated_changes_nothing():
    said = folded(agreed(), event("page", day(1)), event("page", day(2), consent=AGREED))
    silent = folded(agreed(), event("page", day(1)), event("page", day(2)))
    assert said.score == silent.score


def test_withdrawn_is_forgotten_at_once_and_renewed_begins_at_the_beginning():
    before = [agreed(), event("vacancy_viewed", day(1)), event("sent", day(2), message_id="m")]
    no = event("consent_changed", day(3), consent=REFUSED)
    withdrawn = folded(*before, no)
    assert withdrawn.score is None
    assert not withdrawn.profile
    assert phase(withdrawn) is None
    assert folded(*before, no, event("page", day(4))).score is None
    renewed = folded(*before, no, event("page", day(5), consent=AGREED))
    assert score_of(renewed) == score_of(folded(event("page", day(5), consent=AGREED)))


def test_a_page_that_repeats_a_no_is_no_evidence_and_ends_nothing():
    before = [agreed(), event("vacancy_viewed", day(1))]
    for fields in ({}, {"server_only": True}, {"agreement": Agreement(given_ms=day(2))}):
        no = event("vacancy_viewed", day(3), consent=REFUSED, **fields)
        said = folded(*before, no)
        if fields:
            assert said.score is None, "an answer, or a server's word"
        else:
            assert said.profile
            unheard = score_of(folded(*before, event("page", day(4)))).p
            heard = score_of(fold(said, event("page", day(4)), MODEL)).p
            assert heard == pytest.approx(unheard)


def test_consent_to_other_purposes_is_kept_and_silence_about_them_changes_nothing():
    state = folded(event("identified", T0, consent=Consent(measure=True, contact=False)))
    assert (state.measure, state.profile, state.contact) == (True, False, False)
    state = fold(state, event("page", day(1)), MODEL)
    assert (state.measure, state.profile, state.contact) == (True, False, False)


HIRED = event("hired", day(10))
LEFT = event("left", day(400))


def employed(*later: Event) -> PersonState:
    return folded(agreed(), event("applied", day(1), properties={"topics": ["a"]}), HIRED, *later)


@pytest.mark.parametrize(
    "later",
    [
        [],
        [event("page", day(11))],
        [event("page", day(11), consent=AGREED)],
        [event("identified", day(11), consent=AGREED)],
        [event("vacancy_viewed", day(11)), event("applied", day(12))],
        [event("hired", day(12))],
    ],
)
def test_from_hire_to_leaving_it_is_care_and_nothing_is_scored(later):
    state = employed(*later)
    assert state.score is None
    assert phase(state) == "care"
    assert Path(state, MODEL).latency_state_at(state.at_ms) == (None, None)
    assert state.hired_ms == HIRED.occurred_ms


def test_nobody_employed_is_followed_by_interest_or_count_either():
    counted = Events(type="events", event=("page",), within_days=400)
    page = event("page", day(11), properties={"topics": ["a"]})
    for events in ([], [page], [LEFT, event("page", day(401))]):
        state = folded(agreed(), event("page", day(1)), HIRED, *events, rules=(counted,))
        assert state.engagement == {}
        assert state.rings_ms == {}


def test_whoever_left_is_scored_only_by_consent_given_anew():
    assert employed(LEFT).score is None
    assert phase(employed(LEFT)) is None
    # A page says what an old cookie holds; only identifying is a new answer.
    assert employed(LEFT, event("page", day(401), consent=AGREED)).score is None
    renewed = employed(LEFT, event("identified", day(402), consent=AGREED))
    assert score_of(renewed).p == list(MODEL.start)
    assert score_of(renewed).since_ms == day(402)
    assert phase(renewed) == "see"


def test_consent_given_while_employed_does_not_count_afterwards():
    state = employed(event("identified", day(20), consent=AGREED), LEFT)
    assert state.score is None


def test_a_second_hire_is_care_again():
    again = employed(LEFT, event("hired", day(500)))
    assert phase(again) == "care"
    assert again.hired_ms == day(500)
    renewed = employed(
        LEFT, event("identified", day(402), consent=AGREED), event("hired", day(500))
    )
    assert phase(renewed) == "care"
    assert renewed.score is None


def test_leaving_without_having_been_hired_means_nothing():
    state = folded(agreed(), event("left", day(3)))
    assert state.left_ms is None
    assert phase(state) == "see"
