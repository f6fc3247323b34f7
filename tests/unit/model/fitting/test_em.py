"""The E-step against Van Loan's blocks and against slopes; the M-step; both in turn."""

import numpy as np
import pytest
from scipy.linalg import expm

from services.model.fitting.em import expected_of, fit, fit_echo, log_prior
from services.model.fitting.expect import expect
from services.model.fitting.history import HIRED, NOTHING
from services.model.fitting.maximise import Prior, exposure, maximise
from services.model.fitting.pack import batches
from services.model.fitting.tables import tables
from services.model.version import generator
from tests.unit.model.fitting.people import (
    BOTH,
    CODES,
    DAY_ONE,
    changed,
    history,
    scaled,
    with_echo,
    world,
)

ROUND_TRIP = changed(
    mean_days_until={
        "latent_latent": {"actively_latent": 20, "active": 1e6},
        "actively_latent": {"latent_latent": 1e6, "active": 22},
        "active": {"latent_latent": 21, "actively_latent": 1e6, "hired": 80},
    },
    rates_per_day=dict.fromkeys(CODES, (0.001, 0.001, 0.001)),
)
"""Everybody goes round one way: the generator's exponents are complex."""


@pytest.mark.parametrize("version", [DAY_ONE, ROUND_TRIP])
def test_the_sums_are_what_block_exponentials_give(version):
    steps = [(3.0, CODES["page"]), (3.0, CODES["vacancy_view"]), (40.5, CODES["magazine"])]
    one = history(*steps, (90.0, NOTHING))
    found = expect(batches(one, version)[0], tables(version))
    days, moves, likelihood = _by_blocks([*steps, (90.0, NOTHING)], version)
    assert found.log_likelihood == pytest.approx(np.log(likelihood), rel=1e-10)
    assert found.days == pytest.approx(days, rel=1e-9, abs=1e-12)
    assert found.moves == pytest.approx(moves, rel=1e-9, abs=1e-12)
    assert found.days.sum() == pytest.approx(90.0)


def _by_blocks(steps, version):
    """(days per frailty point and state, moves, likelihood), interval by interval by 6×6 blocks."""
    t = tables(version)
    q, hire = generator(version)
    rates = np.array(list(version.rates_per_day.values())).sum(axis=0)
    whole = np.zeros((5, 3, 3))
    total = 0.0
    level, last = 0.0, 0.0
    weights = []
    for day, code in steps:
        level *= np.exp(-(day - last))
        weights.append((t.own[:, code] + t.called[:, code] * t.echo * level).reshape(5, 3))
        if code in {CODES["page"], CODES["vacancy_view"]}:
            level += 1.0
        last = day
    called = sum(1 - np.exp(-(steps[-1][0] - day)) for day, _ in steps[:2])
    for g in range(5):
        generator_ = q - np.diag(hire + rates * version.frailty.points[g])
        gaps = np.diff([0.0] + [day for day, _ in steps])
        jumps = [
            expm(generator_ * gap) @ np.diag(w[g]) for gap, w in zip(gaps, weights, strict=True)
        ]
        start = np.array(version.start) / 5
        for j, gap in enumerate(gaps):
            before = start @ _product(jumps[:j])
            after = np.diag(weights[j][g]) @ _product(jumps[j + 1 :]) @ np.ones(3)
            block = np.block(
                [[generator_, np.outer(after, before)], [np.zeros((3, 3)), generator_]]
            )
            whole[g] += expm(block * gap)[:3, 3:].T
        total += start @ _product(jumps) @ np.ones(3)
    whole /= total
    moves = (q - np.diag(np.diag(q))) * whole.sum(axis=0)
    return np.einsum("gii->gi", whole), moves, total * np.exp(-t.echo * called)


def _product(matrices):
    product = np.eye(3)
    for matrix in matrices:
        product = product @ matrix
    return product


