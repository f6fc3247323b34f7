"""The scorer's loop: read the log, score a batch in one transaction, go on.

What goes wrong is of three kinds. *Try again*: somebody held a lock, or who is who changed.
*Somebody else's*: the positions moved, so we read on from where they are. *Wait*: the database is
away; the log is kept polled, and nothing moves. Whatever else fails is narrowed down to the
records that cause it, and these go to the dead letter.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain

import structlog
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from services.contract.event import decode
from services.contract.tables import workspace
from services.model.version import Model
from services.runtime import telemetry
from services.runtime.clock import now_ms
from services.runtime.event_log import LogGapError, LogReader, Stored
from services.scorer.attempts import Attempts
from services.scorer.batch import Outcome, apply
from services.scorer.chores import Chores
from services.scorer.filler import Filler
from services.scorer.letters import unnamed
from services.scorer.newcomers import introduce
from services.scorer.outages import Result, short
from services.scorer.parts import in_parts
from services.scorer.positions import FencedError, claim, skip
from services.scorer.record import Batch, Poison, set_aside, sort_out
from services.scorer.uncollected import uncollected
from services.scorer.versions import InForce

READER = "scorer"
"""The name of the scorer's position file beside a spool, for the tracker that trims."""

BATCH_RECORDS_MAX = 10_000
"""Where there is a backlog, more events share the work that is done once per person."""
BATCH_RECORDS_MIN = 500
BACKLOG_RECORDS = 4_000
"""So many do not come while a batch is scored, or gathers: they were waiting."""
BATCH_S_MAX = 5.0
"""So long a transaction is to last: where events take longer, fewer are read at once."""
POLL_S = 0.1
GATHER_S = 1.0
"""From one batch to the next while a segment is filled: few large ones take less of the processor
than many small ones, and leave it the rest."""
GATHER_RECORDS = 40
"""Of batches of fewer it takes next to nothing."""
BURIED_MAX = 20
"""Records in a row that may be set aside because scoring them fails."""

