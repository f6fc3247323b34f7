"""Works on jobs, one after the other, in a process of its own."""

import threading
from collections.abc import Callable, Mapping

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from services.api.jobs.hold import Hold, LostError, RefusedError, StoppedError
from services.api.jobs.store import claim, sweep
from services.runtime.database import writing

PAUSE_S = 0.5
SWEEP_EVERY_MS = 60_000

Run = Callable[[Hold], None]
"""Works on a job to its end, from where an earlier turn saved that it was."""

_log = structlog.get_logger()


class Worker:
    """Several may run: each job is worked on by one.

    Args:
        engine: the database.
        runs: by the kind of a job.
        clock: UTC milliseconds.
    """

    def __init__(self, engine: Engine, runs: Mapping[str, Run], clock: Callable[[], int]) -> None:
        self._engine, self._runs, self._clock = engine, runs, clock
        self._stop = threading.Event()
        self._swept_ms = 0
        self._trouble: str | None = None

    def run(self) -> None:
        """Work until :meth:`stop`; what goes wrong is tried again."""
        while not self._stop.is_set():
            try:
                worked = self.step()
                self._trouble = None
            except (OperationalError, InterfaceError):
                worked, self._trouble = False, "the database is away"
                _log.warning("the database is away")
            except Exception:  # noqa: BLE001 - a fault of ours in one job must not end the others
                worked, self._trouble = False, None
                _log.exception("a job failed on our side; it is tried again")
            if not worked:
                self._stop.wait(PAUSE_S)

    def stop(self) -> None:
        """End soon; the job in hand is left to whoever comes next."""
        self._stop.set()

    def why_not_ready(self) -> str | None:
        """Why no job is worked on; None where they are."""
        return self._trouble

    def step(self) -> bool:
        """Work on the job that waited longest, if there is one; whether there was."""
        now_ms = self._clock()
        with writing(self._engine).begin() as connection:
            if not 0 <= now_ms - self._swept_ms < SWEEP_EVERY_MS:
                sweep(connection, now_ms)
                self._swept_ms = now_ms
            row = claim(connection, now_ms)
        if row is None:
            return False
        hold = Hold(self._engine, row, self._clock, self._stop)
        try:
            self._work(hold)
        except LostError:
            _log.info("a job was cancelled, or taken over", job=row.public_id)
        except StoppedError:
            _log.info("a job is left to whoever comes next", job=row.public_id)
        return True

    def _work(self, hold: Hold) -> None:
        try:
            self._runs[hold.row.kind](hold)
        except RefusedError as refused:
            hold.end("failed", str(refused))
