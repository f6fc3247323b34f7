"""Webhooks: who is told of changes, as Standard Webhooks."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Row, func, select

from services.api.audit import note
from services.api.auth import Credential
from services.api.conditional import TAGGED, IfMatch, must_be_given, must_match, tag_of, tell_tag
from services.api.context import Here
from services.api.idempotency import OnceOnly, answered_once
from services.api.needs import WebhooksReader, WebhooksWriter
from services.api.problem import described
from services.api.webhook_store import (
    WEBHOOKS_MAX,
    add_webhook,
    change_webhook,
    check_url,
    delete_webhook,
    find_webhook,
    hold_webhook,
    resume,
)
from services.api.wire import INT64_MAX, Body, Out, rfc3339, rfc3339_or_none
from services.contract.change import CHANGE_TYPES, ChangeType
from services.contract.phases import HOUR_MS
from services.contract.tables import delivery, webhook
from services.contract.target import URL_LENGTH_MAX
from services.contract.webhook import (
    WebhookStatus,
    open_secrets,
    rotated,
    seal_secrets,
    shown_secret,
    signing,
)
from services.runtime.database import writing

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

OVERLAP_HOURS = 24
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
        "Other types are sent all the same, unless `types` leaves them out.",
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
                    "segments": ["mechanics-in-do"],
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
    last_success: str | None = Field(description="To the minute.")
    waiting: int = Field(description="Messages that wait to be sent.")
    secrets: list[SecretOut] = Field(description="Those that sign now, the newest first.")
    created_at: str


class WebhookMade(WebhookOut):
    """A webhook with its newest secret, which is shown this once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class WebhooksOut(Out):
    """All webhooks of the workspace."""

    webhooks: list[WebhookOut]


class Rotation(Body):
    """How long both sign."""

    overlap_hours: int = Field(
        default=OVERLAP_HOURS,
        ge=0,
        le=168,
        description="So long the old secrets sign beside the new one; 0 if they leaked.",
    )


@router.post(
    "",
    status_code=201,
    summary="Make a webhook",
    responses={201: TAGGED, **described(400, 401, 403, 409, 413, 503)},
)
def post_webhook(
    here: Here,
    credential: WebhooksWriter,
    body: WebhookCreate,
    once: OnceOnly,
    response: Response,
) -> WebhookMade:
    """Every change that it asks for is posted to its address, in order for each person."""
    check_url(body.url, here.networks)
    values = body.model_dump(exclude={"after"})
    workspace_id, now_ms = credential.workspace_id, here.clock()
    with answered_once(), writing(here.engine).begin() as connection:
        made = once.made(connection, workspace_id)
        if made is None:
            row = add_webhook(connection, workspace_id, values, body.after, now_ms)
            once.remember(connection, workspace_id, row.public_id, now_ms)
            _note(connection, credential, "webhook.made", now_ms, after=row)
        else:
            row = find_webhook(connection, workspace_id, made)
        tell_tag(response, _tag(row))
        return _made(here, row, 0)


@router.get("", summary="Webhooks", responses=described(400, 401, 403, 503))
def get_webhooks(here: Here, credential: WebhooksReader) -> WebhooksOut:
    """All of them, the oldest first."""
    query = select(webhook).where(webhook.c.workspace_id == credential.workspace_id)
    with here.engine.connect() as connection:
        rows = connection.execute(query.order_by(webhook.c.id).limit(WEBHOOKS_MAX)).all()
        counts = _waiting(connection, credential.workspace_id)
    return WebhooksOut(webhooks=[_show(here, row, counts.get(row.id, 0)) for row in rows])


@router.get(
    "/{webhook_id}",
    summary="A webhook",
    responses={200: TAGGED, **described(400, 401, 403, 404, 503)},
)
def get_webhook(
    here: Here, credential: WebhooksReader, webhook_id: WebhookPath, response: Response
) -> WebhookOut:
    """How it does, and what waits."""
    with here.engine.connect() as connection:
        row = find_webhook(connection, credential.workspace_id, webhook_id)
        counts = _waiting(connection, credential.workspace_id)
    tell_tag(response, _tag(row))
    return _show(here, row, counts.get(row.id, 0))


