"""What an answer tells: mutual information, and rates of people whose states are hidden."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.event import Machine
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.filter import states
from services.model.path import Path
from services.model.telling import (
    CLICK,
    NOTHING,
    OPEN,
    UNSEEN,
    bits,
    bits_of_active,
    measured,
    next_mail,
    responses,
    usual,
)
from tests.unit.model.journeys import MODEL, REFUSED, T0, agreed, event, folded, quick

MAIL = usual(MODEL.parameters.mail)
CALENDAR = np.array(
    [[0.85, 0.147, 0.003], [0.7, 0.24, 0.06], [0.55, 0.18, 0.27]]
)  # .02/.20/.60 of those who open click
NEWS = (0.77, 0.14, 0.09)


def entropy(p) -> float:
    return -sum(x * math.log2(x) for x in p if x > 0)


@quick
@given(
    st.lists(st.floats(0.001, 1), min_size=3, max_size=3),
    st.lists(st.floats(0.001, 1), min_size=9, max_size=9),
)
def test_it_is_the_entropy_of_the_state_less_what_is_left_of_it(weights, raw):
    shares = np.array(weights) / sum(weights)
    rates = np.array(raw).reshape(3, 3)
    rates /= rates.sum(axis=1, keepdims=True)
    answers = shares @ rates
    left = sum(answers[o] * entropy(shares * rates[:, o] / answers[o]) for o in range(3))
    found = bits([shares], rates)[0]
    assert found == pytest.approx(entropy(shares) - left, abs=1e-12)
    of_active = bits_of_active([shares], rates)[0]
    assert -1e-12 <= of_active <= found + 1e-12  # a coarser question is answered no better


def test_who_is_known_is_told_nothing_of_and_equal_rates_tell_nothing():
    assert bits([(1.0, 0.0, 0.0), (0.0, 0.0, 1.0)], MAIL) == pytest.approx(0, abs=1e-12)
    assert bits([NEWS], np.tile(MAIL[0], (3, 1)))[0] == pytest.approx(0, abs=1e-12)


def test_content_that_reveals_tells_more_than_a_newsletter():
    assert bits([NEWS], CALENDAR)[0] > 1.5 * bits([NEWS], MAIL)[0]
    assert bits_of_active([NEWS], CALENDAR)[0] > 1.5 * bits_of_active([NEWS], MAIL)[0]


def test_a_mail_tells_most_of_whom_most_is_left_to_learn():
    told = [next_mail(p, MODEL)[0] for p in ((0.98, 0.01, 0.01), (0.5, 0.25, 0.25))]
    assert told[1] > 3 * told[0] > 0


def test_without_answers_what_is_usual_stays():
    assert measured([], [], MAIL, 50) == pytest.approx(MAIL)


def test_of_certain_states_it_is_the_plain_share_with_the_usual_added():
    shares = [(1.0, 0.0, 0.0)] * 60 + [(0.0, 0.0, 1.0)] * 40
    answers = [NOTHING] * 30 + [CLICK] * 30 + [CLICK] * 40
    found = measured(shares, answers, MAIL, 50)
    assert found[0] == pytest.approx((50 * MAIL[0] + [30, 0, 30]) / 110)
    assert found[1] == pytest.approx(MAIL[1])
    assert found[2] == pytest.approx((50 * MAIL[2] + [0, 0, 40]) / 90)


def test_rates_are_found_though_states_are_only_probable():
    seed = 7
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet((1.2, 0.6, 0.5), size=6000)
    hidden = [rng.choice(3, p=p) for p in shares]
    answers = [int(rng.choice(3, p=CALENDAR[state])) for state in hidden]
    found = measured(shares, answers, MAIL, 50)
    assert found == pytest.approx(CALENDAR, abs=0.05), seed
    # Whoever takes the probabilities for shares of certain people sees the states too much alike.
    blurred = np.stack(
        [[shares[np.array(answers) == o, i].sum() for o in range(3)] for i in range(3)]
    )
    blurred /= blurred.sum(axis=1, keepdims=True)
    off = [abs(x[2, CLICK] - CALENDAR[2, CLICK]) for x in (found, blurred)]
    assert off[0] < off[1] / 2
    few = measured(shares[:20], answers[:20], MAIL, 50)
    assert np.abs(few - MAIL).max() < 0.15


def test_an_open_that_may_be_a_machines_says_only_that_nobody_clicked():
    certain = [(1.0, 0.0, 0.0)] * 100
    found = measured(certain, [UNSEEN] * 100, MAIL, 50)
    assert found[0, CLICK] < MAIL[0, CLICK] / 2
    ratio = MAIL[0, NOTHING] / MAIL[0, OPEN]
    assert found[0, NOTHING] / found[0, OPEN] == pytest.approx(ratio, rel=1e-6)


def test_responses_are_what_came_of_each_mail_whose_window_has_closed():
    machine = Machine(p=0.9)
    events = [
        agreed(),
        event("sent", T0 + DAY_MS, message_id="alone"),
        event("sent", T0 + DAY_MS, message_id="opened"),
        event("sent", T0 + DAY_MS, message_id="proxy"),
        event("sent", T0 + DAY_MS, message_id="clicked", channel="magazine"),
        event("open", T0 + DAY_MS + 1, message_id="never told"),
        event("open", T0 + DAY_MS + 2, message_id="opened"),
        event("open", T0 + DAY_MS + 3, message_id="proxy", machine=machine),
        event("click", T0 + 2 * DAY_MS, message_id="clicked", content_id="calendar"),
        event("click", T0 + 2 * DAY_MS, message_id="clicked", content_id="story"),
        event("sent", T0 + 9 * DAY_MS, message_id="underway"),
    ]
    found = {r.message_id: r for r in responses(events, MODEL, T0 + 10 * DAY_MS)}
    assert {name: r.answer for name, r in found.items()} == {
        "alone": NOTHING,
        "opened": OPEN,
        "proxy": UNSEEN,
        "clicked": CLICK,
    }
    assert found["clicked"].issue
    assert found["clicked"].clicked == {"calendar", "story"}
    before = Path(folded(events[0]), MODEL).states_at(T0 + DAY_MS)
    assert found["alone"].shares == pytest.approx(before)
    assert sum(states(folded(*events).score.p)) == pytest.approx(1)


def test_of_who_is_not_followed_there_are_no_responses():
    events = [
        agreed(),
        event("sent", T0, message_id="m"),
        event("consent_changed", T0 + HOUR_MS, consent=REFUSED),
    ]
    assert responses(events, MODEL, T0 + 10 * DAY_MS) == []
    assert responses([], MODEL, T0) == []
