"""Imports: said what is in a file, then given the file."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Row, insert
from starlette.concurrency import run_in_threadpool

from services.api.audit import note
from services.api.auth import Credential
from services.api.context import Context, Here
from services.api.idempotency import OnceOnly
from services.api.imports.asked import ImportIn
from services.api.imports.run import stored
from services.api.jobs.files import Pieces
from services.api.jobs.routes import JobPath
from services.api.jobs.store import FILE_KEPT_MS, add_job, find_job, remove_file, write_held
from services.api.jobs.view import MADE, WHERE, JobOut, address_of, begun, show_job
from services.api.lawful import must_be_lawful
from services.api.needs import Importer
from services.api.problem import Problem, described
from services.contract.tables import job_piece
from services.runtime.database import writing

router = APIRouter(prefix="/v1/imports", tags=["jobs"])


@router.post(
    "",
    status_code=201,
    summary="Begin an import",
    responses={201: MADE, **described(400, 401, 403, 409, 413, 429, 503)},
)
def post_import(
    here: Here,
    credential: Importer,
    body: Annotated[ImportIn, "Which column means what."],
    once: OnceOnly,
    response: Response,
) -> JobOut:
    """Say what the file is and which column means what; then `PUT` the file to `/file`.

    People come with what they agreed to, and its proof: without it nobody is followed. What they
    did before, and what they were sent, is taken of those alone who had agreed by then. The same
    file again changes nothing.
    """
    workspace_id = credential.workspace_id
    with writing(here.engine).begin() as connection:
        made = once.made(connection, workspace_id)
        if made is not None:
            row = find_job(connection, workspace_id, made)
        else:
            by, now_ms = credential.name, here.clock()
            if body.kind == "people":
                named = body.identities
                must_be_lawful([*body.attributes, *named, *named.values()])
            if body.kind == "people" and body.as_of > now_ms:
                raise Problem(400, "in_the_future", "`as_of` lies ahead.")
            row = add_job(connection, workspace_id, "import", stored(body), by, now_ms, once)
            after = {"kind": body.kind, "format": body.format, "dry_run": body.dry_run}
            who, about = credential.who, row.public_id
            note(connection, workspace_id, who, "import.begun", about, now_ms, after=after)
    response.headers["Location"] = address_of(row)
    return show_job(here, row)


@router.put(
    "/{job_id}/file",
    status_code=202,
    summary="The file of an import",
    responses={202: WHERE, **described(400, 401, 403, 404, 409, 413, 503)},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def put_file(
    request: Request, here: Here, credential: Importer, job_id: JobPath, response: Response
) -> JobOut:
    """As it is, at most 1 GiB, within a day. Then the import begins; ask the job how far it is."""
    upload = await run_in_threadpool(_Upload, here, credential, job_id)
    async for part in request.stream():
        if upload.takes(part):
            await run_in_threadpool(upload.write, part)
    return begun(here, await run_in_threadpool(upload.end), response)


class _Upload:
    """A file on its way in. One that begins later takes the place of one that is not done."""

    def __init__(self, here: Context, credential: Credential, job_id: str) -> None:
        self._here, self._who = here, credential.who
        workspace_id = credential.workspace_id
        self._pieces = Pieces(self._store)
        self._waiting = bytearray()
        with writing(here.engine).begin() as connection:
            row = find_job(connection, workspace_id, job_id)
            if not write_held(connection, row, "awaiting_file", turn=row.turn + 1):
                raise _no_longer()
            remove_file(connection, row)
            self._row = find_job(connection, workspace_id, job_id)

    def takes(self, part: bytes) -> bool:
        """Take in a part; whether enough waits to be worth writing."""
        self._waiting += part
        return len(self._waiting) >= _WRITE_BYTES

    def write(self, _part: bytes = b"") -> None:
        """Write what waits."""
        self._pieces.write(bytes(self._waiting))
        self._waiting.clear()

    def end(self) -> Row[Any]:
        """All is there: the import may begin."""
        self.write()
        self._pieces.close()
        if self._pieces.size == 0:
            raise Problem(400, "empty_file", "The file is empty.")
        values = {
            "status": "waiting",
            "turn": 0,
            "file_bytes": self._pieces.size,
            "file_until_ms": None,
        }
        with writing(self._here.engine).begin() as connection:
            if not write_held(connection, self._row, "awaiting_file", **values):
                raise _no_longer()
            row = find_job(connection, self._row.workspace_id, self._row.public_id)
            after = {"bytes": self._pieces.size}
            about, now_ms = row.public_id, self._here.clock()
            note(
                connection,
                row.workspace_id,
                self._who,
                "import.file_given",
                about,
                now_ms,
                after=after,
            )
        return row

    def _store(self, number: int, data: bytes) -> None:
        row = self._row
        until_ms = self._here.clock() + FILE_KEPT_MS
        with writing(self._here.engine).begin() as connection:
            if not write_held(connection, row, "awaiting_file", file_until_ms=until_ms):
                raise _no_longer()
            place = {"workspace_id": row.workspace_id, "job_id": row.id}
            connection.execute(insert(job_piece).values(**place, number=number, data=data))


_WRITE_BYTES = 2**18


def _no_longer() -> Problem:
    text = "This import waits for no file, or another upload of it began."
    return Problem(409, "no_file_awaited", text)
