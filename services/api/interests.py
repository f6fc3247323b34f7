"""What somebody is interested in, and when they could begin on something else."""

from typing import Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from services.api.opening import AskedPersonAt
from services.api.people import state_at
from services.api.problem import described
from services.api.wire import Out, rfc3339
from services.model.engagement import IN_ALL, present
from services.model.fold import elapse
from services.model.rhythm import availability
from services.model.state import PersonState, copy_state
from services.model.version import Model

router = APIRouter(prefix="/v1/persons", tags=["persons"])


class EngagedOut(Out):
    """Decayed sums: of what somebody did, and of what speaks against their interest."""

    engaged: float
    against: float


class InterestOut(EngagedOut):
    """The same of one topic."""

    topic: str
    share: float = Field(description="Of what was done in all; an event may have several topics.")


class AvailableOut(Out):
    """When somebody could begin, as they said or showed."""

    source: Literal["said", "calendar"] = Field(
        description="In words, or by the projects of the calendar that they looked at."
    )
    at: str = Field(description="When that was said, or shown last.")
    available: bool
    from_day: str | None = Field(examples=["2027-02-01"])
    until_day: str | None


class InterestsOut(Out):
    """What somebody is interested in at a moment; all null or empty for who is not followed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "as_of": "2026-11-22T09:30:00.000Z",
                    "in_all": {"engaged": 12.4, "against": 0.6},
                    "topics": [{"topic": "energy", "engaged": 9.1, "against": 0.0, "share": 0.73}],
                    "availability": {
                        "source": "said",
                        "at": "2026-11-20T19:12:44.000Z",
                        "available": True,
                        "from_day": "2027-02-01",
                        "until_day": None,
                    },
                }
            ]
        }
    )
    as_of: str
    in_all: EngagedOut
    topics: list[InterestOut] = Field(description="The strongest first.")
    availability: AvailableOut | None


@router.get(
    "/{person_id}/interests",
    summary="What a person is interested in",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_interests(asked: AskedPersonAt) -> InterestsOut:
    """Per topic, fading with time; what speaks against stands beside it, never subtracted."""
    with asked.opened() as (connection, row):
        state = state_at(connection, row, asked.at_ms, asked.known_at_ms, asked.here.model)
    return _show(state, asked.at_ms, asked.here.model)


def _show(state: PersonState | None, at_ms: int, model: Model) -> InterestsOut:
    if state is not None:
        # Mails left unopened since the last event speak too.
        state = copy_state(state)
        elapse(state, at_ms, model)
    habits = state.habits if state else None
    engaged = present(state.engagement, at_ms, model) if state else {}
    against = present(habits.against, at_ms, model) if habits else {}
    whole = engaged.get(IN_ALL, 0.0)
    topics = [
        InterestOut(
            topic=topic,
            engaged=engaged.get(topic, 0.0),
            against=against.get(topic, 0.0),
            share=min(engaged.get(topic, 0.0) / whole, 1.0) if whole else 0.0,
        )
        for topic in (engaged | against)
        if topic != IN_ALL
    ]
    free = availability(habits, at_ms)
    return InterestsOut(
        as_of=rfc3339(at_ms),
        in_all=EngagedOut(engaged=whole, against=against.get(IN_ALL, 0.0)),
        topics=sorted(topics, key=lambda one: (-one.engaged, one.against, one.topic)),
        availability=None
        if free is None
        else AvailableOut(
            source=free.source,
            at=rfc3339(free.at_ms),
            available=free.available,
            from_day=free.from_day.isoformat() if free.from_day else None,
            until_day=free.until_day.isoformat() if free.until_day else None,
        ),
    )
