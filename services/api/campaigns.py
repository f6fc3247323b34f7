"""Campaigns: what mailings, posts and meetings belong together."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import ConfigDict, Field, model_validator
from sqlalchemy import Connection, Row, insert, select

from services.api.audit import note
from services.api.context import Here
from services.api.cursors import next_rows, row_place
from services.api.idempotency import OnceOnly
from services.api.needs import LinksWriter
from services.api.problem import Problem, described
from services.api.wire import Body, Cursor, Limit, Moment, Out, rfc3339, rfc3339_or_none
from services.contract.event import Channel
from services.contract.tables import campaign
from services.runtime.database import writing

router = APIRouter(prefix="/v1/campaigns", tags=["links"])

CampaignPath = Annotated[str, Path(min_length=1, max_length=64, examples=["c_5f0c1b9a2d3e4f50"])]


class CampaignCreate(Body):
    """A campaign."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Night shift",
                    "channel": "email",
                    "starts_at": "2026-11-02T00:00:00+01:00",
                    "ends_at": "2026-12-01T00:00:00+01:00",
                }
            ]
        }
    )
    name: str = Field(min_length=1, max_length=200)
    channel: Channel = "email"
    starts_at: Moment | None = None
    ends_at: Moment | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "CampaignCreate":
        if self.starts_at and self.ends_at and self.ends_at < self.starts_at:
            raise ValueError("ends_at lies before starts_at")
        return self


class CampaignOut(Out):
    """A campaign."""

    id: str
    name: str
    channel: Channel
    starts_at: str | None
    ends_at: str | None
    created_at: str


class CampaignsOut(Out):
    """A page of campaigns, the newest first."""

    campaigns: list[CampaignOut]
    next: str | None


@router.post(
    "", status_code=201, summary="Create a campaign", responses=described(400, 401, 403, 409, 503)
)
def post_campaign(
    here: Here, credential: LinksWriter, body: CampaignCreate, once: OnceOnly
) -> CampaignOut:
    """Mailings belong to it by their `campaign_id`."""
    with writing(here.engine).begin() as connection:
        public_id = once.made(connection, credential.workspace_id)
        if public_id is None:
            public_id = f"c_{secrets.token_hex(8)}"
            values = {
                "workspace_id": credential.workspace_id,
                "public_id": public_id,
                "name": body.name,
                "channel": body.channel,
                "starts_ms": body.starts_at,
                "ends_ms": body.ends_at,
                "created_ms": here.clock(),
            }
            connection.execute(insert(campaign).values(values))
            once.remember(connection, credential.workspace_id, public_id, here.clock())
            shown = _show(find_campaign(connection, credential.workspace_id, public_id))
            note(
                connection,
                credential.workspace_id,
                credential.who,
                "campaign.made",
                public_id,
                here.clock(),
                after=shown.model_dump(exclude={"id", "created_at"}),
            )
        row = find_campaign(connection, credential.workspace_id, public_id)
    return _show(row)


@router.get("", summary="Campaigns", responses=described(400, 401, 403, 503))
def list_campaigns(
    here: Here, credential: LinksWriter, cursor: Cursor = None, limit: Limit = 50
) -> CampaignsOut:
    """The newest first."""
    below = row_place(cursor, "campaigns")
    query = (
        select(campaign)
        .where(campaign.c.workspace_id == credential.workspace_id, campaign.c.id < below)
        .order_by(campaign.c.id.desc())
        .limit(limit + 1)
    )
    with here.engine.connect() as connection:
        rows = connection.execute(query).all()
    following = next_rows(rows, limit, "campaigns")
    return CampaignsOut(campaigns=[_show(row) for row in rows[:limit]], next=following)


@router.get("/{campaign_id}", summary="A campaign", responses=described(400, 401, 403, 404, 503))
def get_campaign(here: Here, credential: LinksWriter, campaign_id: CampaignPath) -> CampaignOut:
    """Its name, channel and dates."""
    with here.engine.connect() as connection:
        return _show(find_campaign(connection, credential.workspace_id, campaign_id))


def find_campaign(connection: Connection, workspace_id: int, public_id: str) -> Row[Any]:
    """The row of a campaign.

    Raises:
        Problem: 404, there is none in this workspace.
    """
    query = select(campaign).where(
        campaign.c.workspace_id == workspace_id, campaign.c.public_id == public_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Problem(404, "not_found", "There is no campaign with this id in this workspace.")
    return row


def _show(row: Row[Any]) -> CampaignOut:
    return CampaignOut(
        id=row.public_id,
        name=row.name,
        channel=row.channel,
        starts_at=rfc3339_or_none(row.starts_ms),
        ends_at=rfc3339_or_none(row.ends_ms),
        created_at=rfc3339(row.created_ms),
    )
