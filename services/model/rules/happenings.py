"""Conditions about what somebody did or got: how often lately, for the first and the last time."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from pydantic import ConfigDict, Field, model_validator

from services.contract.event import (
    LISTED,
    MACHINE_THRESHOLD,
    Channel,
    Event,
    EventType,
    content_type_of,
)
from services.contract.phases import DAY_MS
from services.model.rules.condition import (
    Condition,
    Subject,
    Verdict,
    Written,
    counted_within,
    days_since,
)
from services.model.rules.memory import Memory, Numbers, When
from services.model.rules.standing import check_span
from services.model.rules.values import Op, Scalar, check_operands, compares

COUNT_MAX = 100
NAMES_MAX = 20
TYPES_MAX = 100
PROPERTIES_MAX = 10

_Name = Annotated[str, Field(min_length=1, max_length=500)]


class PropertyIs(Written):
    """What an event tells beside its own fields, compared as an attribute is."""

    name: str = Field(min_length=1, max_length=100)
    op: Op
    value: Scalar | None = None
    values: tuple[Scalar, ...] = Field(default=(), max_length=100, strict=False)

    @model_validator(mode="after")
    def _operands(self) -> "PropertyIs":
        check_operands(self.op, self.value, self.values)
        return self


class Happening(Condition):
    """Which events are meant: those of which everything that is given here is true.

    What software did never counts, and one click with the page that it led to counts once.
    """

    event: tuple[EventType, ...] = Field(default=(), max_length=TYPES_MAX, strict=False)
    channel: tuple[Channel, ...] = Field(default=(), max_length=TYPES_MAX, strict=False)
    content_id: str | None = Field(default=None, max_length=500)
    content_type: str | None = Field(default=None, max_length=100)
    topic: tuple[_Name, ...] = Field(
        default=(), max_length=NAMES_MAX, strict=False, description="One of the event's topics."
    )
    campaign: tuple[_Name, ...] = Field(
        default=(),
        max_length=NAMES_MAX,
        strict=False,
        description="The mailing or campaign id that links and mails were made with, or the name "
        "of the campaign (`utm_campaign`) that a page was reached by.",
    )
    properties: tuple[PropertyIs, ...] = Field(
        default=(), max_length=PROPERTIES_MAX, strict=False, description="All of these hold."
    )

    def matches(self, event: Event) -> bool:
        """Whether a person's own event is one of those meant."""
        return (
            event.machine.p < MACHINE_THRESHOLD
            and (event.type in self.event if self.event else event.type != LISTED)
            and (not self.channel or event.channel in self.channel)
            and self.content_id in {None, event.content_id}
            and (self.content_type is None or self._is_of_type(event.content_type))
            and (not self._told_more or self._matches_what_is_told(event))
        )

    def _is_of_type(self, told: str | None) -> bool:
        """Without regard to case, however rule and event were once written."""
        wanted = self.content_type
        return told is not None and content_type_of(told) == content_type_of(wanted or "")

    @cached_property
    def _told_more(self) -> bool:
        return bool(self.topic or self.campaign or self.properties)

    def _matches_what_is_told(self, event: Event) -> bool:
        told = event.properties
        topics = told.get("topics")
        if self.topic and not (
            isinstance(topics, list) and any(one in self.topic for one in topics)
        ):
            return False
        if self.campaign and self.campaign_of(event).isdisjoint(self.campaign):
            return False
        return all(
            compares(one.op, told.get(one.name), one.value, one.values) for one in self.properties
        )

    @staticmethod
    def campaign_of(event: Event) -> frozenset[str]:
        """The names by which the event's mailing and campaign go."""
        campaign = event.properties.get("campaign")
        named = campaign.get("name") if isinstance(campaign, dict) else None
        found = (event.message_id, named)
        return frozenset(name for name in found if isinstance(name, str))

    def key_of(self, kept: int) -> str:
        """What names the events meant, and how many of them are kept."""
        asked: dict[str, Any] = {
            "event": self.event,
            "channel": self.channel,
            "content_id": self.content_id,
            "content_type": self.content_type,
            "at_least": kept,
        }
        for name in ("topic", "campaign", "properties"):
            if getattr(self, name):
                asked[name] = self.model_dump(mode="json", include={name})[name]
        return msgspec.json.encode(asked).decode()

    def touched_by(self, event_type: str) -> bool:
        """Those of a type that is meant."""
        return not self.event or event_type in self.event


