"""Who looked at somebody: a line of the audit for everybody whose page was opened."""

from collections import OrderedDict
from threading import Lock
from typing import Literal

from services.api.audit import note
from services.api.context import Context
from services.api.dashboard.session import Visitor
from services.contract.phases import HOUR_MS
from services.runtime.database import writing

AGAIN_MS = HOUR_MS
"""Within it the same page opened by the same visitor is one look."""
REMEMBERED_MAX = 10_000

What = Literal["look.person", "look.known"]


class Looks:
    """Looks of the last hour that the audit has already.

    They are this process's: of several, and after a start, the same look may stand there again.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._noted_ms: OrderedDict[tuple[int, str, str, str], int] = OrderedDict()

    def note(self, here: Context, visitor: Visitor, what: What, person: str) -> None:
        """Write down that a visitor looks, before anything is shown.

        Args:
            here: the surroundings.
            visitor: who looks.
            what: at the page, or all that is known as a file.
            person: the public id.
        """
        look, now_ms = (visitor.workspace_id, visitor.who, what, person), here.clock()
        with self._lock:
            before_ms = self._noted_ms.get(look)
        if before_ms is not None and abs(now_ms - before_ms) < AGAIN_MS:
            return
        with writing(here.engine).begin() as connection:
            note(connection, visitor.workspace_id, visitor.who, what, person, now_ms)
        with self._lock:
            self._noted_ms[look] = now_ms
            self._noted_ms.move_to_end(look)
            while len(self._noted_ms) > REMEMBERED_MAX:
                self._noted_ms.popitem(last=False)
