"""Events that belong before others: from where on a person is folded again, and what that shows."""

from collections.abc import Sequence

from services.contract.event import Event
from services.model.behaviour import WINDOW_MS, is_hit, judged, leads_on, tells
from services.scorer.states import Held, Place, place


def back_to(events: Sequence[Event], before: Held, rejudged: Place | None) -> Place | None:
    """From where on a person is folded again for new events; None: they come after all others.

    What a hit is taken for may change by one that comes soon after it, or at the same moment,
    what a page is taken for by the click that led to it, and either, from ``rejudged`` on, by hits
    on others.
    """
    earliest = min(map(place, events), default=before.last)
    if rejudged is not None:
        earliest = min(earliest, rejudged)
    for event in events:
        if event.message_id is None and event.click_id is None:
            continue  # as most: it tells nothing of others
        at_ms = event.occurred_ms
        speaks_of_hits = is_hit(event) or tells(event)
        if (
            (speaks_of_hits and at_ms - before.state.told_ms <= WINDOW_MS)
            or (leads_on(event) and event.click_id in before.state.clicks_ms)
            or (at_ms <= before.last[0] and (speaks_of_hits or leads_on(event)))
        ):
            earliest = min(earliest, (at_ms - WINDOW_MS, b""))
    return earliest if earliest < before.last else None


def is_reclassified(now: Sequence[Event], known: Sequence[Event], arrived: Sequence[Event]) -> bool:
    """Whether something known already is taken for something else by what has arrived."""
    new = {event.event_id for event in arrived}
    before = judged([event for event in known if event.event_id not in new])
    held = {event.event_id: event.machine for event in before}
    return any(held.get(event.event_id, event.machine) != event.machine for event in now)