_log = structlog.get_logger()

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
        self._reader = reader
        self._stop = threading.Event()
        self._attempts = Attempts(engine, self._stop, self._keep_log)
        self._in_force = InForce(model)
        self._chores = Chores(self._attempts, self._in_force, clock)
        self._filler = Filler(engine, model, clock, lambda: self._is_behind, self._stop)
        self._is_behind = False
        """So many events wait, or are at hand, that what is filled meanwhile rests now and then."""
        self._committed = committed
        self._clock = clock
        self._buried_in_a_row = 0
        self._buried_of: set[int] = set()
        """The workspaces of those records."""
        self._stands_still = False
        self._records_max = BATCH_RECORDS_MAX
        """So many are read at once."""
        self._introduced = 0
        """Events of the batch in hand that were scored before the batch as a whole is."""
        self._unscored_ms: int | None = None
        telemetry.SCORER_UNSCORED_SECONDS.set_function(self._unscored_s)

    def stop(self) -> None:
        """Ask :meth:`run` to return after the batch at hand."""
        self._stop.set()

    def why_not_ready(self) -> str | None:
        """Why nothing is scored at this moment; None while all is well."""
        if self._stands_still:
            return "every record fails; see the log, and the dead letter for the first ones"
        return self._attempts.trouble

    def run(self) -> None:
        """Score until stopped, and fill segments meanwhile."""
        self._chores.prepare()
        with self._filler.at_work():
            while not self._stop.is_set():
                following_s, fitting = time.monotonic() + GATHER_S, self._records_max
                number = self._turn(POLL_S)
                took_all = number < fitting and not self._is_behind
                if self._filler.is_filling and took_all and number >= GATHER_RECORDS:
                    self._stop.wait(following_s - time.monotonic())

    def step(self, timeout_s: float) -> int:
        """What :meth:`run` does, once, and all in this thread; how many records it was."""
        number = self._turn(timeout_s)
        self._filler.step()
        return number

    def _turn(self, timeout_s: float) -> int:
        """Score what came within ``timeout_s``, announce what is due."""
        records = self._read(timeout_s)
        began_s = time.monotonic()
        with uncollected():
            if records:
                self._introduced = 0
                self._score(records)
                self._keep_to_time(len(records), time.monotonic() - began_s)
            self._chores.announce()
            self._chores.rest(scored=bool(records))
        return len(records)

    def _read(self, timeout_s: float) -> list[Stored]:
        try:
            records = self._reader.poll(self._records_max, timeout_s)
        except LogGapError as gap:
            self._over_gap(gap)
            return []
        except (OSError, DBAPIError) as error:
            self._attempts.wait(error)
            return []
        waiting = self._reader.lag()
        telemetry.SCORER_LAG.set(waiting)
        self._is_behind = waiting + len(records) >= BACKLOG_RECORDS
        return records

    def _keep_to_time(self, number: int, took_s: float) -> None:
        """Read as many next time as fit at the rate of these."""
        fitting = round(number / max(took_s, 0.001) * BATCH_S_MAX)
        self._records_max = min(max(fitting, BATCH_RECORDS_MIN), BATCH_RECORDS_MAX)

    def _score(self, records: Sequence[Stored]) -> bool:
        """Score a batch; False: we go back to where it begins, or to where another is."""
        try:
            return self._one_by_one(in_parts(records))
        except FencedError as fenced:
            self._go_where_another_is(fenced)
            return False

    def _one_by_one(self, parts: Sequence[Sequence[Stored]]) -> bool:
        """Score parts of a batch in their order; False: one was not, and we are back there."""
        for number, part in enumerate(parts):
            done = False
            try:
                done = not self._stop.is_set() and self._apply_or_narrow(part)
            finally:  # who hears of a fence knows of this part's partitions alone
                if not done:
                    self._back_to([*chain.from_iterable(parts[number:])])
            if not done:
                return False
        return True

    def _apply_or_narrow(self, records: Sequence[Stored]) -> bool:
        try:
            self._apply(records)
        except FencedError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the rest goes on
            if len(records) == 1:
                return self._bury(records[0], error)
            _log.warning("batch failed, tried in halves", error=type(error).__name__)
        else:
            return True
        middle = len(records) // 2
        return self._one_by_one((records[:middle], records[middle:]))

    def _apply(self, records: Sequence[Stored]) -> None:
        began_s = time.monotonic()
        batch = sort_out(records)
        received = [e.event.received_ms for some in batch.by_workspace.values() for e in some]
        self._unscored_ms = min(received, default=None)
        if not self._introduce_and_apply(batch):  # stopped before the database came back
            self._back_to(records)
            return
        # What comes next in the log was received about when the last of these was.
        self._unscored_ms = max(received, default=None) if self._reader.lag() else None
        self._buried_in_a_row = 0
        self._buried_of.clear()
        self._stands_still = False
        telemetry.SCORER_BATCH_SECONDS.observe(time.monotonic() - began_s)
        ends = {record.partition: record.offset + 1 for record in records}
        for partition, following in ends.items():
            self._committed(partition, following)

    def _introduce_and_apply(self, batch: Batch) -> bool:
        """Score those who change who is who, then all others; False: stopped before it was done."""
        log_id, clock = self._reader.log_id, self._clock
        first = self._transact(lambda db, model: introduce(db, log_id, batch, model, clock()))
        if first is None:
            return False
        self._count(first.outcome, introduces=True)
        seen = first.seen
        done = self._transact(lambda db, model: apply(db, log_id, batch, model, clock(), seen))
        if done is not None:
            self._count(done, introduces=False)
        return done is not None

    def _transact(self, work: Callable[[Connection, Model], Result]) -> Result | None:
        """Work in a transaction that holds the version in force; None: stopped."""
        return self._attempts.through(lambda db: work(db, self._in_force.hold(db)))

    def _count(self, done: Outcome, *, introduces: bool) -> None:
        """For metrics: what was introduced comes again with its batch, which is no repetition."""
        self._chores.count_rows += done.count_rows
        telemetry.SCORED.inc(done.new)
        telemetry.SCORER_REFOLDED.inc(done.refolded)
        telemetry.SCORER_DEAD.inc(done.dead)
        telemetry.SCORER_CHANGES.inc(done.changes)
        if introduces:
            self._introduced += done.new
            return
        again = min(self._introduced, done.repeated)
        self._introduced -= again
        telemetry.SCORER_REPEATED.inc(done.repeated - again)

    def _unscored_s(self) -> float:
        if self._unscored_ms is None:
            return 0.0
        return max(0.0, (self._clock() - self._unscored_ms) / 1000)

    def _keep_log(self, seconds: float) -> None:
        """Wait without losing our partitions: the log is polled, and gives nothing."""
        self._reader.pause()
        try:
            self._reader.poll(1, seconds)
        except OSError:
            self._stop.wait(seconds)
        finally:
            self._reader.resume()

    def _back_to(self, records: Sequence[Stored]) -> None:
        for record in reversed(records):
            self._reader.seek(record.partition, record.offset)

    def _go_where_another_is(self, fenced: FencedError) -> None:
        telemetry.SCORER_FENCED.inc()
        for partition, offset in fenced.next_offsets.items():
            self._reader.seek(partition, offset)

    def _bury(self, record: Stored, error: Exception) -> bool:
        """Set one record aside that no transaction can take; False: we wait instead.

        Where one after the other fails, and not of one workspace alone, the fault is ours and not
        theirs: then nothing is set aside any more, and the positions stand until we are mended.
        What one workspace brought about holds up nobody else.

        Raises:
            FencedError: it is not ours to set aside.
        """
        reason = f"{short(error)}, while scoring"
        if self._buried_in_a_row >= BURIED_MAX and self._is_of_several():
            self._stands_still = True
            self._attempts.wait(error)
            return False

        def set_record_aside(db: Connection) -> bool:
            claim(db, self._reader.log_id, [record], finish=True)
            poison = unnamed(db, [Poison(record, reason)])
            set_aside(db, self._reader.log_id, poison, self._clock())
            return True

        if not self._attempts.through(set_record_aside):
            return False
        _log.error("record to the dead letter", reason=reason, offset=record.offset)
        self._buried_in_a_row += 1
        with suppress(Exception):  # whatever is wrong with it: then it counts as nobody's
            self._buried_of.add(decode(record.value).workspace_id)
        telemetry.SCORER_DEAD.inc()
        self._committed(record.partition, record.offset + 1)
        return True

    def _is_of_several(self) -> bool:
        """Whether what fails is of several workspaces, or of the only one that there is."""
        if len(self._buried_of) > 1:
            return True
        query = select(workspace.c.id).limit(2)
        return len(self._attempts.through(lambda db: db.execute(query).all()) or ()) < 2

    def _over_gap(self, gap: LogGapError) -> None:
        """Records are gone from the log: told and counted, and the rest goes on."""

        def move_on(db: Connection) -> bool:
            skip(db, self._reader.log_id, gap.partition, gap.expected, gap.found)
            return True

        try:
            if not self._attempts.through(move_on):
                return
        except FencedError as fenced:
            self._go_where_another_is(fenced)
            return
        telemetry.LOG_GAP_RECORDS.labels(READER).inc(max(0, gap.found - gap.expected))
        _log.error("records are gone from the log", expected=gap.expected, found=gap.found)
        self._reader.seek(gap.partition, gap.found)
