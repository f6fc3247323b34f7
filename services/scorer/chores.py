"""What a scorer does between batches: announce what is due, fill segments, clear up."""

import time
from collections.abc import Callable

import structlog

from services.runtime import telemetry
from services.scorer.announce import prepare_feed
from services.scorer.attempts import Attempts
from services.scorer.build import build_step
from services.scorer.counts import COMPACT_AFTER_ROWS, compact
from services.scorer.dead_letters import keep_within_limits
from services.scorer.due import DUE_MAX, announce_due
from services.scorer.outages import short
from services.scorer.sweeps import forget_old
from services.scorer.versions import InForce

ANNOUNCE_S_MAX = 1.0
"""Of a turn: so long events wait at most, however many boundaries are due."""
LOOK_EVERY_S = 60.0
"""How often what is kept for a while only is looked through."""

_log = structlog.get_logger()


class Chores:
    """Belongs to a scorer's thread.

    Args:
        attempts: does transactions.
        in_force: the model version.
        clock: UTC milliseconds.
    """

    def __init__(self, attempts: Attempts, in_force: InForce, clock: Callable[[], int]) -> None:
        self._attempts = attempts
        self._in_force = in_force
        self._clock = clock
        self._look_s = 0.0
        self.count_rows = 0
        """Rows of counts written since they were last compacted; who writes them adds to it."""

    def prepare(self) -> None:
        """Before anything is scored."""
        self._attempts.through(prepare_feed)

    def announce(self) -> None:
        """Announce the boundaries that came."""
        self._keep_house(self._announce_all)

    def rest(self) -> None:
        """All else; one step of what takes many, so that a segment fills while events come."""
        self._keep_house(self._compact)
        self._keep_house(self._look_through)
        self._keep_house(self._build)

    def _keep_house(self, work: Callable[[], None]) -> None:
        """Do what events do not wait for: where it fails, it is told, and scoring goes on."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  whatever it is, events go on
            telemetry.SCORER_CHORE_FAILURES.inc()
            _log.error("a chore failed", chore=work.__name__, error=short(error))

    def _announce_all(self) -> None:
        end_s = time.monotonic() + ANNOUNCE_S_MAX
        while not self._attempts.is_stopped and time.monotonic() < end_s:
            looked_at = self._attempts.through(lambda db: announce_due(db, self._clock())) or 0
            telemetry.SCORER_BOUNDARIES.inc(looked_at)
            if looked_at < DUE_MAX:
                return

    def _look_through(self) -> None:
        if time.monotonic() >= self._look_s:
            self._look_s = time.monotonic() + LOOK_EVERY_S
            self._attempts.through(lambda db: keep_within_limits(db, self._clock()))
            self._attempts.through(lambda db: forget_old(db, self._clock()))

    def _compact(self) -> None:
        if self.count_rows >= COMPACT_AFTER_ROWS:
            while self._attempts.through(compact):
                pass
            self.count_rows = 0

    def _build(self) -> None:
        self._attempts.through(lambda db: build_step(db, self._in_force.hold(db), self._clock()))
