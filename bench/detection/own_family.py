"""Worlds of the filter's own family: people move and act as the model supposes they do.

Exponential stays between three hidden states, Poisson acts at the day-one rates, mails answered at
the day-one rates. What differs from world to world is how much of it one employer sees and how
unequal people are. No visit calls another here: the day-one version's echo is one thing too many.
"""

from dataclasses import dataclass

import numpy as np

from bench.detection.life import BEGIN_MS, Act, Stay, Truth, World, events_of
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.version import Model, generator, load

HIRED = 3


@dataclass(frozen=True)
class OwnFamily:
    """One such world."""

    seen: float
    """Share of people's acts, mails aside, that this employer's channels show."""
    shape: float | None
    """Of the Gamma distribution of how active people are by nature; None: all alike."""
    mail_every_days: int = 7
    days: int = 730

    def world(self, seed: int, people: range) -> World:
        """These people; each is the same for the same seed, whoever else is asked for."""
        model = load("day-one")
        truths, events = [], []
        for person in people:
            rng = np.random.default_rng((seed, person))
            z = 1.0 if self.shape is None else rng.gamma(self.shape, 1 / self.shape)
            truth = truth_of(rng, model, self.days)
            acts = acts_of(rng, model, truth, z * self.seen)
            acts += self._mails(rng, model, truth)
            truths.append(truth)
            events.append(events_of(seed, person, acts))
        return World(truths, events)

    def _mails(self, rng: np.random.Generator, model: Model, truth: Truth) -> list[Act]:
        acts: list[Act] = []
        every_ms = self.mail_every_days * DAY_MS
        first_ms = BEGIN_MS + int(rng.integers(every_ms))
        for number, sent_ms in enumerate(range(first_ms, truth.end_ms, every_ms)):
            acts.append(Act(sent_ms, "sent", number))
            acts += answers(rng, model, truth, number, sent_ms)
        return acts


def truth_of(rng: np.random.Generator, model: Model, days: int) -> Truth:
    """Stays from the beginning until the hire, or for so many days."""
    q, hire = generator(model.parameters)
    state, t_ms = int(rng.choice(3, p=model.parameters.start)), BEGIN_MS
    end_ms = BEGIN_MS + days * DAY_MS
    stays: list[Stay] = []
    while t_ms < end_ms and state != HIRED:
        leaving = hire[state] - q[state, state]
        until_ms = t_ms + round(rng.exponential(1 / leaving) * DAY_MS)
        stays.append(Stay(state, t_ms, min(until_ms, end_ms)))
        state = int(rng.choice(4, p=np.append(np.maximum(q[state], 0), hire[state]) / leaving))
        t_ms = until_ms
    return Truth(tuple(stays), state == HIRED and t_ms <= end_ms)


def acts_of(rng: np.random.Generator, model: Model, truth: Truth, factor: float) -> list[Act]:
    """What somebody does of their own accord, at the model's rates times ``factor``."""
    kinds = tuple(model.parameters.rates_per_day)
    rates = np.array([model.parameters.rates_per_day[kind] for kind in kinds]).T * factor
    acts: list[Act] = []
    for stay in truth.stays:
        days = (stay.to_ms - stay.from_ms) / DAY_MS
        counts = rng.poisson(rates[stay.state] * days).tolist()
        for kind, count in zip(kinds, counts, strict=True):
            times = rng.integers(stay.from_ms, stay.to_ms, count).tolist()
            acts += (Act(t_ms, kind) for t_ms in times)
    return acts


def answers(
    rng: np.random.Generator, model: Model, truth: Truth, number: int, sent_ms: int
) -> list[Act]:
    """Open and click of one mail, by the state at its sending, within its window."""
    rates, state = model.parameters.mail, truth.state_at(sent_ms)
    if rng.random() > rates.open[state]:
        return []
    open_ms = sent_ms + min(int(rng.lognormal(np.log(5), 1.3) * HOUR_MS), 90 * HOUR_MS)
    acts = [Act(open_ms, "open", number)]
    if rng.random() < rates.click_given_open[state]:
        acts.append(Act(open_ms + int(rng.integers(5_000, 120_000)), "click", number))
    return [act for act in acts if act.t_ms < truth.end_ms]
