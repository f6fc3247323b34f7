"""When a threshold is crossed in silence, against looking at every moment."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.contract.phases import DAY_MS, HORIZON_MS, HOUR_MS
from services.model.path import Path
from services.model.state import PersonState, Score
from services.model.threshold import STATES_OF, threshold
from services.model.version import build
from tests.unit.model.journeys import MODEL, T0, quick, scored_states

_COARSE = np.concatenate(
    [
        np.arange(0, 20 * DAY_MS, 2 * HOUR_MS),
        np.arange(20 * DAY_MS, 120 * DAY_MS, 12 * HOUR_MS),
        np.arange(120 * DAY_MS, HORIZON_MS, 4 * DAY_MS),
    ]
)
SIGNS = ("openness", "active", "actively_latent", "latent_latent")


def scanned(path: Path, of: str, times_ms: np.ndarray) -> np.ndarray:
    wanted = STATES_OF[of]
    return np.array([sum(path.states_at(int(t))[i] for i in wanted) for t in times_ms.tolist()])


def verdicts(path: Path, of: str, theta: float) -> list[tuple[int, int, bool]]:
    """The whole path ahead as (from, to, truth), by following each answer to its end."""
    pieces = []
    at = T0
    while True:
        truth, until = path.probability_at_least(of, theta, at)
        pieces.append((at, path.end_ms if until is None else until, truth))
        if until is None:
            return pieces
        assert until > at
        at = until


def check(path: Path, of: str, theta: float, times_ms: np.ndarray, values: np.ndarray) -> None:
    pieces = verdicts(path, of, theta)
    starts = np.array([p[0] for p in pieces])
    answers = np.array([p[2] for p in pieces])
    found = answers[np.searchsorted(starts, times_ms, side="right") - 1]
    plain = np.abs(values - theta) > 1e-12
    assert (found[plain] == (values >= theta)[plain]).all()
    for (_, _, before), (at, _, after) in pairwise(pieces):
        just_before, there = scanned(path, of, np.array([at - 1, at]))
        assert before is not after
        assert just_before >= theta - 1e-13 if before else just_before < theta + 1e-13
        assert there >= theta - 1e-13 if after else there < theta + 1e-13


@quick
@given(scored_states(), st.sampled_from(SIGNS), st.floats(0.01, 0.99), st.data())
def test_every_crossing_is_found_and_none_invented(state, of, theta, data):
    path = Path(state, MODEL)
    times = np.unique(np.concatenate([_COARSE, [m.close_ms - T0 for m in state.score.mails]])) + T0
    values = scanned(path, of, times)
    check(path, of, theta, times, values)
    # And where it is hardest: a threshold a hair's breadth from the highest, the lowest or any
    # turning point of the curve.
    turns = np.flatnonzero(np.diff(np.sign(np.diff(values))) != 0) + 1
    extremes = [int(values.argmin()), int(values.argmax()), *turns.tolist()]
    here = data.draw(st.sampled_from(extremes))
    hair = data.draw(st.sampled_from([1e-3, 1e-5, 1e-7, -1e-7, -1e-5, -1e-3]))
    close = float(np.clip(values[here] + hair, 0.005, 0.995))
    low, high = times[max(here - 1, 0)], times[min(here + 1, len(times) - 1)]
    fine = np.unique(np.concatenate([times, np.linspace(low, high, 200).astype(np.int64)]))
    check(path, of, close, fine, scanned(path, of, fine))


@quick
@given(scored_states(), st.sampled_from(SIGNS), st.floats(0.02, 0.98), st.data())
def test_an_answer_does_not_depend_on_where_one_begins_or_how_far_one_looks(state, of, theta, data):
    whole = verdicts(Path(state, MODEL), of, theta)
    at, to, truth = data.draw(st.sampled_from(whole))
    inside = data.draw(st.integers(at, min(to, T0 + HORIZON_MS) - 1))
    until = to if to < T0 + HORIZON_MS else None
    assert Path(state, MODEL).probability_at_least(of, theta, inside) == (truth, until)
    end = data.draw(st.integers(inside + 1, T0 + HORIZON_MS))
    shorter = Path(state, MODEL, until_ms=end).probability_at_least(of, theta, inside)
    assert shorter[0] is truth
    if until is not None and until < end:
        assert shorter[1] == until
    else:
        assert shorter[1] in {None, end}


@quick
@given(scored_states(), st.sampled_from(SIGNS), st.integers(0, 900 * DAY_MS))
def test_beyond_the_horizon_the_truth_is_known_and_no_change_foretold(state, of, beyond_ms):
    path = Path(state, MODEL)
    at = T0 + HORIZON_MS + beyond_ms
    value = float(scanned(path, of, np.array([at]))[0])
    assert path.probability_at_least(of, value * 0.999, at) == (True, None)
    assert path.probability_at_least(of, value * 1.001, at) == (False, None)


@quick
@given(scored_states(), st.sampled_from(SIGNS), st.floats(0.02, 0.98))
def test_a_guess_changes_no_answer(state, of, theta):
    path = Path(state, MODEL)
    answers = {path.probability_at_least(of, theta, T0, guess=guess) for guess in (True, False)}
    assert len(answers) == 1


@quick
@given(
    scored_states(),
    st.sampled_from(SIGNS),
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=12, unique=True),
    st.integers(1, HORIZON_MS),
)
def test_many_bounds_at_once_are_one_after_the_other(state, of, bounds, ahead_ms):
    """Those that are far apart, and those of which several are crossed between two grid times."""
    near = [bounds[0] + 0.0001 * i for i in range(5)]
    thetas = tuple(sorted({*bounds, *(one for one in near if one < 1)}))
    together = Path(state, MODEL, T0 + ahead_ms)
    low, high = together.sides(of, thetas)
    for i, theta in enumerate(thetas):
        pieces = verdicts(together, of, theta)
        assert pieces == verdicts(Path(state, MODEL, T0 + ahead_ms), of, theta)
        if not low <= i < high:
            assert pieces == [(T0, together.end_ms, i < low)]


@quick
@given(scored_states(), st.sampled_from(SIGNS), st.floats(0.01, 0.99), st.booleans())
def test_what_is_called_sure_is_so(state, of, theta, truth):
    """The shortcut past the search is an upper and a lower bound everywhere."""
    state.score.mails = []
    path = Path(state, MODEL)
    t = threshold(MODEL, of, theta)
    first = path.stretches[0]
    times = np.unique(np.concatenate([_COARSE, np.linspace(0, 40 * DAY_MS, 300).astype(int)]))
    for begin, end in ((0, HORIZON_MS), (0, 3 * DAY_MS), (9 * DAY_MS, 30 * DAY_MS)):
        if t.surely(first.p, begin, end, truth=truth):
            inside = [x for x in times.tolist() if begin <= x <= end]
            motion = first.motion(t.quantity, HORIZON_MS)
            assert all(motion.is_at_least(theta, x) is truth for x in inside)


@quick
@given(scored_states())
def test_a_path_that_is_not_followed_has_no_switches(state):
    """Where one product tells so, whatever mails are open."""
    state.score.turning_ms = state.score.active_ms = None
    followed = Path(state, replace(MODEL, silence_cools=False))
    assert Path(state, MODEL).switches == followed.switches
    assert Path(state, MODEL, T0 + DAY_MS).switches == [
        s for s in followed.switches if s.at_ms <= T0 + DAY_MS
    ]


def test_paths_are_followed_where_an_unanswered_mail_may_speak_for_somebody() -> None:
    mail = msgspec.structs.replace(MODEL.parameters.mail, open=(0.3, 0.2, 0.4))
    assert MODEL.silence_cools
    assert not build(msgspec.structs.replace(MODEL.parameters, mail=mail)).silence_cools


def test_silence_can_make_somebody_likelier_turning_and_then_less() -> None:
    """A dip and a rise between two grid points of the search are crossings like others."""
    p = [1e-12] * 15
    p[0], p[14] = 0.5, 0.5  # hardly ever active at all, or a very keen one who is
    state = _with(p)
    check_path = Path(state, MODEL)
    values = scanned(check_path, "active", _COARSE + T0)
    for theta in np.linspace(values.min() * 1.0001, values.max() * 0.9999, 25).tolist():
        check(check_path, "active", float(theta), _COARSE + T0, values)


def _with(p: list[float]) -> PersonState:
    total = sum(p)
    score = Score(p=[x / total for x in p], since_ms=T0, at_ms=T0)
    return PersonState(at_ms=T0, at_id=bytes(16), first_ms=T0, profile=True, score=score)
