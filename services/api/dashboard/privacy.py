"""A privacy officer's pages: who somebody is, an objection, an erasure, and what came of it."""

import re
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.api.context import Context, Here
from services.api.dashboard.forms import Sent, on_form
from services.api.dashboard.movers import name_of
from services.api.dashboard.pages import ErasesPeople, May, RecordsConsent, lang, page, words_of
from services.api.dashboard.proof import proof_of
from services.api.dashboard.session import Visitor
from services.api.erasures import ErasureIn, delete_person, post_erasure
from services.api.objections import (
    ObjectionIn,
    ObjectionOfIdentityIn,
    post_objection,
    post_persons_objection,
)
from services.api.people import find_person, identities_of, person_of_identity, states_of
from services.api.problem import MovedError, Problem
from services.api.wire import rfc3339
from services.contract.event import Identity, primary
from services.contract.spelling import NAMESPACE_PATTERN

router = APIRouter(include_in_schema=False)

_NAMESPACES = ("email", "user_id", "anonymous_id", "person_token")
_NAMESPACE = re.compile(NAMESPACE_PATTERN)
_VALUE_LENGTH_MAX = 254
_REASON_LENGTH_MAX = 200
_YEAR_MIN = 2000
"""Nobody was scored before."""
_ERASES = May("persons:read", "persons:erase")
_RECORDS = May("persons:read", "consent:write")
_BOTH = May("persons:read", "persons:erase", "consent:write")


@router.get("/privacy")
def privacy(here: Here, request: Request, visitor: ErasesPeople) -> Response:
    """Asks by what somebody is known."""
    return _looked_up(here, request, visitor, None)


@on_form(router, "/privacy", _ERASES)
def look_up(sent: Sent) -> Response:
    """Who is known by an identity; or whether somebody was who is erased now."""
    return _looked_up(sent.here, sent.request, sent.visitor, _identity(sent))


@router.get("/people/{person_id}/objection")
def ask_objection(
    here: Here, request: Request, person_id: str, visitor: RecordsConsent
) -> Response:
    """Asks why and when somebody objected, and says what it brings about."""
    return _ask(here, request, visitor, person_id, "object")


@router.get("/people/{person_id}/erasure")
def ask_erasure(here: Here, request: Request, person_id: str, visitor: ErasesPeople) -> Response:
    """Says what goes for good, and asks whether that is meant."""
    return _ask(here, request, visitor, person_id, "erase")


@on_form(router, "/people/{person_id}/objection", _RECORDS)
def object_(sent: Sent) -> Response:
    """Record the objection of somebody who is known."""
    person_id, visitor = sent.named("person_id"), sent.visitor
    body = ObjectionIn.model_validate(_objection(sent))
    try:
        name, _ = _name(sent, person_id)
        taken = post_persons_objection(sent.here, visitor.credential(), person_id, body)
    except MovedError as moved:
        return _moved(moved, "objection", sent.request)
    done = _is_unscored(sent, person_id, taken.position)
    return _done(sent, "object_done", name, is_done=done, person=person_id)


@on_form(router, "/people/{person_id}/erasure", _ERASES)
def erase(sent: Sent) -> Response:
    """Erase somebody who is known, if that was confirmed."""
    person_id, visitor = sent.named("person_id"), sent.visitor
    if sent.field("sure") != "yes":
        return _ask(sent.here, sent.request, visitor, person_id, "erase", "erase_not_sure")
    try:
        name, who = _name(sent, person_id)
        by, whole = visitor.name[:200], sent.field("whole") != "no"
        taken = delete_person(sent.here, visitor.credential(), person_id, by, whole=whole)
    except MovedError as moved:
        return _moved(moved, "erasure", sent.request)
    done = _is_gone(sent, person_id, taken.position)
    told = "erase_done_partly" if taken.left else "erase_done"
    # What is left stands under the same id.
    return _done(sent, told, name, is_done=done or taken.left > 0, who=who)


@on_form(router, "/privacy/objection", _BOTH)
def object_unknown(sent: Sent) -> Response:
    """Record the objection of whoever is, or will be, known by an identity."""
    who = _identity(sent)
    told = {**_objection(sent), "namespace": who.namespace, "value": who.value}
    body = ObjectionOfIdentityIn.model_validate(told)
    taken = post_objection(sent.here, sent.visitor.credential(), body)
    sent.here.waiting.until_folded(sent.visitor.workspace_id, taken.position)
    return _done(sent, "object_done", who.value)


@on_form(router, "/privacy/erasure", _ERASES)
def erase_unknown(sent: Sent) -> Response:
    """Erase whoever is known by an identity; and let nobody be by what is on its way."""
    who = _identity(sent)
    if sent.field("sure") != "yes":
        return _looked_up(sent.here, sent.request, sent.visitor, who, "erase_not_sure")
    by = sent.visitor.name[:200]
    body = ErasureIn(namespace=who.namespace, value=who.value, by=by)
    taken = post_erasure(sent.here, sent.visitor.credential(), body)
    sent.here.waiting.until_folded(sent.visitor.workspace_id, taken.position)
    told = "erase_done" if taken.person else "erase_done_nobody"
    return _done(sent, told, who.value, who=who)


