"""One world's contest: every score at its own threshold, all with equally many false alarms."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bench.detection.alarms import (
    MISS_DAYS,
    Alarms,
    Leave,
    Spells,
    half,
    half_probability,
    spells_of,
)
from bench.detection.life import ACTIVE
from bench.detection.measures import (
    Bin,
    Draws,
    Interval,
    Ranking,
    calibration_error,
    log_odds_to_p,
    mean,
    median,
    reliability,
)
from bench.detection.points import Tally, faded, nightly
from bench.detection.samples import Sample
from bench.detection.tracks import Floats, Track

HALF_LIVES = (2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90)
"""Days, for tuning."""
AS_SET_UP = "as set up"
RAW, RFM, DECAYED = "raw points", "RFM every night", "decayed points, tuned on other people"
ON_TRUTH = "decayed points, half-life tuned on the truth"
ALL_ON_TRUTH = "  weights and visits too"
DAY_ONE = "day-one"


@dataclass(frozen=True)
class Contestant:
    """One score at its threshold."""

    name: str
    days: Floats
    """Per spell, until the alarm; infinite: none."""
    counted: Floats
    """The same, a miss counted."""
    looks: Floats
    ranking: Ranking


@dataclass(frozen=True)
class Row:
    """What is told of a contestant."""

    name: str
    median_days: float | None
    """None: half of the spells or more are never noticed."""
    mean_days: Interval
    caught: float
    auc: Interval
    missed: float
    """Share of active weeks not listed, when 1 % of the others are."""
    calibration: Interval | None


@dataclass(frozen=True)
class Contest:
    """A world's rows, and what is compared for the targets."""

    world: str
    people: int
    spells: int
    events: int
    active: float
    """Share of the weeks looked at."""
    rows: list[Row]
    median_ratio: Interval
    """Day-one version to decayed points tuned on other people."""
    ahead_of_raw: Interval
    """Mean days."""
    behind_truth: Interval
    """Mean days, to points whose half-life was tuned on the truth; below 0: ahead."""
    auc_gain: Interval
    """Over the same."""
    false_as_shipped: float
    """Alarms a year of who is not active at the version's own threshold."""
    bins: list[Bin]


class Arena:
    """A sample with what every contestant is judged by."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.spells: Spells = spells_of(sample.truths)
        self.active: Floats = (sample.looks.state == ACTIVE).astype(float)
        self.draws = Draws.of(len(sample.truths))

    def enter(self, name: str, track: Track, leave: Leave) -> Contestant:
        """A score at the threshold that gives the agreed rate of false alarms."""
        alarms = Alarms(track, self.spells, leave)
        days = alarms.days(alarms.threshold())
        return Contestant(
            name, days, np.minimum(days, MISS_DAYS), track.looks, Ranking(track.looks, self.active)
        )

    def best(self, name: str, tallies: Iterable[Tally]) -> Contestant:
        """Faded points with the half-life, and the tally, that notice soonest here."""
        tried = [
            self.enter(name, faded(tally, self.sample.looks, days), half)
            for tally in tallies
            for days in HALF_LIVES
        ]
        return min(tried, key=lambda one: float(one.counted.mean()))

    def row(self, one: Contestant, *, says_probability: bool) -> Row:
        """What is told of it."""
        person, looks = self.spells.person, self.sample.looks.person
        p = log_odds_to_p(one.looks)
        middle = median(one.days, np.ones(len(one.days)))
        return Row(
            name=one.name,
            median_days=middle if math.isfinite(middle) else None,
            mean_days=self.draws.interval(person, lambda w: mean(one.counted, w)),
            caught=float(np.isfinite(one.days).mean()),
            auc=self.draws.interval(looks, one.ranking.area),
            missed=self._missed(one.looks),
            calibration=self.draws.interval(looks, lambda w: calibration_error(p, self.active, w))
            if says_probability
            else None,
        )

    def _missed(self, score: Floats) -> float:
        bound = np.quantile(score[self.active == 0], 0.99)
        return float((score[self.active == 1] <= bound).mean())


def tuned_half_life(tuning: Sample) -> int:
    """The half-life that notices soonest among the tuning seed's people."""
    spells = spells_of(tuning.truths)

    def mean_days(half_life: int) -> float:
        track = faded(tuning.tallies[AS_SET_UP], tuning.looks, half_life)
        alarms = Alarms(track, spells, half)
        return float(np.minimum(alarms.days(alarms.threshold()), MISS_DAYS).mean())

    return min(HALF_LIVES, key=mean_days)


def contest(world: str, sample: Sample, half_life: int, shipped: float) -> Contest:
    """Everybody's rows, and the comparisons.

    Args:
        world: its name.
        sample: the test seeds' people.
        half_life: that was tuned on other people, in days.
        shipped: P(active) from which the day-one version gives alarm.
    """
    arena, looks = Arena(sample), sample.looks
    tally = sample.tallies[AS_SET_UP]
    raw = arena.enter(RAW, faded(tally, looks, math.inf), half)
    others = [
        raw,
        arena.enter(RFM, nightly(tally, looks, sample.truths), half),
        arena.enter(f"{DECAYED} ({half_life} days)", faded(tally, looks, half_life), half),
        arena.best(ON_TRUTH, [tally]),
        arena.best(ALL_ON_TRUTH, sample.tallies.values()),
    ]
    ours = [
        arena.enter(f"Kentering, {name}", track, half_probability)
        for name, track in sample.tracks.items()
    ]
    day_one = ours[0]
    tuned, on_truth = others[2], others[3]
    person = arena.spells.person
    paired = arena.draws.interval
    track = sample.tracks[DAY_ONE]
    return Contest(
        world=world,
        people=len(sample.truths),
        spells=len(person),
        events=sample.events,
        active=float(arena.active.mean()),
        rows=[arena.row(one, says_probability=False) for one in others]
        + [arena.row(one, says_probability=True) for one in ours],
        median_ratio=paired(person, lambda w: _ratio(day_one.days, tuned.days, w)),
        ahead_of_raw=paired(person, lambda w: mean(raw.counted - day_one.counted, w)),
        behind_truth=paired(person, lambda w: mean(day_one.counted - on_truth.counted, w)),
        auc_gain=paired(looks.person, lambda w: day_one.ranking.area(w) - on_truth.ranking.area(w)),
        false_as_shipped=Alarms(track, arena.spells, half_probability).false_per_year(
            math.log(shipped / (1 - shipped))
        ),
        bins=reliability(log_odds_to_p(track.looks), arena.active),
    )


def _ratio(ours: Floats, theirs: Floats, weight: Floats) -> float:
    """Of the medians; one that is never reached counts as a miss."""
    return min(median(ours, weight), MISS_DAYS) / min(median(theirs, weight), MISS_DAYS)
