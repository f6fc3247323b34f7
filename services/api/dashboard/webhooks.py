"""The pages about webhooks: who is told of changes, what was sent, and what became of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.api.context import Context, Here
from services.api.dashboard.deliveries import deliveries_of
from services.api.dashboard.error_texts import what_to_do
from services.api.dashboard.forms import (
    AS_OFTEN_AS_SENT,
    WHATEVER,
    Changed,
    Sent,
    asked,
    body_of,
    go_to,
    must_be_sure,
    on_form,
)
from services.api.dashboard.names import segment_names
from services.api.dashboard.pages import FormOf, May, page, words_of
from services.api.dashboard.session import Visitor
from services.api.dashboard.webhook_texts import OUTCOMES, notice_in_words
from services.api.deliveries import post_redeliver, post_test
from services.api.problem import Problem
from services.api.webhook_secrets import Rotation, post_secret
from services.api.webhook_shapes import WebhookCreate, WebhookMade, WebhookPatch, WebhookPath
from services.api.webhooks import (
    get_webhook,
    get_webhooks,
    patch_webhook,
    post_webhook,
    remove_webhook,
)
from services.api.wire import Cursor
from services.contract.change import CHANGE_TYPES
from services.contract.webhook import DeliveryStatus

router = APIRouter(prefix="/webhooks", include_in_schema=False)

OVERLAPS_HOURS = (24, 168, 0)
_FORM = FormOf(16_384, 200)
"""Every type, and as many segments as a webhook can be of."""
_WRITES = May("webhooks:read", "webhooks:write")
SeesWebhooks = Annotated[Visitor, Depends(May("webhooks:read"))]


@router.get("")
def webhooks(here: Here, request: Request, visitor: SeesWebhooks) -> Response:
    """All of them, and the form of a new one."""
    return _list(here, request, visitor)


@router.get("/{webhook_id}")
def webhook(
    here: Here,
    request: Request,
    visitor: SeesWebhooks,
    webhook_id: WebhookPath,
    status: DeliveryStatus | None = None,
    cursor: Cursor = None,
) -> Response:
    """How one does, and what was sent to it."""
    return _one(here, request, visitor, webhook_id, status, cursor)


@on_form(router, "", _WRITES, _FORM)
def make(sent: Sent) -> Response:
    """Make one; its secret is shown this once."""

    def ask(sent: Sent) -> Changed:
        body = body_of(WebhookCreate, _wished(sent))
        credential = sent.visitor.credential()
        made = post_webhook(sent.here, credential, body, AS_OFTEN_AS_SENT, Response())
        return {"made": made}

    def show(sent: Sent, done: Changed, problem: Problem | None) -> Response:
        if problem is not None:
            return _list(sent.here, sent.request, sent.visitor, problem, sent)
        made: WebhookMade = done["made"]
        return _one(sent.here, sent.request, sent.visitor, made.id, secret=made.secret)

    return asked(sent, ask, show)


@on_form(router, "/{webhook_id}/status", _WRITES)
def set_status(sent: Sent) -> Response:
    """Pause it, or let it go on."""

    def ask(sent: Sent) -> Changed:
        return _patched(sent, {"status": sent.field("status")}, WHATEVER)

    return asked(sent, ask, _shown)


@on_form(router, "/{webhook_id}/change", _WRITES, _FORM)
def change(sent: Sent) -> Response:
    """Change where it goes and of what it tells, unless somebody else just did."""

    def ask(sent: Sent) -> Changed:
        return _patched(sent, _wished(sent), sent.field("seen"))

    return asked(sent, ask, _shown)


@on_form(router, "/{webhook_id}/test", _WRITES)
def test(sent: Sent) -> Response:
    """Send a test."""

    def ask(sent: Sent) -> Changed:
        post_test(sent.here, sent.visitor.credential(), sent.named("webhook_id"), AS_OFTEN_AS_SENT)
        return {}

    return asked(sent, ask, _shown)


@on_form(router, "/{webhook_id}/secret", _WRITES)
def rotate(sent: Sent) -> Response:
    """A new secret, shown this once; the old one signs beside it for a while."""

    def ask(sent: Sent) -> Changed:
        body = body_of(Rotation, {"overlap_hours": sent.field("overlap_hours") or None})
        made = post_secret(
            sent.here, sent.visitor.credential(), sent.named("webhook_id"), body, AS_OFTEN_AS_SENT
        )
        return {"secret": made.secret}

    return asked(sent, ask, _shown)


@on_form(router, "/{webhook_id}/deliveries/{delivery_id}", _WRITES)
def redeliver(sent: Sent) -> Response:
    """Send a message once more."""

    def ask(sent: Sent) -> Changed:
        credential, webhook_id = sent.visitor.credential(), sent.named("webhook_id")
        post_redeliver(sent.here, credential, webhook_id, sent.named("delivery_id"))
        return {}

    return asked(sent, ask, _shown)


@on_form(router, "/{webhook_id}/delete", _WRITES)
def delete(sent: Sent) -> Response:
    """Delete it, if that was confirmed."""
    must_be_sure(sent)
    remove_webhook(sent.here, sent.visitor.credential(), sent.named("webhook_id"))
    return go_to(sent, "/webhooks")


def _wished(sent: Sent) -> dict[str, Any]:
    """Where it goes and of what it tells, as the form says."""
    return {
        "url": sent.field("url"),
        "description": sent.field("description"),
        "types": sent.fields.get("type", []),
        "segments": sent.fields.get("segment", []),
        "late": sent.field("late") == "yes",
    }


def _patched(sent: Sent, values: dict[str, Any], seen: str) -> Changed:
    body = body_of(WebhookPatch, values)
    credential, webhook_id = sent.visitor.credential(), sent.named("webhook_id")
    patch_webhook(sent.here, credential, webhook_id, body, Response(), seen)
    return {}


def _shown(sent: Sent, done: Changed, problem: Problem | None) -> Response:
    """The webhook's page: where something is to be told once at once, else by its own address."""
    webhook_id = sent.named("webhook_id")
    if problem is None and not done:
        return go_to(sent, f"/webhooks/{webhook_id}")
    return _one(sent.here, sent.request, sent.visitor, webhook_id, problem=problem, **done)


