"""The way of a request through the tracker: decided, stored, answered.

Both ways in share it: plain ASGI, and the protocol that answers hits by itself.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from services.contract.event import encode, record_key
from services.runtime.event_log import Record
from services.runtime.sqlite_log import SqliteLog
from services.runtime.steady_clock import SteadyClock
from services.tracker import answers, metrics
from services.tracker.accept import decided
from services.tracker.accepted import Accepted
from services.tracker.answers import Reply
from services.tracker.gate import Gate, must_prove
from services.tracker.hooks.errand import Errand
from services.tracker.hooks.errands import Errands
from services.tracker.reasons import RequestReason
from services.tracker.request import Request
from services.tracker.routes import Route
from services.tracker.snapshot_keeper import SnapshotKeeper
from services.tracker.spool_writer import SpoolWriter

Answer = Callable[[Reply], None]


class Collector:
    """Belongs to the event loop's thread.

    Args:
        snapshots: who may write.
        clock: UTC milliseconds.
        log: where events go.
        errands: does what a decision needs done outside.
        gate: limits what one sender may bring.
    """

    def __init__(
        self,
        snapshots: SnapshotKeeper,
        clock: SteadyClock,
        log: SqliteLog,
        errands: Errands,
        gate: Gate,
    ) -> None:
        self._snapshots = snapshots
        self._clock = clock
        self._log = log
        self._errands = errands
        self._gate = gate
        self.writer: SpoolWriter | None = None
        """None before the start."""

    def start(self) -> None:
        """Begin to store; to be called in the event loop."""
        self.writer = SpoolWriter(self._log)

    async def close(self) -> None:
        """Store and answer what still waits."""
        if self.writer is not None:
            await self.writer.close()
        self._errands.close()

    def collect(self, route: Route, request: Request, answer: Answer) -> None:
        """Decide a request to a collecting route, and store what it told.

        Args:
            route: the request's.
            request: read and decompressed.
            answer: called once: at once, or when the request's events are on disk.
        """
        directory, writer = self._snapshots.directory, self.writer
        if directory is None or writer is None:
            metrics.count_reason("not_ready")
            is_pixel = request.path.endswith(".gif")
            if is_pixel:
                metrics.EVENTS_LOST.labels("not_ready").inc()
            answer(answers.PIXEL if is_pixel else answers.problem("not_ready"))
            return
        now_ms = self._clock.now_ms()
        address = self._gate.address_of(request)
        wait_s = self._gate.wait_for_address_s(address, request, now_ms)
        if wait_s is not None and (request.method == "POST" or must_prove(request)):
            answer(_limited(wait_s))
            return
        if address is not None and route.marks_origin:
            request = msgspec.structs.replace(request, address=address)
        accepted = decided(route, request, directory, now_ms)
        for reason in accepted.reasons:
            metrics.count_reason(reason)
        if accepted.reasons and address is not None:
            self._gate.blame(address, request, accepted.reasons, now_ms)
        if wait_s is None and accepted.events:
            wait_s = self._gate.wait_for_key_s(accepted.events, now_ms)
        if wait_s is not None:
            answer(accepted.reply if _is_let_go(accepted) else _limited(wait_s))
        elif accepted.events:
            records = [Record(record_key(event), encode(event)) for event in accepted.events]
            writer.store(records, partial(_settle, _owed(accepted), answer, self._errands))
        else:
            _settle(_owed(accepted), answer, self._errands, None)


class _Owed(msgspec.Struct, frozen=True, gc=False):
    """What is due once a request's events are on disk.

    It holds none of them: to let go of a batch's events after the commit, when they have gone from
    the processor's cache, costs a tenth of the whole batch.
    """

    reply: Reply
    errands: tuple[Errand, ...]
    answers_anyway: bool
    events: int


def _owed(accepted: Accepted) -> _Owed:
    return _Owed(accepted.reply, accepted.errands, accepted.answers_anyway, len(accepted.events))


def _settle(owed: _Owed, answer: Answer, errands: Errands, failure: RequestReason | None) -> None:
    if failure is None:
        for errand in owed.errands:
            errands.take(errand)
        answer(owed.reply)
    elif owed.answers_anyway:
        metrics.EVENTS_LOST.labels(failure).inc(owed.events)
        answer(owed.reply)
    else:
        answer(refusal(failure))


def _limited(wait_s: int) -> Reply:
    metrics.count_reason("rate_limited")
    return answers.rate_limited(wait_s)


def _is_let_go(accepted: Accepted) -> bool:
    """Whether the hit is answered all the same. What it told is lost then, and counted as such."""
    if accepted.answers_anyway and accepted.events:
        metrics.EVENTS_LOST.labels("rate_limited").inc(len(accepted.events))
    return accepted.answers_anyway


def refusal(reason: RequestReason) -> Reply:
    """The answer to a request that is refused as a whole; the refusal is counted."""
    metrics.count_reason(reason)
    return answers.problem(reason)


def _new_ids() -> Iterator[str]:
    """Ids of 128 random bits in hex; the system is asked for many at once."""
    while True:
        pool = os.urandom(4096).hex()
        for start in range(0, len(pool), 32):
            yield pool[start : start + 32]


new_id = _new_ids().__next__
"""A fresh request id each time."""
