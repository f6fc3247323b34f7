"""A job as an answer."""

import hashlib
import hmac
from typing import Any, Literal

from fastapi import Response
from pydantic import ConfigDict, Field
from sqlalchemy import Row

from services.api.context import Context
from services.api.exports.asked import show_asked, slips_in
from services.api.jobs.store import Kind, Status
from services.api.suggest import Slip
from services.api.wire import Out, rfc3339, rfc3339_or_none

URL_LASTS_MS = 3_600_000
ASK_AGAIN_S = 1

_LOCATION = {"description": "The job's address.", "schema": {"type": "string"}}
MADE: dict[str, Any] = {"headers": {"Location": _LOCATION}}
"""What a route's 201 says in the OpenAPI of its job."""
WHERE: dict[str, Any] = {
    "headers": {
        "Location": _LOCATION,
        "Retry-After": {
            "description": "Seconds after which it may be further.",
            "schema": {"type": "string"},
        },
    }
}
"""What a route's 202 says in the OpenAPI of its job: ``responses={202: WHERE}``."""


class FileOut(Out):
    """What a job made."""

    url: str = Field(
        description="Below the API's own address. It needs no key: hand it on with care. Ask for "
        "the job again to get a fresh one."
    )
    url_until: str = Field(description="From then on this address answers 401.")
    bytes: int
    until: str = Field(description="Then the file is removed.")


class SlipOut(Out):
    """An attribute asked for that none of the people looked at has: perhaps a slip."""

    attribute: str
    meant: str | None = Field(description="The one that was probably meant.")
    message: str


class JobOut(Out):
    """A job: what was asked, how far it is, what came of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "j_6f1c0b9a2d3e4f50",
                    "kind": "import",
                    "status": "done",
                    "progress": 1.0,
                    "done": 1200,
                    "total": 1200,
                    "counts": {"told": 1100, "repeated": 97, "can_be_scored": 1197},
                    "errors": 3,
                    "problem": None,
                    "position": "5f0c2d1e9b8a77665544332211009988",
                    "asked": {"kind": "people"},
                    "warnings": [],
                    "file_name": "people.csv",
                    "dry_run": False,
                    "created_at": "2026-11-22T09:30:00.000Z",
                    "created_by": "key Our CRM",
                    "finished_at": "2026-11-22T09:30:09.000Z",
                    "file": None,
                }
            ]
        }
    )
    id: str
    kind: Kind
    status: Status
    progress: float | None = Field(description="0 to 1; null while its rows are counted.")
    done: int = Field(description="Rows that were worked on.")
    total: int | None
    counts: dict[str, int] = Field(description="What became of the rows, by name.")
    errors: int = Field(
        description="Rows that something was wrong with: see `/errors`, which tells all that was "
        "wrong with each, and has notices beside."
    )
    problem: str | None = Field(
        description="Why it failed, or has no file any more, and what to do."
    )
    position: str | None = Field(description="Of the last event told, for `after` of reads.")
    asked: dict[str, Any] = Field(
        description="The request that made it, with what it left out filled in."
    )
    warnings: list[SlipOut] = Field(
        description="Of an export: attributes that nobody seems to have."
    )
    file_name: str | None = Field(description="Of the file that came in, as `asked` says it.")
    dry_run: bool = Field(description="An import that only checks, and tells nothing.")
    created_at: str
    created_by: str
    finished_at: str | None
    file: FileOut | None


class ErrorOut(Out):
    """What was wrong with a row, or odd. What stands in it of a person is never repeated here."""

    row: int = Field(description="As a spreadsheet counts: the header is row 1.")
    column: str | None
    level: Literal["error", "notice"] = Field(
        description="An `error` asks for a correction. A `notice` does not: the row was rightly "
        "left out, for want of consent, or was taken and is odd."
    )
    code: str
    message: str = Field(description="What to do about it.")


class ErrorsOut(Out):
    """A page of errors, in the order of the rows."""

    errors: list[ErrorOut]
    next: str | None


class JobsOut(Out):
    """A page of jobs, the newest first."""

    jobs: list[JobOut]
    next: str | None


def show_job(here: Context, row: Row[Any]) -> JobOut:
    """The answer from a job's row."""
    if row.status == "done":
        progress: float | None = 1.0
    else:
        progress = None if not row.total else round(min(row.done / row.total, 1.0), 4)
    return JobOut(
        id=row.public_id,
        kind=row.kind,
        status=row.status,
        progress=progress,
        done=row.done,
        total=row.total,
        counts=row.counts,
        errors=row.errors,
        problem=row.problem,
        position=row.position,
        asked=show_asked(row.asked) if row.kind == "export" else row.asked,
        warnings=[_slip(one) for one in slips_in(row.asked)] if row.kind == "export" else [],
        file_name=row.asked.get("file_name"),
        dry_run=bool(row.asked.get("dry_run", False)),
        created_at=rfc3339(row.created_ms),
        created_by=row.created_by,
        finished_at=rfc3339_or_none(row.finished_ms),
        file=_file(here, row),
    )


def address_of(row: Row[Any]) -> str:
    """Where to ask for a job."""
    return f"/v1/jobs/{row.public_id}"


def begun(here: Context, row: Row[Any], response: Response) -> JobOut:
    """The answer of who began a job: what there is of it, and where and when to ask for more."""
    response.headers["Location"] = address_of(row)
    response.headers["Retry-After"] = str(ASK_AGAIN_S)
    return show_job(here, row)


def _slip(slip: Slip) -> SlipOut:
    return SlipOut(attribute=slip.name, meant=slip.meant, message=slip.told("en"))


def _file(here: Context, row: Row[Any]) -> FileOut | None:
    now_ms = here.clock()
    if row.kind != "export" or row.status != "done" or (row.file_until_ms or 0) <= now_ms:
        return None
    until_ms = min(now_ms + URL_LASTS_MS, row.file_until_ms)
    signature = sign_file(here.internal_key, row.public_id, until_ms)
    return FileOut(
        url=f"/v1/jobs/{row.public_id}/file?expires={until_ms}&signature={signature}",
        url_until=rfc3339(until_ms),
        bytes=row.file_bytes,
        until=rfc3339(row.file_until_ms),
    )


def sign_file(internal_key: str, public_id: str, until_ms: int) -> str:
    """What proves that we gave out the address of a job's file until a moment."""
    text = f"file of a job\x1f{public_id}\x1f{until_ms}"
    return hmac.new(internal_key.encode(), text.encode(), hashlib.sha256).hexdigest()
