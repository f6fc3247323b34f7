"""The pages about triggers: who is handed to a connected tool when they come in, and who was."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.api.context import Context, Here
from services.api.dashboard.error_texts import what_to_do
from services.api.dashboard.firings import Status, firings_of, trigger_lines
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
from services.api.dashboard.offered import offered_content
from services.api.dashboard.pages import May, page, words_of
from services.api.dashboard.session import Visitor
from services.api.dashboard.texts import Words
from services.api.dashboard.trigger_form import UNITS_MINUTES, given_by, given_of, wished
from services.api.dashboard.trigger_texts import FIRED
from services.api.problem import Problem
from services.api.trigger_view import TriggerCreate, TriggerPatch
from services.api.triggers import (
    TriggerPath,
    delete_trigger,
    get_trigger,
    get_triggers,
    patch_trigger,
    post_trigger,
)
from services.api.webhooks import get_webhooks
from services.api.wire import Cursor
from services.contract.event import CHANNELS

router = APIRouter(prefix="/triggers", include_in_schema=False)

PHASES = ("see", "think", "do")
_WRITES = May("triggers:read", "triggers:write")
SeesTriggers = Annotated[Visitor, Depends(May("triggers:read"))]


@router.get("")
def triggers(here: Here, request: Request, visitor: SeesTriggers) -> Response:
    """All of them, and the form of a new one."""
    return _list(here, request, visitor)


@router.get("/{trigger_id}")
def trigger(
    here: Here,
    request: Request,
    visitor: SeesTriggers,
    trigger_id: TriggerPath,
    status: Status | None = None,
    cursor: Cursor = None,
) -> Response:
    """What one does, and who came in."""
    return _one(here, request, visitor, trigger_id, status, cursor)


@on_form(router, "", _WRITES)
def make(sent: Sent) -> Response:
    """Make one: for whoever comes in from now on."""

    def ask(sent: Sent) -> Changed:
        body = body_of(TriggerCreate, wished(sent))
        credential = sent.visitor.credential()
        made = post_trigger(sent.here, credential, body, AS_OFTEN_AS_SENT, Response())
        return {"id": made.id}

    def show(sent: Sent, done: Changed, problem: Problem | None) -> Response:
        if problem is not None:
            return _list(sent.here, sent.request, sent.visitor, problem, sent)
        return go_to(sent, f"/triggers/{done['id']}")

    return asked(sent, ask, show)


@on_form(router, "/{trigger_id}/status", _WRITES)
def set_status(sent: Sent) -> Response:
    """Pause it, or let it go on."""

    def ask(sent: Sent) -> Changed:
        return _patched(sent, {"status": sent.field("status")}, WHATEVER)

    return asked(sent, ask, _shown)


@on_form(router, "/{trigger_id}/change", _WRITES)
def change(sent: Sent) -> Response:
    """Change what it does, unless somebody else just did; what it waits for stays."""

    def ask(sent: Sent) -> Changed:
        values = wished(sent)
        unchanged = {"phase", "segment"}
        if not sent.visitor.may("webhooks:read"):  # then the form has no field for it
            unchanged |= {"webhook_id"}
        new = {name: value for name, value in values.items() if name not in unchanged}
        return _patched(sent, new, sent.field("seen"))

    return asked(sent, ask, _shown)


@on_form(router, "/{trigger_id}/delete", _WRITES)
def delete(sent: Sent) -> Response:
    """Delete it, if that was confirmed."""
    must_be_sure(sent)
    delete_trigger(sent.here, sent.visitor.credential(), sent.named("trigger_id"))
    return go_to(sent, "/triggers")


def _patched(sent: Sent, values: dict[str, Any], seen: str) -> Changed:
    body = body_of(TriggerPatch, values)
    credential, trigger_id = sent.visitor.credential(), sent.named("trigger_id")
    patch_trigger(sent.here, credential, trigger_id, body, Response(), seen)
    return {}


def _shown(sent: Sent, _done: Changed, problem: Problem | None) -> Response:
    """The trigger's page: with what was filled in and why it was not done, else by its address."""
    trigger_id = sent.named("trigger_id")
    if problem is None:
        return go_to(sent, f"/triggers/{trigger_id}")
    return _one(sent.here, sent.request, sent.visitor, trigger_id, problem=problem, sent=sent)


def _list(
    here: Context,
    request: Request,
    visitor: Visitor,
    problem: Problem | None = None,
    sent: Sent | None = None,
) -> Response:
    found = get_triggers(here, visitor.credential()).triggers
    webhooks = _webhooks(here, visitor)
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        segments = segment_names(connection, visitor.workspace_id)
        lines = trigger_lines(connection, visitor.workspace_id, found, segments, words)
        content = offered_content(connection, visitor.workspace_id)
    return page(
        "triggers.html",
        words,
        visitor,
        200 if problem is None else problem.status,
        workspace=name,
        path="/triggers",
        triggers=lines,
        segments=segments,
        phases=PHASES,
        content=content,
        units=UNITS_MINUTES,
        channels=sorted(CHANNELS, key=words.channel),
        webhooks=webhooks,
        given=given_by(sent),
        why="" if problem is None else what_to_do(problem, words.language),
    )


def _one(
    here: Context,
    request: Request,
    visitor: Visitor,
    trigger_id: str,
    status: Status | None = None,
    cursor: str | None = None,
    *,
    problem: Problem | None = None,
    sent: Sent | None = None,
) -> Response:
    tagged = Response()
    found = get_trigger(here, visitor.credential(), trigger_id, tagged)
    webhooks = _webhooks(here, visitor)
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        segments = segment_names(connection, visitor.workspace_id)
        shown = trigger_lines(connection, visitor.workspace_id, [found], segments, words)[0]
        content = offered_content(connection, visitor.workspace_id)
    return page(
        "trigger.html",
        words,
        visitor,
        200 if problem is None else problem.status,
        workspace=name,
        path=f"/triggers/{trigger_id}",
        trigger=shown,
        made=words["trigger_by"].format(
            name=words.maker(found.created_by), day=words.told_day(found.created_at)
        ),
        webhook=webhooks.get(found.webhook_id or "", found.webhook_id or ""),
        seen=tagged.headers["etag"],
        given=given_by(sent) if sent is not None and "name" in sent.fields else given_of(found),
        content=content,
        units=UNITS_MINUTES,
        channels=sorted(CHANNELS, key=words.channel),
        webhooks=webhooks,
        per_week=found.per_week,
        fired=firings_of(here, visitor, trigger_id, status, cursor, words)
        if visitor.may("persons:read")
        else None,
        chosen=status,
        statuses=_statuses(words),
        why="" if problem is None else what_to_do(problem, words.language),
    )


def _statuses(words: Words) -> dict[str, str]:
    return {one: told[words.language] for one, told in FIRED.items()}


def _webhooks(here: Context, visitor: Visitor) -> dict[str, str]:
    """What webhooks are called, by their ids; none for who may not see them."""
    if not visitor.may("webhooks:read"):
        return {}
    found = get_webhooks(here, visitor.credential()).webhooks
    return {one.id: one.description or one.url for one in found}
