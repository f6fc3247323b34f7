"""The closed words for where somebody is."""

from typing import Literal, get_args

LatencyState = Literal["latent_latent", "actively_latent", "active"]

Phase = Literal["see", "think", "do", "care"]
PHASES: tuple[Phase, ...] = get_args(Phase)

IntervalKind = Literal["phase", "latency", "segment"]

ChangeReason = Literal[
    "event",
    "silence",
    "reclassified",
    "merged",
    "parted",
    "linked",
    "unlinked",
    "model",
    "manual",
    "withdrawn",
    "objected",
    "erased",
    "retention",
]

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
HORIZON_MS = 400 * DAY_MS
"""How far ahead of the last event intervals are drawn; ``until`` beyond it is null."""


def hour_until(at_ms: int) -> int:
    """The whole hour, in UTC milliseconds, at which the hour that a moment lies in ends.

    A whole hour ends its own: what began exactly then is counted in what stands at that hour.
    """
    return -(-at_ms // HOUR_MS) * HOUR_MS
