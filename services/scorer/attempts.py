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
from services.runtime.event_log import LogReader
from services.scorer.batch import MovedError
from services.scorer.outages import RACES_TOLD, Result, is_away, is_race

DATABASE_PAUSE_S = 1.0

_log = structlog.get_logger()


class Attempts:
    """Belongs to a scorer's thread; :meth:`stop` may be called from any other.

    Args:
        engine: the database.
        reader: of the log; while the database is away it is paused, and kept polled.
    """

    def __init__(self, engine: Engine, reader: LogReader) -> None:
        self._engine = writing(engine)
        self._reader = reader
        self._stop = threading.Event()
        self.trouble: str | None = "not started"
        """Why nothing gets done at this moment; None while all is well."""

    def stop(self) -> None:
        """Give up what is waited for."""
        self._stop.set()

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
                if self.trouble is not None:
                    self.trouble = None
                    self._reader.resume()
                return result
        return None

    def wait(self, error: Exception) -> None:
        """The database (or the log) is away: keep our partitions, and try again soon."""
        if self.trouble is None:
            _log.warning("scorer waits", error=type(error).__name__)
        self.trouble = f"waiting: {type(error).__name__}"
        gc.collect()  # errors are in cycles, and waiting may last: see consume.uncollected()
        self._reader.pause()
        try:
            self._reader.poll(1, DATABASE_PAUSE_S)
        except OSError:
            self._stop.wait(DATABASE_PAUSE_S)
        finally:
            self._reader.resume()
