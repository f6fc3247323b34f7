"""When somebody who entered is handed over."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.contract.phases import DAY_MS, HOUR_MS
from services.model.next_content import Item, Reader
from services.model.state import PersonState
from services.model.triggers import Somebody, Wanted, decided, due_ms
from tests.unit.model.test_habits import at, visits

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
TUESDAYS = visits(*(at(f"2026-01-{day:02}T20:10:00") for day in (6, 13, 20, 27)))


def best(state: PersonState, from_ms: int, days: int) -> int:
    return due_ms("best_moment", days * DAY_MS, from_ms, from_ms, state.habits, AMSTERDAM)


def test_the_best_moment_is_their_hour_on_their_day_where_that_comes_soon_enough():
    wednesday = at("2026-01-28T09:00:00")
    assert best(TUESDAYS, wednesday, 7) == at("2026-02-03T20:00:00")
    assert best(TUESDAYS, wednesday, 3) == at("2026-01-28T20:00:00")
    during = at("2026-02-03T20:25:00")
    assert best(TUESDAYS, during, 7) == during
    nobody_knows = visits(at("2026-01-06T20:10:00"))
    assert best(nobody_knows, wednesday, 7) == wednesday


@given(st.integers(0, 400 * 24 * 60), st.integers(1, 14))
def test_the_best_moment_lies_within_the_wait_and_in_their_hour(minutes: int, days: int):
    from_ms = at("2026-02-01T00:00:00") + minutes * 60_000
    found = best(TUESDAYS, from_ms, days)
    assert from_ms <= found <= from_ms + days * DAY_MS
    local = datetime.fromtimestamp(found / 1000, AMSTERDAM)
    # On the day that has an hour more their hour may come after the wait.
    assert local.hour == 20 or found == from_ms
    if days >= 8:
        assert local.isoweekday() == 2


def test_a_delay_counts_from_entering_and_never_lies_behind_us():
    entered = at("2026-02-01T00:00:00")
    assert due_ms("after", DAY_MS, entered, entered + HOUR_MS, None, AMSTERDAM) == entered + DAY_MS
    late = entered + 2 * DAY_MS
    assert due_ms("after", DAY_MS, entered, late, None, AMSTERDAM) == late
    assert due_ms("at_once", 0, entered, late, None, AMSTERDAM) == late


def test_nobody_employed_or_not_followed_is_handed_over():
    items = {"x": Item("x", "story", None, frozenset(), 0, None)}

    def came(**more: int) -> str | None:
        state = PersonState(at_ms=1, at_id=b"", first_ms=1, **more)
        who = Somebody(
            state,
            Reader("do", {}, frozenset(), in_procedure=False),
            {},
            unsubscribed=False,
            handed_ms=(),
        )
        return decided(Wanted("x", None, 2), who, items, (), 10).why

    assert came(hired_ms=2) == "employed"
    assert came(hired_ms=2, left_ms=3) == "not_followed"
    assert came() == "not_followed"