def test_what_is_expected_is_the_slope_of_the_likelihood():
    histories = world(40, 300, seed=3).histories
    packed = batches(histories, DAY_ONE)
    found = expected_of(DAY_ONE, packed, map)
    events = found.events.reshape(5, 3, -1).sum(axis=0)
    watched = found.days.sum(axis=0)

    def slope(of):
        more, less = of(1e-4), of(-1e-4)
        high = expected_of(more, packed, map).log_likelihood
        return (high - expected_of(less, packed, map).log_likelihood) / 2e-4

    def rate(kind, i):
        return lambda by: changed(
            rates_per_day=DAY_ONE.rates_per_day
            | {
                kind: tuple(
                    r * np.exp(by * (i == k)) for k, r in enumerate(DAY_ONE.rates_per_day[kind])
                )
            }
        )

    for i in range(3):
        r = DAY_ONE.rates_per_day["magazine"][i]
        wanted = events[i, CODES["magazine"]] - r * exposure(DAY_ONE, found)[i]
        assert slope(rate("magazine", i)) == pytest.approx(wanted, rel=1e-4, abs=1e-3)

    def move(by):
        targets = DAY_ONE.mean_days_until["actively_latent"]
        faster = targets | {"active": targets["active"] * np.exp(-by)}
        return changed(mean_days_until=DAY_ONE.mean_days_until | {"actively_latent": faster})

    assert slope(move) == pytest.approx(found.moves[1, 2] - watched[1] / 90, rel=1e-4, abs=1e-3)

    def hire(by):
        slower = DAY_ONE.mean_days_until["active"] | {"hired": 75 * np.exp(-by)}
        return changed(mean_days_until=DAY_ONE.mean_days_until | {"active": slower})

    wanted = events[2, HIRED] - watched[2] / 75
    assert slope(hire) == pytest.approx(wanted, rel=1e-4, abs=1e-3)
    wanted = found.echo_slope - found.called
    assert slope(lambda by: with_echo(0.3 + by)) == pytest.approx(wanted, rel=1e-4, abs=1e-2)


def test_every_round_climbs_and_comes_nearer_to_who_the_people_are():
    truth = scaled([0.6, 0.8, 1.3], with_echo(0.1))
    seen = world(400, 365, seed=4, version=truth).histories
    packed = batches(seen, DAY_ONE)
    prior = Prior(DAY_ONE, 20_000, seen.rhythm)
    now, heights = DAY_ONE, []
    for _ in range(8):
        expected = expected_of(now, packed, map)
        heights.append(expected.log_likelihood + log_prior(now, prior))
        now = maximise(now, expected, prior)
    assert np.diff(heights).min() > 0
    for kind in ("page", "magazine", "vacancy_view"):
        ours, first = now.rates_per_day[kind][0], DAY_ONE.rates_per_day[kind][0]
        assert abs(ours - truth.rates_per_day[kind][0]) < abs(first - ours)
    assert now.echo.visits_per_visit < 0.2


def test_a_fit_of_nobody_is_the_prior():
    prior = Prior(DAY_ONE, 50_000, BOTH)
    nobody = batches(history((1e-6, NOTHING)), DAY_ONE)
    fitted = fit(prior, nobody, map)
    for kind, rates in DAY_ONE.rates_per_day.items():
        assert fitted.rates_per_day[kind] == pytest.approx(rates, rel=1e-6)
    assert fitted.mail.open == pytest.approx(DAY_ONE.mail.open)
    assert fitted.echo.visits_per_visit == pytest.approx(0.3)
    assert fitted.mean_days_until["active"] == pytest.approx(DAY_ONE.mean_days_until["active"])


@pytest.mark.parametrize("activity", [1, 2])
@pytest.mark.parametrize(("strength", "low", "high"), [(0.3, 0.25, 0.35), (0.0, 0.0, 0.06)])
def test_four_weeks_tell_whether_visits_call_visits(strength, low, high, activity):
    people = world(2_500, 28, seed=5, version=scaled(activity, with_echo(strength)))
    prior = Prior(DAY_ONE, 0, people.histories.rhythm)
    fitted = fit_echo(prior, batches(people.histories, DAY_ONE), map)
    assert low <= fitted.echo.visits_per_visit <= high
    assert fitted.rates_per_day == DAY_ONE.rates_per_day
