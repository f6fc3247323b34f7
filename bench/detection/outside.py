"""A world outside the filter's family: nothing about it is as the filter supposes.

Stays have a memory and seasons; how active people are, and what they like, differs by lognormal
factors; a visit is a burst of pages and calls further visits; there are weekdays, holidays, stories
that go round without anybody wanting another job, students and ambassadors who look at vacancies
for reasons of their own, lost cookies, mail programs that open and scanners that click.
"""

from dataclasses import dataclass

import numpy as np

from bench.detection.life import BEGIN_MS, World, events_of
from bench.detection.outside_acts import acts_of, habits_of, stories_of
from bench.detection.outside_mail import mails_of
from bench.detection.outside_stays import truth_of
from services.contract.phases import DAY_MS

_STORIES = 1 << 40
"""No person has so high a number."""


@dataclass(frozen=True)
class Outside:
    """One such world."""

    seen: float
    """Share of people's visits that this employer's channels show."""
    content_days: float
    """Mean days that somebody content stays so: few active people where it is long."""
    mail_every_days: int
    days: int = 730

    def world(self, seed: int, people: range) -> World:
        """These people; each is the same for the same seed, whoever else is asked for."""
        end_ms = BEGIN_MS + self.days * DAY_MS
        stories = stories_of(np.random.default_rng((seed, _STORIES)), end_ms)
        truths, events = [], []
        for person in people:
            rng = np.random.default_rng((seed, person))
            habits = habits_of(rng)
            truth = truth_of(rng, end_ms, self.content_days, idle=habits.purpose is not None)
            acts = acts_of(rng, truth, habits, self.seen, stories)
            acts += mails_of(rng, truth, habits, self.mail_every_days)
            truths.append(truth)
            kept = [act for act in acts if BEGIN_MS < act.t_ms < truth.end_ms]
            events.append(events_of(seed, person, kept))
        return World(truths, events)
