"""What accept() comes to."""

import msgspec

from services.contract.event import Event
from services.tracker.answers import Reply
from services.tracker.hooks.errand import Errand
from services.tracker.reasons import Reason


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """What one request came to."""

    reply: Reply
    """Sent once the events are stored."""
    events: list[Event] = []
    answers_anyway: bool = False
    """Whether the reply is sent even if the events cannot be stored: pixels and redirects."""
    reasons: list[Reason] = []
    """Everything refused, counted or found wrong, each to be counted in the metrics."""
    errands: tuple[Errand, ...] = ()
    """To be done outside, once the events are stored."""
