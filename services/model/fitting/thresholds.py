"""Thresholds for chosen rates of false alarms, from people simulated by the version itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from services.model.fitting.alarms import Manner, counted, threshold_for
from services.model.fitting.each import Each
from services.model.fitting.history import Floats, Histories, Rhythm
from services.model.fitting.pack import Batch, batches
from services.model.fitting.scores import Score, Scored, score
from services.model.fitting.simulate import World, simulate
from services.model.parameters import Hysteresis, Parameters, Signals

FALSE_PER_YEAR = {"turning": 0.30, "active": 0.10}
"""Wanted: alarms per person-year of people who are not open, or not active."""
DAYS = 730
YEAR_DAYS = 365.25
_BOUNDS = (0.01, 0.999)
_NOT = {"turning": (0,), "active": (0, 1)}
"""States in which an alarm is a false one."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Of one signal; rates are alarms per person-year."""

    signal: str
    enter: float
    leave: float
    false_per_year: float
    """Simulated, of people who are not."""
    expected_per_year: float
    """Simulated, of all people."""


def derive(
    version: Parameters, rhythm: Rhythm, people: int, seed: int, each: Each
) -> list[Threshold]:
    """Thresholds of both signals.

    Args:
        version: whose rates, frailty and echo the people have.
        rhythm: how much mail they get.
        people: how many are simulated, for two years.
        seed: of the simulation.
        each: how batches are worked through.
    """
    world = simulate(version, people, DAYS, rhythm, seed)
    packed = batches(world.histories, version)
    scored = score(world.histories, packed, version, each)
    return [_derive(name, world, packed, scored, version) for name in FALSE_PER_YEAR]


def _derive(
    name: str, world: World, packed: Sequence[Batch], scored: Scored, version: Parameters
) -> Threshold:
    manner = manner_of(version, name)
    found: Score = getattr(scored, name)
    is_false = np.isin(world.state, _NOT[name]).astype(float)
    years = float(world.days_in[list(_NOT[name])].sum()) / YEAR_DAYS
    wanted = FALSE_PER_YEAR[name] * years
    enter = round(threshold_for(found, packed, manner, is_false, wanted, _BOUNDS), 4)
    at = np.array([enter])
    false = counted(found, packed, at, manner, is_false)[0]
    total = counted(found, packed, at, manner, np.ones_like(is_false))[0]
    return Threshold(
        signal=name,
        enter=enter,
        leave=round(enter * manner.leave_share, 4),
        false_per_year=float(false) / years,
        expected_per_year=float(total) / float(world.days_in.sum()) * YEAR_DAYS,
    )


def manner_of(version: Parameters, name: str) -> Manner:
    """How a signal's alarms end in a version."""
    bounds: Hysteresis = getattr(version.signals, name)
    return Manner(bounds.leave / bounds.enter, version.signals.stay_days)


def observed_per_year(
    histories: Histories, version: Parameters, thresholds: list[Threshold], each: Each
) -> list[float]:
    """Alarms per person-year that the version would have raised among real people."""
    packed = batches(histories, version)
    scored = score(histories, packed, version, each)
    years = float(histories.spell_days.sum()) / YEAR_DAYS
    ones: Floats = np.ones(len(histories.days))
    return [
        float(
            counted(
                getattr(scored, one.signal),
                packed,
                np.array([one.enter]),
                manner_of(version, one.signal),
                ones,
            )[0]
        )
        / max(years, 1e-9)
        for one in thresholds
    ]


def with_thresholds(version: Parameters, thresholds: list[Threshold]) -> Parameters:
    """The version with these thresholds."""
    found = {one.signal: Hysteresis(one.enter, one.leave) for one in thresholds}
    signals = Signals(found["turning"], found["active"], version.signals.stay_days)
    return msgspec.structs.replace(version, signals=signals)
