"""Conditions about contact: what somebody was sent, who is due, when they could begin."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from services.contract.event import Channel
from services.contract.phases import DAY_MS
from services.model.rhythm import availability, availability_edges_ms, sent_ms
from services.model.rules.condition import (
    Condition,
    Subject,
    Verdict,
    counted_within,
    first_change,
)

CONTACTS_MAX = 60
"""Fewer than are kept of a channel."""
_SENDING = frozenset({"sent", "delivered", "open", "click", "bounce", "magazine_page"})


class Pressure(Condition):
    """How often somebody was sent something within the last so many days.

    Each mail and issue counts once; what bounced does not. Over one channel, or over all.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"type": "pressure", "channel": "email", "at_most": 3, "within_days": 30}]
        }
    )
    touching: ClassVar[frozenset[str] | None] = _SENDING
    type: Literal["pressure"]
    channel: Channel | None = None
    at_least: int = Field(default=0, ge=0, le=CONTACTS_MAX)
    at_most: int | None = Field(default=None, ge=0, le=CONTACTS_MAX)
    within_days: int = Field(ge=1, le=365)

    @model_validator(mode="after")
    def _bounds(self) -> "Pressure":
        if self.at_most is None and self.at_least == 0:
            raise ValueError("give at_least, at_most or both")
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError("at_most must not be less than at_least")
        return self

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        times_ms = sent_ms(subject.state.habits, self.channel)
        window_ms = self.within_days * DAY_MS
        return counted_within(times_ms, window_ms, at_ms, self.at_least, self.at_most)


class Cadence(Condition):
    """Somebody is due: nothing was sent to them for so many days. Or is not yet (`due` false)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "cadence", "every_days": 14, "channel": "email"}]}
    )
    touching: ClassVar[frozenset[str] | None] = _SENDING
    type: Literal["cadence"]
    every_days: int = Field(ge=1, le=365)
    channel: Channel | None = None
    due: bool = True

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        times_ms = sent_ms(subject.state.habits, self.channel)
        due, until_ms = counted_within(times_ms, self.every_days * DAY_MS, at_ms, 0, 0)
        return due is self.due, until_ms


class Available(Condition):
    """Somebody could begin on something else within so many days, as they said or showed.

    `unavailable` is who said that they cannot; `unknown` is who said and showed nothing that is
    still to come. Days begin at midnight UTC.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "availability", "within_days": 60}]}
    )
    type: Literal["availability"]
    answer: Literal["available", "unavailable", "unknown"] = "available"
    within_days: int | None = Field(default=None, ge=0, le=730)
    source: Literal["said", "calendar"] | None = None

    @model_validator(mode="after")
    def _operands(self) -> "Available":
        if (self.answer == "available") != (self.within_days is not None):
            raise ValueError("within_days goes with available, and available needs it")
        return self

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        habits = subject.state.habits
        if habits is None or (habits.said is None and not habits.projects):
            return self.answer == "unknown", None

        def truth(moment_ms: int) -> bool:
            found = availability(habits, moment_ms)
            if found is None or self.source not in {None, found.source}:
                return self.answer == "unknown"
            if not found.available or self.within_days is None:
                return self.answer == ("available" if found.available else "unavailable")
            day = found.from_day
            begins_ms = 0 if day is None else (day.toordinal() - _EPOCH) * DAY_MS
            return begins_ms <= moment_ms + self.within_days * DAY_MS

        return first_change(truth, availability_edges_ms(habits, self.within_days or 0), at_ms)


_EPOCH = 719_163
"""1970-01-01, as ``date.toordinal`` counts."""
