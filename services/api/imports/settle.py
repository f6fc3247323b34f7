"""Waits until what an import told is folded, so that who reads after its end reads all of it."""

from sqlalchemy import select

from services.api.jobs.hold import Hold
from services.contract.tables import event
from services.contract.tables.unguessed import unguessed

SETTLE_S_MAX = 1_800.0
"""So long a job waits for what it told to be folded."""
STILL_S_MAX = 30.0
"""So long, where nothing more is folded."""
_STEP_S = 0.2


def settle(hold: Hold, ids: list[bytes]) -> None:
    """Wait until the last events are folded; those before them were, for logs keep their order."""
    if not ids:
        return
    missing, waited_s, still_s = len(ids), 0.0, 0.0
    query = select(event.c.event_id).where(
        event.c.workspace_id == unguessed(hold.row.workspace_id), event.c.event_id.in_(ids)
    )
    while missing and waited_s < SETTLE_S_MAX and still_s < STILL_S_MAX:
        with hold.engine.connect() as db:
            now_missing = len(ids) - len(db.execute(query).all())
        still_s = 0.0 if now_missing < missing else still_s + _STEP_S
        if now_missing == len(ids):
            still_s = 0.0  # their turn has not come yet
        missing = now_missing
        waited_s += _STEP_S
        hold.keep()
        hold.stop.wait(_STEP_S if missing else 0)
