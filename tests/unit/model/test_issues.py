"""Issues of the magazine: opportunities like mails, at rates of their own, switched off apart."""

import pytest

from services.contract.event import Event, Machine
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.explain import explain
from services.model.filter import after_silence, weigh, weigh_organic
from services.model.fold import elapse
from services.model.state import copy_state
from services.model.words import together, what
from tests.unit.model.journeys import MINUTE_MS, MODEL, T0, agreed, event, folded, score_of

ISSUE = MODEL.parameters.magazine_issue
MAIL = MODEL.parameters.mail
CLOSE = MODEL.issue_window_ms / HOUR_MS
LATE_MS = T0 + MODEL.issue_window_ms + DAY_MS


def no(rates):
    return tuple(1 - x for x in rates)


def at(type_: str, hours: float, **fields) -> Event:
    fields = {"channel": "magazine"} | fields
    return event(type_, T0 + round(hours * HOUR_MS), **fields)


def issue(type_: str, hours: float, **fields) -> Event:
    return at(type_, hours, message_id="issue-1", **fields)


def mail(type_: str, hours: float, **fields) -> Event:
    return at(type_, hours, message_id="mail-1", channel="email", **fields)


def found(*events: Event) -> list[float]:
    state = copy_state(folded(agreed(), *events))
    elapse(state, LATE_MS, MODEL)
    return score_of(state).p


def expected(*steps: tuple[float, tuple[float, ...]]) -> list[float]:
    p, now = list(MODEL.start), 0.0
    for hours, factor in steps:
        p = weigh(after_silence(p, (hours - now) / 24, MODEL), factor)
        now = hours
    return after_silence(p, (LATE_MS - T0) / DAY_MS - now / 24, MODEL)


CASES = {
    "left alone": ([issue("sent", 0)], [(CLOSE, no(ISSUE.open))]),
    "opened as a mail is": (
        [issue("sent", 0), issue("open", 5)],
        [(5, ISSUE.open), (CLOSE, no(ISSUE.click_given_open))],
    ),
    "opened by its first page, the rest of the evening is one": (
        [issue("sent", 0), at("magazine_page", 5), at("magazine_page", 5.2)],
        [(5, ISSUE.open), (CLOSE, no(ISSUE.click_given_open))],
    ),
    "clicked": (
        [issue("sent", 0), issue("click", 6)],
        [(6, ISSUE.open), (6, ISSUE.click_given_open)],
    ),
    "a machine's page opens nothing": (
        [issue("sent", 0), at("magazine_page", 5, machine=Machine(p=0.9))],
        [(CLOSE, no(ISSUE.open))],
    ),
    "unsubscribed, told of three times": (
        [issue("sent", 0), issue("unsubscribe", 9), at("unsubscribe", 9.1), at("complaint", 10)],
        [(9, ISSUE.unsubscribe)],
    ),
    "bounced": ([issue("sent", 0), issue("bounce", 1)], []),
    "bounced for now": (
        [issue("sent", 0), issue("bounce", 1, properties={"kind": "soft"})],
        [(CLOSE, no(ISSUE.open))],
    ),
    "unsubscribed from mails alone": (
        [issue("sent", 0), mail("unsubscribe", 9)],
        [(9, MAIL.unsubscribe), (CLOSE, no(ISSUE.open))],
    ),
    "unsubscribed from the magazine alone": (
        [issue("sent", 0), mail("sent", 0), at("unsubscribe", 9)],
        [(9, ISSUE.unsubscribe), (MODEL.mail_window_ms / HOUR_MS, no(MAIL.open))],
    ),
    "unsubscribed by a link in the issue, told of as mail": (
        [issue("sent", 0), issue("unsubscribe", 9, channel="email")],
        [(9, ISSUE.unsubscribe)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_issue(case):
    events, steps = CASES[case]
    assert found(*events) == pytest.approx(expected(*steps), abs=1e-13)


def test_pages_without_an_issue_underway_are_reading_of_ones_own_accord():
    read = at("magazine_page", 5)
    before = expected_at = after_silence(list(MODEL.start), 5 / 24, MODEL)
    organic = weigh_organic(before, MODEL.parameters.rates_per_day["magazine"], 0.0, MODEL)
    assert score_of(folded(agreed(), read)).p == pytest.approx(organic, abs=1e-14)
    opened = score_of(folded(agreed(), mail("sent", 5), read)).p
    assert opened == pytest.approx(organic, abs=1e-14)  # a mail is no issue
    assert expected_at != organic


def test_the_latest_issue_is_opened_first_and_a_later_evening_opens_the_one_before():
    events = [
        agreed(),
        at("sent", 0, message_id="a"),
        at("sent", 1, message_id="b"),
        at("magazine_page", 2),
        at("magazine_page", 12),
    ]
    state = folded(*events[:4])
    assert [(m.message_id, m.opened) for m in score_of(state).mails] == [("a", False), ("b", True)]
    assert [m.opened for m in score_of(folded(*events)).mails] == [True, True]


def test_every_step_is_named_and_told():
    events = [
        agreed(),
        at("sent", 0, message_id="a"),
        at("sent", 0.1, message_id="b"),
        event("magazine_page", T0 + HOUR_MS + MINUTE_MS, channel="magazine"),
        at("click", 3, message_id="c"),
        at("unsubscribe", 200),
    ]
    told = explain(events, MODEL, T0 + 300 * HOUR_MS).contributions
    named = [c for c in told if c.kind != "silence"]
    assert [c.kind for c in named] == [
        "issue_open",
        "issue_open",
        "issue_click",
        "issue_not_opened",
        "issue_not_clicked",
        "unsubscribe",
    ]
    assert what(named[3], "nl") == "liet een nummer van het magazine ongeopend"
    assert together([named[0]] * 2, "en") == "opened 2 issues of the magazine"
