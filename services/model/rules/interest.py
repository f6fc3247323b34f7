"""Conditions about engagement and interests: decayed sums of what somebody did."""

import math
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from services.model.engagement import IN_ALL, closings, raised
from services.model.rules.condition import Condition, Subject, Verdict

TOPICS_MAX = 20
_Topic = Annotated[str, Field(min_length=1, max_length=200)]


class Engagement(Condition):
    """The decayed sum of what somebody did is at least, or below, a value.

    Of all they did, or of a topic. `against` is the sum of what speaks against their interest, as
    unsubscribing, or leaving mails unopened. See `/v1/persons/{id}/interests` for somebody's sums.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"type": "engagement", "at_least": 10},
                {"type": "engagement", "topic": "energy", "at_least": 4},
            ]
        }
    )
    type: Literal["engagement"]
    topic: _Topic | None = None
    of: Literal["engaged", "against"] = "engaged"
    at_least: float | None = Field(default=None, gt=0, le=1e6)
    below: float | None = Field(default=None, gt=0, le=1e6)

    @model_validator(mode="after")
    def _one_bound(self) -> "Engagement":
        if (self.at_least is None) == (self.below is None):
            raise ValueError("give either at_least or below")
        return self

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        value = self.at_least if self.at_least is not None else self.below
        assert value is not None  # noqa: S101  the validator holds it
        reached, until_ms = self._reached(math.log(value), subject, at_ms)
        return reached is (self.at_least is not None), until_ms

    def _reached(self, wanted: float, subject: Subject, at_ms: int) -> Verdict:
        """Whether ln of the sum is at least ``wanted``, and until when."""
        decay = subject.model.engagement_per_ms
        levels = self._levels(subject, at_ms)
        truth: bool | None = None
        for i, (from_ms, level) in enumerate(levels):
            begin_ms = max(from_ms, at_ms)
            now = level is not None and level - decay * begin_ms >= wanted
            if truth is not None and now is not truth:
                return truth, begin_ms
            truth = now
            if level is not None and now:
                end_ms = _last_ms(level, wanted, decay) + 1
                if i + 1 == len(levels) or end_ms < levels[i + 1][0]:
                    return True, end_ms
        return bool(truth), None

    def _levels(self, subject: Subject, at_ms: int) -> list[tuple[int, float | None]]:
        """What is kept of the sum from a moment on, each with its beginning."""
        state, model = subject.state, subject.model
        key = IN_ALL if self.topic is None else self.topic
        if self.of == "engaged":
            return [(state.at_ms, state.engagement.get(key))]
        level = state.habits.against.get(key) if state.habits else None
        levels = [(state.at_ms, level)]
        if self.topic is None:
            weight = model.parameters.engagement.unopened
            for close_ms in closings(state, model):
                level = raised(level, weight, close_ms, model)
                levels.append((close_ms, level))
        begun = [i for i, (from_ms, _) in enumerate(levels) if from_ms <= at_ms]
        return levels[begun[-1] if begun else 0 :]


class Interest(Condition):
    """Something that somebody is interested in, beside the other things they are interested in.

    `share_at_least` is what the topic has of all that they did lately; `among_strongest` asks
    whether it is one of so many topics that have most. Of several topics one is enough.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"type": "interest", "topic": ["energy", "grid"], "share_at_least": 0.3},
                {"type": "interest", "topic": ["training"], "among_strongest": 3},
            ]
        }
    )
    type: Literal["interest"]
    topic: tuple[_Topic, ...] = Field(min_length=1, max_length=TOPICS_MAX, strict=False)
    share_at_least: float | None = Field(default=None, gt=0, le=1)
    among_strongest: int | None = Field(default=None, ge=1, le=20)

    @model_validator(mode="after")
    def _bounds(self) -> "Interest":
        if self.share_at_least is None and self.among_strongest is None:
            raise ValueError("give share_at_least, among_strongest or both")
        return self

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`. All sums fade alike, so silence changes nothing."""
        kept = subject.state.engagement
        return any(self._holds(topic, kept) for topic in self.topic), None

    def _holds(self, topic: str, kept: dict[str, float]) -> bool:
        level = kept.get(topic)
        if level is None:
            return False
        if self.share_at_least is not None:
            whole = kept.get(IN_ALL, math.inf)
            if min(math.exp(level - whole), 1.0) < self.share_at_least:
                return False
        if self.among_strongest is None:
            return True
        stronger = sum(
            (other, topic) > (level, name)
            for name, other in kept.items()
            if name not in {IN_ALL, topic}
        )
        return stronger < self.among_strongest


def _last_ms(level: float, wanted: float, decay: float) -> int:
    """The last millisecond at which a level, decaying, is at least as wanted."""
    at_ms = math.floor((level - wanted) / decay)
    while level - decay * at_ms < wanted:
        at_ms -= 1
    while level - decay * (at_ms + 1) >= wanted:
        at_ms += 1
    return at_ms
