"""People who do things, over two identities each, and what arrives of it at a scorer."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from services.contract.event import Consent, Event, Identity, Machine, event_id_of
from services.contract.phases import DAY_MS

START_MS = 1_780_000_000_000
DAYS = 120
SCANNED = 0.06
"""The share of events that are clicks of three scanners: some sweep, some are too few."""
AGREED = Consent(measure=True, profile=True)

_TYPES = ("page", "page", "read", "vacancy_viewed", "sent", "open", "click", "application_started")


@dataclass(frozen=True)
class Person:
    """One simulated person and all that they really did, in order."""

    user_id: str
    events: tuple[Event, ...]


def people(rng: random.Random, count: int, events_each: int, workspace_id: int) -> list[Person]:
    """Persons who come by cookie and by user id, and log in at some moment."""
    return [_person(rng, number, events_each, workspace_id) for number in range(count)]


def arrivals(rng: random.Random, persons: Sequence[Person]) -> list[Event]:
    """Every event one to three times, in an order that time had no hand in.

    A copy that a client sends again is received later, as another record of the same event.
    """
    arriving: list[Event] = []
    for person in persons:
        for event in person.events:
            arriving.append(event)
            arriving += [later(rng, event) for _ in range(rng.choice((0, 0, 1, 2)))]
    rng.shuffle(arriving)
    return arriving


def later(rng: random.Random, event: Event) -> Event:
    """The same message received again: not the canonical copy."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return Event(**{**fields, "received_ms": event.received_ms + rng.randrange(1, DAY_MS)})


def _person(rng: random.Random, number: int, events_each: int, workspace_id: int) -> Person:
    user, cookie = Identity("user_id", f"u{number}"), Identity("anonymous_id", f"c{number}")
    events: list[Event] = []
    logs_in = rng.randrange(events_each)
    for i in range(events_each):
        at = START_MS + rng.randrange(DAYS * DAY_MS)
        kind = "identified" if i == logs_in else rng.choice(_TYPES)
        both = kind == "identified" or rng.random() < 0.2
        identities = (user, cookie) if both else (rng.choice((user, cookie)),)
        origin: str | UnsetType = UNSET
        if rng.random() < SCANNED:
            kind, origin = "click", f"{rng.randrange(3):05x}"
            at = START_MS + rng.randrange(1, DAYS) // 30 * 30 * DAY_MS + rng.randrange(50_000)
        mailing = f"m{(at - START_MS) // (14 * DAY_MS)}"
        events.append(
            Event(
                v=1,
                workspace_id=workspace_id,
                event_id=event_id_of(workspace_id, 1, f"{number}-{i}"),
                source_id=1,
                type=kind,
                identities=identities,
                occurred_ms=at,
                received_ms=at + rng.randrange(10_000),
                channel="email" if kind in {"sent", "open", "click"} else "website",
                message_id=mailing if kind in {"sent", "open", "click"} else None,
                machine=Machine(0.9, ("crawler",), origin)
                if rng.random() < 0.03
                else Machine(origin=origin),
                consent=AGREED,
                properties={"region": rng.choice(("Noord", "Zuid"))}
                if kind == "identified"
                else {},
            )
        )
    events.sort(key=lambda event: (event.occurred_ms, event.event_id))
    return Person(user.value, tuple(events))
