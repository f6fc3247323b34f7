"""What all events of one request have in common."""

import msgspec

from services.contract.event import Machine
from services.contract.snapshot import KeyEntry
from services.tracker.directory import Directory
from services.tracker.reasons import Reason


class Arrival(msgspec.Struct):
    """One request, as its events see it."""

    sender: KeyEntry
    directory: Directory
    request_id: str
    received_ms: int
    machine: Machine
    """The label of the browser that sent it; nothing where a server did."""
    privacy_signal: bool
    """Whether the browser asks not to be tracked."""
    noticed: list[Reason]
    """What was refused, counted or found wrong on the way, to be counted in the metrics."""
