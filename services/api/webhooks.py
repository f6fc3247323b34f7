"""Webhooks: who is told of changes, as Standard Webhooks."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select

from services.api.conditional import TAGGED, IfMatch, must_be_given, must_match, tell_tag
from services.api.context import Here
from services.api.feed import check_reached
from services.api.idempotency import OnceOnly
from services.api.needs import WebhooksReader, WebhooksWriter
from services.api.problem import described
from services.api.segment_store import check_named
from services.api.webhook_shapes import (
    WebhookCreate,
    WebhookMade,
    WebhookOut,
    WebhookPatch,
    WebhookPath,
    WebhooksOut,
    show_made,
    show_webhook,
    show_webhooks,
    tag_of_webhook,
)
from services.api.webhook_store import (
    WEBHOOKS_MAX,
    add_webhook,
    change_webhook,
    check_url,
    delete_webhook,
    find_webhook,
    hold_webhook,
    note_webhook,
    resume,
)
from services.contract.tables import webhook
from services.runtime.database import writing

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


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
    with writing(here.engine).begin() as connection:
        made = once.made(connection, workspace_id)
        if made is None:
            check_named(connection, workspace_id, body.segments)
            if body.after is not None:
                check_reached(connection, body.after)
            row = add_webhook(connection, workspace_id, values, body.after, now_ms)
            once.remember(connection, workspace_id, row.public_id, now_ms)
            note_webhook(connection, credential, "webhook.made", now_ms, after=row)
        else:
            row = find_webhook(connection, workspace_id, made)
        tell_tag(response, tag_of_webhook(row))
        return show_made(connection, row, now_ms)


@router.get("", summary="Webhooks", responses=described(400, 401, 403, 503))
def get_webhooks(here: Here, credential: WebhooksReader) -> WebhooksOut:
    """All of them, the oldest first."""
    query = select(webhook).where(webhook.c.workspace_id == credential.workspace_id)
    with here.engine.connect() as connection:
        rows = connection.execute(query.order_by(webhook.c.id).limit(WEBHOOKS_MAX)).all()
        return WebhooksOut(webhooks=show_webhooks(connection, rows, here.clock()))


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
        tell_tag(response, tag_of_webhook(row))
        return show_webhook(connection, row, here.clock())


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
        must_match(asked, tag_of_webhook(row))
        # One that it has keeps its place when that segment is deleted.
        new = set(body.segments or ()).difference(row.segments)
        check_named(connection, credential.workspace_id, new)
        if values.get("status", row.status) != row.status:
            values["status_ms"] = now_ms
        if values.get("status") == "active":
            values |= {"notice": None, "failing_ms": None, "failures": 0, "retry_ms": None}
            resume(connection, row, now_ms)
        before = row
        row = change_webhook(connection, row, values) if values else row
        note_webhook(connection, credential, "webhook.changed", now_ms, before=before, after=row)
        tell_tag(response, tag_of_webhook(row))
        return show_webhook(connection, row, now_ms)


@router.delete(
    "/{webhook_id}",
    status_code=204,
    summary="Delete a webhook",
    responses=described(400, 401, 403, 404, 412, 503),
)
def remove_webhook(
    here: Here, credential: WebhooksWriter, webhook_id: WebhookPath, if_match: IfMatch = None
) -> None:
    """Nothing more is sent, and its deliveries are forgotten."""
    with writing(here.engine).begin() as connection:
        row = hold_webhook(connection, credential.workspace_id, webhook_id)
        must_match(if_match, tag_of_webhook(row))
        note_webhook(connection, credential, "webhook.deleted", here.clock(), before=row)
        delete_webhook(connection, row)
