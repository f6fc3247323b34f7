"""Whether somebody is in a procedure: they applied lately, and nothing says that it has ended."""

from collections.abc import Iterable, Iterator

from services.contract.event import Event
from services.contract.phases import DAY_MS

LASTS_MS = 90 * DAY_MS
"""After which a procedure of which nothing more was heard is taken to have ended."""
_GOES_ON = frozenset({"applied", "stage_changed"})
_ENDS_ALL = frozenset({"hired", "left"})


class Procedures:
    """A person's, by what they applied for."""

    def __init__(self) -> None:
        self._open: dict[str | None, Event] = {}

    def heard(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events as they come, in their order; what they say of procedures is kept."""
        for event in events:
            self._hear(event)
            yield event

    def _hear(self, event: Event) -> None:
        about = event.content_id
        if event.type in _GOES_ON:
            self._open.pop(about, None)
            self._open[about] = event
        elif event.type in _ENDS_ALL or (event.type == "rejected" and about is None):
            self._open.clear()
        elif event.type == "rejected":
            # Who applied for nothing that was named was rejected for that, as far as we know.
            self._open.pop(about if about in self._open else None, None)

    def latest(self, now_ms: int) -> Event | None:
        """The last word of the procedure that was heard of last; None: they are in none."""
        event = next(reversed(self._open.values()), None)
        return event if event is not None and event.occurred_ms > now_ms - LASTS_MS else None
