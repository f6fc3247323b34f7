"""Alarms against a plain loop per person; thresholds; what is judged by them."""

import numpy as np
import pytest

from services.model.fitting.alarms import Manner, counted, starts, threshold_for
from services.model.fitting.history import HIRED, NOTHING, join
from services.model.fitting.judge import calibration, judge, watch
from services.model.fitting.pack import batches
from services.model.fitting.ranks import auc, auc_among_alike, auc_gain, rank_correlation
from services.model.fitting.scores import Score, outcome_chances, points, score
from services.model.fitting.thresholds import derive, observed_per_year, with_thresholds
from tests.unit.model.fitting.people import BOTH, CODES, DAY_ONE, changed, history, world

MANNER = Manner(0.5, 7.0)


def _plainly(score, histories, threshold):
    """Whether an alarm began at each step, person by person."""
    began = []
    for begin, end in zip(histories.begins, histories.ends, strict=True):
        since = None
        for step in range(begin, end):
            day, up = histories.days[step], False
            for value in (score.before[step], score.after[step]):
                if since is not None and value < threshold / 2 and day - since >= 7:
                    since = None
                if since is None and value >= threshold:
                    since, up = day, True
            began.append(up)
    return began


def test_alarms_are_those_of_a_plain_loop():
    histories = world(60, 300, seed=1).histories
    packed = batches(histories, DAY_ONE)
    found = score(histories, packed, DAY_ONE, map).active
    for threshold in (0.05, 0.3, 0.8):
        began = starts(found, packed, threshold, MANNER)
        assert began.tolist() == _plainly(found, histories, threshold)
        ones = np.ones(len(began))
        assert counted(found, packed, np.array([threshold]), MANNER, ones)[0] == began.sum() > 0


def test_the_threshold_is_the_smallest_from_which_on_there_are_few_enough():
    histories = world(300, 365, seed=2).histories
    packed = batches(histories, DAY_ONE)
    found = score(histories, packed, DAY_ONE, map).active
    ones = np.ones(len(histories.days))
    enter = threshold_for(found, packed, MANNER, ones, 250, (0.01, 0.99))
    at = counted(found, packed, np.array([enter - 0.002, enter]), MANNER, ones)
    assert at[1] <= 250 < at[0]
    assert threshold_for(found, packed, MANNER, ones, 0, (0.01, 0.02)) == 0.02


def test_derived_thresholds_hold_for_people_of_another_seed():
    found = {one.signal: one for one in derive(DAY_ONE, BOTH, 1_000, 1, map)}
    assert found["active"].false_per_year == pytest.approx(0.10, rel=0.05)
    assert found["turning"].false_per_year == pytest.approx(0.30, rel=0.03)
    named = with_thresholds(DAY_ONE, list(found.values()))
    assert named.signals.active.enter == found["active"].enter
    other = world(600, 730, seed=9).histories
    seen = observed_per_year(other, DAY_ONE, list(found.values()), map)
    wanted = [one.expected_per_year for one in found.values()]
    assert seen == pytest.approx(wanted, rel=0.15)


def test_points_are_forgotten_by_half():
    one = history((0.0, CODES["page"]), (14.0, CODES["page"]), (28.0, NOTHING))
    found = points(one, batches(one, DAY_ONE), {CODES["page"]: 2.0}, 14.0)
    assert found.after.tolist() == pytest.approx([2.0, 3.0, 1.5])
    assert found.before.tolist() == pytest.approx([0.0, 1.0, 1.5])


def test_weekly_looks_stop_at_the_first_outcome():
    applied = history((10.0, CODES["application"]), (100.0, HIRED))
    quiet = history((50.0, NOTHING), person=1)
    watched = watch(join([applied, quiet]), DAY_ONE)
    days, marks = watched.histories.days, watched.is_mark
    # Of the quiet one's last four weeks it is not known what follows.
    assert days[marks].tolist() == [7.0, 7.0, 14.0, 21.0]
    assert watched.follows[marks].tolist() == [True, False, False, False]
    assert watched.outcomes == 1
    assert watched.years == pytest.approx(50 / 365.25)


def test_leads_are_counted_from_the_first_alarm_in_time():
    late = history((0.5, CODES["page"]), (40.0, CODES["application"]), (41.0, NOTHING))
    never = history((40.0, CODES["application"]), (41.0, NOTHING), person=1)
    watched = watch(join([late, never]), DAY_ONE)
    one = Score(np.zeros(len(watched.is_mark)), np.zeros(len(watched.is_mark)))
    one.after[watched.histories.days == 0.5] = 1.0
    one.after[watched.histories.codes == CODES["application"]] = 1.0  # too late to be of use
    found = judge(watched, one, MANNER, (0.1, 0.9))
    assert found.caught == 0.5
    assert found.lead_days == pytest.approx(39.5 / 2)


def test_chances_of_an_outcome_come_true():
    people = world(1_500, 365, seed=6).histories
    watched = watch(people, DAY_ONE)
    scored = score(watched.histories, watched.packed, DAY_ONE, map)
    expected, observed, error = calibration(watched, scored.outcome)
    assert expected == pytest.approx(observed, rel=0.15)
    assert error < 0.01
    never = changed(
        mean_days_until=DAY_ONE.mean_days_until | {"active": {"latent_latent": 400}},
        rates_per_day=DAY_ONE.rates_per_day | {"application": (1e-12, 1e-12, 1e-12)},
    )
    assert outcome_chances(never).max() < 1e-9


def test_rankings():
    truth = np.array([False, True, False, True])
    values = np.array([1.0, 2.0, 2.0, 3.0])
    assert auc(values, truth) == pytest.approx(0.875)
    assert auc(values, np.zeros(4, bool)) == 0.5
    assert rank_correlation(values, -values) == pytest.approx(-1)
    assert rank_correlation(values, np.ones(4)) == 0.0
    alike = np.array([1.0, 1.0, 2.0, 2.0])
    assert auc_among_alike(alike, truth, values) == 0.5
    assert auc_among_alike(values, np.zeros(4, bool), alike) == 0.5
    many, owner = np.tile(values, 50), np.arange(200)
    noise = np.random.default_rng(1).random(200)
    low, high = auc_gain(noise, many, np.tile(truth, 50), owner, seed=1)
    assert 0 < low < high
    assert auc_gain(many, many, np.tile(truth, 50), owner, seed=1) == (0.0, 0.0)
