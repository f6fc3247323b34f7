"""What follows from answers for messages and for their endpoint: pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.contract.webhook import DeliveryStatus
from services.dispatch.lanes import Message
from services.dispatch.verdict import Verdict, backoff_ms, gives_up, is_dead
from services.runtime.outbound import Answer

NOTED_EVERY_MS = 5_000
"""That all is well need not be written down with every batch."""


@dataclass(frozen=True)
class Health:
    """How an endpoint does."""

    status: str
    notice: str | None
    failing_ms: int | None
    failures: int
    retry_ms: int | None
    succeeded_ms: int | None

    def is_held_up(self, now_ms: int) -> bool:
        """Whether only what somebody asked for by hand is sent."""
        is_resting = self.retry_ms is not None and now_ms < self.retry_ms
        return self.status != "active" or is_resting


class Tried(NamedTuple):
    """A message, and what came of sending it."""

    message: Message
    answer: Answer | None
    """None: there was nothing to send."""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message."""

    message: Message
    status: DeliveryStatus
    attempts: int
    first_ms: int
    next_ms: int
    last_ms: int
    http_status: int | None = None
    error: str | None = None
    took_ms: int | None = None


def health_after(health: Health, verdicts: Sequence[Verdict], now_ms: int, dice: float) -> Health:
    """How an endpoint does after some answers.

    What it says of a message alone is nothing about itself. Whoever answers 410, or lets nothing
    succeed for a day, is dead until its owner says otherwise.
    """
    kinds = {verdict.kind for verdict in verdicts}
    if "gone" in kinds:
        return replace(health, status=_dead(health), notice="it answered 410 Gone")
    asked_ms = max((verdict.wait_ms for verdict in verdicts), default=0)
    if "delivered" in kinds:
        retry_ms = now_ms + asked_ms if asked_ms else None
        well = replace(health, failing_ms=None, failures=0, retry_ms=retry_ms)
        lately = health.succeeded_ms is not None and now_ms - health.succeeded_ms < NOTED_EVERY_MS
        return well if lately and well == health else replace(well, succeeded_ms=now_ms)
    if not kinds & {"unwell", "busy"}:
        return health
    failures = health.failures + 1
    worse = replace(
        health,
        failing_ms=now_ms if health.failing_ms is None else health.failing_ms,
        failures=failures,
        retry_ms=now_ms + max(asked_ms, backoff_ms(failures, dice)),
    )
    if health.status == "active" and is_dead(worse.failing_ms, now_ms):
        last = next(v.error for v in reversed(verdicts) if v.kind in {"unwell", "busy"})
        return replace(worse, status="dead", notice=f"nothing arrived for a day: {last}")
    return worse


def sent_of(tried: Tried, health: Health, now_ms: int, dice: float) -> Sent:
    """What became of a message."""
    message, answer, verdict = tried
    first_ms = now_ms if message.first_ms is None else message.first_ms
    attempts = message.attempts + 1
    status: DeliveryStatus = "waiting"
    next_ms = now_ms
    if verdict.kind == "delivered":
        status = "delivered"
    elif verdict.kind == "void":
        status = "gone"
    elif gives_up(first_ms, health.succeeded_ms, now_ms):
        status = "failed"
    else:
        next_ms += max(verdict.wait_ms, backoff_ms(attempts, dice))
    return Sent(
        message=message,
        status=status,
        attempts=attempts,
        first_ms=first_ms,
        next_ms=next_ms,
        last_ms=now_ms,
        http_status=None if answer is None else answer.status,
        error=verdict.error,
        took_ms=None if answer is None else answer.took_ms,
    )


def _dead(health: Health) -> str:
    return "dead" if health.status == "active" else health.status
