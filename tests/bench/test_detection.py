"""The detection bench, very small: it runs, it is seeded, and its measures are what they say."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from bench.detection.alarms import Alarms, half, half_probability, spells_of
from bench.detection.life import BEGIN_MS, Stay, Truth
from bench.detection.measures import Draws, Ranking, area, calibration_error, median
from bench.detection.points import Tally, faded, nightly
from bench.detection.run import Size, read, run, told, untimed
from bench.detection.tables import as_tables
from bench.detection.tracks import WARM_DAYS, Track, looks_of
from bench.detection.worlds import WORLDS
from services.contract.phases import DAY_MS

TINY = Size(("dense, people alike", "outside, dense"), 12, 8, 0, 6, 1, public=False)


def day(days: float) -> int:
    return BEGIN_MS + round(days * DAY_MS)


def truth(*stays: tuple[int, float, float]) -> Truth:
    return Truth(tuple(Stay(state, day(a), day(b)) for state, a, b in stays), hired=False)


def track(*moments: tuple[float, float]) -> Track:
    times, values = zip(*moments, strict=True)
    return Track(
        np.zeros(len(times), np.int64),
        np.array([day(t) for t in times]),
        np.array(values),
        np.zeros(0),
    )


def test_the_same_seed_gives_the_same_table(tmp_path: Path) -> None:
    found = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        found.append(run(TINY, tmp_path / name, lambda _part, _total: lambda: None, 1))
    assert untimed(found[0]) == untimed(found[1])
    assert found[0].scorer.different == 0
    tables = as_tables(read(told(found[0])))
    assert all(f"### World: {world} (simulated)" in tables for world in TINY.worlds)
    assert "AUC above theirs" in tables


@pytest.mark.parametrize("world", WORLDS)
def test_people_are_the_same_whoever_else_is_asked_for(world: str) -> None:
    two, second = WORLDS[world].world(5, range(2)), WORLDS[world].world(5, range(1, 2))
    assert two.events[1] == second.events[0]
    assert two.truths[1] == second.truths[0]
    for whose, events in zip(two.truths, two.events, strict=True):
        assert whose.stays[0].from_ms == BEGIN_MS
        assert all(a.to_ms == b.from_ms for a, b in itertools.pairwise(whose.stays))
        assert all(BEGIN_MS <= event.occurred_ms < whose.end_ms for event in events)


def test_an_alarm_is_raised_anew_only_after_the_score_fell_to_half() -> None:
    spells = spells_of([truth((0, 0, 200), (2, 200, 260), (0, 260, 730))])
    moments = ((1, 0.0), (100, 5.0), (110, 3.0), (120, 5.0), (150, 1.0), (203, 5.0), (300, 5.0))
    alarms = Alarms(track(*moments), spells, half)
    quiet_years = (730 - WARM_DAYS - 60) / 365.25
    # Day 100 is false; 110 to 120 goes on; day 203 is the spell's; on day 300 it still stands.
    assert alarms.false_per_year(4.0) == pytest.approx(1 / quiet_years)
    assert alarms.days(4.0).tolist() == [3.0]
    assert alarms.days(6.0).tolist() == [math.inf]


def test_an_alarm_that_stands_already_notices_nothing() -> None:
    spells = spells_of([truth((0, 0, 200), (2, 200, 260), (0, 260, 730))])
    assert Alarms(track((190, 5.0), (210, 6.0)), spells, half).days(4.0).tolist() == [math.inf]


def test_the_threshold_is_the_smallest_with_few_enough_false_alarms() -> None:
    people = [truth((0, 0, 730)), truth((0, 0, 400), (2, 400, 500), (0, 500, 730))]
    moments = [(100.0 + i, i % 7 + i / 1000 if i % 2 else 0.0) for i in range(200)]
    alarms = Alarms(track(*moments), spells_of(people), half)
    threshold = alarms.threshold(5.0)
    assert alarms.false_per_year(threshold) <= 5.0 < alarms.false_per_year(threshold - 1e-3)


def test_half_of_a_probability_in_log_odds() -> None:
    assert half_probability(math.log(0.8 / 0.2)) == pytest.approx(math.log(0.4 / 0.6))


def test_points_fade_by_half() -> None:
    truths = [truth((0, 0, 730)), truth((0, 0, 730))]
    looks = looks_of(truths)
    points = Tally(
        np.array([0, 0, 1]), np.array([day(80), day(87), day(400)]), np.array([4.0, 2.0, 8.0])
    )
    found = faded(points, looks, 7)
    assert found.value.tolist() == pytest.approx([0, 4, 2, 4, 0, 8])
    first = looks.t_ms[0] - day(87)
    assert found.looks[0] == pytest.approx(4 * 0.5 ** (first / (7 * DAY_MS)))
    of_second = found.looks[looks.person == 1]
    assert of_second[0] == 0.0
    assert of_second[-1] > 0.0
    ranks = nightly(points, looks, truths).looks
    assert ranks[looks.person == 0][0] > ranks[looks.person == 1][0]


def test_area_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(1)
    score = rng.integers(0, 6, 60).astype(float)
    positive = (rng.random(60) < 0.4).astype(float)
    pairs = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a in score[positive == 1]
        for b in score[positive == 0]
    ]
    assert area(score, positive, np.ones(60)) == pytest.approx(np.mean(pairs))
    twice = np.concatenate([score, score[:10]]), np.concatenate([positive, positive[:10]])
    weight = np.where(np.arange(60) < 10, 2.0, 1.0)
    assert Ranking(score, positive).area(weight) == pytest.approx(area(*twice, np.ones(70)))


def test_calibration_median_and_intervals() -> None:
    p = np.array([0.05, 0.05, 0.95, 0.95])
    was = np.array([0.0, 0.0, 1.0, 0.0])
    assert calibration_error(p, was, np.ones(4)) == pytest.approx((2 * 0.05 + 0.9) / 4)
    assert median(np.array([1.0, math.inf, 3.0]), np.ones(3)) == 3.0
    found = Draws.of(50).interval(np.arange(50), lambda w: float((w * np.arange(50)).sum() / 50))
    assert found.low < found.value == 24.5 < found.high