def _identity(sent: Sent) -> Identity:
    namespace, value = sent.field("namespace"), sent.field("value")[:_VALUE_LENGTH_MAX]
    if not value or not _NAMESPACE.fullmatch(namespace):
        raise Problem(400, "invalid", "Say by what somebody is known.")
    return Identity(namespace, value)


def _objection(sent: Sent) -> dict[str, Any]:
    """Why, when and by whom recorded; a day that is over was said at its noon."""
    now_ms = sent.here.clock()
    with sent.here.engine.connect() as connection:
        words, _ = words_of(connection, sent.visitor, sent.request)
    try:
        day = date.fromisoformat(sent.field("day"))
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=words.zone)
        noon_ms = round(noon.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Problem(400, "invalid", "That is no day.") from None
    reason = sent.field("reason")[:_REASON_LENGTH_MAX]
    if not reason or day.year < _YEAR_MIN:
        raise Problem(400, "invalid", "An objection has a reason and a day.")
    said_ms = now_ms if words.calendar_day(now_ms) == day else noon_ms
    if said_ms > now_ms:
        raise Problem(400, "in_the_future", "Nobody can have said so after now.")
    return {"reason": reason, "objected_at": rfc3339(said_ms), "by": sent.visitor.name[:200]}


def _ask(
    here: Context, request: Request, visitor: Visitor, person_id: str, what: str, wrong: str = ""
) -> Response:
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        try:
            row = find_person(connection, visitor.workspace_id, person_id)
        except MovedError as moved:
            return _moved(moved, "erasure" if what == "erase" else "objection", request)
        identities = identities_of(connection, visitor.workspace_id, [row.id])[row.id]
        state = states_of(connection, visitor.workspace_id, [row.id]).get(row.id)
    return page(
        "act.html",
        words,
        visitor,
        400 if wrong else 200,
        workspace=name,
        path=request.url.path,
        what=what,
        id=row.public_id,
        name=name_of(state, identities, row.public_id, words),
        identities=[(words.namespace(one.namespace), one.value) for one in identities],
        today=words.calendar_day(here.clock()).isoformat(),
        wrong=words[wrong] if wrong else "",
    )


def _looked_up(
    here: Context, request: Request, visitor: Visitor, who: Identity | None, wrong: str = ""
) -> Response:
    person = erased = None
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        if who is not None:
            with suppress(Problem):  # nobody is known by it
                person = person_of_identity(
                    connection, visitor.workspace_id, who.namespace, who.value
                ).public_id
    if who is not None and person is None:
        erased = proof_of(here, visitor, who, words)
    return page(
        "privacy.html",
        words,
        visitor,
        400 if wrong else 200,
        workspace=name,
        path="/privacy",
        namespaces=_NAMESPACES,
        who=who,
        person=person,
        erased=erased,
        today=words.calendar_day(here.clock()).isoformat(),
        wrong=words[wrong] if wrong else "",
    )


def _name(sent: Sent, person_id: str) -> tuple[str, Identity | None]:
    """What to call somebody before they are gone, and their surest identity."""
    with sent.here.engine.connect() as connection:
        words, _ = words_of(connection, sent.visitor, sent.request)
        row = find_person(connection, sent.visitor.workspace_id, person_id)
        identities = identities_of(connection, row.workspace_id, [row.id])[row.id]
        state = states_of(connection, row.workspace_id, [row.id]).get(row.id)
    surest = primary(tuple(identities)) if identities else None
    return name_of(state, identities, row.public_id, words), surest


def _is_gone(sent: Sent, person_id: str, position: str) -> bool:
    """Whether the erasure is done; it is within seconds."""
    sent.here.waiting.until_folded(sent.visitor.workspace_id, position)
    with sent.here.engine.connect() as connection:
        try:
            find_person(connection, sent.visitor.workspace_id, person_id)
        except Problem:
            return True
    return False


def _is_unscored(sent: Sent, person_id: str, position: str) -> bool:
    """Whether the objection is worked off."""
    sent.here.waiting.until_folded(sent.visitor.workspace_id, position)
    with sent.here.engine.connect() as connection:
        row = find_person(connection, sent.visitor.workspace_id, person_id)
        state = states_of(connection, row.workspace_id, [row.id]).get(row.id)
    return state is None or state.score is None


def _done(
    sent: Sent,
    told: str,
    name: str,
    *,
    is_done: bool = True,
    person: str = "",
    who: Identity | None = None,
) -> Response:
    """The page of what came of it."""
    with sent.here.engine.connect() as connection:
        words, workspace = words_of(connection, sent.visitor, sent.request)
    return page(
        "acted.html",
        words,
        sent.visitor,
        workspace=workspace,
        path="/privacy" if sent.visitor.may("persons:erase") else "/",
        told=words[told].format(name=name),
        is_done=is_done,
        person=person,
        erased=None if who is None else proof_of(sent.here, sent.visitor, who, words),
    )


def _moved(moved: MovedError, page_name: str, request: Request) -> Response:
    return RedirectResponse(f"/people/{moved.survivor}/{page_name}{lang(request)}", 303)