class Events(Happening):
    """How often such events happened within the last so many days.

    `at_least` counts them (one, where nothing is given), `at_most` bounds them: 0 is *not at all*.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 14},
                {"type": "events", "event": ["open", "click"], "at_most": 0, "within_days": 90},
            ]
        }
    )
    type: Literal["events"]
    at_least: int = Field(default=1, ge=0, le=COUNT_MAX)
    at_most: int | None = Field(default=None, ge=0, le=COUNT_MAX - 1)
    within_days: int = Field(ge=1, le=3650)

    @model_validator(mode="before")
    @classmethod
    def _only_at_most(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("at_most") is not None and "at_least" not in data:
            return {**data, "at_least": 0}
        return data

    @model_validator(mode="after")
    def _bounds(self) -> "Events":
        if self.at_most is None and self.at_least == 0:
            raise ValueError("at_least 0 says nothing: give at_most, or at least 1")
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError("at_most must not be less than at_least")
        return self

    @property
    def kept(self) -> int:
        """Of how many such events the times are needed."""
        return max(self.at_least, 0 if self.at_most is None else self.at_most + 1)

    @cached_property
    def ring_key(self) -> str:
        """Where their times are."""
        return self.key_of(self.kept)

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        times_ms = subject.state.rings_ms.get(self.ring_key, ())
        window_ms = self.within_days * DAY_MS
        return counted_within(times_ms, window_ms, at_ms, self.at_least, self.at_most)

    def memories(self) -> Sequence[Memory]:
        """The newest times."""
        return (Newest(self, self.ring_key, self.kept),)


class _Once(Happening):
    at_least_days_ago: int | None = Field(default=None, ge=1, le=3650)
    less_than_days_ago: int | None = Field(default=None, ge=1, le=3650)

    @model_validator(mode="after")
    def _bounds(self) -> "_Once":
        check_span(self.at_least_days_ago, self.less_than_days_ago, "days_ago")
        return self

    @property
    @abstractmethod
    def ring_key(self) -> str:
        """Where its time is."""

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`. Whoever never did it is not meant."""
        times_ms = subject.state.rings_ms.get(self.ring_key)
        if not times_ms:
            return False, None
        return days_since(times_ms[-1], at_ms, self.at_least_days_ago, self.less_than_days_ago)


class FirstEvent(_Once):
    """Such an event happened for the first time so long ago."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"type": "first_event", "event": ["page"], "less_than_days_ago": 30}]
        }
    )
    type: Literal["first_event"]

    @cached_property
    def ring_key(self) -> str:
        """Where its time is."""
        return "first:" + self.key_of(1)

    def memories(self) -> Sequence[Memory]:
        """The first time."""
        return (First(self, self.ring_key),)


class LastEvent(_Once):
    """Such an event happened last so long ago."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "last_event",
                    "event": ["read", "play"],
                    "topic": ["energy"],
                    "at_least_days_ago": 14,
                    "less_than_days_ago": 60,
                }
            ]
        }
    )
    type: Literal["last_event"]

    @cached_property
    def ring_key(self) -> str:
        """Where its time is."""
        return self.key_of(1)

    def memories(self) -> Sequence[Memory]:
        """The newest time."""
        return (Newest(self, self.ring_key, 1),)


def _types_of(asked: Happening) -> frozenset[str] | None:
    return frozenset(asked.event) or None


@dataclass(frozen=True)
class Newest:
    """The newest times of such events, so many."""

    asked: Happening
    key: str
    most: int
    when: When = "heard"

    @cached_property
    def types(self) -> frozenset[str] | None:
        """See :class:`services.model.rules.memory.Memory`."""
        return _types_of(self.asked)

    def after(self, kept: Numbers, event: Event) -> list[int] | None:
        """One more, if it is one."""
        if self.asked.matches(event):
            return [*kept, event.occurred_ms][-self.most :]
        return None


@dataclass(frozen=True)
class First:
    """The time of the first such event."""

    asked: Happening
    key: str
    when: When = "heard"

    @cached_property
    def types(self) -> frozenset[str] | None:
        """See :class:`services.model.rules.memory.Memory`."""
        return _types_of(self.asked)

    def after(self, kept: Numbers, event: Event) -> list[int] | None:
        """It, if it is the first."""
        return None if kept or not self.asked.matches(event) else [event.occurred_ms]
