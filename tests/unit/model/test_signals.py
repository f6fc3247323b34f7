"""Signals go on at a threshold, off below a lower one, and stay on for a while at least."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.contract.phases import DAY_MS, HORIZON_MS
from services.model.filter import states
from services.model.fold import elapse, fold
from services.model.path import Path
from services.model.state import PersonState, copy_state
from tests.unit.model.journeys import (
    AGREED,
    MODEL,
    T0,
    agreed,
    event,
    folded,
    journeys,
    quick,
    score_of,
    scored_states,
)

SIGNALS = MODEL.parameters.signals
STAY_MS = MODEL.stay_ms


def plain_signal(path: Path, since_ms: int | None, signal: str, step_ms: int, end_ms: int):
    """The same rules by looking every ``step_ms``: [(moment, on)]."""
    bounds = getattr(SIGNALS, signal)
    found = []
    for at in range(T0, end_ms, step_ms):
        _, turning, active = path.states_at(at)
        p = active if signal == "active" else turning + active
        if since_ms is None and p >= bounds.enter:
            since_ms = at
            found.append((at, True))
        elif since_ms is not None and at >= since_ms + STAY_MS and p < bounds.leave:
            since_ms = None
            found.append((at, False))
    return found


@quick
@given(scored_states(), st.sampled_from(["turning", "active"]))
def test_switches_are_those_of_looking_all_the_time(state, signal):
    step, end = DAY_MS // 8, T0 + 60 * DAY_MS
    path = Path(state, MODEL)
    since = getattr(state.score, f"{signal}_ms")
    exact = [(s.at_ms, s.on) for s in path.switches if s.signal == signal and s.at_ms < end - step]
    looked = plain_signal(path, since, signal, step, end)[: len(exact) + 1]
    # An excursion shorter than a step is not seen by looking; such a path says nothing here.
    if any(b[0] - a[0] < step for a, b in pairwise(exact)):
        return
    assert [on for _, on in looked][: len(exact)] == [on for _, on in exact]
    for (at, _), (seen, _) in zip(exact, looked, strict=False):
        assert at <= seen <= at + 2 * step


@quick
@given(scored_states(), st.integers(0, HORIZON_MS))
def test_the_fold_arrives_at_what_the_path_foretold(state, after_ms):
    """Whoever waits finds the signals as they were announced, whatever the moment."""
    at = T0 + after_ms
    path = Path(state, MODEL)
    arrived = copy_state(state)
    elapse(arrived, at, MODEL)
    foretold = {s: getattr(score_of(state), f"{s}_ms") for s in ("turning", "active")}
    for switch in path.switches:
        if switch.at_ms < at:
            foretold[switch.signal] = switch.at_ms if switch.on else None
    exactly_now = {s.signal for s in path.switches if s.at_ms == at}
    for signal, since in foretold.items():
        if signal not in exactly_now:
            assert getattr(score_of(arrived), f"{signal}_ms") == since
    assert score_of(arrived).p == path.probabilities_at(at)


@quick
@given(journeys())
def test_after_every_event_the_signals_agree_with_the_probabilities(events):
    state: PersonState | None = None
    for each in events:
        state = fold(state, each, MODEL)
        if state.score is None:
            continue
        _, turning, active = states(state.score.p)
        for signal, p in (("turning", turning + active), ("active", active)):
            since, bounds = getattr(state.score, f"{signal}_ms"), getattr(SIGNALS, signal)
            assert p < bounds.enter or since is not None
            assert since is None or p >= bounds.leave or state.at_ms < since + STAY_MS


@quick
@given(journeys())
def test_a_signal_stays_on_for_the_minimum_whatever_happens(events):
    on_since: dict[str, int] = {}
    state: PersonState | None = None
    for each in events:
        before = state
        state = fold(state, each, MODEL)
        if before is not None and before.score is not None:
            for switch in Path(before, MODEL, each.occurred_ms).switches:
                _stayed(on_since, switch.signal, switch.at_ms, on=switch.on)
        if state.score is None:
            on_since = {}
            continue
        for signal in ("turning", "active"):
            _stayed(
                on_since, signal, each.occurred_ms, getattr(state.score, f"{signal}_ms") is not None
            )


def _stayed(on_since: dict[str, int], signal: str, at_ms: int, on: bool) -> None:
    if on:
        on_since.setdefault(signal, at_ms)
    elif signal in on_since:
        assert at_ms >= on_since.pop(signal) + STAY_MS


def test_the_latency_state_is_the_stronger_signal_and_the_phase_follows():
    applying = [event("application_started", T0 + i * DAY_MS) for i in range(1, 4)]
    path = Path(folded(agreed(), *applying), MODEL)
    at = applying[-1].occurred_ms
    state, until = path.latency_state_at(at)
    assert (state, path.phase_at(at)[0]) == ("active", "do")
    assert path.latency_state_at(until - 1)[0] == "active"
    assert path.latency_state_at(until)[0] != "active"
    assert until >= score_of(folded(agreed(), *applying)).active_ms + STAY_MS


def test_an_application_keeps_somebody_in_do_for_its_days_and_then_the_signals_decide():
    at = T0 + DAY_MS
    path = Path(folded(agreed(), event("applied", at)), MODEL)
    days = MODEL.parameters.milestone_days["applied"]
    assert path.phase_at(at) == ("do", at + days * DAY_MS)
    assert path.phase_at(at + round(days * DAY_MS))[0] == "see"


def test_only_a_sign_up_for_something_meant_for_think_is_a_milestone():
    at = T0 + DAY_MS
    think = event("sign_up", at, properties={"content_phase": "think"})
    assert Path(folded(agreed(), think), MODEL).phase_at(at)[0] == "do"
    assert Path(folded(agreed(), event("sign_up", at)), MODEL).phase_at(at)[0] == "see"


def test_a_second_milestone_never_shortens_the_first():
    applied = event("applied", T0 + DAY_MS)
    sign_up = event("sign_up", T0 + 2 * DAY_MS, properties={"content_phase": "think"})
    path = Path(folded(agreed(), applied, sign_up), MODEL)
    assert path.phase_at(sign_up.occurred_ms)[1] == applied.occurred_ms + 90 * DAY_MS


def test_two_windows_that_close_at_once_are_one_step():
    """What holds between two things at the same moment holds for no time at all."""
    state = folded(
        event("identified", T0, consent=AGREED),
        event("sent", T0, message_id="a"),
        event("sent", T0, message_id="b"),
    )
    path = Path(state, MODEL)
    close = T0 + MODEL.mail_window_ms
    _, turning, active = path.states_at(close)
    before, between = path.stretches[0].at(close), path.stretches[1].p
    high, middle, low = (sum(states(p)[1:]) for p in (before, between, path.stretches[2].p))
    assert high > middle > low
    assert low == turning + active
    truth, until = path.probability_at_least("openness", (middle + low) / 2, T0)
    assert (truth, until) == (True, close)
    assert path.probability_at_least("openness", (middle + low) / 2, close)[0] is False
