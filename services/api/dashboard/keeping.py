"""The page about how long people are kept, and what consent the server keys stand for."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.api.context import Context, Here
from services.api.dashboard.error_texts import what_to_do
from services.api.dashboard.forms import Changed, Sent, asked, body_of, on_form, whole_number
from services.api.dashboard.pages import May, page, words_of
from services.api.dashboard.session import Visitor
from services.api.dashboard.texts import Words
from services.api.jobs.store import FILE_KEPT_MS, JOBS_KEPT_MS
from services.api.problem import Problem
from services.api.retention import RetentionIn, RetentionOut, get_retention, put_retention
from services.api.wire import rfc3339
from services.api.workspaces import (
    AssertedConsentIn,
    delete_asserted_consent,
    get_workspace,
    put_asserted_consent,
)
from services.contract.erasure import PROOFS_KEPT_MS
from services.contract.phases import DAY_MS
from services.model.amounts import Unit, amount

router = APIRouter(prefix="/keeping", include_in_schema=False)

_ERASES = May("workspace:read", "persons:erase")
_SETS_UP = May("workspace:read", "workspace:write")
SeesWorkspace = Annotated[Visitor, Depends(May("workspace:read"))]


@router.get("")
def keeping(here: Here, request: Request, visitor: SeesWorkspace) -> Response:
    """What is set, and the forms for whoever may change it."""
    return _page(here, request, visitor)


@on_form(router, "", _ERASES)
def keep(sent: Sent) -> Response:
    """Set how long people are kept; for a shorter time only if that was confirmed."""

    def ask(sent: Sent) -> Changed:
        body = body_of(RetentionIn, {name: whole_number(sent, name) for name in _given(sent)})
        seen = Response()
        before = get_retention(sent.here, sent.visitor.credential(), seen)
        if _is_shorter(before, body) and sent.field("sure") != "yes":
            return {"wrong": "keeping_not_sure"}
        # What was confirmed was compared with this, and holds for nothing newer.
        put_retention(sent.here, sent.visitor.credential(), body, Response(), seen.headers["ETag"])
        return {"told": "keeping_set"}

    return asked(sent, ask, _shown)


@on_form(router, "/declaration", _SETS_UP)
def declare(sent: Sent) -> Response:
    """Say that the senders behind the server keys hold consent."""
    return asked(sent, _declare, _shown)


@on_form(router, "/declaration/end", _SETS_UP)
def take_back(sent: Sent) -> Response:
    """From now on they follow nobody of whom they say nothing."""

    def ask(sent: Sent) -> Changed:
        delete_asserted_consent(sent.here, sent.visitor.credential(), Response())
        return {"told": "declared_gone"}

    return asked(sent, ask, _shown)


def _declare(sent: Sent) -> Changed:
    with sent.here.engine.connect() as connection:
        words, _ = words_of(connection, sent.visitor, sent.request)
    values = {name: sent.field(name) for name in ("text_version", "source")}
    since_ms = words.midnight(sent.field("since"))
    if since_ms is None:
        raise Problem(400, "invalid", "That is no day.")
    body = body_of(AssertedConsentIn, values | {"since": rfc3339(since_ms)})
    put_asserted_consent(sent.here, sent.visitor.credential(), body, Response())
    return {"told": "declared_done"}


def _given(sent: Sent) -> dict[str, str]:
    return {name: sent.field(name) for name in ("months", "applicant_days")}


def _is_shorter(before: RetentionOut, after: RetentionIn) -> bool:
    """Whether somebody may be erased by it who would not have been yet."""
    pairs = (before.months, after.months), (before.applicant_days, after.applicant_days)
    return any(now is not None and (was is None or now < was) for was, now in pairs)


def _shown(sent: Sent, done: Changed, problem: Problem | None) -> Response:
    def why(words: Words) -> str:
        if problem is not None:
            return what_to_do(problem, words.language)
        return words[done["wrong"]] if "wrong" in done else ""

    status = 200 if problem is None else problem.status
    if "wrong" in done:
        status = 400
    given = _given(sent) if status != 200 and "months" in sent.fields else None
    told = done.get("told", "")
    return _page(sent.here, sent.request, sent.visitor, status, why=why, told=told, given=given)


def _page(
    here: Context,
    request: Request,
    visitor: Visitor,
    status: int = 200,
    *,
    why: Callable[[Words], str] = lambda _words: "",
    told: str = "",
    given: dict[str, Any] | None = None,
) -> Response:
    kept = get_retention(here, visitor.credential(), Response())
    declared = get_workspace(here, visitor.credential(), Response()).asserted_consent
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
    set_now = {"months": kept.months or "", "applicant_days": kept.applicant_days or ""}
    return page(
        "keeping.html",
        words,
        visitor,
        status,
        workspace=name,
        path="/keeping",
        kept=_kept(kept, words),
        given=set_now if given is None else given,
        declared=declared,
        today=words.calendar_day(here.clock()).isoformat(),
        why=why(words),
        told=words[told] if told else "",
    )


def _kept(found: RetentionOut, words: Words) -> list[tuple[str, str]]:
    """What is kept, by the names of its texts, and how long in words."""

    def lasts(number: int | None, unit: Unit, text: str, otherwise: str = "") -> str:
        if number is None:
            return words[otherwise]
        return words[text].format(time=amount(number, unit, words.language))

    proofs_years = PROOFS_KEPT_MS // (365 * DAY_MS)
    return [
        ("people", lasts(found.months, "month", "keeping_after", "keeping_for_ever")),
        (
            "rejected",
            lasts(found.applicant_days, "day", "keeping_after_rejection", "keeping_as_others"),
        ),
        ("proof", lasts(proofs_years, "year", "kept_proof_long")),
        ("files", lasts(FILE_KEPT_MS // DAY_MS, "day", "kept_files_long")),
        ("jobs", amount(JOBS_KEPT_MS // DAY_MS, "day", words.language)),
        ("audit", words["keeping_for_ever"]),
    ]