@router.patch(
    "/{webhook_id}",
    summary="Change, pause or resume a webhook",
    responses={200: TAGGED, **described(400, 401, 403, 404, 412, 413, 428, 503)},
)
def patch_webhook(
    here: Here,
    credential: WebhooksWriter,
    webhook_id: WebhookPath,
    body: WebhookPatch,
    response: Response,
    if_match: IfMatch = None,
) -> WebhookOut:
    """What waits is sent by what holds then. Resumed, it goes on with the first that waits."""
    asked = must_be_given(if_match)
    if body.url is not None:
        check_url(body.url, here.networks)
    now_ms = here.clock()
    values: dict[str, Any] = body.model_dump(exclude_none=True)
    with writing(here.engine).begin() as connection:
        row = hold_webhook(connection, credential.workspace_id, webhook_id)
        must_match(asked, _tag(row))
        if values.get("status", row.status) != row.status:
            values["status_ms"] = now_ms
        if values.get("status") == "active":
            values |= {"notice": None, "failing_ms": None, "failures": 0, "retry_ms": None}
            resume(connection, row, now_ms)
        before = row
        row = change_webhook(connection, row, values) if values else row
        _note(connection, credential, "webhook.changed", now_ms, before=before, after=row)
        counts = _waiting(connection, credential.workspace_id)
    tell_tag(response, _tag(row))
    return _show(here, row, counts.get(row.id, 0))


@router.delete(
    "/{webhook_id}",
    status_code=204,
    summary="Delete a webhook",
    responses=described(400, 401, 403, 404, 503),
)
def delete_(here: Here, credential: WebhooksWriter, webhook_id: WebhookPath) -> None:
    """Nothing more is sent, and its deliveries are forgotten."""
    with writing(here.engine).begin() as connection:
        row = hold_webhook(connection, credential.workspace_id, webhook_id)
        _note(connection, credential, "webhook.deleted", here.clock(), before=row)
        delete_webhook(connection, row)


@router.post(
    "/{webhook_id}/secrets",
    status_code=201,
    summary="Rotate a webhook's secret",
    responses=described(400, 401, 403, 404, 409, 413, 503),
)
def post_secret(
    here: Here,
    credential: WebhooksWriter,
    webhook_id: WebhookPath,
    body: Rotation,
    once: OnceOnly,
) -> WebhookMade:
    """For a while messages carry signatures by both: the receiver changes over when it likes."""
    now_ms = here.clock()
    with answered_once(), writing(here.engine).begin() as connection:
        row = hold_webhook(connection, credential.workspace_id, webhook_id)
        if once.made(connection, credential.workspace_id) is None:
            overlap_ms = body.overlap_hours * HOUR_MS
            secrets = rotated(open_secrets(bytes(row.secrets)), now_ms, overlap_ms)
            row = change_webhook(connection, row, {"secrets": seal_secrets(secrets)})
            once.remember(connection, credential.workspace_id, webhook_id, now_ms)
            _note(connection, credential, "webhook.secret_rotated", now_ms, after=row)
        counts = _waiting(connection, credential.workspace_id)
    return _made(here, row, counts.get(row.id, 0))


def _waiting(connection: Any, workspace_id: int) -> dict[int, int]:
    """By webhook, how many messages wait; there are at most some hundred of each."""
    query = (
        select(delivery.c.webhook_id, func.count())
        .where(delivery.c.workspace_id == workspace_id, delivery.c.status == "waiting")
        .group_by(delivery.c.webhook_id)
    )
    return dict(map(tuple, connection.execute(query).all()))


def _note(
    connection: Connection,
    credential: Credential,
    what: str,
    now_ms: int,
    *,
    before: Row[Any] | None = None,
    after: Row[Any] | None = None,
) -> None:
    """Let the audit tell of a change, without secrets."""
    told = ("url", "description", "types", "segments", "late", "status")
    was = None if before is None else {name: getattr(before, name) for name in told}
    now = None if after is None else {name: getattr(after, name) for name in told}
    about = (after or before).public_id  # type: ignore[union-attr]
    who, workspace_id = credential.who, credential.workspace_id
    note(connection, workspace_id, who, what, about, now_ms, before=was, after=now)


def _tag(row: Row[Any]) -> str:
    """Of what its owner can change."""
    return tag_of(row.url, row.description, row.types, row.segments, row.late, row.status)


def _made(here: Here, row: Row[Any], waiting: int) -> WebhookMade:
    secret = shown_secret(open_secrets(bytes(row.secrets))[0])
    return WebhookMade(**_show(here, row, waiting).model_dump(), secret=secret)


def _show(here: Here, row: Row[Any], waiting: int) -> WebhookOut:
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
            for one in signing(open_secrets(bytes(row.secrets)), here.clock())
        ],
        created_at=rfc3339(row.created_ms),
    )
