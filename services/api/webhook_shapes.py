"""Webhooks as they are asked for and shown."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Row, func, select

from services.api.conditional import tag_of
from services.api.wire import INT64_MAX, Body, Out, rfc3339, rfc3339_or_none
from services.contract.change import CHANGE_TYPES, ChangeType
from services.contract.tables import delivery
from services.contract.target import URL_LENGTH_MAX
from services.contract.webhook import WebhookStatus, open_secrets, shown_secret, signing

SEGMENTS_MAX = 100
WebhookPath = Annotated[str, Path(min_length=1, max_length=64, examples=["wh_5f0c1b9a2d3e4f50"])]
Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=URL_LENGTH_MAX,
        description="Where messages are posted: https, to the outside. It is checked now and "
        "whenever we connect; redirects are not followed.",
        examples=["https://crm.example.com/kentering"],
    ),
]
Types = Annotated[
    list[ChangeType],
    Field(max_length=len(CHANGE_TYPES), description="Only changes of these types; empty: all."),
]
Segments = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=64)]],
    Field(
        max_length=SEGMENTS_MAX,
        description="Of changes of membership only those of these segments; empty: all. "
        "Other types are sent all the same, unless `types` leaves them out. One that there is not "
        "is refused; one that is deleted later stays in the list.",
    ),
]
Late = Annotated[
    bool,
    Field(
        description="Whether what had held for more than 24 hours when it was found out is sent "
        "too: history that was imported, a model that was changed, a machine hit unmasked."
    ),
]
Description = Annotated[str, Field(max_length=200, description="For people.")]


class WebhookCreate(Body):
    """Who is told, and of what."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "url": "https://crm.example.com/kentering",
                    "description": "Who enters Do",
                    "types": ["phase", "segment", "person"],
                    "segments": ["monteurs-noord"],
                }
            ]
        }
    )
    url: Url
    description: Description = ""
    types: Types = Field(default_factory=list)
    segments: Segments = Field(default_factory=list)
    late: Late = False
    after: Annotated[int, Field(ge=0, le=INT64_MAX)] | None = Field(
        default=None,
        description="Begin behind this position of the feed; left out: with what comes now.",
    )


class WebhookPatch(Body):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "active"}]})
    url: Url | None = None
    description: Description | None = None
    types: Types | None = None
    segments: Segments | None = None
    late: Late | None = None
    status: Literal["active", "paused"] | None = Field(
        default=None,
        description="`paused` holds messages back; `active` goes on where it stopped, after a "
        "pause and after it was found dead.",
    )


class SecretOut(Out):
    """A secret that signs, without itself."""

    created_at: str
    until: str | None = Field(description="It signs until then; null: until it is replaced.")


class WebhookOut(Out):
    """A webhook."""

    id: str
    url: str
    description: str
    types: list[ChangeType]
    segments: list[str]
    late: bool
    status: WebhookStatus = Field(
        description="`dead`: nothing arrived for a day, or the receiver answered 410; nothing is "
        "sent until it is set to `active`."
    )
    status_since: str
    notice: str | None = Field(description="Why it is dead.")
    failing_since: str | None = Field(description="Since when nothing arrives.")
    last_success: str | None = Field(description="To within five seconds.")
    waiting: int = Field(description="Messages that wait to be sent.")
    secrets: list[SecretOut] = Field(description="Those that sign now, the newest first.")
    created_at: str


class WebhookMade(WebhookOut):
    """A webhook with its newest secret, which is shown this once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class WebhooksOut(Out):
    """All webhooks of the workspace."""

    webhooks: list[WebhookOut]


def tag_of_webhook(row: Row[Any]) -> str:
    """Of what its owner can change."""
    return tag_of(row.url, row.description, row.types, row.segments, row.late, row.status)


def show_webhook(connection: Connection, row: Row[Any], now_ms: int) -> WebhookOut:
    """A webhook as it is at a time."""
    return show_webhooks(connection, [row], now_ms)[0]


def show_made(connection: Connection, row: Row[Any], now_ms: int) -> WebhookMade:
    """The same with its newest secret."""
    secret = shown_secret(open_secrets(bytes(row.secrets))[0])
    return WebhookMade(**show_webhook(connection, row, now_ms).model_dump(), secret=secret)


def show_webhooks(
    connection: Connection, rows: Sequence[Row[Any]], now_ms: int
) -> list[WebhookOut]:
    """Webhooks of one workspace."""
    counts = _waiting(connection, rows[0].workspace_id) if rows else {}
    return [_show(row, counts.get(row.id, 0), now_ms) for row in rows]


def _waiting(connection: Connection, workspace_id: int) -> dict[int, int]:
    """By webhook, how many messages wait; there are at most some hundred of each."""
    query = (
        select(delivery.c.webhook_id, func.count())
        .where(delivery.c.workspace_id == workspace_id, delivery.c.status == "waiting")
        .group_by(delivery.c.webhook_id)
    )
    return dict(map(tuple, connection.execute(query).all()))


def _show(row: Row[Any], waiting: int, now_ms: int) -> WebhookOut:
    return WebhookOut(
        id=row.public_id,
        url=row.url,
        description=row.description,
        types=row.types,
        segments=row.segments,
        late=row.late,
        status=row.status,
        status_since=rfc3339(row.status_ms),
        notice=row.notice,
        failing_since=rfc3339_or_none(row.failing_ms),
        last_success=rfc3339_or_none(row.succeeded_ms),
        waiting=waiting,
        secrets=[
            SecretOut(created_at=rfc3339(one.created_ms), until=rfc3339_or_none(one.until_ms))
            for one in signing(open_secrets(bytes(row.secrets)), now_ms)
        ],
        created_at=rfc3339(row.created_ms),
    )
