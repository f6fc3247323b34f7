"""Real people: who comes in the time ahead, ranked by the filter and by the best faded points.

Coming is the one thing that these records show, so the version knows one kind of touchpoint, at
the day-one rates of a page. Whoever is expected to come most often just now, by state and by
nature, ranks first. A second version was fitted, without labels, on what came before the first
day of looking. The points' half-life is the one that turns out best on the answers themselves.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np

from bench.detection.life import Act, events_of
from bench.detection.measures import Draws, Interval, Ranking
from bench.detection.public_data import PublicData
from bench.detection.tracks import Floats
from services.contract.event import Event
from services.contract.phases import DAY_MS
from services.model.fitting.em import fit
from services.model.fitting.maximise import Prior
from services.model.fitting.pack import batches
from services.model.fitting.scribe import Scribe
from services.model.fold import fold_onto
from services.model.parameters import Parameters
from services.model.path import Path
from services.model.version import Model, build, load

HALF_LIVES = (7, 10, 14, 21, 30, 45, 60, 90, 120, 150, 180, 270, 365)
PRIOR_DAYS = 200_000
"""What the day-one version is worth where nobody's outcome is known, in person-days per state."""
LOOKS: dict[str, tuple[tuple[int, ...], int]] = {
    "CDNOW": ((26, 39, 52, 65), 91),
    "Complete Journey": ((16, 24, 32, 40, 48), 7),
}
"""By record: after how many weeks it is asked who comes, and within how many days."""


class Ranked(NamedTuple):
    """AUC of who comes, the mean over the looks."""

    record: str
    people: int
    half_life: int
    points: Interval
    day_one: Interval
    day_one_gain: Interval
    """Over the points."""
    fitted: Interval
    fitted_gain: Interval


def ranked(data: PublicData) -> Ranked:
    """One record's contest."""
    weeks, days = LOOKS[data.name]
    looks = [data.begin_ms + 7 * week * DAY_MS for week in weeks]
    known = np.array([[came[0] < at for at in looks] for came in data.came_ms])
    comes = np.array(
        [
            [any(at <= t < at + days * DAY_MS for t in came) for at in looks]
            for came in data.came_ms
        ],
        dtype=float,
    )
    draws = Draws.of(len(data.came_ms))
    people = np.arange(len(data.came_ms))

    def areas(score: Floats) -> Callable[[Floats], float]:
        rankings = [
            (known[:, i], Ranking(score[known[:, i], i], comes[known[:, i], i]))
            for i in range(len(looks))
        ]
        return lambda w: float(np.mean([one.area(w[here]) for here, one in rankings]))

    tried = {half_life: areas(_points(data, looks, half_life)) for half_life in HALF_LIVES}
    half_life = max(HALF_LIVES, key=lambda one: tried[one](np.ones(len(people))))
    points = tried[half_life]
    one_kind = _one_kind(load("day-one").parameters)
    day_one = areas(_expected(data, looks, build(one_kind)))
    fitted = areas(_expected(data, looks, build(_fitted(data, looks[0], one_kind))))
    interval = draws.interval
    return Ranked(
        data.name,
        len(people),
        half_life,
        interval(people, points),
        interval(people, day_one),
        interval(people, lambda w: day_one(w) - points(w)),
        interval(people, fitted),
        interval(people, lambda w: fitted(w) - points(w)),
    )


def _points(data: PublicData, looks: list[int], half_life: int) -> Floats:
    """(people, looks)"""
    score = np.zeros((len(data.came_ms), len(looks)))
    for person, came in enumerate(data.came_ms):
        times = np.array(came)
        for i, at in enumerate(looks):
            score[person, i] = np.exp2((times[times < at] - at) / DAY_MS / half_life).sum()
    return score


def _one_kind(parameters: Parameters) -> Parameters:
    rates = {"page": parameters.rates_per_day["page"]}
    return msgspec.structs.replace(parameters, rates_per_day=rates, site_kinds=("page",))


def _expected(data: PublicData, looks: list[int], model: Model) -> Floats:
    """(people, looks) how often each one is expected to come a day just then."""
    by_point = np.outer(model.parameters.frailty.points, model.parameters.rates_per_day["page"])
    score = np.zeros((len(data.came_ms), len(looks)))
    for person, came in enumerate(data.came_ms):
        events = _events(person, came)
        state, begun = None, 0
        for i, at in enumerate(looks):
            while begun < len(events) and events[begun].occurred_ms < at:
                state = fold_onto(state, events[begun], model)
                begun += 1
            if state is not None:
                p = Path(state, model, at).probabilities_at(at)
                score[person, i] = by_point.ravel() @ np.array(p)
    return score


def _fitted(data: PublicData, before_ms: int, base: Parameters) -> Parameters:
    scribe = Scribe(build(base))
    for person, came in enumerate(data.came_ms):
        events = _events(person, [t for t in came if t < before_ms])
        if events:
            scribe.follow(person, events, before_ms)
    histories = scribe.histories()
    return fit(Prior(base, PRIOR_DAYS, histories.rhythm), batches(histories, base), map)


def _events(person: int, came_ms: list[int]) -> list[Event]:
    """Being scored begins with the first time; the clock of simulated people is put back."""
    if not came_ms:
        return []
    events = events_of(0, person, [Act(t_ms, "page") for t_ms in came_ms])
    consent = next(event for event in events if event.type == "identified")
    begun = msgspec.structs.replace(consent, occurred_ms=came_ms[0], received_ms=came_ms[0])
    return [begun, *(event for event in events if event is not consent)]
