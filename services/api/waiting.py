"""Requests that wait for a write: reads ``after=position`` until the scorer folded that event."""

import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine, select

from services.api.problem import Problem
from services.contract.tables import event
from services.contract.tables.unguessed import unguessed

WAIT_S_MAX = 2.0
WAITING_MAX = 16
"""Requests that may wait at once; each holds a thread."""
_STEP_S = 0.025


class Waiting:
    """Waits until something is written, for a bounded time and a bounded number of requests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._places = threading.BoundedSemaphore(WAITING_MAX)

    def until_folded(self, workspace_id: int, position: str | None) -> None:
        """Return when the event is folded, or after two seconds.

        Raises:
            Problem: 503, too many requests wait already.
        """
        if position is not None and not self._is_in(workspace_id, bytes.fromhex(position)):
            self.until(lambda: self._is_in(workspace_id, bytes.fromhex(position)))

    def until(self, is_there: Callable[[], bool]) -> bool:
        """Look again and again, for two seconds at most; whether it came about.

        Raises:
            Problem: 503, too many requests wait already.
        """
        if not self._places.acquire(blocking=False):
            text = "Too many requests wait for a write just now."
            raise Problem(503, "busy", text, {"Retry-After": "1"})
        try:
            give_up_s = time.monotonic() + WAIT_S_MAX
            while time.monotonic() < give_up_s:
                time.sleep(_STEP_S)
                if is_there():
                    return True
            return False
        finally:
            self._places.release()

    def _is_in(self, workspace_id: int, event_id: bytes) -> bool:
        query = select(event.c.event_id).where(
            event.c.workspace_id == unguessed(workspace_id), event.c.event_id == event_id
        )
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None
