"""The simulated target group: the same from the same seed, and like a grid operator's."""

from collections import Counter

import pytest

from services.contract.phases import DAY_MS
from services.demo.acts import HIRED, state_at
from services.demo.calls import call_of
from services.demo.catalogue import ITEMS
from services.demo.world import HISTORY_DAYS, World, simulate

END_MS = 1_790_000_000_000
START_MS = END_MS - HISTORY_DAYS * DAY_MS


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(7, 2_000, END_MS)


def test_the_same_seed_gives_the_same_world() -> None:
    assert simulate(3, 50, END_MS) == simulate(3, 50, END_MS)
    assert simulate(3, 50, END_MS).acts != simulate(4, 50, END_MS).acts


def test_size_and_order(world: World) -> None:
    assert 80_000 <= len(world.acts) <= 120_000
    assert world.acts == sorted(world.acts)
    assert world.acts[0].t_ms >= START_MS
    assert world.acts[-1].t_ms < END_MS
    first_of_person = {act.person: act.kind for act in reversed(world.acts)}
    assert set(first_of_person.values()) == {"joined"}


def test_a_few_per_cent_are_active(world: World) -> None:
    for t_ms in (START_MS, START_MS + 180 * DAY_MS, END_MS - 1):
        states = Counter(state_at(stays, t_ms) for stays in world.stays)
        assert 0.01 < states[2] / 2_000 < 0.05
        assert states[0] / 2_000 > 0.8


def test_a_few_are_hired_after_they_applied(world: World) -> None:
    hired = [act.person for act in world.acts if act.kind == "hired"]
    assert 5 <= len(hired) <= 60
    assert len(set(hired)) == len(hired)
    for person in hired:
        kinds = [act.kind for act in world.acts if act.person == person]
        assert "application" in kinds
        assert kinds[-1] == "hired"
        assert state_at(world.stays[person], END_MS - 1) == HIRED


def test_nobody_does_two_things_at_once_that_exclude_each_other(world: World) -> None:
    for act in world.acts:
        assert (act.mailing >= 0) == (
            act.kind in {"sent", "open", "click", "landing", "unsubscribe"}
        )
        assert not act.content_id or act.content_id in ITEMS


def test_calls_say_nothing_of_the_hidden_state_and_agree_to_be_followed(world: World) -> None:
    for number, act in enumerate(world.acts[:5_000]):
        call = call_of(act, world.people[act.person], f"demo-{number}")
        assert call["context"]["consent"]["categoryPreferences"]["measure"] is True
        assert ("userId" in call) or ("anonymousId" in call)
        assert "state" not in str(call)


def test_calls_say_what_they_are_about(world: World) -> None:
    calls = [call_of(act, world.people[act.person], "demo") for act in world.acts[:5_000]]
    about = [call["properties"] for call in calls if call.get("properties", {}).get("content_id")]
    assert about
    assert all(one["topics"] == list(ITEMS[one["content_id"]].topics) for one in about)
