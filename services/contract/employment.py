"""What is kept of people while they are employed: that they were hired, and left.

From hire to leaving nobody is followed, and afterwards only once they agree anew: their events
count on their day and no more.
"""

from collections.abc import Iterable, Iterator

from services.contract.consent import is_answer, said_ms
from services.contract.event import Event

HIRED, LEFT = "hired", "left"
_WORDS = frozenset({HIRED, LEFT, "consent_changed", "segment_listed"})
"""They tell how somebody stands to the employer, and follow nobody."""


def while_employed(events: Iterable[Event]) -> Iterator[Event]:
    """Those of a person's events that may only count.

    Args:
        events: all of the person's, in canonical order.
    """
    is_employed = False
    left_ms: int | None = None
    for event in events:
        if event.type == HIRED and not (is_employed and left_ms is None):
            is_employed, left_ms = True, None
        elif event.type == LEFT and is_employed and left_ms is None:
            left_ms = event.occurred_ms
        elif is_employed and left_ms is not None and _agrees_anew(event, left_ms):
            is_employed = False
        elif is_employed and event.type not in _WORDS:
            yield event


def _agrees_anew(event: Event, left_ms: int) -> bool:
    """As the fold has it: by an answer given since, or where an employer tells who it is."""
    if event.consent.profile is not True:
        return False
    return event.type == "identified" or (is_answer(event) and said_ms(event) > left_ms)
