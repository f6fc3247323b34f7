"""What every condition of a rule is: fields that are closed, an answer, and what it depends on.

A condition answers *whether it holds* and *until when that surely stands* if nothing more happens
to the person. The second answer makes exits known ahead, and lets nothing be asked twice.
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from services.contract.phases import DAY_MS, LatencyState, Phase
from services.model.rules.memory import Memory
from services.model.state import PersonState
from services.model.version import Model

_NAMED_MAX = 50
"""Names told of what there is, where nothing comes near."""

Verdict = tuple[bool, int | None]
"""(truth, until_ms); ``until_ms`` None: nothing changes within the horizon."""


class Subject(Protocol):
    """A person as rules see it: what is known, and the path ahead if nothing more happens."""

    @property
    def state(self) -> PersonState:
        """After the last event."""

    @property
    def model(self) -> Model:
        """The version that made it."""

    @property
    def answers(self) -> dict[tuple[object, int], Verdict]:
        """What conditions that are shared were answered before, by themselves and the moment."""

    def phase_at(self, at_ms: int) -> tuple[Phase | None, int | None]:
        """The phase (None: not scored) and when it next changes."""

    def phase_since(self, at_ms: int) -> int:
        """When the phase that holds at a moment began."""

    def latency_state_at(self, at_ms: int) -> tuple[LatencyState | None, int | None]:
        """The latency state (None: not scored) and when it next changes."""

    def probability_at_least(self, of: str, theta: float, at_ms: int) -> Verdict | None:
        """Whether a probability is at least ``theta``, and when that next changes.

        None: the person is not scored.
        """


class Node(Protocol):
    """Part of a rule as it is evaluated."""

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """Whether it holds for the person at ``at_ms``, and until when that stands."""

    def parts(self) -> "Sequence[Node]":
        """What it is put together from; nothing: it is a condition by itself."""


class Written(BaseModel):
    """What stands in a rule as it is written: closed, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Condition(Written, ABC):
    """Part of a rule as it is written."""

    steps: ClassVar[bool] = False
    """Whether it reads the phases or the latency states ahead."""

    touching: ClassVar[frozenset[str] | None] = None
    """Types of events that may change its answer otherwise than by the path; None: all."""

    @abstractmethod
    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """Whether it holds for the person at ``at_ms``, and until when that stands."""

    def parts(self) -> Sequence[Node]:
        """What it is put together from; nothing: it is a condition by itself."""
        return ()

    def recurs(self) -> bool:
        """Whether its answer may change for ever though nothing happens."""
        return False

    def touched_by(self, event_type: str) -> bool:
        """Whether events of a type may change its answer by themselves."""
        return self.touching is None or event_type in self.touching

    def memories(self) -> Sequence[Memory]:
        """What the fold is to keep for it."""
        return ()


class Composed(Condition):
    """A condition that is put together from others."""

    @abstractmethod
    def parts(self) -> Sequence[Node]:
        """What it is put together from."""

    @abstractmethod
    def with_parts(self, parts: Sequence[Node]) -> Node:
        """The same, put together from other parts."""


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """A sentence about a name that there is not, with the nearest one that there is."""
    text = str(name)[:60].encode("utf-8", "replace").decode()
    names = sorted(known)
    near = get_close_matches(text, names, n=1, cutoff=0.5)
    if near:
        return f"there is no {what} `{text}`: did you mean `{near[0]}`?"
    if not names:
        return f"there is no {what} `{text}`, nor any other"
    more = f" and {len(names) - _NAMED_MAX:,} more" if len(names) > _NAMED_MAX else ""
    return f"there is no {what} `{text}`: there are {', '.join(names[:_NAMED_MAX])}{more}"


def counted_within(
    times_ms: Sequence[int], window_ms: int, at_ms: int, at_least: int, at_most: int | None
) -> Verdict:
    """Whether so many moments lie less than a window back. In silence they only get fewer.

    Args:
        times_ms: ascending, the newest at least ``max(at_least, at_most + 1)`` of all.
        window_ms: how far back.
        at_ms: from when; none of the times is later.
        at_least: so many, or more.
        at_most: so many, or fewer; None: any number.
    """
    number = len(times_ms) - bisect_right(times_ms, at_ms - window_ms)
    if number < at_least:
        return False, None
    if at_most is not None and number > at_most:
        return False, times_ms[-at_most - 1] + window_ms
    return True, times_ms[-at_least] + window_ms if at_least else None


def days_since(
    began_ms: int, at_ms: int, at_least_days: int | None, less_than_days: int | None
) -> Verdict:
    """Whether a moment lies so many days back, by its age; None: no such bound."""
    from_ms = began_ms + (at_least_days or 0) * DAY_MS
    if at_ms < from_ms:
        return False, from_ms
    if less_than_days is None:
        return True, None
    to_ms = began_ms + less_than_days * DAY_MS
    return (True, to_ms) if at_ms < to_ms else (False, None)


def as_long_as_same(asked: Callable[[int], Verdict], at_ms: int) -> Verdict:
    """What holds at a moment, and the first of the moments that follow at which it does not."""
    truth, until_ms = asked(at_ms)
    while until_ms is not None:
        then, following_ms = asked(until_ms)
        if then is not truth:
            break
        until_ms = following_ms
    return truth, until_ms


def first_change(truth: Callable[[int], bool], boundaries_ms: Iterable[int], at_ms: int) -> Verdict:
    """The truth at a moment, and the first of the boundaries at which it is another."""
    now = truth(at_ms)
    for boundary_ms in sorted({one for one in boundaries_ms if one > at_ms}):
        if truth(boundary_ms) is not now:
            return now, boundary_ms
    return now, None
