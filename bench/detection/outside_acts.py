"""What people do of their own accord outside the filter's family."""

from typing import NamedTuple

import numpy as np

from bench.detection.life import ACTIVE, BEGIN_MS, Act, Stay, Truth
from bench.detection.tracks import Floats, Ints
from services.contract.phases import DAY_MS, HOUR_MS

VISITS_PER_DAY: dict[str, tuple[float, float, float]] = {
    "page": (0.015, 0.04, 0.09),
    "magazine": (0.010, 0.012, 0.012),
    "social": (0.008, 0.016, 0.022),
    "podcast": (0.004, 0.006, 0.006),
    "vacancy_view": (0.003, 0.014, 0.20),
}
"""By hidden state; what else is done on the website happens within such visits."""
PURPOSES: dict[str, dict[str, float]] = {
    "student": {"vacancy_view": 0.05, "page": 0.06, "sign_up": 0.004},
    "ambassador": {"social": 0.15, "share": 0.04, "page": 0.10, "vacancy_view": 0.03},
}
"""Visits per day of people who have a reason to come and none to leave."""
_SHARES = {"student": 0.05, "ambassador": 0.03}
_NEXT_PAGE = 0.5
_CALLS_ANOTHER = 0.3
"""The chance that a visit calls another, a day or so later."""
_LATE = HOUR_MS // 2
_WEEK = np.array([1.2, 1.2, 1.15, 1.1, 0.9, 0.6, 0.85])
_PEAK = 1.6
"""More than weekday and season ever give together."""
_HOURS = np.cumsum([1, 0, 0, 0, 1, 3, 5, 4, 3, 4, 6, 5, 3, 3, 4, 6, 7, 8, 10, 12, 9, 5, 3, 2])


class Habits(NamedTuple):
    """What somebody is like, whatever the state."""

    purpose: str | None
    """A key of ``PURPOSES``, or None like most."""
    tastes: dict[str, float]
    """Factor on each kind of visit, how active somebody is included."""
    forgets: float
    """Share of visits whose cookie is not known any more."""
    mail_taste: float
    """Added to the log-odds of opening."""
    opens_by_machine: bool
    """A mail program fetches every picture at once."""
    scanned: bool
    """A firm's scanner follows every link."""


class Story(NamedTuple):
    """Something that goes round: when, and how many it reaches."""

    t_ms: int
    share: float


def habits_of(rng: np.random.Generator) -> Habits:
    """Somebody's habits."""
    drawn = rng.random()
    purpose = None
    for name, share in _SHARES.items():
        if purpose is None and drawn < share:
            purpose = name
        drawn -= share
    activity = rng.lognormal(-0.32, 0.8)
    kinds = [*VISITS_PER_DAY, "share", "sign_up"]
    return Habits(
        purpose=purpose,
        tastes={kind: float(activity * rng.lognormal(-0.18, 0.6)) for kind in kinds},
        forgets=float(rng.beta(1, 3)),
        mail_taste=float(rng.normal(0, 1)),
        opens_by_machine=bool(rng.random() < 0.35),
        scanned=bool(rng.random() < 0.08),
    )


def stories_of(rng: np.random.Generator, end_ms: int) -> list[Story]:
    """Two stories in the course of the time."""
    first, second = sorted(rng.integers(BEGIN_MS + 120 * DAY_MS, end_ms - 60 * DAY_MS, 2).tolist())
    return [Story(first, 0.3), Story(second, 0.5)]


def acts_of(
    rng: np.random.Generator, truth: Truth, habits: Habits, seen: float, stories: list[Story]
) -> list[Act]:
    """One person's acts, not yet in order; some lie after the end."""
    acts: list[Act] = []
    for stay in truth.stays:
        # Some who look show it to everybody, some to nobody.
        shown = float(rng.lognormal(-0.5, 1.0)) if stay.state == ACTIVE else 1.0
        for kind, rate in _rates(habits, stay.state).items():
            factor = habits.tastes[kind] * (shown if kind == "vacancy_view" else 1.0)
            for t_ms in _moments(rng, stay, rate * factor * seen):
                acts += _visits(rng, kind, t_ms, stay.state, habits)
    for story in stories:
        if rng.random() < story.share:
            # It goes round among people, not on this employer's pages alone: nothing is unseen.
            acts += _read(rng, story, habits)
    return acts


