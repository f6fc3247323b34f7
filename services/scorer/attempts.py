"""One transaction after the other, each tried until it is done: over races and outages."""

import gc
import random
import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from services.model.parameters import VersionError
from services.runtime import telemetry
from services.runtime.database import writing
from services.scorer.batch import MovedError
from services.scorer.outages import RACES_TOLD, Result, is_away, is_race

DATABASE_PAUSE_S = 1.0

_log = structlog.get_logger()


class Attempts:
    """Belongs to one thread.

    Args:
        engine: the database.
        stop: set, from any thread, to give up what is waited for.
        rest: waits for so many seconds, or less; in it a scorer keeps its log polled.
    """

    def __init__(
        self, engine: Engine, stop: threading.Event, rest: Callable[[float], object]
    ) -> None:
        self._engine = writing(engine)
        self._stop = stop
        self._rest = rest
        self.trouble: str | None = "not started"
        """Why nothing gets done at this moment; None while all is well."""

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is to be begun any more."""
        return self._stop.is_set()

    def through(self, work: Callable[[Connection], Result]) -> Result | None:
        """Do ``work`` in one transaction, again where it lost a race, waiting for the database.

        None comes back when stopped before it was done.
        """
        races = 0
        while not self._stop.is_set():
            try:
                with self._engine.begin() as db:
                    result = work(db)
            except (MovedError, DBAPIError) as error:
                if isinstance(error, MovedError) or is_race(error):
                    races += 1
                    telemetry.SCORER_RETRIES.inc()
                    if races % RACES_TOLD == 0:
                        self.wait(error)
                    # Jitter: those that met shall not meet again.
                    time.sleep(random.uniform(0.0, 0.05) * min(races, RACES_TOLD))  # noqa: S311
                elif is_away(error):
                    self.wait(error)
                else:
                    raise
            except VersionError as error:  # the version in force is of later code than ours
                self.wait(error)
            else:
                self.trouble = None
                return result
        return None

    def wait(self, error: Exception) -> None:
        """The database (or the log) is away: try again soon."""
        if self.trouble is None:
            _log.warning("scorer waits", error=type(error).__name__)
        self.trouble = f"waiting: {type(error).__name__}"
        gc.collect()  # errors are in cycles, and waiting may last: see uncollected()
        self._rest(DATABASE_PAUSE_S)
