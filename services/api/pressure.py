"""What somebody was sent lately, how often they come, and when they are best reached."""

from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, select

from services.api.opening import AskedPersonAt
from services.api.people import state_at
from services.api.problem import described
from services.api.wire import Out, rfc3339
from services.contract.tables import workspace
from services.model.rhythm import BestMoment, Rhythm, best_moment, pressure, rhythm

router = APIRouter(prefix="/v1/persons", tags=["persons"])


class ContactsOut(Out):
    """What was sent over a channel."""

    channel: str = Field(examples=["email"])
    days_7: int = Field(description="Within the last 7 days.")
    days_30: int = Field(description="Within the last 30 days.")
    more: bool = Field(description="There may have been more in 30 days than we keep.")
    last: str


class RhythmOut(Out):
    """How often somebody comes of their own accord."""

    every_days: float = Field(description="The median between two of the latest visits.")
    visits: int
    last: str


class MomentOut(Out):
    """When somebody is most likely to be there."""

    weekday: int = Field(ge=1, le=7, description="1 is Monday.")
    hour: int = Field(ge=0, le=23)
    time_zone: str = Field(examples=["Europe/Amsterdam"])
    share: float = Field(description="Of all visits and answers kept, those about that time.")
    seen: int


class PressureOut(Out):
    """Contact pressure at a moment; all empty or null for who is not followed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "as_of": "2026-11-22T09:30:00.000Z",
                    "contacts": [
                        {
                            "channel": "email",
                            "days_7": 1,
                            "days_30": 3,
                            "more": False,
                            "last": "2026-11-17T08:00:00.000Z",
                        }
                    ],
                    "days_7": 1,
                    "days_30": 3,
                    "mail_off": False,
                    "magazine_off": False,
                    "rhythm": {
                        "every_days": 6.5,
                        "visits": 14,
                        "last": "2026-11-20T19:12:44.000Z",
                    },
                    "best_moment": {
                        "weekday": 2,
                        "hour": 20,
                        "time_zone": "Europe/Amsterdam",
                        "share": 0.45,
                        "seen": 22,
                    },
                }
            ]
        }
    )
    as_of: str
    contacts: list[ContactsOut] = Field(description="Per channel with any in 30 days.")
    days_7: int = Field(description="Over all channels.")
    days_30: int
    mail_off: bool = Field(description="Unsubscribed from mail, complained, or it bounced.")
    magazine_off: bool = Field(description="The same of the magazine.")
    rhythm: RhythmOut | None = Field(description="Null: too few visits.")
    best_moment: MomentOut | None = Field(description="Null: too few visits and answers.")


@router.get(
    "/{person_id}/pressure",
    summary="What a person was sent lately, their rhythm, and the best moment",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_pressure(asked: AskedPersonAt) -> PressureOut:
    """Contacts per channel, each mail or issue once; the best moment on the workspace's clock."""
    with asked.opened() as (connection, row):
        state = state_at(connection, row, asked.at_ms, asked.known_at_ms, asked.here.model)
        time_zone = _time_zone(connection, asked.workspace_id)
    habits, score = (state.habits, state.score) if state else (None, None)
    found = pressure(habits, asked.at_ms)
    return PressureOut(
        as_of=rfc3339(asked.at_ms),
        contacts=[
            ContactsOut(
                channel=channel,
                days_7=one.days_7,
                days_30=one.days_30,
                more=one.more,
                last=rfc3339(one.last_ms),
            )
            for channel, one in found.items()
        ],
        days_7=sum(one.days_7 for one in found.values()),
        days_30=sum(one.days_30 for one in found.values()),
        mail_off=score is not None and score.mail_off,
        magazine_off=score is not None and score.issue_off,
        rhythm=_rhythm(rhythm(habits)),
        best_moment=_moment(best_moment(habits, ZoneInfo(time_zone)), time_zone),
    )


def _time_zone(connection: Connection, workspace_id: int) -> str:
    query = select(workspace.c.time_zone).where(workspace.c.id == workspace_id)
    return str(connection.execute(query).scalar_one())


def _rhythm(found: Rhythm | None) -> RhythmOut | None:
    if found is None:
        return None
    return RhythmOut(every_days=found.every_days, visits=found.visits, last=rfc3339(found.last_ms))


def _moment(found: BestMoment | None, time_zone: str) -> MomentOut | None:
    if found is None:
        return None
    return MomentOut(
        weekday=found.weekday,
        hour=found.hour,
        time_zone=time_zone,
        share=found.share,
        seen=found.seen,
    )
