"""Exports as they are asked for, as their jobs keep them."""

from typing import Any

import msgspec

from services.api.exports.asked import ExportJob
from services.api.suggest import Slip
from tests.contract.api.world import NOW_MS


def export_of(segment: str, *slips: Slip) -> dict[str, Any]:
    """A segment's members now, for insight."""
    asked = ExportJob(
        segment=segment,
        version_id=1,
        version=1,
        as_of_ms=NOW_MS,
        known_at_ms=NOW_MS,
        is_ahead=False,
        is_past_belief=False,
        use="insight",
        format="csv",
        attributes=[],
        slips=list(slips),
    )
    kept: dict[str, Any] = msgspec.to_builtins(asked)
    return kept
