"""The pages about imports and exports: how far they are, what came of them, their files."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.api.context import Context, Here
from services.api.dashboard.forms import Sent, go_to, on_form
from services.api.dashboard.job_errors import error_in_words, problem_in_words
from services.api.dashboard.job_texts import IMPORTED, JOB_STATUS, count_in_words
from services.api.dashboard.names import segment_names
from services.api.dashboard.pages import May, html, page, templates, words_of
from services.api.dashboard.session import Visitor
from services.api.dashboard.texts import Words
from services.api.jobs.routes import JobPath, get_job, list_errors, list_jobs, post_cancel
from services.api.jobs.store import OPEN
from services.api.jobs.view import FileOut, JobOut
from services.api.suggest import Slip
from services.api.wire import Cursor

router = APIRouter(prefix="/jobs", include_in_schema=False)

PAGE = 50
ERRORS_SHOWN_MAX = 50
_WORKS = May("jobs:write")
SeesJobs = Annotated[Visitor, Depends(_WORKS)]


@dataclass(frozen=True)
class Shown:
    """A job in words."""

    id: str
    what: str
    segment: str
    """Key of the segment that an export is of; empty: it is an import, or the segment is gone."""
    status: str
    told: str
    is_open: bool
    is_dry_run: bool
    is_gone: bool
    """An export whose file was kept long enough, or was removed: then ``problem`` says why."""
    file_name: str
    """Of an import, where that was told."""
    new: int
    """Rows of a trial that would come in."""
    progress: float | None
    rows: str
    begun: str
    finished: str
    by: str
    problem: str
    counts: list[tuple[str, int]]
    errors: int
    slips: list[str]
    """Of an export: attributes that nobody seems to have."""
    file: FileOut | None


@dataclass(frozen=True)
class WrongRow:
    """A row that something was wrong with, in words."""

    number: int
    column: str | None
    is_error: bool
    """Else it is a notice: nobody has to correct anything."""
    what_to_do: str


@router.get("")
def jobs(here: Here, request: Request, visitor: SeesJobs, cursor: Cursor = None) -> Response:
    """All that were asked for, the newest first."""
    found = list_jobs(here, visitor.credential(), None, cursor, PAGE)
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        segments = segment_names(connection, visitor.workspace_id)
    return page(
        "jobs.html",
        words,
        visitor,
        workspace=name,
        path="/jobs",
        jobs=[_shown(one, segments, words) for one in found.jobs],
        next=found.next,
    )


@router.get("/{job_id}")
def job(
    here: Here, request: Request, visitor: SeesJobs, job_id: JobPath, errors: Cursor = None
) -> Response:
    """How far one is, what was wrong with rows of its file, and the file that it made."""
    words, name, told = _told(here, request, visitor, job_id, errors)
    return page("job.html", words, visitor, workspace=name, path=f"/jobs/{job_id}", **told)


@router.get("/{job_id}/part")
def part(here: Here, request: Request, visitor: SeesJobs, job_id: JobPath) -> Response:
    """The same without a page around it, for the script that waits for a trial."""
    words, _, told = _told(here, request, visitor, job_id, None)
    return html(templates.get_template("job_part.html").render(words=words, visitor=None, **told))


@on_form(router, "/{job_id}/cancel", _WORKS)
def cancel(sent: Sent) -> Response:
    """End one that is not done."""
    job_id = sent.named("job_id")
    post_cancel(sent.here, sent.visitor.credential(), job_id)
    return go_to(sent, f"/jobs/{job_id}")


def _told(
    here: Context, request: Request, visitor: Visitor, job_id: str, errors: str | None
) -> tuple[Words, str, dict[str, Any]]:
    """Words, the workspace's name, and what is told of a job."""
    found = get_job(here, visitor.credential(), job_id)
    wrong = list_errors(here, visitor.credential(), job_id, errors, ERRORS_SHOWN_MAX)
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        segments = segment_names(connection, visitor.workspace_id)
    rows = [
        WrongRow(
            number=one.row,
            column=one.column,
            is_error=one.level == "error",
            what_to_do=error_in_words(one.code, one.message, words.language),
        )
        for one in wrong.errors
    ]
    return words, name, {
        "job": _shown(found, segments, words), "errors": rows, "more_errors": wrong.next,
    }  # fmt: skip


def _shown(found: JobOut, segments: dict[str, str], words: Words) -> Shown:
    language, is_export = words.language, found.kind == "export"
    key = str(found.asked.get("segment", "")) if is_export else ""
    if is_export:
        use = words[f"export_{found.asked['use']}"].lower()
        what = words["job_export"].format(segment=segments.get(key, key), use=use)
    else:
        kind = IMPORTED[found.asked["kind"]][language]
        what = words["job_import"].format(what=kind)
    rows = words.number(found.done) if found.done else ""
    if found.total:
        total = words.number(found.total)
        rows = words["job_of"].format(done=words.number(found.done), total=total)
    return Shown(
        id=found.id,
        what=what,
        segment=key if key in segments else "",
        status=found.status,
        told=JOB_STATUS[found.status][language],
        is_open=found.status in OPEN,
        is_dry_run=bool(found.asked.get("dry_run")),
        is_gone=is_export and found.status == "done" and found.file is None,
        file_name=str(found.asked.get("file_name") or ""),
        new=found.counts.get("would_be_told", 0),
        progress=found.progress,
        rows=rows,
        begun=words.told_moment(found.created_at),
        finished=words.told_moment(found.finished_at) if found.finished_at else "",
        by=words.maker(found.created_by),
        problem=problem_in_words(found.problem or "", language),
        counts=[(count_in_words(one, language), n) for one, n in found.counts.items()],
        errors=found.errors,
        slips=[Slip("attribute", s.attribute, s.meant).told(language) for s in found.warnings],
        file=found.file,
    )
