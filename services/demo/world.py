"""A year of a target group, simulated: hidden states, and the acts that they lead to.

Everybody moves between latent-latent, actively latent and active in continuous time, and acts at
the rates of the model's day-one version, some by nature more than others. The upward moves are
three times rarer than there: then two per cent are active, as a grid operator finds. Pure: the
same seed and times give the same world.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from services.contract.phases import DAY_MS
from services.demo.acts import HIRED, Act, Stay
from services.demo.catalogue import VACANCIES
from services.demo.mail import mails_of
from services.demo.people import Technician, technicians
from services.demo.visits import acts_of
from services.model.version import generator, load

UPWARD_DIVISOR = 3
HIRED_HERE = 0.12
"""Of those who find another job, the share that finds it with us."""
HISTORY_DAYS = 365


class World(NamedTuple):
    """The year: people, each one's stays in order, and all acts in order."""

    people: list[Technician]
    stays: list[list[Stay]]
    acts: list[Act]
    end_ms: int


def simulate(seed: int, count: int, end_ms: int) -> World:
    """The twelve months before ``end_ms`` of ``count`` technicians."""
    rng = np.random.default_rng(seed)
    start_ms = end_ms - HISTORY_DAYS * DAY_MS
    rates = moves()
    usual = _usual_shares(*rates)
    people = technicians(rng, count, start_ms, end_ms)
    stays: list[list[Stay]] = []
    acts: list[Act] = []
    for index, person in enumerate(people):
        path = list(_stays(rng, rates, usual, start_ms, end_ms))
        own = [
            Act(person.joined_ms, index, "joined"),
            *acts_of(rng, index, person.activity, path),
            *mails_of(rng, index, person.joined_ms, path),
        ]
        last_ms = end_ms - 1
        if path[-1].state == HIRED and path[-1].from_ms > person.joined_ms:
            own += _hire(rng, index, person.joined_ms, path[-1].from_ms)
            last_ms = path[-1].from_ms
        acts += (act for act in own if person.joined_ms <= act.t_ms <= last_ms)
        stays.append(path)
    acts.sort()
    return World(people, stays, acts, end_ms)


def moves() -> tuple[np.ndarray, np.ndarray]:
    """(moves per day between the three states, 3×3 with diagonal; finding a job, per state)."""
    q, hire = generator(load("day-one").parameters)
    q[np.triu_indices(3, 1)] /= UPWARD_DIVISOR
    np.fill_diagonal(q, 0)
    np.fill_diagonal(q, -q.sum(axis=1))
    return q, hire


def _usual_shares(q: np.ndarray, hire: np.ndarray) -> np.ndarray:
    """How many are in each state when the moves, new jobs among them, have gone on for long."""
    flow = q - np.diag(hire)
    flow[:, 0] += hire
    system = np.vstack([flow.T, np.ones(3)])
    shares = np.linalg.lstsq(system, np.array([0, 0, 0, 1.0]), rcond=None)[0]
    return np.asarray(np.maximum(shares, 0) / np.maximum(shares, 0).sum())


def _stays(
    rng: np.random.Generator,
    rates: tuple[np.ndarray, np.ndarray],
    usual: np.ndarray,
    t_ms: int,
    end_ms: int,
) -> Iterator[Stay]:
    q, hire = rates
    state = int(rng.choice(3, p=usual))
    while t_ms < end_ms and state != HIRED:
        leaving = hire[state] - q[state, state]
        until_ms = t_ms + round(rng.exponential(1 / leaving) * DAY_MS)
        yield Stay(state, t_ms, min(until_ms, end_ms))
        found = int(rng.choice(4, p=np.append(np.maximum(q[state], 0), hire[state]) / leaving))
        # Who finds a job elsewhere is content with it, and not looking.
        state = 0 if found == HIRED and rng.random() > HIRED_HERE else found
        t_ms = until_ms
    if t_ms < end_ms:
        yield Stay(HIRED, t_ms, end_ms)


def _hire(rng: np.random.Generator, person: int, joined_ms: int, hired_ms: int) -> list[Act]:
    """The application that led to a hire, and the hire."""
    vacancy = VACANCIES[int(rng.integers(len(VACANCIES)))].content_id
    applied_ms = max(hired_ms - int(rng.integers(12, 35)) * DAY_MS, joined_ms + 3_600_000)
    return [
        Act(applied_ms - 900_000, person, "vacancy_view", vacancy),
        Act(applied_ms - 600_000, person, "application_start", vacancy),
        Act(applied_ms, person, "application", vacancy),
        Act(hired_ms, person, "hired", vacancy),
    ]
