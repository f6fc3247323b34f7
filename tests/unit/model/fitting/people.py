"""Versions and small worlds for the tests of fitting."""

from typing import Any

import msgspec
import numpy as np

from services.model.fitting.history import Histories, Rhythm, codes_of
from services.model.fitting.simulate import World, simulate
from services.model.parameters import Parameters
from services.model.version import load

DAY_ONE = load().parameters
CODES = codes_of(DAY_ONE)
BOTH = Rhythm(1 / 7, 1 / 30)


def changed(version: Parameters = DAY_ONE, **fields: Any) -> Parameters:
    return msgspec.structs.replace(version, **fields)


def with_echo(strength: float, version: Parameters = DAY_ONE) -> Parameters:
    echo = msgspec.structs.replace(version.echo, visits_per_visit=strength)
    return changed(version, echo=echo)


def scaled(factor: Any, version: Parameters = DAY_ONE) -> Parameters:
    """All rates times a factor, or three factors."""
    rates = version.rates_per_day.items()
    return changed(
        version, rates_per_day={k: tuple((np.array(r) * factor).tolist()) for k, r in rates}
    )


def world(people: int, days: float, seed: int, version: Parameters = DAY_ONE) -> World:
    return simulate(version, people, days, BOTH, seed)


def history(*steps: tuple[float, int], person: int = 0) -> Histories:
    """One spell of (day, code)."""
    days, codes = zip(*steps, strict=True)
    return Histories(
        np.array([person]), np.array([len(steps)]), np.array(days, float), np.array(codes, np.int8)
    )
