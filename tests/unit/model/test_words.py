"""An account in words: for a recruiter and for the person concerned, in Dutch and English."""

import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contract.phases import DAY_MS
from services.model import words
from services.model.explain import Contribution, explain
from services.model.parameters import KINDS
from services.model.summary import summary
from services.model.words import Audience, Language, together, what
from tests.unit.model.journeys import MODEL, T0, agreed, event, journeys, quick

LANGUAGES = typing.get_args(Language)
AUDIENCES = typing.get_args(Audience)
ANSWERS = [
    f"{sort}_{answer}"
    for sort in ("mail", "issue")
    for answer in ("open", "click", "not_opened", "not_clicked")
]


@pytest.mark.parametrize("kind", [*KINDS, *ANSWERS, "unsubscribe", "silence"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_can_be_said_to_everybody(kind, language):
    one = Contribution(kind, T0, T0 + 3 * DAY_MS, None, 0.5, 0.5)
    for line in (what(one, language), together([one, one], language)):
        assert line
        assert "{" not in line
    told = what(one, language, "person")
    assert told.split()[0] == {"nl": "u", "en": "you"}[language]
    assert "you was" not in told


def test_no_word_is_left_of_a_kind_that_is_no_more():
    known = {*KINDS, *ANSWERS, "unsubscribe", "silence"}
    assert words._EVENTS.keys() == words._MANY.keys() == known


@settings(quick, max_examples=20)
@given(
    journeys(),
    st.integers(0, 300 * DAY_MS),
    st.sampled_from(LANGUAGES),
    st.sampled_from(AUDIENCES),
)
def test_every_account_has_a_summary(events, after_ms, language, audience):
    account = explain(events, MODEL, T0 + after_ms)
    if account is not None:
        told = summary(account, language, audience)
        assert told.endswith(".")
        assert "{" not in told


def test_a_summary_says_what_since_when_and_why():
    events = [
        agreed(),
        event("sent", T0 + 30 * DAY_MS, message_id="m"),
        *(
            event("vacancy_viewed", T0 + day * DAY_MS, properties={"title": "Mechanic"})
            for day in (40, 42)
        ),
        event("application_started", T0 + 43 * DAY_MS),
    ]
    account = explain(events, MODEL, T0 + 45 * DAY_MS)
    days = words.length(account.at_ms - account.latency_since_ms, "en")
    told = summary(account, "en", "recruiter")
    assert told.startswith(f"Estimate: looking for something new, for {days}; openness ")
    assert "What counts most for openness: " in told
    assert "looked at a vacancy 2 times" in told
    assert "What counts most against it: " in told
    to_them = summary(account, "nl", "person")
    assert to_them.startswith("Naar onze schatting bent u op zoek naar iets nieuws, sinds ")
    assert "u bekeek 2 keer een vacature" in to_them
    assert to_them.endswith("wat hier staat.")
