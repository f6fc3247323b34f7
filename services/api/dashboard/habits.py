"""What somebody's habits say, as lines of their page."""

from typing import NamedTuple

from services.api.dashboard.texts import Words
from services.model.engagement import IN_ALL, present
from services.model.rhythm import availability, best_moment, pressure, rhythm
from services.model.state import PersonState
from services.model.version import Model

TOPICS_MAX = 5


class Habit(NamedTuple):
    """A line: what it is about, and what it says."""

    name: str
    told: str


def habits_of(state: PersonState | None, words: Words, now_ms: int, model: Model) -> list[Habit]:
    """Those that are known; none of who is not followed."""
    if state is None:
        return []
    lines = (
        Habit(words["interests"], _topics(state, now_ms, model)),
        Habit(words["availability"], _availability(state, words, now_ms)),
        Habit(words["rhythm"], _rhythm(state, words)),
        Habit(words["best_moment"], _moment(state, words)),
        Habit(words["pressure"], _pressure(state, words, now_ms)),
    )
    return [line for line in lines if line.told]


def _topics(state: PersonState, now_ms: int, model: Model) -> str:
    engaged = present(state.engagement, now_ms, model)
    ranked = sorted(engaged, key=lambda topic: (-engaged[topic], topic))
    return ", ".join([topic for topic in ranked if topic != IN_ALL][:TOPICS_MAX])


def _availability(state: PersonState, words: Words, now_ms: int) -> str:
    found = availability(state.habits, now_ms)
    if found is None:
        return ""
    if not found.available:
        told = words["unavailable"]
    elif found.from_day is not None:
        told = words["available_from"].format(day=words.date(found.from_day))
    else:
        told = words["available"]
    if found.until_day is not None:
        told += f" {words['until']} {words.date(found.until_day)}"
    return f"{told} ({words[f'availability_{found.source}']})"


def _rhythm(state: PersonState, words: Words) -> str:
    found = rhythm(state.habits)
    if found is None:
        return ""
    days = words.tenths(found.every_days)
    return words["every_day"] if days == "1" else words["every_days"].format(days=days)


def _moment(state: PersonState, words: Words) -> str:
    found = best_moment(state.habits, words.zone)
    if found is None:
        return ""
    return words["moment"].format(weekday=words.weekday(found.weekday), hour=f"{found.hour}:00")


def _pressure(state: PersonState, words: Words, now_ms: int) -> str:
    found = pressure(state.habits, now_ms)
    if not found:
        return ""
    week, month = (sum(getattr(one, n) for one in found.values()) for n in ("days_7", "days_30"))
    return words["contacts"].format(week=week, month=month)
