"""Fills segments beside a scorer, in a thread of its own: neither waits while the other reads.

An event of somebody of whom nothing is in memory waits for a dozen pages of the disk, one after
the other. Whoever fills between two batches does nothing meanwhile.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Connection, Engine

from services.model.version import Model
from services.runtime import telemetry
from services.scorer.attempts import Attempts
from services.scorer.build import FillingFailedError, build_step, is_anything_left
from services.scorer.outages import short
from services.scorer.uncollected import uncollected
from services.scorer.versions import InForce

SHARE_MAX = 0.3
"""Of the time in which a backlog waits: filling slows scoring by less than a third."""
LOOK_EVERY_S = 0.1
"""How often it is looked whether there is something to fill."""
AGAIN_S = 1.0
"""After something failed, whatever it was."""
UNFILLABLE_S = 60.0
"""So long the others are filled without a version that could not be."""

_log = structlog.get_logger()


class Filler:
    """Fills what is to be filled, and goes through what that brings.

    Args:
        engine: the database.
        model: the version that comes with the code.
        clock: UTC milliseconds.
        is_behind: whether a backlog of events waits.
        stop: set, from any thread, to end after the step at hand; set too when the work ends.
    """

    def __init__(
        self,
        engine: Engine,
        model: Model,
        clock: Callable[[], int],
        is_behind: Callable[[], bool],
        stop: threading.Event,
    ) -> None:
        self._stop = stop
        self._attempts = Attempts(engine, stop, stop.wait)
        self._in_force = InForce(model)
        self._clock = clock
        self._is_behind = is_behind
        self.is_filling = False
        """Something is filled, by this worker or by another."""
        self._unfillable: set[int] = set()
        self._unfillable_until_s = 0.0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Fill in a thread until the block ends."""
        thread = threading.Thread(target=self._run, name="filler")
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def step(self) -> bool:
        """Fill a little further; False: there was nothing to fill."""
        if time.monotonic() >= self._unfillable_until_s:
            self._unfillable.clear()
        try:
            with uncollected():
                return self._attempts.through(self._build) or False
        except FillingFailedError as failed:
            self._unfillable.add(failed.version_id)
            self._unfillable_until_s = time.monotonic() + UNFILLABLE_S
            self._tell("a segment cannot be filled", failed.why)
            return True

    def _build(self, db: Connection) -> bool:
        did = build_step(db, self._in_force.hold(db), self._clock(), self._unfillable)
        self.is_filling = did or is_anything_left(db, self._unfillable)
        return did

    def _run(self) -> None:
        while not self._stop.is_set():
            begun_s = time.monotonic()
            try:
                did_something = self.step()
            except Exception as error:  # noqa: BLE001  whatever it is, it is tried again
                self.is_filling = False
                self._tell("segments are not filled", error)
                self._stop.wait(AGAIN_S)
                continue
            if not did_something:
                self._stop.wait(LOOK_EVERY_S)
            elif self._is_behind():
                took_s = time.monotonic() - begun_s
                self._stop.wait(took_s / SHARE_MAX - took_s)

    def _tell(self, what: str, error: Exception) -> None:
        telemetry.SCORER_CHORE_FAILURES.inc()
        _log.error(what, error=short(error))
