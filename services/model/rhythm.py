"""What habits say: usual rhythm, best moment, contact pressure, when somebody could begin.

Pure readings of what ``services/model/habits.py`` kept, for any moment from the last event on.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from itertools import pairwise
from statistics import median
from typing import Literal

from services.contract.phases import DAY_MS
from services.model.habits import CONTACTS_MAX, times_s
from services.model.state import Habits, Project

RHYTHM_FROM = 4
"""Fewer visits make no rhythm."""
MOMENT_FROM = 4
"""Fewer visits and answers tell no moment."""
CALENDAR_DAYS = 90
"""A project that was looked at so long ago tells no longer when somebody could begin."""

_DAY_S = DAY_MS // 1000
_EPOCH = date(1970, 1, 1).toordinal()
_HOUR_WEIGHTS = ((-1, 0.5), (0, 1.0), (1, 0.5))


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often somebody comes of their own accord."""

    every_days: float
    """The median between the beginnings of two visits, of the latest."""
    visits: int
    last_ms: int
    """When the latest visit began."""


@dataclass(frozen=True, slots=True)
class BestMoment:
    """When somebody is most likely to be there."""

    weekday: int
    """1 (Monday) to 7."""
    hour: int
    """0-23, on the clock of the time zone asked for."""
    share: float
    """Of all that we saw, what came on that weekday, at most an hour from that hour."""
    seen: int


@dataclass(frozen=True, slots=True)
class Pressure:
    """What somebody was sent over a channel."""

    days_7: int
    days_30: int
    more: bool
    """There may have been more within 30 days than are kept."""
    last_ms: int


@dataclass(frozen=True, slots=True)
class Availability:
    """When somebody could begin on something else."""

    source: Literal["said", "calendar"]
    """In words, or by the projects of the calendar that they looked at."""
    at_ms: int
    """When that was said, or shown last."""
    available: bool
    from_day: date | None
    until_day: date | None


def rhythm(habits: Habits | None) -> Rhythm | None:
    """The usual rhythm; None: too few visits."""
    visits = times_s(habits.visits) if habits else []
    if len(visits) < RHYTHM_FROM:
        return None
    gaps = [(b - a) / _DAY_S for a, b in pairwise(visits)]
    return Rhythm(every_days=median(gaps), visits=len(visits), last_ms=visits[-1] * 1000)


def best_moment(habits: Habits | None, zone: tzinfo) -> BestMoment | None:
    """The weekday and hour at which somebody came or answered most; None: too few of both.

    Weekday and hour are judged apart, an hour together with its neighbours, for a week has more
    hours than there are visits. Of equals the earlier in the week and the day is taken.
    """
    moments = times_s(habits.visits) + times_s(habits.answers) if habits else []
    if len(moments) < MOMENT_FROM:
        return None
    local = [datetime.fromtimestamp(at, UTC).astimezone(zone) for at in moments]
    weekdays = Counter(at.isoweekday() for at in local)
    hours = Counter(at.hour for at in local)
    weekday = max(range(1, 8), key=lambda day: weekdays[day])
    hour = max(range(24), key=lambda hour: _near(hours, hour))
    then = sum(at.isoweekday() == weekday and _apart(at.hour, hour) <= 1 for at in local)
    return BestMoment(weekday, hour, then / len(local), len(local))


def _near(hours: Counter[int], hour: int) -> float:
    return sum(weight * hours[(hour + step) % 24] for step, weight in _HOUR_WEIGHTS)


def _apart(a: int, b: int) -> int:
    return min((a - b) % 24, (b - a) % 24)


def pressure(habits: Habits | None, at_ms: int) -> dict[str, Pressure]:
    """What was sent up to a moment, per channel of which there was anything in 30 days."""
    found: dict[str, Pressure] = {}
    for channel, ring in sorted(habits.contacts.items()) if habits else ():
        times = times_s(ring)
        month = _within(times, at_ms, 30)
        if month:
            found[channel] = Pressure(
                days_7=_within(times, at_ms, 7),
                days_30=month,
                more=month == CONTACTS_MAX,
                last_ms=times[-1] * 1000,
            )
    return found


def sent_ms(habits: Habits | None, channel: str | None) -> list[int]:
    """When things were sent over a channel, or over all (None), the latest of each, ascending."""
    if habits is None:
        return []
    if channel is not None:
        return [at_s * 1000 for at_s in times_s(habits.contacts.get(channel, b""))]
    return sorted(at_s * 1000 for ring in habits.contacts.values() for at_s in times_s(ring))


def _within(times: Sequence[int], at_ms: int, days: int) -> int:
    return sum(at_ms // 1000 - days * _DAY_S < at for at in times)


def availability(habits: Habits | None, at_ms: int) -> Availability | None:
    """When somebody could begin, as said last; else as the calendar's projects show.

    Of the projects looked at lately it is the earliest that has yet to begin. None: nobody knows.
    """
    if habits is None:
        return None
    said, today = habits.said, _day_of(at_ms)
    if said is not None and (said.until_day is None or said.until_day >= today):
        return Availability(
            source="said",
            at_ms=said.said_s * 1000,
            available=said.available,
            from_day=_date(said.from_day),
            until_day=_date(said.until_day),
        )
    shown = [project for project in habits.projects.values() if _tells(project, at_ms)]
    if not shown:
        return None
    first = min(shown, key=lambda project: (project.starts_day or 0, project.seen_s))
    return Availability(
        source="calendar",
        at_ms=first.seen_s * 1000,
        available=True,
        from_day=_date(first.starts_day),
        until_day=_date(first.ends_day),
    )


def availability_edges_ms(habits: Habits, ahead_days: int) -> list[int]:
    """When the answer of :func:`availability` may become another one in silence.

    Or whether it begins within so many days.
    """
    told: list[tuple[int | None, int | None]] = []
    edges: list[int] = []
    if habits.said is not None:
        told.append((habits.said.from_day, habits.said.until_day))
    for project in habits.projects.values():
        told.append((project.starts_day, project.starts_day))
        edges.append((project.seen_s + CALENDAR_DAYS * _DAY_S) * 1000)
    for from_day, until_day in told:
        if from_day is not None:
            edges.append((from_day - _EPOCH - ahead_days) * DAY_MS)
        if until_day is not None:
            edges.append((until_day - _EPOCH + 1) * DAY_MS)
    return edges


def _tells(project: Project, at_ms: int) -> bool:
    recent = at_ms // 1000 - project.seen_s < CALENDAR_DAYS * _DAY_S
    return recent and project.starts_day is not None and project.starts_day >= _day_of(at_ms)


def _day_of(at_ms: int) -> int:
    return datetime.fromtimestamp(at_ms / 1000, UTC).toordinal()


def _date(day: int | None) -> date | None:
    return None if day is None else date.fromordinal(day)
