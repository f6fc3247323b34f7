"""The scorer's loop: read the log, score a batch in one transaction, go on.

What goes wrong is of three kinds. *Try again*: somebody held a lock, or who is who changed.
*Somebody else's*: the positions moved, so we read on from where they are. *Wait*: the database is
away; the log is kept polled, and nothing moves. Whatever else fails is narrowed down to the
records that cause it, and these go to the dead letter.
"""

import gc
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from services.model.parameters import VersionError
from services.model.version import Model
from services.runtime import telemetry
from services.runtime.clock import now_ms
from services.runtime.database import writing
from services.runtime.event_log import LogGapError, LogReader, Stored
from services.scorer.announce import prepare_feed
from services.scorer.batch import MovedError, Outcome, apply, introduce
from services.scorer.build import build_step
from services.scorer.counts import COMPACT_AFTER_ROWS, compact
from services.scorer.dead_letters import keep_within_limits
from services.scorer.due import DUE_MAX, announce_due
from services.scorer.outages import RACES_TOLD, Result, is_away, is_race, short
from services.scorer.positions import FencedError, move, stored_position
from services.scorer.record import Batch, Poison, set_aside, sort_out
from services.scorer.sweeps import forget_old
from services.scorer.versions import InForce

READER = "scorer"
"""The name of the scorer's position file beside a spool, for the tracker that trims."""

BATCH_RECORDS_MAX = 10_000
"""As a transaction of a second or two holds: where there is a backlog, more events share the work
that is done once per person."""
POLL_S = 0.1
ANNOUNCE_S_MAX = 1.0
"""Of a turn: so long events wait at most, however many boundaries are due."""
LOOK_EVERY_S = 60.0
"""How often the dead letter is held within its limits."""
BURIED_MAX = 20
"""Records in a row that may be set aside because scoring them fails."""
DATABASE_PAUSE_S = 1.0

_log = structlog.get_logger()

_Work = Callable[[Connection, str, Batch, Model, int], Outcome]

Committed = Callable[[int, int], None]
"""Told (partition, next offset) after a batch is durable."""


