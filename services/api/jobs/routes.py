"""Jobs: how far they are, what was wrong, what they made; and ending them."""

import hmac
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from services.api.audit import note
from services.api.context import Here
from services.api.cursors import next_rows, pack_cursor, row_place, unpack_cursor
from services.api.exports.formats import MEDIA_TYPES
from services.api.jobs.files import read_pieces
from services.api.jobs.hold import is_error
from services.api.jobs.store import Kind, cancel_job, find_job
from services.api.jobs.view import ErrorOut, ErrorsOut, JobOut, JobsOut, show_job, sign_file
from services.api.needs import JobsWorker
from services.api.problem import Problem, described
from services.api.wire import INT64_MAX, Cursor, Limit
from services.contract.tables import job, job_error
from services.runtime.database import writing

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

JobPath = Annotated[str, Path(min_length=1, max_length=64, examples=["j_6f1c0b9a2d3e4f50"])]


class _ErrorPlace(msgspec.Struct, array_like=True):
    number: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


@router.get("", summary="Jobs", responses=described(400, 401, 403, 503))
def list_jobs(
    here: Here,
    credential: JobsWorker,
    kind: Annotated[Kind | None, Query(description="Only of this kind.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> JobsOut:
    """The newest first. They are kept for 400 days."""
    below = row_place(cursor, "jobs", kind)
    query = select(job).where(job.c.workspace_id == credential.workspace_id, job.c.id < below)
    if kind is not None:
        query = query.where(job.c.kind == kind)
    with here.engine.connect() as connection:
        rows = connection.execute(query.order_by(job.c.id.desc()).limit(limit + 1)).all()
    following = next_rows(rows, limit, "jobs", kind)
    return JobsOut(jobs=[show_job(here, row) for row in rows[:limit]], next=following)


@router.get("/{job_id}", summary="A job", responses=described(400, 401, 403, 404, 503))
def get_job(here: Here, credential: JobsWorker, job_id: JobPath) -> JobOut:
    """How far it is, what came of it, and where the file is that it made."""
    with here.engine.connect() as connection:
        row = find_job(connection, credential.workspace_id, job_id)
    return show_job(here, row)


@router.get(
    "/{job_id}/errors",
    summary="What was wrong with rows of a job's file",
    responses=described(400, 401, 403, 404, 503),
)
def list_errors(
    here: Here,
    credential: JobsWorker,
    job_id: JobPath,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ErrorsOut:
    """The first ten thousand, in the order of the rows; the job counts them all."""
    after = -1 if cursor is None else unpack_cursor(cursor, _ErrorPlace, job_id).number
    with here.engine.connect() as connection:
        row = find_job(connection, credential.workspace_id, job_id)
        query = select(job_error).where(
            job_error.c.workspace_id == row.workspace_id,
            job_error.c.job_id == row.id,
            job_error.c.number > after,
        )
        found = connection.execute(query.order_by(job_error.c.number).limit(limit + 1)).all()
    shown = [
        ErrorOut(
            row=one.row,
            column=one.column,
            level="error" if is_error(one.code) else "notice",
            code=one.code,
            message=one.text,
        )
        for one in found[:limit]
    ]
    following = (
        pack_cursor(_ErrorPlace(found[limit - 1].number), job_id) if len(found) > limit else None
    )
    return ErrorsOut(errors=shown, next=following)


@router.post("/{job_id}/cancel", summary="End a job", responses=described(400, 401, 403, 404, 503))
def post_cancel(here: Here, credential: JobsWorker, job_id: JobPath) -> JobOut:
    """What it told is told. One that has ended stays as it is."""
    with writing(here.engine).begin() as connection:
        before = find_job(connection, credential.workspace_id, job_id)
        cancel_job(connection, before, here.clock())
        row = find_job(connection, credential.workspace_id, job_id)
        if row.status != before.status:
            note(
                connection,
                credential.workspace_id,
                credential.who,
                "job.cancelled",
                job_id,
                here.clock(),
                before={"kind": row.kind, "status": before.status},
                after={"kind": row.kind, "status": row.status},
            )
    return show_job(here, row)


@router.get(
    "/{job_id}/file",
    summary="The file that a job made",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file.",
            "content": {
                media: {"schema": {"type": "string", "format": "binary"}}
                for media in MEDIA_TYPES.values()
            },
        },
        **described(400, 401, 404, 503),
    },
    openapi_extra={"security": [{"signed": []}]},
)
def get_file(
    request: Request,
    here: Here,
    job_id: JobPath,
    expires: Annotated[int, Query(ge=0, le=INT64_MAX, description="As the job's `url` says.")],
    signature: Annotated[str, Query(max_length=64, description="As the job's `url` says.")],
) -> StreamingResponse:
    """By the address in the job's answer, which lasts an hour; the file, a day."""
    del request
    wanted = sign_file(here.internal_key, job_id, expires)
    is_ours = hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace"))
    if not here.internal_key or not is_ours or expires <= here.clock():
        text = "This address is not ours, or its time is over: ask for the job to get a fresh one."
        raise Problem(401, "unauthorized", text, {"WWW-Authenticate": 'Bearer realm="kentering"'})
    query = select(job).where(job.c.public_id == job_id, job.c.kind == "export")
    with here.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or row.status != "done" or (row.file_until_ms or 0) <= here.clock():
        raise Problem(404, "not_found", "The file is gone.")
    kind = row.asked["format"]
    headers = {
        "Content-Disposition": f'attachment; filename="{row.asked["segment"]}.{kind}"',
        "Content-Length": str(row.file_bytes),
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(
        read_pieces(here.engine, row), media_type=MEDIA_TYPES[kind], headers=headers
    )
