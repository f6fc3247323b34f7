"""The pages about triggers: who is handed to a connected tool when they come in, and who was."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from services.api.context import Context, Here
from services.api.dashboard.error_texts import what_to_do
from services.api.dashboard.firings import Status, firings_of, trigger_lines
from services.api.dashboard.forms import Changed, Sent, asked, body_of, on_form
from services.api.dashboard.offered import offered_content
from services.api.dashboard.pages import May, lang, page, words_of
from services.api.dashboard.session import Visitor
from services.api.dashboard.texts import Words
from services.api.dashboard.trigger_texts import FIRED
from services.api.idempotency import Once
from services.api.next_content import PER_WEEK_MAX
from services.api.problem import Problem
from services.api.segment_store import find_segments
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
UNITS_MINUTES = {"minutes": 1, "hours": 60, "days": 24 * 60}
_WRITES = May("triggers:read", "triggers:write")
_ONCE = Once(None, b"")
_WHATEVER = "*"
"""Pausing and resuming mean the same whatever else was changed meanwhile."""
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
        body = body_of(TriggerCreate, _wished(sent))
        made = post_trigger(sent.here, sent.visitor.credential(), body, _ONCE, Response())
        return {"id": made.id}

    def show(sent: Sent, done: Changed, problem: Problem | None) -> Response:
        if problem is not None:
            return _list(sent.here, sent.request, sent.visitor, problem, sent)
        return RedirectResponse(f"/triggers/{done['id']}{lang(sent.request)}", 303)

    return asked(sent, ask, show)


@on_form(router, "/{trigger_id}/status", _WRITES)
def set_status(sent: Sent) -> Response:
    """Pause it, or let it go on."""
    trigger_id = sent.named("trigger_id")

    def ask(sent: Sent) -> Changed:
        body = body_of(TriggerPatch, {"status": sent.field("status")})
        credential = sent.visitor.credential()
        patch_trigger(sent.here, credential, trigger_id, body, Response(), _WHATEVER)
        return {}

    def show(sent: Sent, _done: Changed, problem: Problem | None) -> Response:
        if problem is not None:
            return _one(sent.here, sent.request, sent.visitor, trigger_id, problem=problem)
        return RedirectResponse(f"/triggers/{trigger_id}{lang(sent.request)}", 303)

    return asked(sent, ask, show)


@on_form(router, "/{trigger_id}/delete", _WRITES)
def delete(sent: Sent) -> Response:
    """Delete it, if that was confirmed."""
    if sent.field("sure") != "yes":
        raise Problem(400, "invalid", "Tick the box first.")
    delete_trigger(sent.here, sent.visitor.credential(), sent.named("trigger_id"))
    return RedirectResponse(f"/triggers{lang(sent.request)}", 303)


def _wished(sent: Sent) -> dict[str, Any]:
    """What the form asks for, as the API takes it.

    Raises:
        Problem: 400, a number is none.
    """
    kind, _, key = sent.field("place").partition(":")
    return {
        "name": sent.field("name"),
        "phase": key if kind == "phase" else None,
        "segment": key if kind == "segment" else None,
        "content_id": sent.field("content") or None,
        "when": _when(sent),
        "channel": sent.field("channel") or None,
        "per_week": _number(sent, "per_week"),
        "webhook_id": sent.field("webhook") or None,
    }


def _when(sent: Sent) -> dict[str, Any]:
    kind = sent.field("when")
    if kind == "at_once":
        return {"type": kind}
    minutes = _number(sent, "number") * UNITS_MINUTES.get(sent.field("unit"), 0)
    if kind == "after":
        return {"type": kind, "minutes": minutes}
    return {"type": kind, "within_days": minutes // UNITS_MINUTES["days"]}


def _number(sent: Sent, name: str) -> int:
    text = sent.field(name)
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise Problem(400, "invalid", "That is no number.")
    return int(text)


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
        segments = _segments(connection, visitor)
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
        given=_given(sent),
        why="" if problem is None else what_to_do(problem, words.language),
    )


def _given(sent: Sent | None) -> dict[str, str]:
    """What stands in the form: what was sent, else what it begins with."""
    begin = {
        "name": "", "place": "phase:think", "content": "", "when": "at_once", "number": "7",
        "unit": "days", "channel": "", "per_week": str(PER_WEEK_MAX), "webhook": "",
    }  # fmt: skip
    return begin if sent is None else {name: sent.field(name) for name in begin}


def _one(
    here: Context,
    request: Request,
    visitor: Visitor,
    trigger_id: str,
    status: Status | None = None,
    cursor: str | None = None,
    *,
    problem: Problem | None = None,
) -> Response:
    found = get_trigger(here, visitor.credential(), trigger_id, Response())
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        segments = _segments(connection, visitor)
        shown = trigger_lines(connection, visitor.workspace_id, [found], segments, words)[0]
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
        webhook=_webhooks(here, visitor).get(found.webhook_id or "", ""),
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


def _segments(connection: Connection, visitor: Visitor) -> dict[str, str]:
    """What segments are called, by their keys."""
    found = find_segments(connection, visitor.workspace_id)
    return {one.newest.key: one.newest.name for one in found}


def _webhooks(here: Context, visitor: Visitor) -> dict[str, str]:
    """What webhooks are called, by their ids; none for who may not see them."""
    if not visitor.may("webhooks:read"):
        return {}
    found = get_webhooks(here, visitor.credential()).webhooks
    return {one.id: one.description or one.url for one in found}