def _list(
    here: Context,
    request: Request,
    visitor: Visitor,
    problem: Problem | None = None,
    sent: Sent | None = None,
) -> Response:
    found = get_webhooks(here, visitor.credential()).webhooks
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        segments = segment_names(connection, visitor.workspace_id)
    wished = {"url": "", "description": "", "types": [], "segments": [], "late": False}
    return page(
        "webhooks.html",
        words,
        visitor,
        200 if problem is None else problem.status,
        workspace=name,
        path="/webhooks",
        webhooks=found,
        types=CHANGE_TYPES,
        segments=segments,
        wished=wished if sent is None else _wished(sent),
        why="" if problem is None else what_to_do(problem, words.language),
    )


def _one(
    here: Context,
    request: Request,
    visitor: Visitor,
    webhook_id: str,
    status: DeliveryStatus | None = None,
    cursor: str | None = None,
    *,
    problem: Problem | None = None,
    secret: str = "",
) -> Response:
    tagged = Response()
    shown = get_webhook(here, visitor.credential(), webhook_id, tagged)
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        segments = segment_names(connection, visitor.workspace_id)
    return page(
        "webhook.html",
        words,
        visitor,
        200 if problem is None else problem.status,
        workspace=name,
        path=f"/webhooks/{webhook_id}",
        webhook=shown,
        seen=tagged.headers["etag"],
        deliveries=deliveries_of(here, visitor, webhook_id, status, cursor, words),
        chosen=status,
        statuses={one: told[words.language] for one, told in OUTCOMES.items()},
        notice=notice_in_words(shown.notice, words.language) if shown.notice else "",
        overlaps=OVERLAPS_HOURS,
        types=CHANGE_TYPES,
        segments=segments,
        secret=secret,
        why="" if problem is None else what_to_do(problem, words.language),
    )
