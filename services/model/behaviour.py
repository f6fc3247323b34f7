"""Software that clicks, known by how it behaves: a pure function of hits.

Scanners of mail follow all links of a message at once, some tens of seconds after it came or some
minutes; so what gives them away is clicks that come together, not how soon they come. What a hit
was taken for may change with the hits around it: whoever gets one that lies near others folds from
before them.

A click on our own links leads to a page, and the two are one act. Where software clicked, the page
is no evidence either: not when it comes after the click, which the fold sees to, and not when it
was timed just before it, which is seen to here.

And what follows the links of many people from one place at once is software, whatever it calls
itself: a *sweep*. Minutes that begin every half minute are looked at apart, so that whether one
holds a sweep depends on the hits in it and on nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import UNSET

from services.contract.event import MACHINE_THRESHOLD, Event, Machine, content_type_of

WINDOW_MS = 10_000
"""Hits farther apart say nothing of each other."""
BURST_LINKS = 3
"""So many different links of one message, all within the window, are followed by software."""
HONEYPOT = "honeypot"
"""The content type of a link that no human being sees."""

SWEEP_FRAME_MS = 60_000
SWEEP_STEP_MS = 30_000
SWEEP_RECIPIENTS = 10
"""So many recipients' links followed from one place within a frame are a sweep: it is found where
they were within a step, and never where it took longer than a frame."""
OPEN_DOUBT = 0.3
"""An open that software made with this probability may be a privacy proxy's: no evidence."""

_SECOND_MS = 1_000
PROBABILITY = {
    "many_recipients": 0.95,
    "honeypot": 0.99,
    "honeypot_near": 0.95,
    "burst": 0.95,
    "same_second": 0.9,
    "with_delivery": 0.4,
    "click_behind": 0.95,
}
_HANDED_OVER = frozenset({"sent", "delivered"})
_TELLING = _HANDED_OVER | {"click"}


def judged(events: Sequence[Event]) -> Sequence[Event]:
    """The same events, each with what its neighbours say of whether software made it.

    Args:
        events: of one person, in canonical order; those within the window before the first that
            matters and after the last one among them.
    """
    hits = [event for event in events if is_hit(event)]
    taken = _marked(events, _reasons(events, hits)) if hits else events
    return _marked(taken, _landings(taken)) if len(taken) > 1 else taken


def is_hit(event: Event) -> bool:
    """Whether what comes near it may tell that software made it: clicks, and doubtful opens."""
    if event.message_id is None:
        return False
    return event.type == "click" or (
        event.type == "open" and 0.0 < event.machine.p < MACHINE_THRESHOLD
    )


def frames_ms(event: Event) -> tuple[int, ...]:
    """When the frames begin that a click may be part of a sweep in; none: it tells no origin."""
    if event.type != "click" or event.machine.origin is UNSET or not event.identities:
        return ()
    latest_ms = event.occurred_ms // SWEEP_STEP_MS * SWEEP_STEP_MS
    return latest_ms - SWEEP_STEP_MS, latest_ms


def swept(event: Event) -> Event:
    """The same click, taken for part of a sweep."""
    return _with(event, ("many_recipients",))


def is_evidence(event: Event) -> bool:
    """Whether it says something of a person: software's hits, and opens that may be, do not."""
    bound = OPEN_DOUBT if event.type == "open" else MACHINE_THRESHOLD
    return event.machine.p < bound


def tells(event: Event) -> bool:
    """Whether it may tell something of hits that come near it."""
    return event.message_id is not None and event.type in _TELLING


def leads_on(event: Event) -> bool:
    """Whether it is a click that may tell of the page which it led to."""
    return event.type == "click" and event.click_id is not None


def _marked(events: Sequence[Event], reasons: Mapping[bytes, tuple[str, ...]]) -> Sequence[Event]:
    if not reasons:
        return events
    return [
        _with(event, reasons[event.event_id]) if event.event_id in reasons else event
        for event in events
    ]


def _landings(events: Sequence[Event]) -> dict[bytes, tuple[str, ...]]:
    """The pages timed just before the click of software that led to them."""
    found: dict[bytes, tuple[str, ...]] = {}
    for number, click in enumerate(events):
        if click.click_id is None or click.type != "click" or click.machine.p < MACHINE_THRESHOLD:
            continue
        for before in range(number - 1, -1, -1):
            event = events[before]
            if event.occurred_ms < click.occurred_ms - WINDOW_MS:
                break
            if event.click_id == click.click_id and event.type != "click":
                found[event.event_id] = ("click_behind",)
    return found


def _reasons(events: Sequence[Event], hits: Sequence[Event]) -> dict[bytes, tuple[str, ...]]:
    clicks: dict[str | None, list[Event]] = defaultdict(list)
    for hit in hits:
        if hit.type == "click":
            clicks[hit.message_id].append(hit)
    found: dict[bytes, set[str]] = defaultdict(set)
    for of_one_message in clicks.values():
        _mark_together(of_one_message, found)
    _mark_honeypots([hit for hit in hits if hit.type == "click"], found)
    _mark_with_delivery(events, hits, found)
    return {event_id: tuple(sorted(names)) for event_id, names in found.items()}


def _mark_together(clicks: Sequence[Event], found: dict[bytes, set[str]]) -> None:
    for first, event in enumerate(clicks):
        within = _within(clicks[first:], event.occurred_ms + WINDOW_MS)
        if len({_link(one) for one in within}) >= BURST_LINKS:
            for one in within:
                found[one.event_id].add("burst")
        at_once = _within(clicks[first:], event.occurred_ms + _SECOND_MS)
        if len({_link(one) for one in at_once}) > 1:
            for one in at_once:
                found[one.event_id].add("same_second")


def _within(clicks: Iterable[Event], end_ms: int) -> list[Event]:
    return [one for one in clicks if one.occurred_ms <= end_ms]


def _mark_honeypots(clicks: Sequence[Event], found: dict[bytes, set[str]]) -> None:
    traps = [one for one in clicks if _is_trap(one)]
    for trap in traps:
        for one in clicks:
            if _is_trap(one):
                found[one.event_id].add("honeypot")
            elif abs(one.occurred_ms - trap.occurred_ms) <= WINDOW_MS:
                found[one.event_id].add("honeypot_near")


def _is_trap(click: Event) -> bool:
    return content_type_of(click.content_type or "") == HONEYPOT


def _mark_with_delivery(
    events: Sequence[Event], hits: Sequence[Event], found: dict[bytes, set[str]]
) -> None:
    given = [(one.message_id, one.occurred_ms) for one in events if one.type in _HANDED_OVER]
    for message_id, at_ms in given or ():
        for hit in hits:
            after_ms = hit.occurred_ms - at_ms
            if hit.type == "open" and hit.message_id == message_id and 0 <= after_ms <= WINDOW_MS:
                found[hit.event_id].add("with_delivery")


def _link(click: Event) -> object:
    return click.content_id or click.properties.get("url") or click.properties.get("link")


def _with(event: Event, reasons: Sequence[str]) -> Event:
    p_not = 1.0 - event.machine.p
    for reason in reasons:
        p_not *= 1.0 - PROBABILITY[reason]
    machine = Machine(1.0 - p_not, (*event.machine.reasons, *reasons), event.machine.origin)
    return msgspec.structs.replace(event, machine=machine)
