"""What is fitted on is what the fold weighs."""

import numpy as np
import pytest
from hypothesis import given

from services.contract.event import Consent
from services.contract.phases import DAY_MS
from services.model.fitting.history import (
    HIRED,
    ISSUE,
    MAIL_CLICK,
    MAIL_OPEN,
    NOT_CLICKED,
    NOT_OPENED,
    NOTHING,
    UNSUBSCRIBE,
    join,
)
from services.model.fitting.pack import batches
from services.model.fitting.passes import forward
from services.model.fitting.scribe import STEPS_MAX, Scribe
from services.model.fitting.tables import tables
from services.model.fold import elapse, fold
from tests.unit.model.fitting.people import CODES, DAY_ONE
from tests.unit.model.journeys import AGREED, MODEL, T0, agreed, event, journeys, quick


def written(*events, days=30.0):
    scribe = Scribe(MODEL)
    scribe.follow(3, events, events[-1].occurred_ms + round(days * DAY_MS))
    return scribe.histories()


def steps(histories):
    return list(zip(histories.days.tolist(), histories.codes.tolist(), strict=True))


@quick
@given(journeys(employment=True))
def test_the_columns_hold_what_the_fold_holds(events):
    until = events[-1].occurred_ms + 5 * DAY_MS
    state = None
    for one in events:
        state = fold(state, one, MODEL)
    elapse(state, until, MODEL)
    histories = written(*events, days=5.0)
    if state.score is None:
        return
    last = len(histories.ends) - 1
    for batch in batches(histories, DAY_ONE):
        held = forward(batch, tables(DAY_ONE))
        for column in np.flatnonzero(batch.spells == last):
            p = held.after[histories.lengths[last] - 1, :, column]
            assert p == pytest.approx(state.score.p, rel=1e-6, abs=1e-12)


def test_mails_and_issues_close_as_they_were_answered():
    mails = [
        event("sent", T0, message_id="a"),
        event("sent", T0, message_id="b"),
        event("sent", T0, message_id="c", channel="magazine"),
        event("open", T0 + DAY_MS, message_id="b"),
        event("click", T0 + 2 * DAY_MS, message_id="c", channel="magazine"),
        event("unsubscribe", T0 + 5 * DAY_MS, message_id="x", channel="magazine"),
    ]
    assert steps(written(agreed(), *mails)) == [
        (1.0, MAIL_OPEN),
        (2.0, MAIL_OPEN + ISSUE),
        (2.0, MAIL_CLICK + ISSUE),
        (4.0, NOT_OPENED),
        (4.0, NOT_CLICKED),
        (5.0, UNSUBSCRIBE + ISSUE),
        (35.0, NOTHING),
    ]


def test_a_hire_ends_a_spell_and_consent_after_leaving_begins_another():
    histories = written(
        agreed(),
        event("page", T0 + DAY_MS),
        event("hired", T0 + 2 * DAY_MS),
        event("page", T0 + 3 * DAY_MS),
        event("left", T0 + 4 * DAY_MS),
        event("identified", T0 + 5 * DAY_MS, consent=AGREED),
        event("vacancy_viewed", T0 + 6 * DAY_MS),
    )
    assert steps(histories) == [
        (1.0, CODES["page"]),
        (2.0, HIRED),
        (1.0, CODES["vacancy_view"]),
        (31.0, NOTHING),
    ]
    assert histories.person.tolist() == [3, 3]


def test_withdrawn_consent_ends_what_is_known():
    refused = Consent(profile=False)
    histories = written(agreed(), event("page", T0 + DAY_MS, consent=refused, server_only=True))
    assert steps(histories) == [(1.0, NOTHING)]


def test_a_spell_is_kept_up_to_its_bound():
    visits = (event("page", T0 + i * DAY_MS // 4) for i in range(1, STEPS_MAX + 50))
    histories = written(agreed(), *visits)
    assert histories.lengths.tolist() == [STEPS_MAX]
    assert histories.codes[-1] == NOTHING


def test_marks_fall_between_steps_and_before_those_of_their_moment():
    one = written(agreed(), event("page", T0 + 7 * DAY_MS), days=7.0)
    both = join([one, one]).with_marks(7.0)
    wanted = [(7.0, NOTHING), (7.0, CODES["page"]), (14.0, NOTHING), (14.0, NOTHING)]
    assert steps(both) == wanted * 2
    assert both.ends.tolist() == [4, 8]