class Scorer:
    """One worker. :meth:`run` it in a thread; :meth:`stop` it from any other.

    Args:
        engine: the database.
        reader: of the log; it asks :func:`positions` where to go on.
        model: the version that comes with the code; the database says which is in force.
        committed: is told what was scored.
        clock: UTC milliseconds.
    """

    def __init__(
        self,
        engine: Engine,
        reader: LogReader,
        model: Model,
        committed: Committed = lambda _partition, _offset: None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._engine = writing(engine)
        self._reader = reader
        self._in_force = InForce(model)
        self._committed = committed
        self._clock = clock
        self._stop = threading.Event()
        self._trouble: str | None = "not started"
        self._count_rows = 0
        self._buried_in_a_row = 0
        self._look_s = 0.0
        self._unscored_ms: int | None = None
        telemetry.SCORER_UNSCORED_SECONDS.set_function(self._unscored_s)

    def stop(self) -> None:
        """Ask :meth:`run` to return after the batch at hand."""
        self._stop.set()

    def why_not_ready(self) -> str | None:
        """Why nothing is scored at this moment; None while all is well."""
        if self._buried_in_a_row >= BURIED_MAX:
            return "every record fails; see the log, and the dead letter for the first ones"
        return self._trouble

    def run(self) -> None:
        """Score until stopped."""
        self._through_outages(prepare_feed)
        while not self._stop.is_set():
            self.step(POLL_S)

    def step(self, timeout_s: float) -> int:
        """Score what came within ``timeout_s``, announce what is due; how many records it was."""
        records = self._read(timeout_s)
        with uncollected():
            if records:
                self._score(records)
            self._keep_house(self._announce_all)
        self._keep_house(self._compact)
        self._keep_house(self._watch_dead_letters)
        # One step a turn, so that a segment is filled while events keep coming.
        self._keep_house(self._build)
        return len(records)

    def _keep_house(self, work: Callable[[], None]) -> None:
        """Do what events do not wait for: where it fails, it is told, and scoring goes on."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  whatever it is, events go on
            telemetry.SCORER_CHORE_FAILURES.inc()
            _log.error("a chore failed", chore=work.__name__, error=short(error))

    def _announce_all(self) -> None:
        end_s = time.monotonic() + ANNOUNCE_S_MAX
        while not self._stop.is_set() and time.monotonic() < end_s:
            looked_at = self._through_outages(lambda db: announce_due(db, self._clock())) or 0
            telemetry.SCORER_BOUNDARIES.inc(looked_at)
            if looked_at < DUE_MAX:
                return

    def _watch_dead_letters(self) -> None:
        if time.monotonic() >= self._look_s:
            self._look_s = time.monotonic() + LOOK_EVERY_S
            self._through_outages(lambda db: keep_within_limits(db, self._clock()))
            self._through_outages(lambda db: forget_old(db, self._clock()))

    def _compact(self) -> None:
        if self._count_rows >= COMPACT_AFTER_ROWS:
            while self._through_outages(compact):
                pass
            self._count_rows = 0

    def _build(self) -> None:
        self._through_outages(lambda db: build_step(db, self._in_force.hold(db), self._clock()))

    def _read(self, timeout_s: float) -> list[Stored]:
        try:
            records = self._reader.poll(BATCH_RECORDS_MAX, timeout_s)
        except LogGapError as gap:
            self._over_gap(gap)
            return []
        except (OSError, DBAPIError) as error:
            self._wait(error)
            return []
        telemetry.SCORER_LAG.set(self._reader.lag())
        return records

    def _score(self, records: Sequence[Stored]) -> bool:
        """Score a batch; False: we go back to where it begins."""
        try:
            self._apply(records)
        except FencedError as fenced:
            telemetry.SCORER_FENCED.inc()
            for partition, offset in fenced.next_offsets.items():
                self._reader.seek(partition, offset)
            return False
        except Exception as error:  # noqa: BLE001  whatever it is, the rest goes on
            if len(records) == 1:
                return self._bury(records[0], error)
            _log.warning("batch failed, tried in halves", error=type(error).__name__)
            middle = len(records) // 2
            for part, rest in ((records[:middle], records), (records[middle:], records[middle:])):
                if self._stop.is_set() or not self._score(part):
                    self._back_to(rest)
                    return False
        return True

    def _apply(self, records: Sequence[Stored]) -> None:
        began_s = time.monotonic()
        batch = sort_out(records)
        received = [e.event.received_ms for some in batch.by_workspace.values() for e in some]
        self._unscored_ms = min(received, default=None)
        introduced = self._through_outages(partial(self._transact, introduce, batch))
        outcome = self._through_outages(partial(self._transact, apply, batch))
        if introduced is None or outcome is None:  # stopped before the database came back
            self._back_to(records)
            return
        outcome = outcome.after(introduced)
        # What comes next in the log was received about when the last of these was.
        self._unscored_ms = max(received, default=None) if self._reader.lag() else None
        self._buried_in_a_row = 0
        self._count_rows += outcome.count_rows
        _measure(outcome, time.monotonic() - began_s)
        ends = {record.partition: record.offset + 1 for record in records}
        for partition, following in ends.items():
            self._committed(partition, following)

    def _unscored_s(self) -> float:
        if self._unscored_ms is None:
            return 0.0
        return max(0.0, (self._clock() - self._unscored_ms) / 1000)

    def _transact(self, work: _Work, batch: Batch, db: Connection) -> Outcome:
        model = self._in_force.hold(db)
        return work(db, self._reader.log_id, batch, model, self._clock())

    def _back_to(self, records: Sequence[Stored]) -> None:
        for record in reversed(records):
            self._reader.seek(record.partition, record.offset)

    def _bury(self, record: Stored, error: Exception) -> bool:
        """Set one record aside that no transaction can take; False: we wait instead.

        Where one after the other fails, the fault is ours and not theirs: then nothing is set
        aside any more, and the positions stand until we are mended.
        """
        reason = f"{short(error)}, while scoring"
        if self._buried_in_a_row >= BURIED_MAX:
            self._wait(error)
            return False
        _log.error("record to the dead letter", reason=reason, offset=record.offset)

        def set_record_aside(db: Connection) -> bool:
            set_aside(db, self._reader.log_id, [Poison(record, reason)], self._clock())
            after = record.offset + 1
            move(db, self._reader.log_id, record.partition, after, expected=record.offset)
            return True

        if not self._through_outages(set_record_aside):
            return False
        self._buried_in_a_row += 1
        telemetry.SCORER_DEAD.inc()
        self._committed(record.partition, record.offset + 1)
        return True

    def _over_gap(self, gap: LogGapError) -> None:
        """Records are gone from the log: told and counted, and the rest goes on."""
        telemetry.LOG_GAP_RECORDS.labels(READER).inc(max(0, gap.found - gap.expected))
        _log.error("records are gone from the log", expected=gap.expected, found=gap.found)

        def move_on(db: Connection) -> bool:
            move(db, self._reader.log_id, gap.partition, gap.found, expected=gap.expected)
            return True

        if self._through_outages(move_on):
            self._reader.seek(gap.partition, gap.found)

    def _through_outages(self, work: Callable[[Connection], Result]) -> Result | None:
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
                        self._wait(error)
                    # Jitter: those that met shall not meet again.
                    time.sleep(random.uniform(0.0, 0.05) * min(races, RACES_TOLD))  # noqa: S311
                elif is_away(error):
                    self._wait(error)
                else:
                    raise
            except VersionError as error:  # the version in force is of later code than ours
                self._wait(error)
            else:
                if self._trouble is not None:
                    self._trouble = None
                    self._reader.resume()
                return result
        return None

    def _wait(self, error: Exception) -> None:
        """The database (or the log) is away: keep our partitions, and try again soon."""
        if self._trouble is None:
            _log.warning("scorer waits", error=type(error).__name__)
        self._trouble = f"waiting: {type(error).__name__}"
        gc.collect()  # errors are in cycles, and waiting may last: see uncollected()
        self._reader.pause()
        try:
            self._reader.poll(1, DATABASE_PAUSE_S)
        except OSError:
            self._stop.wait(DATABASE_PAUSE_S)
        finally:
            self._reader.resume()


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold off the search for cycles: it would go through all objects of a batch time and again.

    They make up a fifth of a batch's work, and nearly none is in a cycle.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def positions(engine: Engine) -> Callable[[str, int], int | None]:
    """What a reader asks for where to go on: the database's word."""

    def position(log_id: str, partition: int) -> int | None:
        try:
            with engine.connect() as db:
                return stored_position(db, log_id, partition)
        except DBAPIError as error:
            raise OSError("the database does not tell the position now") from error

    return position


def _measure(outcome: Outcome, took_s: float) -> None:
    telemetry.SCORED.inc(outcome.new)
    telemetry.SCORER_REPEATED.inc(outcome.repeated)
    telemetry.SCORER_REFOLDED.inc(outcome.refolded)
    telemetry.SCORER_DEAD.inc(outcome.dead)
    telemetry.SCORER_CHANGES.inc(outcome.changes)
    telemetry.SCORER_BATCH_SECONDS.observe(took_s)
