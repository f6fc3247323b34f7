"""Bringing people in by file: a look at its columns, a trial of every row, then for real."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from services.api.context import Context, Here
from services.api.dashboard.error_texts import what_to_do
from services.api.dashboard.forms import AS_OFTEN_AS_SENT, Changed, Sent, asked, body_of, on_form
from services.api.dashboard.import_form import IDENTITIES, KINDS, PURPOSES, wished
from services.api.dashboard.import_glimpse import SAMPLE_BYTES_MAX, glimpse
from services.api.dashboard.import_guess import dates_in, decimal_in, guesses
from services.api.dashboard.job_errors import problem_in_words
from services.api.dashboard.pages import (
    FormOf,
    May,
    html,
    must_be_from_here,
    page,
    templates,
    words_of,
)
from services.api.dashboard.session import Visitor, check_csrf
from services.api.dashboard.texts import Words
from services.api.imports.asked import PeopleImport
from services.api.imports.routes import post_import, put_file
from services.api.jobs.hold import RefusedError
from services.api.jobs.routes import JobPath
from services.api.problem import Problem

router = APIRouter(include_in_schema=False)

_MAY = May("imports:write", "jobs:write")
_FORM = FormOf(131_072, 400)
"""Three fields of each column that is shown, and the others."""
Imports = Annotated[Visitor, Depends(_MAY)]


@router.get("/new-import")
def new_import(here: Here, request: Request, visitor: Imports) -> Response:
    """Asks for the file; its script does the rest."""
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
    return page("import.html", words, visitor, workspace=name, path="/new-import",
                sample_bytes=SAMPLE_BYTES_MAX)  # fmt: skip


@router.post("/new-import/columns")
async def columns(here: Here, request: Request, visitor: Imports) -> Response:
    """The form for a file's columns, by the first bytes of it."""
    _must_be_own(request, visitor)
    sample = bytearray()
    async for part in request.stream():
        sample += part
        if len(sample) > SAMPLE_BYTES_MAX:
            raise Problem(413, "too_large", "The beginning of a file is enough.")
    return await run_in_threadpool(_columns, here, request, visitor, bytes(sample))


@on_form(router, "/new-import", _MAY, _FORM)
def begin(sent: Sent) -> Response:
    """Begin the import: the id of the job, which then waits for the file."""
    words = _words(sent.here, sent.request, sent.visitor)

    def ask(sent: Sent) -> Changed:
        body = body_of(PeopleImport, wished(sent, words, sent.here.clock()))
        credential = sent.visitor.credential()
        made = post_import(sent.here, credential, body, AS_OFTEN_AS_SENT, Response())
        return {"job": made.id}

    def show(_sent: Sent, done: Changed, problem: Problem | None) -> Response:
        if problem is None:
            return JSONResponse(done, 201)
        return _wrong(what_to_do(problem, words.language), problem.status)

    return asked(sent, ask, show)


@router.put("/jobs/{job_id}/file")
async def give_file(here: Here, request: Request, visitor: Imports, job_id: JobPath) -> Response:
    """The file itself, as ``PUT /v1/imports/{job_id}/file`` takes it."""
    _must_be_own(request, visitor)
    try:
        await put_file(request, here, visitor.credential(), job_id, Response())
    except Problem as problem:
        words = await run_in_threadpool(_words, here, request, visitor)
        return _wrong(what_to_do(problem, words.language), problem.status)
    return Response(status_code=204)


def _columns(here: Context, request: Request, visitor: Visitor, sample: bytes) -> Response:
    words = _words(here, request, visitor)
    try:
        found = glimpse(sample)
    except RefusedError as refused:
        return _wrong(problem_in_words(str(refused), words.language), 400)
    return html(
        templates.get_template("import_columns.html").render(
            words=words,
            visitor=visitor,
            found=found,
            columns=list(zip(found.columns, guesses(found), strict=True)),
            dates=dates_in(found),
            decimal=decimal_in(found),
            identities=IDENTITIES,
            kinds=KINDS,
            purposes=PURPOSES,
            today=words.calendar_day(here.clock()).isoformat(),
        )
    )


def _words(here: Context, request: Request, visitor: Visitor) -> Words:
    with here.engine.connect() as connection:
        return words_of(connection, visitor, request)[0]


def _wrong(why: str, status: int) -> Response:
    return html(templates.get_template("wrong.html").render(why=why), status)


def _must_be_own(request: Request, visitor: Visitor) -> None:
    """Take what a script sends only from a page of this session.

    Raises:
        Problem: 403.
    """
    must_be_from_here(request)
    check_csrf(visitor, request.headers.get("x-csrf", ""))
