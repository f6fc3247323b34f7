"""Triggers as bodies and answers."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from sqlalchemy import Row

from services.api.conditional import tag_of
from services.api.next_content import PER_WEEK_MAX
from services.api.wire import Body, Out, rfc3339, rfc3339_or_none
from services.contract.event import Channel
from services.contract.phases import DAY_MS, ChangeReason
from services.model.triggers import WhyWithheld

MINUTE_MS = 60_000
Status = Literal["active", "paused"]
Seeking = Literal["see", "think", "do"]


class AtOnce(Body):
    """As soon as they entered."""

    type: Literal["at_once"]


class Later(Body):
    """So long after they entered, if they are still in it."""

    type: Literal["after"]
    minutes: int = Field(ge=1, le=90 * 24 * 60)


class Best(Body):
    """When they are best reached, by their own visits and answers; unknown: at once.

    Their best hour on their best weekday; where that does not come soon enough, their best hour.
    """

    type: Literal["best_moment"]
    within_days: int = Field(ge=1, le=14)


When = Annotated[AtOnce | Later | Best, Field(discriminator="type")]
_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Id = Annotated[str, Field(min_length=1, max_length=200)]
_CONTENT = Field(
    description="The item that they are handed over with; null: what is next for them."
)
_WHEN = Field(description="Their moment; null: at once.")
_CHANNEL = Field(
    description="Over which the tool will approach them. By `email`, `magazine` and `messaging` "
    "only who agreed to that, and did not unsubscribe. Null: nobody is approached by it."
)
_PER_WEEK = Field(ge=1, le=50, description="Who had so many contacts in seven days is left alone.")
_WEBHOOK = Field(
    description="The only webhook that is told; null: every one that asks for `trigger`."
)


class TriggerPatch(Body):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "paused"}]})
    name: _Name = ""
    content_id: Annotated[_Id | None, _CONTENT] = None
    when: Annotated[When | None, _WHEN] = None
    channel: Annotated[Channel | None, _CHANNEL] = None
    per_week: Annotated[int, _PER_WEEK] = PER_WEEK_MAX
    webhook_id: Annotated[_Id | None, _WEBHOOK] = None
    status: Status = Field(
        default="active",
        description="While it is `paused` nobody gets a moment, and who waits is not handed over.",
    )


class TriggerCreate(Body):
    """Who is handed over when they enter, with what, and when."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Invite who starts to think",
                    "phase": "think",
                    "content_id": "meeting-hackathon",
                    "when": {"type": "best_moment", "within_days": 7},
                    "channel": "email",
                }
            ]
        }
    )
    name: _Name
    segment: Annotated[str | None, Field(max_length=64)] = Field(
        default=None, description="The key of the segment that they enter."
    )
    phase: Seeking | None = Field(default=None, description="Or the phase that they come into.")
    content_id: Annotated[_Id | None, _CONTENT] = None
    when: Annotated[When | None, _WHEN] = None
    channel: Annotated[Channel | None, _CHANNEL] = None
    per_week: Annotated[int, _PER_WEEK] = PER_WEEK_MAX
    webhook_id: Annotated[_Id | None, _WEBHOOK] = None

    @model_validator(mode="after")
    def _one_place(self) -> "TriggerCreate":
        if (self.segment is None) == (self.phase is None):
            raise ValueError("give segment or phase, one of the two")
        return self


class TriggerOut(Out):
    """A trigger."""

    id: str
    name: str
    segment: str | None
    phase: Seeking | None
    content_id: str | None
    when: When
    channel: Channel | None
    per_week: int
    webhook_id: str | None
    status: Status
    created_at: str
    created_by: str


class TriggersOut(Out):
    """All triggers of the workspace."""

    triggers: list[TriggerOut]


class FiredOut(Out):
    """Somebody who entered, and what came of it."""

    person: str
    status: Literal["waiting", "fired", "withheld"]
    why: WhyWithheld | None = Field(description="It was withheld.")
    content_id: str | None = Field(description="What they were handed over with.")
    entered_at: str
    due_at: str = Field(description="Their moment.")
    decided_at: str | None
    reason: ChangeReason = Field(description="By what they entered, as the change feed told it.")


class FiredsOut(Out):
    """A page of these, the newest first."""

    fired: list[FiredOut]
    next: str | None


def tag_of_trigger(row: Row[Any]) -> str:
    """Of what its owner can change."""
    return tag_of(show_trigger(row).model_dump(mode="json"))


def show_trigger(row: Row[Any]) -> TriggerOut:
    """The answer from a trigger's row."""
    return TriggerOut(
        id=row.public_id,
        name=row.name,
        segment=row.on_key if row.on_kind == "segment" else None,
        phase=row.on_key if row.on_kind == "phase" else None,
        content_id=row.content_id,
        when=_when(row),
        channel=row.channel,
        per_week=row.per_week,
        webhook_id=row.webhook,
        status=row.status,
        created_at=rfc3339(row.created_ms),
        created_by=row.created_by,
    )


def _when(row: Row[Any]) -> AtOnce | Later | Best:
    if row.moment == "after":
        return Later(type="after", minutes=row.wait_ms // MINUTE_MS)
    if row.moment == "best_moment":
        return Best(type="best_moment", within_days=row.wait_ms // DAY_MS)
    return AtOnce(type="at_once")


def show_firing(row: Row[Any]) -> FiredOut:
    """The answer from a row of :func:`~.trigger_store.firings_of`."""
    return FiredOut(
        person=row.person,
        status=row.status,
        why=row.why,
        content_id=row.content_id,
        entered_at=rfc3339(row.entered_ms),
        due_at=rfc3339(row.due_ms),
        decided_at=rfc3339_or_none(row.decided_ms),
        reason=row.reason,
    )
