"""What people do of their own accord, at the rates of the model's day-one version."""

from collections.abc import Iterator

import numpy as np

from services.contract.phases import DAY_MS, HOUR_MS
from services.demo.acts import HIRED, Act, Stay
from services.demo.catalogue import (
    BEHIND_THE_SCENES,
    HACKATHON,
    MAGAZINES,
    PODCASTS,
    STORIES,
    VACANCIES,
    Item,
)
from services.model.version import load

NEXT_PAGE = 0.35
"""The chance that a visit has another page."""

_rates = load("day-one").parameters.rates_per_day
KINDS: tuple[str, ...] = tuple(_rates)
RATES = np.array([_rates[kind] for kind in KINDS]).T
"""Acts per day: a row per state, a column per kind."""

# How acts spread over the hours of a Dutch working day, in UTC.
_weights = np.array([1, 0, 0, 0, 1, 3, 5, 4, 3, 4, 6, 5, 3, 3, 4, 6, 7, 8, 10, 12, 9, 5, 3, 2.0])
HOURS = _weights / _weights.sum()

CONTENT: dict[str, tuple[Item, ...]] = {
    "page": (*STORIES, *BEHIND_THE_SCENES),
    "magazine": MAGAZINES,
    "social": STORIES,
    "podcast": PODCASTS,
    "vacancy_view": VACANCIES,
    "vacancy_click": VACANCIES,
    "sign_up": (HACKATHON,),
    "application_start": VACANCIES,
    "application": VACANCIES,
}


def acts_of(
    rng: np.random.Generator, person: int, activity: float, stays: list[Stay]
) -> Iterator[Act]:
    """One person's acts in all stays, not yet in order."""
    for stay in stays:
        if stay.state == HIRED:
            return
        days = (stay.to_ms - stay.from_ms) / DAY_MS
        counts = rng.poisson(RATES[stay.state] * (activity * days))
        for kind, count in zip(KINDS, counts.tolist(), strict=True):
            for t_ms in _moments(rng, stay, count):
                yield from visit(rng, person, kind, t_ms)


def visit(rng: np.random.Generator, person: int, kind: str, t_ms: int) -> Iterator[Act]:
    """An act, and on the website perhaps more of its kind, a minute or so apart."""
    items = CONTENT[kind]
    while True:
        yield Act(t_ms, person, kind, items[int(rng.integers(len(items)))].content_id)
        if kind not in {"page", "vacancy_view"} or rng.random() > NEXT_PAGE:
            return
        t_ms += int(rng.integers(20_000, 180_000))


def _moments(rng: np.random.Generator, stay: Stay, count: int) -> list[int]:
    if count == 0:
        return []
    days = rng.integers(stay.from_ms, stay.to_ms, count) // DAY_MS
    hours = rng.choice(24, count, p=HOURS)
    times: list[int] = (days * DAY_MS + hours * HOUR_MS + rng.integers(0, HOUR_MS, count)).tolist()
    # An hour of the stay's first or last day may lie outside it: then its border's own moment.
    return [min(max(t_ms, stay.from_ms), stay.to_ms - 1) for t_ms in times]
