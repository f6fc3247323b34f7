"""Silence, evidence and frailty against scipy and plain formulas."""

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.linalg import block_diag, expm
from scipy.stats import gamma

from services.model.filter import after_silence, log_odds, states, weigh, weigh_organic
from services.model.version import GRID, SIZE, build, generator
from tests.unit.model.journeys import MODEL, probabilities, quick

PARAMETERS = MODEL.parameters


def absorbing_generator() -> np.ndarray:
    """15 states, and one more for everything that ends a silence: an event, or being hired."""
    q, hire = generator(PARAMETERS)
    organic = np.array(list(PARAMETERS.rates_per_day.values())).sum(axis=0)
    blocks = [q - np.diag(hire + z * organic) for z in PARAMETERS.frailty.points]
    whole = np.zeros((SIZE + 1, SIZE + 1))
    whole[:SIZE, :SIZE] = block_diag(*blocks)
    whole[:SIZE, SIZE] = -whole[:SIZE, :SIZE].sum(axis=1)
    return whole


@quick
@given(probabilities(), st.floats(0.0, 60.0))
def test_silence_is_the_matrix_exponential_given_that_nothing_ended_it(p, days):
    expected = (np.array([*p, 0.0]) @ expm(absorbing_generator() * days))[:SIZE]
    expected /= expected.sum()
    assert np.abs(np.array(after_silence(p, days, MODEL)) - expected).max() < 1e-12


def test_years_of_silence_reach_the_quasi_stationary_shares_and_do_not_underflow():
    late = after_silence(list(MODEL.start), 30 * 365.0, MODEL)
    assert late == pytest.approx(after_silence(late, 365.0, MODEL), abs=1e-12)
    assert all(x > 0.0 for x in late)
    assert math.isfinite(log_odds(late)[0])


@quick
@given(probabilities(), st.floats(0.0, 200.0), st.floats(0.0, 200.0))
def test_silence_may_be_split_anywhere(p, first, second):
    at_once = after_silence(p, first + second, MODEL)
    in_two = after_silence(after_silence(p, first, MODEL), second, MODEL)
    assert in_two == pytest.approx(at_once, abs=1e-12)


def test_frailty_points_are_the_means_of_five_equal_masses():
    shape = PARAMETERS.frailty.shape
    density = gamma(shape, scale=1 / shape)
    bounds = [density.ppf(i / GRID) for i in range(GRID + 1)]
    for point, (low, high) in zip(PARAMETERS.frailty.points, pairwise(bounds), strict=True):
        mean = GRID * quad(lambda z: z * density.pdf(z), low, high, epsabs=1e-13)[0]
        assert point == pytest.approx(mean, abs=1e-9)
    assert sum(PARAMETERS.frailty.points) / GRID == pytest.approx(1.0, abs=1e-12)


@quick
@given(probabilities(), st.tuples(*[st.floats(1e-6, 1.0)] * 3))
def test_evidence_is_bayes(p, likelihood):
    raw = np.array(p).reshape(GRID, 3) * np.array(likelihood)
    expected = (raw / raw.sum()).ravel()
    assert np.array(weigh(p, likelihood)) == pytest.approx(expected, abs=1e-14)


@quick
@given(probabilities(), st.sampled_from(sorted(PARAMETERS.rates_per_day)), st.floats(0.0, 5.0))
def test_an_organic_event_weighs_its_rate_times_frailty_and_the_echo(p, kind, level):
    rates = np.array(PARAMETERS.rates_per_day[kind])
    raw = np.array(p).reshape(GRID, 3).copy()
    site = sum(np.array(PARAMETERS.rates_per_day[k]) for k in PARAMETERS.site_kinds)
    for g, z in enumerate(PARAMETERS.frailty.points):
        raw[g] *= z * rates * (1 + level / (z * site))
    expected = (raw / raw.sum()).ravel()
    found = weigh_organic(p, PARAMETERS.rates_per_day[kind], level, MODEL)
    assert np.array(found) == pytest.approx(expected, abs=1e-14)


@quick
@given(probabilities())
def test_log_odds_are_those_of_the_states_without_losing_digits(p):
    latent, turning, active = states(p)
    found = log_odds(p)
    assert found[0] == pytest.approx(math.log(active / (latent + turning)), abs=1e-12)
    assert found[1] == pytest.approx(math.log((turning + active) / latent), abs=1e-12)


def test_complex_exponents_are_refused_rather_than_wrong():
    days = {
        "latent_latent": {"actively_latent": 1.0},
        "actively_latent": {"active": 1.0},
        "active": {"latent_latent": 1.0},
    }
    circle = msgspec.structs.replace(PARAMETERS, mean_days_until=days)
    with pytest.raises(ValueError, match="complex"):
        build(circle)
