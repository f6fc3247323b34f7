"""When an event happened, by its sender's clock put right."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from services.tracker.reasons import DoubtReason

_EARLIEST_MS = 946_684_800_000
"""2000-01-01: before it there was nothing to follow, only clocks that were never set."""
_SECONDS_BELOW = 100_000_000_000
"""Numbers below it are seconds since 1970, above it milliseconds."""


_AHEAD_MS = 60_000
"""Clocks differ; only what lies further ahead is worth a word."""


def occurred_ms(
    original: Any, timestamp: Any, sent_at: Any, received_ms: int
) -> tuple[int, DoubtReason | None]:
    """UTC milliseconds, never after ``received_ms``, and why it is not what the sender said.

    Args:
        original: ``originalTimestamp``, the sender's clock at the event.
        timestamp: ``timestamp``, used where there is no ``original``.
        sent_at: ``sentAt``, the sender's clock at sending: what it is off by is taken away.
        received_ms: our clock.
    """
    if original is None and timestamp is None:
        return received_ms, None
    at_ms = None if original is None else _parse_ms(original)
    if at_ms is None:
        at_ms = _parse_ms(timestamp)
    if at_ms is None:
        said_nothing = original in _NOTHING and timestamp in _NOTHING
        return received_ms, None if said_nothing else "timestamp_unreadable"
    # All events of a batch were sent at once.
    sent_ms = _parse_again_ms(sent_at) if isinstance(sent_at, str) else _parse_ms(sent_at)
    if sent_ms is not None:
        at_ms += received_ms - sent_ms
    if at_ms > received_ms:
        return received_ms, "timestamp_ahead" if at_ms > received_ms + _AHEAD_MS else None
    if at_ms < _EARLIEST_MS:
        return received_ms, "timestamp_too_old"
    return at_ms, None


_NOTHING = (None, "")


def moment_ms(value: Any) -> int | None:
    """A moment as senders write one, in UTC milliseconds; None for anything else."""
    return _parse_ms(value)


def _parse_ms(value: Any) -> int | None:
    if isinstance(value, str):
        return _parse_text_ms(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value * 1000) if abs(value) < _SECONDS_BELOW else int(value)
    return None


def _parse_text_ms(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


_parse_again_ms = lru_cache(maxsize=16)(_parse_text_ms)
