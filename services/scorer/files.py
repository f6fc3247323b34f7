"""Files that exports made: gone with whoever is to be forgotten and may stand in any of them."""

from sqlalchemy import Connection, delete, select, update

from services.contract import tables
from services.contract.tables.jobs import ANEW

WHY = (
    "Its file was removed: somebody who may have stood in it was erased, or took their consent "
    "back. Ask for a new one."
)

_job, _piece = tables.job.c, tables.job_piece.c


def withdraw_files(db: Connection, workspace_id: int) -> None:
    """Remove the files of a workspace's exports; those that are being made are begun anew.

    Which of them names the person cannot be told without reading them all. Whoever is at work on
    one notices with the next word, and whoever reads one gets no further piece.
    """
    exports = (_job.workspace_id == workspace_id, _job.kind == "export")
    begun = _job.status == "running"
    # The rows of the jobs first: that is the order in which a worker locks them.
    query = select(_job.id).where(*exports, begun | _job.file_until_ms.is_not(None))
    ids = list(db.execute(query.order_by(_job.id).with_for_update()).scalars())
    if not ids:
        return
    anew = {"status": "waiting", "lease_ms": None, "turn": (_job.turn // ANEW + 1) * ANEW}
    db.execute(update(tables.job).where(*exports, begun).values(anew))
    db.execute(
        update(tables.job)
        .where(*exports, _job.file_until_ms.is_not(None))
        .values(file_until_ms=None, problem=WHY)
    )
    db.execute(
        delete(tables.job_piece).where(_piece.workspace_id == workspace_id, _piece.job_id.in_(ids))
    )
