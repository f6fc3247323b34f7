"""The state: every bit kept, nothing shared, nothing changed behind anybody's back."""

import msgspec
from hypothesis import given

from services.model.engagement import TOPICS_MAX
from services.model.evidence import MAILS_MAX
from services.model.fold import CLICKS_MAX, fold
from services.model.rulebook import Rulebook
from services.model.rules import Events
from services.model.state import PersonState, copy_state, decode_state, encode_state
from tests.unit.model.journeys import (
    MINUTE_MS,
    MODEL,
    T0,
    agreed,
    event,
    folded,
    journeys,
    quick,
    score_of,
)

COUNTED = (
    Events(type="events", event=("page", "read"), at_least=3, within_days=30),
    Events(type="events", channel=("email",), at_least=1, within_days=7),
)

MEMORIES = Rulebook(tuple(("", rule) for rule in COUNTED)).memories


def depths(value: object) -> object:
    """A copy of everything in it, so that any change shows."""
    return msgspec.to_builtins(value)


@quick
@given(journeys(employment=True))
def test_a_stored_state_is_the_state(events):
    state: PersonState | None = None
    for each in events:
        stored = None if state is None else decode_state(encode_state(state))
        state = fold(state, each, MODEL, MEMORIES)
        assert fold(stored, each, MODEL, MEMORIES) == state
        assert encode_state(decode_state(encode_state(state))) == encode_state(state)


@quick
@given(journeys(employment=True))
def test_the_fold_changes_none_of_its_arguments(events):
    state: PersonState | None = None
    for each in events:
        before, event_before = depths(state), depths(each)
        after = fold(state, each, MODEL, MEMORIES)
        assert depths(state) == before
        assert depths(each) == event_before
        state = after


@quick
@given(journeys(employment=True))
def test_the_same_events_give_the_same_bits(events):
    def bits() -> bytes:
        state: PersonState | None = None
        for each in events:
            state = fold(state, each, MODEL, MEMORIES)
        return encode_state(state)

    assert bits() == bits()


@quick
@given(journeys())
def test_a_copy_is_equal_and_shares_no_list_or_dictionary_that_the_fold_writes(events):
    state: PersonState | None = None
    for each in events:
        state = fold(state, each, MODEL, MEMORIES)
    copied = copy_state(state)
    assert copied == state
    for name in ("attributes", "clicks_ms", "rings_ms", "engagement"):
        assert getattr(copied, name) is not getattr(state, name)
    if state.score is not None:
        for name in ("seen_ms", "mails", "closed_mails"):
            assert getattr(copied.score, name) is not getattr(state.score, name)
        pairs = zip(copied.score.mails, state.score.mails, strict=True)
        assert all(a is not b for a, b in pairs)


def test_what_is_kept_is_bounded():
    state = folded(agreed(), rules=COUNTED)
    for i in range(300):
        at = T0 + i * MINUTE_MS
        state = fold(state, event("sent", at, message_id=f"m{i}"), MODEL, MEMORIES)
        page = event("page", at, click_id=f"c{i}", properties={"topics": [f"t{i}"]})
        state = fold(state, page, MODEL, MEMORIES)
    assert len(score_of(state).mails) == MAILS_MAX
    assert len(state.clicks_ms) == CLICKS_MAX
    assert len(state.engagement) == TOPICS_MAX
    assert [len(state.rings_ms[c.ring_key]) for c in COUNTED] == [3, 1]
