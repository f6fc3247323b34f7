"""Whether somebody is in a procedure: they applied lately, and nothing says that it has ended."""

from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from services.contract.phases import DAY_MS

LASTS_MS = 90 * DAY_MS
"""After which a procedure of which nothing more was heard is taken to have ended."""
_GOES_ON = frozenset({"applied", "stage_changed"})
_ENDS_ALL = frozenset({"hired", "left"})
TELLING = (*sorted(_GOES_ON | _ENDS_ALL), "rejected")
"""Types of the events that say anything of it; others may be left out."""


class Step(Protocol):
    """What is read of an event."""

    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def content_id(self) -> str | None: ...  # noqa: D102
    @property
    def occurred_ms(self) -> int: ...  # noqa: D102


S = TypeVar("S", bound=Step)


class Procedures(Generic[S]):
    """A person's, by what they applied for."""

    def __init__(self) -> None:
        self._open: dict[str | None, S] = {}

    def heard(self, events: Iterable[S]) -> Iterator[S]:
        """The events as they come, in their order; what they say of procedures is kept."""
        for event in events:
            self.hear(event)
            yield event

    def hear(self, event: S) -> None:
        """One more, later than those before."""
        about = event.content_id
        if event.type in _GOES_ON:
            if about is None and event.type != "applied" and self._open:
                about = next(reversed(self._open))  # a stage of what was heard of last
            self._open.pop(about, None)
            self._open[about] = event
        elif event.type in _ENDS_ALL or (event.type == "rejected" and about is None):
            self._open.clear()
        elif event.type == "rejected":
            # Who applied for nothing that was named was rejected for that, as far as we know.
            self._open.pop(about if about in self._open else None, None)

    def latest(self, now_ms: int) -> S | None:
        """The last word of the procedure that was heard of last; None: they are in none."""
        event = next(reversed(self._open.values()), None)
        return event if event is not None and event.occurred_ms > now_ms - LASTS_MS else None
