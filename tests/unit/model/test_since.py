"""Since when somebody is in a state: against the same question asked in two other ways."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from services.contract.phases import DAY_MS
from services.model.explain import entered, explain
from services.model.fold import elapse, fold
from services.model.version import generator
from tests.unit.model.journeys import MODEL, T0, agreed, event, journeys, quick

Q, HIRE = generator(MODEL.parameters)
ORGANIC = np.sum(list(MODEL.parameters.rates_per_day.values()), axis=0)
POINTS = MODEL.parameters.frailty.points
G = [Q - np.diag(HIRE) - np.diag(z * ORGANIC) for z in POINTS]


class Steps:
    """Every step of a fold as it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, np.ndarray]] = []

    def note(self, kind, at_ms, p, event):
        if kind == "start":
            self.steps = []
        self.steps.append((kind, at_ms, np.array(p).reshape(5, 3)))


def steps_of(events, at_ms):
    ledger, state = Steps(), None
    for each in events:
        if each.occurred_ms <= at_ms:
            state = fold(state, each, MODEL, ledger=ledger)
    if state is None or state.score is None:
        return None
    elapse(state, at_ms, MODEL, ledger)
    return ledger.steps


def by_block_exponential(steps):
    """[p, time·p, m] under one generator of nine, which scipy's ``expm`` integrates."""
    _, origin, p = steps[0]
    m, last, before = np.zeros((5, 3)), origin, p
    for kind, at, p in steps[1:]:
        if kind == "silence":
            begin, days = (last - origin) / DAY_MS, (at - last) / DAY_MS
            rows = []
            for g in range(5):
                stay = np.diag(np.diag(G[g]))
                zero, one = np.zeros((3, 3)), np.eye(3)
                block = np.block([[G[g], one, zero], [zero, G[g], G[g] - stay], [zero, zero, stay]])
                z = np.concatenate([before[g], begin * before[g], m[g]]) @ expm(block * days)
                rows.append((z[:3], z[6:]))
            total = sum(row[0].sum() for row in rows)
            m = np.array([row[1] for row in rows]) / total
        else:
            m = m * p / before
        last, before = at, p
    return origin + m.sum(axis=0) / before.sum(axis=0) * DAY_MS


@settings(quick, max_examples=12)
@given(journeys(employment=True), st.integers(0, 300 * DAY_MS))
def test_it_is_what_a_block_exponential_gives(events, after_ms):
    at = T0 + after_ms
    found, steps = entered(events, MODEL, at), steps_of(events, at)
    assert (found is None) == (steps is None)
    if found is not None:
        assert found == pytest.approx(by_block_exponential(steps), abs=DAY_MS * 1e-5)
        account = explain(events, MODEL, at)
        assert account.entered_ms == found
        assert all(account.since_ms <= entry <= at for entry in found)


def by_looking_back(steps, state, grid_days=0.02):
    """now − ∫ P(in the state ever since u | in it now) du, on a grid.

    Whoever stays is weighed by the diagonal in silence and by what is heard, step by step.
    """
    times, alive = [steps[0][1] / DAY_MS], [steps[0][2][:, state].copy()]
    before, last = steps[0][2], steps[0][1]
    for kind, at, p in steps[1:]:
        if kind == "silence":
            days = (at - last) / DAY_MS
            count = max(int(days / grid_days), 1)
            step = days / count
            one = [expm(g * step) for g in G]
            stay = np.array([np.exp(g[state, state] * step) for g in G])
            now = before
            for i in range(count):
                raw = np.array([now[g] @ one[g] for g in range(5)])
                total = raw.sum()
                alive = [a * stay / total for a in alive]
                now = raw / total
                times.append((last + (i + 1) * step * DAY_MS) / DAY_MS)
                alive.append(now[:, state].copy())
        else:
            alive = [a * p[:, state] / before[:, state] for a in alive]
        before, last = p, at
    here = before[:, state].sum()
    stayed = np.array([a.sum() for a in alive]) / here
    return times[-1] - np.trapezoid(stayed, times)


@pytest.mark.parametrize("state", [0, 1, 2])
def test_it_is_what_looking_back_gives(state):
    events = [
        agreed(),
        event("sent", T0 + 2 * DAY_MS, message_id="m"),
        event("page", T0 + 9 * DAY_MS),
        event("vacancy_viewed", T0 + 12 * DAY_MS),
    ]
    at = T0 + 15 * DAY_MS
    found = entered(events, MODEL, at)[state] / DAY_MS
    assert found == pytest.approx(by_looking_back(steps_of(events, at), state), abs=2e-3)


def test_who_begins_to_look_at_vacancies_began_to_look_not_long_before():
    quiet = [agreed(), *(event("page", T0 + i * 40 * DAY_MS) for i in range(1, 4))]
    looked = [event("vacancy_viewed", T0 + i * DAY_MS) for i in (150, 152, 155)]
    at = T0 + 156 * DAY_MS
    account = explain([*quiet, *looked], MODEL, at)
    assert account.latency_state == "active"
    assert 20 < (account.latency_since_ms - T0) / DAY_MS < 151
    assert explain(quiet, MODEL, at).latency_state == "latent_latent"
    assert (explain(quiet, MODEL, at).latency_since_ms - T0) / DAY_MS < 20