def _rates(habits: Habits, state: int) -> dict[str, float]:
    if habits.purpose is not None:
        return PURPOSES[habits.purpose]
    return {kind: rates[state] for kind, rates in VISITS_PER_DAY.items()}


def _moments(rng: np.random.Generator, stay: Stay, per_day: float) -> list[int]:
    """When visits begin: by weekday, by season, at the hours of a working day."""
    days = (stay.to_ms - stay.from_ms) / DAY_MS
    count = rng.poisson(per_day * days * _PEAK)
    if count == 0:
        return []
    day = (rng.integers(stay.from_ms, stay.to_ms, count) - BEGIN_MS) // DAY_MS
    hour = np.searchsorted(_HOURS, rng.random(count) * _HOURS[-1], "right")
    times = BEGIN_MS + day * DAY_MS + hour * HOUR_MS + rng.integers(HOUR_MS, size=count)
    kept = rng.random(count) * _PEAK < _WEEK[day % 7] * _season(day)
    kept &= (times >= stay.from_ms) & (times < stay.to_ms)
    return [int(t_ms) for t_ms in times[kept]]


def _season(day: Ints) -> Floats:
    """Much goes on in winter, little in July and August."""
    return np.asarray(1.0 + 0.3 * np.cos(2 * np.pi * (day - 20) / 365.25))


def _visits(
    rng: np.random.Generator, kind: str, t_ms: int, state: int, habits: Habits
) -> list[Act]:
    """A visit, and those that it calls."""
    acts: list[Act] = []
    while True:
        # A podcast or a post is heard of through an account; a website's cookie gets lost.
        if kind in {"podcast", "social"} or rng.random() >= habits.forgets:
            acts += _visit(rng, kind, t_ms, state)
        if kind in {"podcast", "social"} or rng.random() >= _CALLS_ANOTHER:
            return acts
        t_ms += _LATE + round(rng.exponential(1.0) * DAY_MS)


def _visit(rng: np.random.Generator, kind: str, t_ms: int, state: int) -> list[Act]:
    acts = [Act(t_ms, kind)]
    if kind in {"page", "magazine", "vacancy_view"}:
        while rng.random() < _NEXT_PAGE:
            t_ms += int(rng.integers(20_000, 180_000))
            acts.append(Act(t_ms, kind if rng.random() < 0.8 else "page"))
    if kind == "page" and rng.random() < 0.04:
        acts.append(Act(t_ms + 60_000, "vacancy_view"))
    if kind == "page" and rng.random() < 0.02:
        acts.append(Act(t_ms + 90_000, "sign_up"))
    if kind == "vacancy_view":
        acts += _applying(rng, t_ms, state)
    return acts


def _applying(rng: np.random.Generator, t_ms: int, state: int) -> list[Act]:
    """What may follow on a vacancy that was read."""
    acts: list[Act] = []
    if rng.random() < (0.06, 0.12, 0.25)[state]:
        acts.append(Act(t_ms + 45_000, "vacancy_click"))
    if rng.random() < (0.002, 0.01, 0.08)[state]:
        acts.append(Act(t_ms + 90_000, "application_start"))
        if rng.random() < 0.5:
            acts.append(Act(t_ms + 900_000, "application"))
    return acts


def _read(rng: np.random.Generator, story: Story, habits: Habits) -> list[Act]:
    """Some visits within days of a story, by who is not thinking of another job any more for it."""
    acts: list[Act] = []
    for _ in range(int(rng.integers(1, 4))):
        t_ms = story.t_ms + round(rng.lognormal(0.5, 1.0) * DAY_MS)
        kind = "social" if rng.random() < 0.3 else "page"
        acts += _visits(rng, kind, t_ms, 0, habits)
    if rng.random() < 0.1:
        acts.append(Act(story.t_ms + 2 * DAY_MS, "share"))
    return acts
