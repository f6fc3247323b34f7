"""What is worse is named, in plain words; active does not turn into busy."""

import msgspec
import numpy as np
import pytest

from services.model.fitting.compare import compare, looking_share
from services.model.fitting.em import fit
from services.model.fitting.history import HIRED, NOTHING, Histories
from services.model.fitting.judge import watch
from services.model.fitting.maximise import Prior
from services.model.fitting.pack import batches
from tests.unit.model.fitting.people import CODES, DAY_ONE, changed, scaled, world

TRUTH = changed(
    scaled([0.6, 0.8, 1.2]),
    mean_days_until={
        "latent_latent": {"actively_latent": 800, "active": 4000},
        "actively_latent": {"latent_latent": 120, "active": 150},
        "active": {"latent_latent": 200, "actively_latent": 100, "hired": 300},
    },
)
BUSY = changed(
    rates_per_day={
        kind: (rates[0], rates[0] * 3, rates[0] * 10)
        for kind, rates in DAY_ONE.rates_per_day.items()
    }
)
"""Who is active does ten times as much of everything."""


@pytest.fixture(scope="module")
def people():
    histories = world(700, 365, seed=8, version=TRUTH).histories
    held_out = np.random.default_rng(1).random(700) < 0.4
    return histories.only(~held_out), histories.only(held_out)


def verdict(people, before, after):
    fitted_on, held_out = (watch(histories, DAY_ONE) for histories in people)
    return compare(before, after, held_out, fitted_on, map, seed=1)


def test_a_fit_is_better_on_people_that_it_has_not_seen(people):
    packed = batches(people[0], DAY_ONE)
    fitted = fit(Prior(DAY_ONE, 20_000, people[0].rhythm), packed, map)
    found = verdict(people, DAY_ONE, fitted)
    assert found.worse == ()
    assert found.gain_per_person > 3 * found.gain_error
    assert found.after.calibration_error < found.before.calibration_error
    assert found.after.auc > found.points.auc > 0.5
    back = verdict(people, fitted, DAY_ONE)
    assert "explains what held-out people did less well" in back.worse[0]
    assert any("farther from what came" in reason for reason in back.worse)


def test_busy_is_not_active(people):
    found = verdict(people, DAY_ONE, BUSY)
    reasons = " ".join(found.worse)
    assert "active would turn into busy: of what somebody active does" in reasons
    assert "comes to follow plain activity" in reasons
    assert looking_share(BUSY) < 0.1 < looking_share(DAY_ONE)


def test_without_labels_a_strong_prior_keeps_active_from_turning_into_busy():
    """People far more unequal than the model thinks, whose applications and hires nobody sees."""
    frailty = msgspec.structs.replace(DAY_ONE.frailty, shape=0.35)
    histories = world(500, 250, seed=5, version=changed(TRUTH, frailty=frailty)).histories
    labels = [HIRED, CODES["application"], CODES["application_start"]]
    codes = np.where(np.isin(histories.codes, labels), NOTHING, histories.codes).astype(np.int8)
    unseen = Histories(histories.person, histories.ends, histories.days, codes)
    held_out = np.random.default_rng(1).random(500) < 0.4
    people = unseen.only(~held_out), unseen.only(held_out)
    packed = batches(people[0], DAY_ONE)
    for prior_days, is_busy in ((2_000, True), (200_000, False)):
        fitted = fit(Prior(DAY_ONE, prior_days, unseen.rhythm), packed, map)
        found = verdict(people, DAY_ONE, fitted)
        assert any("busy" in reason for reason in found.worse) is is_busy
        assert found.outcomes == 0
