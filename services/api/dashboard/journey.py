"""Somebody's way through the phases, and how often they did something, on one axis of time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from services.api.dashboard.texts import Words
from services.contract.event import MACHINE_THRESHOLD, Event
from services.contract.phases import DAY_MS, Phase

WIDTH, HEIGHT, STRIP = 600, 64, 16
"""Of the picture, and of the phases' strip at its foot."""
PAST_MS = 364 * DAY_MS
AHEAD_MAX_MS = 91 * DAY_MS
WEEK_MS = 7 * DAY_MS
_NOT_DONE = frozenset(
    {
        "sent", "delivered", "bounce", "consent_changed", "erased", "identity_decision",
        "segment_listed", "stage_changed", "rejected", "hired", "left",
    }
)  # fmt: skip
"""Types of events that somebody got, or that others tell of them."""


@dataclass(frozen=True)
class Stay:
    """A stretch in a phase, from left to right."""

    x: float
    width: float
    phase: Phase
    is_ahead: bool


@dataclass(frozen=True)
class Journey:
    """The picture, and what it says for whoever cannot see it."""

    stays: list[Stay]
    weeks: list[tuple[float, float, float]]
    """Bars of what was done: x, y, height; a week wide."""
    week_width: float
    now_x: float
    told: str


def moments_done(events: Iterable[Event], moments_ms: list[int]) -> Iterator[Event]:
    """The events as they come; the moments at which the person did something are kept."""
    for event in events:
        if event.type not in _NOT_DONE and event.machine.p < MACHINE_THRESHOLD:
            moments_ms.append(event.occurred_ms)
        yield event


def journey_of(
    phases: Sequence[Row[Any]], moments_ms: Sequence[int], now_ms: int, words: Words
) -> Journey | None:
    """A year back, as far as it reaches, and what is foretold; None: there is nothing to draw."""
    if not phases:
        return None
    begin_ms = max(min(phases[0].valid_from_ms, now_ms - WEEK_MS), now_ms - PAST_MS)
    last_ms = max((p.valid_from_ms for p in phases if p.valid_from_ms > now_ms), default=now_ms)
    end_ms = min(last_ms + 2 * WEEK_MS, now_ms + AHEAD_MAX_MS) if last_ms > now_ms else now_ms
    scale = WIDTH / (end_ms - begin_ms)

    def x(at_ms: int) -> float:
        return float(round((min(max(at_ms, begin_ms), end_ms) - begin_ms) * scale, 1))

    stays = []
    for p in phases:
        until_ms = end_ms if p.valid_to_ms is None else p.valid_to_ms
        for from_ms, to_ms in _at_now(p.valid_from_ms, until_ms, now_ms):
            left, right = x(from_ms), x(to_ms)
            if right > left:
                stays.append(Stay(left, round(right - left, 1), p.key, from_ms >= now_ms))
    counts = _by_week(moments_ms, begin_ms, now_ms)
    most, room = max(counts, default=0), HEIGHT - STRIP - 6
    weeks = [
        (x(begin_ms + i * WEEK_MS), round(room * (1 - n / most), 1), round(room * n / most, 1))
        for i, n in enumerate(counts)
        if n
    ]
    told = words["journey_told"].format(
        begin=words.day(begin_ms), number=words.number(sum(counts)), most=words.number(most)
    )
    return Journey(stays, weeks, round(WEEK_MS * scale - 1, 1), x(now_ms), told)


def _at_now(from_ms: int, to_ms: int, now_ms: int) -> Iterator[tuple[int, int]]:
    """A stretch, in two where now lies in it."""
    if from_ms < now_ms < to_ms:
        yield from_ms, now_ms
        yield now_ms, to_ms
    else:
        yield from_ms, to_ms


def _by_week(moments_ms: Sequence[int], begin_ms: int, now_ms: int) -> list[int]:
    counts = [0] * ((now_ms - begin_ms) // WEEK_MS + 1)
    for at_ms in moments_ms:
        if begin_ms <= at_ms <= now_ms:
            counts[(at_ms - begin_ms) // WEEK_MS] += 1
    return counts
