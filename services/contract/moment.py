"""Moments as they leave the product."""

from datetime import datetime, timedelta

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  without a zone it is said in half the time


def rfc3339(at_ms: int) -> str:
    """UTC milliseconds as ``2026-11-22T09:30:00.000Z``."""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{moment.isoformat(timespec='milliseconds')}Z"
