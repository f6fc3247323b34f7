"""What a scorer does between batches: announce what is due, clear up."""

import time
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from services.runtime import telemetry
from services.scorer.announce import prepare_feed
from services.scorer.applicants import Rejection, erase_applicants
from services.scorer.attempts import Attempts
from services.scorer.counts import COMPACT_AFTER_ROWS, compact
from services.scorer.dead_letters import keep_within_limits
from services.scorer.due import DUE_MAX, announce_due
from services.scorer.firing import FIRE_MAX, Fired, fire_due, forget_fired
from services.scorer.outages import short
from services.scorer.retention import erase_silent, forget_proofs
from services.scorer.rounds import Place
from services.scorer.sweeps import forget_old
from services.scorer.versions import InForce

ANNOUNCE_S_MAX = 1.0
"""Of a turn: so long events wait at most, however many boundaries are due."""
LOOK_EVERY_S = 60.0
"""How often what is kept for a while only is looked through."""
ERASE_EVERY_S = 900.0
"""How often people are looked through for those of whom nothing was heard for too long."""

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
        self._erase_s = 0.0
        self._looked_at: Place[int] = Place()
        self._rejected_s = 0.0
        self._rejected: Place[Rejection] = Place()
        self.count_rows = 0
        """Rows of counts written since they were last compacted; who writes them adds to it."""

    def prepare(self) -> None:
        """Before anything is scored."""
        self._attempts.through(prepare_feed)

    def announce(self) -> None:
        """Announce the boundaries that came, then hand over whose moment has come."""
        self._keep_house("announce", self._announce_all)
        self._keep_house("fire", self._fire_all)

    def rest(self, *, scored: bool) -> None:
        """All else; ``scored`` says whether the turn had events."""
        self._keep_house("compact", self._compact)
        self._keep_house("look_through", self._look_through)
        if not scored:  # an event that waits may be of somebody taken for silent
            self._keep_house("erase_silent", self._erase_silent)
            self._keep_house("erase_applicants", self._erase_applicants)

    def _keep_house(self, chore: str, work: Callable[[], None]) -> None:
        """Do what events do not wait for: where it fails, it is told, and scoring goes on."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  whatever it is, events go on
            telemetry.SCORER_CHORE_FAILURES.inc()
            _log.error("a chore failed", chore=chore, error=short(error))

    def _announce_all(self) -> None:
        end_s = time.monotonic() + ANNOUNCE_S_MAX
        while not self._attempts.is_stopped and time.monotonic() < end_s:
            looked_at = self._attempts.through(lambda db: announce_due(db, self._clock())) or 0
            telemetry.SCORER_BOUNDARIES.inc(looked_at)
            if looked_at < DUE_MAX:
                return

    def _fire_all(self) -> None:
        end_s = time.monotonic() + ANNOUNCE_S_MAX
        while not self._attempts.is_stopped and time.monotonic() < end_s:
            done = self._attempts.through(self._fire) or Fired()
            telemetry.TRIGGERS_FIRED.inc(done.handed)
            telemetry.TRIGGERS_WITHHELD.inc(done.decided - done.handed)
            if done.decided < FIRE_MAX:
                return

    def _fire(self, db: Connection) -> Fired:
        return fire_due(db, self._in_force.hold(db), self._clock())

    def _look_through(self) -> None:
        if time.monotonic() >= self._look_s:
            self._look_s = time.monotonic() + LOOK_EVERY_S
            self._attempts.through(lambda db: keep_within_limits(db, self._clock()))
            self._attempts.through(lambda db: forget_old(db, self._clock()))
            self._attempts.through(lambda db: forget_fired(db, self._clock()))

    def _erase_silent(self) -> None:
        if time.monotonic() < self._erase_s:
            return
        place, now_ms = self._looked_at, self._clock()
        following = self._attempts.through(
            lambda db: erase_silent(db, self._in_force.hold(db), place, now_ms)
        )
        if following is None:
            self._erase_s = time.monotonic() + ERASE_EVERY_S
            while self._attempts.through(lambda db: forget_proofs(db, now_ms)):
                pass
        self._looked_at = following or Place()

    def _erase_applicants(self) -> None:
        if time.monotonic() < self._rejected_s:
            return
        place, now_ms = self._rejected, self._clock()
        following = self._attempts.through(
            lambda db: erase_applicants(db, self._in_force.hold(db), place, now_ms)
        )
        if following is None:
            self._rejected_s = time.monotonic() + ERASE_EVERY_S
        self._rejected = following or Place()

    def _compact(self) -> None:
        if self.count_rows >= COMPACT_AFTER_ROWS:
            while self._attempts.through(compact):
                pass
            self.count_rows = 0
