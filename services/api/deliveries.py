"""What was sent to a webhook, what became of it, and sending it again."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy import Row, select

from services.api.context import Here
from services.api.cursors import next_rows, row_place
from services.api.idempotency import OnceOnly
from services.api.needs import WebhooksReader, WebhooksWriter
from services.api.problem import described
from services.api.unwritten import until_written
from services.api.webhook_shapes import WebhookPath
from services.api.webhook_store import (
    ask_test,
    changes_of,
    check_asked,
    find_delivery,
    find_webhook,
    hold_webhook,
    send_again,
)
from services.api.wire import Cursor, Limit, Out, rfc3339, rfc3339_or_none
from services.contract.change import Told
from services.contract.tables import delivery
from services.contract.webhook import TEST_TYPE, DeliveryStatus, type_of
from services.runtime.database import writing

router = APIRouter(prefix="/v1/webhooks/{webhook_id}", tags=["webhooks"])

DeliveryPath = Annotated[str, Path(min_length=1, max_length=64, examples=["msg_5f0c1b9a2d3e4f50"])]


class DeliveryOut(Out):
    """One message to one webhook."""

    id: str = Field(description="The message's `webhook-id`, the same however often it is sent.")
    status: DeliveryStatus = Field(
        description="`failed`: given up after a day; `gone`: what it told of was erased first."
    )
    type: str | None = Field(
        description="As in the message; null: what it told of was erased.",
        examples=["segment.entered"],
    )
    position: int | None = Field(description="Of the change; null for a test.")
    attempts: int = Field(description="Since it was made, or asked for again.")
    created_at: str
    last_attempt: str | None
    next_attempt: str | None = Field(
        description="Not before then; null: it is done, or waits for an active webhook."
    )
    http_status: int | None = Field(description="Of the last attempt; null: no answer came.")
    error: str | None = Field(description="Why the last attempt was none.")
    took_ms: int | None


class DeliveriesOut(Out):
    """A page of deliveries, the newest first."""

    deliveries: list[DeliveryOut]
    next: str | None


@router.get("/deliveries", summary="Deliveries", responses=described(400, 401, 403, 404, 503))
def get_deliveries(
    here: Here,
    credential: WebhooksReader,
    webhook_id: WebhookPath,
    status: Annotated[DeliveryStatus | None, Query(description="Only those.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DeliveriesOut:
    """The newest first. Those that are done are kept for 7 days, the newest 50,000."""
    below = row_place(cursor, webhook_id, status)
    with here.engine.connect() as connection:
        row = find_webhook(connection, credential.workspace_id, webhook_id)
        query = select(delivery).where(
            delivery.c.workspace_id == row.workspace_id,
            delivery.c.webhook_id == row.id,
            delivery.c.id < below,
        )
        if status is not None:
            query = query.where(delivery.c.status == status)
        rows = connection.execute(query.order_by(delivery.c.id.desc()).limit(limit + 1)).all()
        told = changes_of(connection, row.workspace_id, rows[:limit])
    return DeliveriesOut(
        deliveries=[_show(one, told, row) for one in rows[:limit]],
        next=next_rows(rows, limit, webhook_id, status),
    )


@router.post(
    "/deliveries/{delivery_id}/redeliver",
    status_code=202,
    summary="Send a message again",
    responses=described(400, 401, 403, 404, 429, 503),
)
def post_redeliver(
    here: Here, credential: WebhooksWriter, webhook_id: WebhookPath, delivery_id: DeliveryPath
) -> DeliveryOut:
    """At once, under the same `webhook-id`, out of its order, also while the webhook is paused.

    A message that was sent this very moment is waited for until it is written down.
    """
    workspace_id = credential.workspace_id
    until_written(here, workspace_id, webhook_id, delivery_id)
    with writing(here.engine).begin() as connection:
        row = hold_webhook(connection, workspace_id, webhook_id)
        found = find_delivery(connection, row, delivery_id)
        check_asked(connection, row)
        send_again(connection, found, here.clock())
        found = find_delivery(connection, row, delivery_id)
        return _show(found, changes_of(connection, workspace_id, [found]), row)


@router.post(
    "/test",
    status_code=202,
    summary="Send a test",
    responses=described(400, 401, 403, 404, 409, 429, 503),
)
def post_test(
    here: Here, credential: WebhooksWriter, webhook_id: WebhookPath, once: OnceOnly
) -> DeliveryOut:
    """A message of type `webhook.test`, also while the webhook is paused or dead."""
    workspace_id, now_ms = credential.workspace_id, here.clock()
    with writing(here.engine).begin() as connection:
        row = hold_webhook(connection, workspace_id, webhook_id)
        made = once.made(connection, workspace_id)
        if made is None:
            test = ask_test(connection, row, now_ms)
            once.remember(connection, workspace_id, test.public_id, now_ms)
        else:
            test = find_delivery(connection, row, made)
        return _show(test, {}, row)


def _show(row: Row[Any], told: dict[int, Told], webhook: Row[Any]) -> DeliveryOut:
    change = told.get(row.position)
    type_ = None if change is None else type_of(change)
    return DeliveryOut(
        id=row.public_id,
        status=row.status,
        type=TEST_TYPE if row.position is None else type_,
        position=row.position,
        attempts=row.attempts,
        created_at=rfc3339(row.created_ms),
        last_attempt=rfc3339_or_none(row.last_ms),
        next_attempt=rfc3339_or_none(_next_ms(row, webhook)),
        http_status=row.http_status,
        error=row.error,
        took_ms=row.took_ms,
    )


def _next_ms(row: Row[Any], webhook: Row[Any]) -> int | None:
    """When it is tried again at the earliest."""
    if row.status != "waiting":
        return None
    if row.asked:
        return int(row.next_ms)
    if webhook.status != "active":
        return None
    return max(int(row.next_ms), webhook.retry_ms or 0)
