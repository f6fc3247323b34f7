"""Jobs in the database: made, taken up by one worker at a time, finished, swept away.

Whoever works on a job holds its ``turn``. All that is written of a job asks for that number, so a
worker that was thought dead, or whose job was cancelled, changes nothing any more.
"""

import secrets
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from services.api.idempotency import Once
from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem
from services.contract.phases import DAY_MS
from services.contract.tables import job, job_error, job_piece
from services.contract.tables.jobs import ANEW

Kind = Literal["import", "export"]
Status = Literal["awaiting_file", "waiting", "running", "done", "failed", "cancelled"]
OPEN: tuple[Status, ...] = ("awaiting_file", "waiting", "running")

OPEN_MAX = 20
"""Jobs of one workspace that are not finished."""
TURNS_MAX = 10
"""So often in a row a job is taken up; one that ends its worker each time is given up."""
LEASE_MS = 15_000
"""After so long without a word of its worker another takes a job over."""
FILE_KEPT_MS = DAY_MS
JOBS_KEPT_MS = 400 * DAY_MS
ERRORS_KEPT_MAX = 10_000
"""Rows' errors that are shown of one job; all are counted."""


def add_job(
    connection: Connection,
    workspace_id: int,
    kind: Kind,
    asked: dict[str, Any],
    by: str,
    now_ms: int,
    once: Once,
) -> Row[Any]:
    """A new job: an import waits for its file, an export for a worker.

    Raises:
        Problem: 429, too many are open.
    """
    one_at_a_time(connection, workspace_id)
    count = select(func.count()).where(job.c.workspace_id == workspace_id, job.c.status.in_(OPEN))
    if connection.execute(count).scalar_one() >= OPEN_MAX:
        text = f"{OPEN_MAX} jobs are open already. Wait for one to end, or cancel one."
        raise Problem(429, "too_many_jobs", text, {"Retry-After": "60"})
    public_id = f"j_{secrets.token_hex(8)}"
    is_import = kind == "import"
    values = {
        "workspace_id": workspace_id,
        "public_id": public_id,
        "kind": kind,
        "status": "awaiting_file" if is_import else "waiting",
        "asked": asked,
        "created_ms": now_ms,
        "created_by": by,
        "turn": 0,
        "done": 0,
        "errors": 0,
        "counts": {},
        "file_bytes": 0,
        "file_until_ms": now_ms + FILE_KEPT_MS if is_import else None,
    }
    connection.execute(insert(job).values(values))
    once.remember(connection, workspace_id, public_id, now_ms)
    return find_job(connection, workspace_id, public_id)


def find_job(connection: Connection, workspace_id: int, public_id: str) -> Row[Any]:
    """The row of a job.

    Raises:
        Problem: 404, there is none in this workspace.
    """
    query = select(job).where(job.c.workspace_id == workspace_id, job.c.public_id == public_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Problem(404, "not_found", "There is no job with this id in this workspace.")
    return row


def write_held(connection: Connection, row: Row[Any], was: Status, /, **values: Any) -> bool:
    """Write to a job that is held by its turn and still was in a status; whether it is."""
    mine = (
        (job.c.workspace_id == row.workspace_id)
        & (job.c.id == row.id)
        & (job.c.turn == row.turn)
        & (job.c.status == was)
    )
    return connection.execute(update(job).where(mine).values(values)).rowcount == 1


def claim(connection: Connection, now_ms: int) -> Row[Any] | None:
    """Take up the job that waited longest, or one whose worker fell silent; None: there is none."""
    left = job.c.lease_ms.is_(None) | (job.c.lease_ms <= now_ms)
    waits = or_(job.c.status == "waiting", (job.c.status == "running") & left)
    row = connection.execute(select(job).where(waits).order_by(job.c.id).limit(1)).one_or_none()
    if row is None:
        return None
    if row.turn % ANEW >= TURNS_MAX:
        text = f"It was begun {TURNS_MAX} times, and never came to its end."
        end = {"status": "failed", "problem": text, "finished_ms": now_ms}
        write_held(connection, row, row.status, **end)
        remove_file(connection, row)
        return None
    taken = {"status": "running", "turn": row.turn + 1, "lease_ms": now_ms + LEASE_MS}
    if not write_held(connection, row, row.status, **taken):
        return None
    return find_job(connection, row.workspace_id, row.public_id)


def cancel_job(connection: Connection, row: Row[Any], now_ms: int) -> None:
    """End a job that is open; its worker notices with its next word. The file goes at once."""
    ended = update(job).where(
        job.c.workspace_id == row.workspace_id, job.c.id == row.id, job.c.status.in_(OPEN)
    )
    end = {"status": "cancelled", "finished_ms": now_ms, "file_until_ms": None}
    if connection.execute(ended.values(end)).rowcount:
        remove_file(connection, row)


def remove_file(connection: Connection, row: Row[Any]) -> None:
    """Forget what a job read or made."""
    connection.execute(
        delete(job_piece).where(
            job_piece.c.workspace_id == row.workspace_id, job_piece.c.job_id == row.id
        )
    )


def sweep(connection: Connection, now_ms: int) -> None:
    """Remove files whose time is over, uploads that were given up, and jobs of long ago."""
    over = select(job).where(job.c.file_until_ms <= now_ms).limit(100)
    for row in connection.execute(over).all():
        remove_file(connection, row)
        mine = (job.c.workspace_id == row.workspace_id) & (job.c.id == row.id)
        values: dict[str, Any] = {"file_until_ms": None}
        if row.status == "awaiting_file":
            values |= {"status": "cancelled", "finished_ms": now_ms}
        connection.execute(update(job).where(mine).values(values))
    past = select(job).where(job.c.finished_ms <= now_ms - JOBS_KEPT_MS).limit(100)
    for row in connection.execute(past).all():
        mine = (job_error.c.workspace_id == row.workspace_id) & (job_error.c.job_id == row.id)
        connection.execute(delete(job_error).where(mine))
        connection.execute(
            delete(job).where(job.c.workspace_id == row.workspace_id, job.c.id == row.id)
        )
