"""What all events of one request have in common."""

import msgspec

from services.contract.event import Machine
from services.contract.snapshot import KeyEntry
from services.tracker.consent import has_privacy_signal
from services.tracker.directory import Directory
from services.tracker.machine import UNJUDGED, label
from services.tracker.reasons import Doubt, DoubtReason, Reason
from services.tracker.request import Request


class Arrival(msgspec.Struct, gc=False):
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
    doubts: list[Doubt]
    """About the event in hand, for the answer."""

    def doubt(self, code: DoubtReason, field: str | None = None) -> None:
        """Notice something that the sender of the event in hand should hear of."""
        self.noticed.append(code)
        self.doubts.append(Doubt(code, field))


def arrival_of(request: Request, sender: KeyEntry, directory: Directory, now_ms: int) -> Arrival:
    """A request from this sender; nothing was noticed yet."""
    from_browser = sender.kind == "write"
    return Arrival(
        sender=sender,
        directory=directory,
        request_id=request.request_id,
        received_ms=now_ms,
        machine=label(request.method, request.headers) if from_browser else UNJUDGED,
        privacy_signal=has_privacy_signal(request.headers),
        noticed=[],
        doubts=[],
    )
