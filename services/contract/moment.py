"""Moments as they leave the product."""

from datetime import UTC, datetime


def rfc3339(at_ms: int) -> str:
    """UTC milliseconds as ``2026-11-22T09:30:00.000Z``."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"
