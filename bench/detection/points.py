"""What others keep instead: points per event that stay, fade, or are counted each night.

Everybody gets the same events: the tracker's word on machines and the joining of a click with its
landing page are given away for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.detection.life import BEGIN_MS, Truth
from bench.detection.tracks import Floats, Ints, Looks, Track
from services.contract.event import MACHINE_THRESHOLD, Event
from services.contract.phases import DAY_MS

WEIGHTS: Mapping[str, float] = {
    "open": 1, "click": 3, "page": 2, "play": 3, "magazine_page": 1, "share": 4,
    "vacancy_viewed": 4, "sign_up": 8, "application_started": 10, "applied": 15,
}  # fmt: skip
"""Points per event as such systems are set up: the nearer to applying, the more."""
TELLING_WEIGHTS: Mapping[str, float] = {
    "open": 1.1, "click": 1.8, "page": 2.5, "play": 0.7, "magazine_page": 0.4, "share": 1.6,
    "vacancy_viewed": 4.6, "sign_up": 3.0, "application_started": 7.3, "applied": 8.0,
}  # fmt: skip
"""The logarithm of how much likelier the day-one version holds each for somebody active."""
RECENT_DAYS = 90
VISIT_MS = 30 * 60_000
_SPAN_MS = 1 << 42
"""More than any time: people's moments in one order."""


@dataclass(frozen=True)
class Tally:
    """Everything that scores points, ordered by (person, time)."""

    person: Ints
    t_ms: Ints
    weight: Floats


def tally(
    events: list[list[Event]], weights: Mapping[str, float], *, once_a_visit: bool = False
) -> Tally:
    """What of the events scores points: every one, or one of a type in half an hour."""
    rows: list[tuple[int, int, float]] = []
    for person, own in enumerate(events):
        landed: set[str] = set()
        seen_ms: dict[str, int] = {}
        for event in own:
            weight = weights.get(event.type, 0.0)
            if not weight or event.machine.p >= MACHINE_THRESHOLD or event.click_id in landed:
                continue
            if event.click_id is not None:
                landed.add(event.click_id)
            at, seen = event.occurred_ms, seen_ms.get(event.type)
            seen_ms[event.type] = at
            if not once_a_visit or seen is None or at - seen >= VISIT_MS:
                rows.append((person, at, weight))
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Tally(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])


def faded(points: Tally, looks: Looks, half_life_days: float) -> Track:
    """Points that lose half of their worth every so many days; infinite: raw points."""
    rate = np.log(2) / (half_life_days * DAY_MS)
    after = _sums(points, rate)
    before = after - points.weight
    at = np.searchsorted(_key(points.person, points.t_ms), _key(looks.person, looks.t_ms), "right")
    last = np.maximum(at - 1, 0)
    known = (at > 0) & (points.person[last] == looks.person)
    since = np.where(known, looks.t_ms - points.t_ms[last], 0)
    seen = np.where(known, after[last] * np.exp(-rate * since), 0.0)
    return Track(
        np.repeat(points.person, 2),
        np.repeat(points.t_ms, 2),
        np.stack([before, after], axis=1).ravel(),
        seen,
    )


def _sums(points: Tally, rate: float) -> Floats:
    """The faded sum just after each event, step by step for all people at once."""
    begins = np.flatnonzero(np.diff(points.person, prepend=-1))
    lengths = np.diff(np.append(begins, len(points.person)))
    sums = np.zeros(len(points.person))
    for step in range(int(lengths.max(initial=0))):
        here = begins[lengths > step] + step
        sums[here] = points.weight[here]
        if step:
            gone = points.t_ms[here] - points.t_ms[here - 1]
            sums[here] += sums[here - 1] * np.exp(-rate * gone)
    return sums


def nightly(points: Tally, looks: Looks, truths: list[Truth]) -> Track:
    """Recency, frequency and points of the last 90 days, ranked among all people every midnight.

    The score is the mean of the three ranks, 0 to 1, and holds until the next midnight.
    """
    count = len(truths)
    ends = np.array([truth.end_ms for truth in truths])
    nights = BEGIN_MS + DAY_MS * np.arange(1, int((ends.max() - BEGIN_MS) // DAY_MS) + 1)
    scores = np.empty((len(nights), count))
    last = np.full(count, BEGIN_MS - DAY_MS)
    often, worth = np.zeros(count), np.zeros(count)
    order = np.argsort(points.t_ms, kind="stable")
    times = points.t_ms[order]
    came = np.searchsorted(times, nights)
    went = np.searchsorted(times, nights - RECENT_DAYS * DAY_MS)
    for night in range(len(nights)):
        new = order[came[night - 1] if night else 0 : came[night]]
        old = order[went[night - 1] if night else 0 : went[night]]
        np.add.at(often, points.person[new], 1.0)
        np.add.at(worth, points.person[new], points.weight[new])
        np.add.at(often, points.person[old], -1.0)
        np.add.at(worth, points.person[old], -points.weight[old])
        np.maximum.at(last, points.person[new], points.t_ms[new])
        scores[night] = (_ranks(last) + _ranks(often) + _ranks(worth.round(6))) / 3
    person = np.repeat(np.arange(count), len(nights))
    t_ms = np.tile(nights, count)
    followed = t_ms < ends[person]
    at = np.clip((looks.t_ms - BEGIN_MS) // DAY_MS - 1, 0, None)
    seen = scores[at, looks.person]
    return Track(person[followed], t_ms[followed], scores.T.ravel()[followed], seen)


def _ranks(values: Floats | Ints) -> Floats:
    """Each one's share of people who have less."""
    return np.searchsorted(np.sort(values), values) / len(values)


def _key(person: Ints, t_ms: Ints) -> Ints:
    return person * _SPAN_MS + t_ms
