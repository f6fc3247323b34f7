"""The Kafka topic ``changes``: the feed, copied in order, each person's changes under one key.

The position moves after Kafka acknowledged, so a change may be there twice, and never not at all.
Who reads drops what has no higher ``position`` than the last one of its partition.
"""

import random
import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from sqlalchemy import Engine, Row
from sqlalchemy.exc import DBAPIError

from services.contract.change import select_all_changes, told
from services.contract.tables import change
from services.dispatch.readers import LostError, hold, move, newest_position
from services.runtime import telemetry
from services.runtime.database import Kept, glancing
from services.runtime.event_log import EventLog, Record

TOPIC = "topic:changes"
"""The reader's name."""
VERSION = 1
PAGE_MAX = 2_000
IDLE_S = 0.2
"""Between two looks at the feed: a page that holds more costs hardly more."""
BACKOFF_MIN_S, BACKOFF_MAX_S = 0.2, 10.0

_log = structlog.get_logger()


class Topic:
    """Copies while it is held. :meth:`run` it in a thread; the rest is called from others.

    Args:
        engine: the database, for transactions that write.
        kafka: the topic.
        holder: our process.
    """

    def __init__(self, engine: Engine, kafka: EventLog, holder: str) -> None:
        self._engine, self._kafka, self._holder = engine, kafka, holder
        self._kept = Kept(glancing(engine))
        self._copied: int | None = None
        """The position up to which we copied; None: ask where the reader is."""
        self._held = threading.Event()
        self._stop = threading.Event()
        self._trouble: str | None = None

    def holds(self, held: bool) -> None:  # noqa: FBT001  a state, told
        """Whether our process reads for the topic now."""
        if held:
            self._held.set()
        else:
            self._held.clear()

    def stop(self) -> None:
        """Ask :meth:`run` to return."""
        self._stop.set()
        self._held.set()

    def why_not_ready(self) -> str | None:
        """Why nothing is copied though it should be; None while all is well."""
        return self._trouble

    def run(self) -> None:
        """Copy until stopped."""
        pause_s = BACKOFF_MIN_S
        while not self._stop.is_set():
            self._held.wait()
            try:
                copied = self._copy()
            except LostError:
                self._held.clear()
                self._copied = None
            except (OSError, DBAPIError) as error:
                self._copied = None
                self._trouble = f"the topic of changes waits: {type(error).__name__}"
                _log.warning("changes are not copied", error=type(error).__name__)
                self._stop.wait(random.uniform(0.5, 1.0) * pause_s)  # noqa: S311
                pause_s = min(2 * pause_s, BACKOFF_MAX_S)
            else:
                self._trouble, pause_s = None, BACKOFF_MIN_S
                if copied < PAGE_MAX:
                    self._stop.wait(IDLE_S)
        self._kept.close()

    def _copy(self) -> int:
        """One page; how many it were."""
        with self._kept.connection() as db:
            newest = newest_position(db)
        if newest == self._copied:
            return 0  # nothing is locked for that
        with self._engine.begin() as db:
            self._copied = position = hold(db, TOPIC, self._holder)
            telemetry.CHANGES_LAG.set(newest - position)
            if newest <= position:
                return 0
            page = select_all_changes().where(change.c.position > position)
            rows = db.execute(page.order_by(change.c.position).limit(PAGE_MAX)).all()
        if not rows:
            return 0
        self._kafka.append(records_of(rows))
        with self._engine.begin() as db:
            move(db, TOPIC, self._holder, rows[-1].position)
        self._copied = int(rows[-1].position)
        telemetry.CHANGES_LAG.set(max(0, newest - self._copied))
        telemetry.CHANGES_COPIED.inc(len(rows))
        return len(rows)


def records_of(rows: Sequence[Row[Any]]) -> list[Record]:
    """Rows of all workspaces' changes as records."""
    return [
        Record(
            key=f"{row.workspace}:{row.public_id}".encode(),
            value=msgspec.json.encode(
                {"v": VERSION, "workspace": row.workspace, **told(row)._asdict()}
            ),
        )
        for row in rows
    ]
