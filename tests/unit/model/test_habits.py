"""Habits: rhythm, best moment, contact pressure, availability; bounded, and forgotten together."""

from datetime import date, datetime
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.event import Consent, Machine
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.fold import fold
from services.model.habits import CONTACTS_MAX, MOMENTS_MAX, PROJECTS_MAX, times_s
from services.model.rhythm import availability, best_moment, pressure, rhythm
from services.model.state import PersonState, decode_state, encode_state
from tests.unit.model.journeys import (
    MINUTE_MS,
    MODEL,
    REFUSED,
    T0,
    agreed,
    event,
    folded,
    journeys,
    quick,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def at(text: str) -> int:
    """A moment on the clock of Amsterdam."""
    return round(datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).timestamp() * 1000)


def visits(*moments_ms: int) -> PersonState:
    begun = min(moments_ms) - DAY_MS
    return folded(agreed(begun), *(event("page", t) for t in sorted(moments_ms)))


@quick
@given(journeys())
def test_visits_and_answers_are_those_without_any_in_the_half_hour_before(events):
    state = folded(*events)
    followed, last, came, answered, clicks = False, None, [], [], set()
    for each in events:
        if each.consent.profile is False and not each.server_only:
            continue  # no answer, and told by no server: it is not heard
        if each.consent.profile is False:
            followed, last, came, answered, clicks = False, None, [], [], set()
        if each.consent.profile:
            followed = True
        if not followed or each.machine.p >= 0.5 or each.click_id in clicks:
            continue
        clicks |= {each.click_id} - {None}
        answer = each.type in {"open", "click"} and each.message_id is not None
        own = each.type in {
            *("page", "read", "play", "share", "download", "magazine_page", "click"),
            *("vacancy_viewed", "application_started", "sign_up", "comment"),
        }
        if not answer and not own:
            continue
        now = each.occurred_ms // 1000
        if last is None or now - last >= MODEL.session_ms // 1000:
            (answered if answer else came).append(now)
        last = now
    kept = state.habits
    assert times_s(kept.visits if kept else b"") == came[-MOMENTS_MAX:]
    assert times_s(kept.answers if kept else b"") == answered[-MOMENTS_MAX:]


def test_nothing_is_kept_without_consent_and_all_is_forgotten_with_it():
    page = event("page", T0 + DAY_MS)
    assert folded(event("page", T0)).habits is None
    assert folded(event("page", T0, consent=Consent(measure=True))).habits is None
    assert folded(agreed(), page).habits is not None
    assert (
        folded(agreed(), page, event("consent_changed", T0 + 2 * DAY_MS, consent=REFUSED)).habits
        is None
    )
    assert folded(agreed(), page, event("hired", T0 + 2 * DAY_MS)).habits is None
    hired = folded(agreed(), event("hired", T0 + DAY_MS), event("page", T0 + 2 * DAY_MS))
    assert hired.habits is None


def test_habits_begin_when_there_is_something_to_keep_and_are_bounded():
    assert folded(agreed(), event("custom", T0 + 1)).habits is None
    state = None
    for i in range(3 * CONTACTS_MAX):
        when = T0 + i * HOUR_MS
        state = folded(agreed()) if state is None else state
        project = {"starts_on": "2027-03-01"}
        for each in (
            event("page", when, content_type="project", content_id=f"p{i}", properties=project),
            event("sent", when, message_id=f"m{i}"),
        ):
            state = fold(state, each, MODEL)
    kept = state.habits
    assert len(times_s(kept.visits)) == MOMENTS_MAX
    assert len(times_s(kept.contacts["email"])) == CONTACTS_MAX
    assert list(kept.projects) == [f"p{i}" for i in range(184, 192)]
    assert len(kept.projects) == PROJECTS_MAX
    assert decode_state(encode_state(state)) == state


def test_a_state_from_before_habits_is_readable():
    state = folded(agreed())
    fields = msgspec.msgpack.decode(encode_state(state))
    del fields["habits"], fields["score"]["issue_off"]
    assert decode_state(msgspec.msgpack.encode(fields)) == state


