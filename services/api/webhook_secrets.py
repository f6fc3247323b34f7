"""A webhook's secret, replaced without a gap."""

from fastapi import APIRouter
from pydantic import Field

from services.api.context import Here
from services.api.idempotency import OnceOnly
from services.api.needs import WebhooksWriter
from services.api.problem import described
from services.api.webhook_shapes import WebhookMade, WebhookPath, show_made
from services.api.webhook_store import change_webhook, hold_webhook, note_webhook
from services.api.wire import Body
from services.contract.phases import HOUR_MS
from services.contract.webhook import open_secrets, rotated, seal_secrets
from services.runtime.database import writing

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

OVERLAP_HOURS = 24


class Rotation(Body):
    """How long both sign."""

    overlap_hours: int = Field(
        default=OVERLAP_HOURS,
        ge=0,
        le=168,
        description="So long the old secrets sign beside the new one; 0 if they leaked.",
    )


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
    with writing(here.engine).begin() as connection:
        row = hold_webhook(connection, credential.workspace_id, webhook_id)
        if once.made(connection, credential.workspace_id) is None:
            overlap_ms = body.overlap_hours * HOUR_MS
            secrets = rotated(open_secrets(bytes(row.secrets)), now_ms, overlap_ms)
            row = change_webhook(connection, row, {"secrets": seal_secrets(secrets)})
            once.remember(connection, credential.workspace_id, webhook_id, now_ms)
            note_webhook(connection, credential, "webhook.secret_rotated", now_ms, after=row)
        return show_made(connection, row, now_ms)
