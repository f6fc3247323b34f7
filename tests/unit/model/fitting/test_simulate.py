"""The people that thresholds are made of live as their version says."""

import numpy as np
import pytest

from services.model.fitting.history import (
    CLICKS,
    HIRED,
    ISSUE,
    MAIL_CLICK,
    MAIL_OPEN,
    NOT_CLICKED,
    NOT_OPENED,
    NOTHING,
)
from tests.unit.model.fitting.people import BOTH, CODES, DAY_ONE, changed, with_echo, world


@pytest.fixture(scope="module")
def silent():
    """Nobody calls anybody."""
    return world(1_500, 365, seed=1, version=with_echo(0.0))


def test_the_same_seed_gives_the_same_people():
    one, same, other = (world(50, 100, seed).histories for seed in (1, 1, 2))
    assert one.days.tolist() == same.days.tolist()
    assert one.codes.tolist() == same.codes.tolist()
    assert one.days.tolist() != other.days.tolist()


def test_acts_come_at_their_rates(silent):
    kind = silent.histories.codes == CODES["magazine"]
    seen = np.bincount(silent.state[kind], minlength=3)
    wanted = silent.days_in * np.array(DAY_ONE.rates_per_day["magazine"])
    assert np.abs(seen - wanted).max() < 5 * np.sqrt(wanted.max())


def test_people_begin_and_move_and_are_hired_as_often_as_they_should(silent):
    hired = (silent.histories.codes == HIRED).sum()
    wanted = silent.days_in[2] / 75
    assert abs(hired - wanted) < 4 * np.sqrt(wanted)
    assert silent.days_in.sum() == pytest.approx(silent.histories.spell_days.sum())
    last = silent.histories.codes[silent.histories.ends - 1]
    assert set(last.tolist()) == {HIRED, NOTHING}


@pytest.mark.parametrize(
    ("more", "name", "per_day"), [(0, "mail", 0), (ISSUE, "magazine_issue", 1)]
)
def test_every_mail_is_answered_or_closes(silent, more, name, per_day):
    codes, state = silent.histories.codes, silent.state
    counts = {c: np.bincount(state[codes == c + more], minlength=3) for c in range(2, 8)}
    answers = getattr(DAY_ONE, name)
    all_mails = counts[MAIL_OPEN] + counts[NOT_OPENED]
    share = counts[MAIL_OPEN].sum() / all_mails.sum()
    assert min(answers.open) < share < max(answers.open)
    assert counts[MAIL_CLICK].sum() + counts[NOT_CLICKED].sum() <= counts[MAIL_OPEN].sum()
    assert silent.histories.rhythm[per_day] == pytest.approx(BOTH[per_day], rel=0.06)


def test_the_echo_adds_as_many_visits_as_it_should(silent):
    called = world(1_500, 365, seed=1, version=with_echo(0.5))

    def site(of):
        return np.isin(of.histories.codes, [CODES[k] for k in DAY_ONE.site_kinds]).sum()

    # Each visit, and each click in a mail, calls half a visit, and that one half of one more;
    # those within half an hour of another of their kind do not count.
    clicks = np.isin(called.histories.codes, CLICKS).sum()
    assert site(called) == pytest.approx(2 * site(silent) + clicks, rel=0.06)


def test_what_comes_within_a_session_counts_once():
    version = changed(session_minutes=1_440.0)
    people = world(200, 365, seed=2, version=version).histories
    views = np.flatnonzero(people.codes == CODES["vacancy_view"])
    same = np.diff(people.spell_of[views]) == 0
    assert np.diff(people.days[views])[same].min() >= 1.0