@quick
@given(st.lists(st.integers(HOUR_MS // 2, 40 * DAY_MS), min_size=3, max_size=40))
def test_the_rhythm_is_the_median_gap_of_the_latest_visits(gaps):
    moments = [T0]
    for gap in gaps:
        moments.append(moments[-1] + gap)
    kept = [m // 1000 for m in moments][-MOMENTS_MAX:]
    found = rhythm(visits(*moments).habits)
    assert found.visits == len(kept)
    assert found.last_ms == kept[-1] * 1000
    expected = median(b - a for a, b in pairwise(kept)) / 86_400
    assert found.every_days == pytest.approx(expected)


def test_too_few_visits_are_no_rhythm_and_no_moment():
    few = visits(T0, T0 + DAY_MS, T0 + 2 * DAY_MS).habits
    assert rhythm(few) is None
    assert best_moment(few, AMSTERDAM) is None
    assert rhythm(None) is best_moment(None, AMSTERDAM) is availability(None, T0) is None
    assert pressure(None, T0) == {}


def test_the_best_moment_is_on_the_workspaces_clock_in_summer_and_winter():
    tuesdays = [at(f"2026-{day}T20:10") for day in ("03-17", "03-24", "03-31", "04-07", "04-14")]
    once = [at("2026-04-02T09:00"), at("2026-04-05T11:00")]
    found = best_moment(visits(*tuesdays, *once).habits, AMSTERDAM)
    assert (found.weekday, found.hour, found.seen) == (2, 20, 7)
    assert found.share == pytest.approx(5 / 7)
    # The clock went forward on 29 March: by UTC these are two different hours.
    assert best_moment(visits(*tuesdays, *once).habits, ZoneInfo("UTC")).share < 0.8


def test_hours_beside_each_other_count_together_and_midnight_is_no_wall():
    late = [at(f"2026-05-{day:02}T23:50") for day in (4, 11)]
    early = [at(f"2026-05-{day:02}T00:20") for day in (5, 12)]
    noon = [at("2026-05-06T12:00"), at("2026-05-14T12:00")]
    assert best_moment(visits(*late, *early, *noon).habits, AMSTERDAM).hour in {23, 0}


def test_answers_to_mail_tell_the_moment_but_no_rhythm():
    opened = [
        event("open", at(f"2026-06-{day:02}T07:30"), message_id=f"m{day}") for day in (1, 8, 15, 22)
    ]
    kept = folded(agreed(at("2026-05-01T00:00")), *opened).habits
    assert rhythm(kept) is None
    found = best_moment(kept, AMSTERDAM)
    assert (found.weekday, found.hour, found.share) == (1, 7, 1.0)


def sent(days_ago: float, message_id: str | None, **fields):
    fields = {"channel": "email"} | fields
    when = T0 + round((40 - days_ago) * DAY_MS)
    return event(fields.pop("type_", "sent"), when, message_id=message_id, **fields)


def test_contact_pressure_counts_each_contact_once_per_channel():
    now = T0 + 40 * DAY_MS
    state = folded(
        agreed(),
        sent(39, "old"),
        sent(20, "a"),
        sent(19.9, "a", type_="delivered"),
        sent(19, "a", type_="open"),
        sent(6, "b", type_="delivered"),
        sent(5, "c", channel="magazine"),
        sent(3, None, channel="messaging"),
        sent(2, None, channel="messaging"),
        sent(1, "d"),
        sent(0.9, "d", type_="bounce"),
        sent(0.5, "e", type_="open"),
    )
    found = pressure(state.habits, now)
    counts = {channel: (one.days_7, one.days_30) for channel, one in found.items()}
    assert counts == {"email": (2, 3), "magazine": (1, 1), "messaging": (2, 2)}
    assert not any(one.more for one in found.values())
    assert found["magazine"].last_ms == T0 + 35 * DAY_MS
    assert pressure(state.habits, now + 100 * DAY_MS) == {}


def test_a_mail_that_bounced_for_now_may_still_have_arrived():
    soft = sent(0.9, "d", type_="bounce", properties={"kind": "soft"})
    assert pressure(folded(agreed(), sent(1, "d"), soft).habits, T0 + 40 * DAY_MS)["email"].days_7


def test_more_than_is_kept_is_said_to_be_more():
    many = [sent(20 - i / 10, None) for i in range(CONTACTS_MAX + 9)]
    found = pressure(folded(agreed(), *many).habits, T0 + 40 * DAY_MS)["email"]
    assert (found.days_30, found.more) == (CONTACTS_MAX, True)


def told(day: float, **properties) -> object:
    return event("question", T0 + round(day * DAY_MS), properties=properties)


def looked(day: float, project: str, **properties) -> object:
    when = T0 + round(day * DAY_MS)
    return event("page", when, content_type="project", content_id=project, properties=properties)


NOW = T0 + 30 * DAY_MS  # 8 November 2025


def test_what_was_said_last_counts():
    state = folded(
        agreed(),
        told(1, available=False),
        looked(2, "bridge", starts_on="2026-01-05"),
        told(3, available_from="2026-02-01", available_until="2026-06-30T12:00:00Z"),
    )
    found = availability(state.habits, NOW)
    assert (found.source, found.available, found.at_ms) == ("said", True, T0 + 3 * DAY_MS)
    assert (found.from_day, found.until_day) == (date(2026, 2, 1), date(2026, 6, 30))
    # What was said of a time that is over tells nothing of what comes.
    assert availability(state.habits, at("2026-07-01T12:00")) is None
    assert availability(folded(agreed(), told(1, available=False)).habits, NOW).available is False


def test_the_calendar_shows_the_earliest_project_yet_to_begin():
    state = folded(
        agreed(),
        looked(1, "old", starts_on="2025-10-20"),
        looked(2, "bridge", starts_on="2026-03-02", ends_on="2026-05-01"),
        looked(3, "tunnel", starts_on="2026-01-05"),
        looked(4, "calendar"),
    )
    found = availability(state.habits, NOW)
    assert (found.source, found.from_day, found.until_day) == ("calendar", date(2026, 1, 5), None)
    assert availability(state.habits, at("2026-01-06T12:00")).from_day == date(2026, 3, 2)
    assert availability(state.habits, NOW + 90 * DAY_MS) is None


@pytest.mark.parametrize("odd", [7, None, "", "soon", "2026-13-40", "0001-01-01", ["2026-01-01"]])
def test_what_cannot_be_read_was_not_said(odd):
    state = folded(agreed(), told(1, available_from=odd), told(1, available=odd))
    assert availability(state.habits, NOW) is None
    assert availability(folded(agreed(), looked(1, "x", starts_on=odd)).habits, NOW) is None


def test_a_machine_has_no_habits_and_a_click_with_its_page_is_one():
    robot = event("page", T0 + DAY_MS, machine=Machine(p=0.9))
    assert folded(agreed(), robot).habits is None
    click = event("click", T0 + DAY_MS, message_id="m", click_id="c")
    page = event("page", T0 + DAY_MS + 60 * MINUTE_MS, click_id="c")
    kept = folded(agreed(), click, page).habits
    assert len(times_s(kept.answers)) == 1
    assert kept.visits == b""
