"""Since when events wait to be scored; for ``up``, which has the spool at hand."""

from pathlib import Path

from sqlalchemy import Engine

from services.contract.event import PoisonError, decode
from services.runtime.event_log import LogGapError
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.scorer.positions import positions


class Unscored:
    """Looks at the record that a scorer takes next.

    Args:
        spool: the log's folder.
        engine: the database that tells how far it is scored.
    """

    def __init__(self, spool: Path, engine: Engine) -> None:
        self._spool = spool
        self._position = positions(engine)

    def __call__(self) -> int | None:
        """When it was received, in UTC milliseconds; None: none waits, or nobody can tell."""
        try:
            reader = SqliteLogReader(self._spool, self._position)
        except OSError:
            return None
        try:
            waiting = reader.poll(1, 0)
            return decode(waiting[0].value).received_ms if waiting else None
        except (OSError, LogGapError, PoisonError):
            return None
        finally:
            reader.close()
