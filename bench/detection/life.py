"""What the simulated worlds consist of: what people do, and apart from it the truth about them."""

import hashlib
from typing import NamedTuple

from services.contract.event import VERSION, Channel, Consent, Event, EventType, Identity, Machine

BEGIN_MS = 1_704_067_200_000
"""2024-01-01, a Monday."""
ACTIVE = 2
"""The third of the hidden states 0, 1, 2."""
WORKSPACE_ID = 1


class Stay(NamedTuple):
    """In one hidden state (0, 1 or 2) for [from_ms, to_ms)."""

    state: int
    from_ms: int
    to_ms: int


class Truth(NamedTuple):
    """What nobody sees: the stays of one person, in order, without a gap."""

    stays: tuple[Stay, ...]
    hired: bool
    """Whether the last stay ended in a hire; the person is not followed any longer then."""

    @property
    def end_ms(self) -> int:
        """Until when the person is followed."""
        return self.stays[-1].to_ms

    def state_at(self, t_ms: int) -> int:
        """The hidden state at a moment."""
        return next((s.state for s in self.stays if t_ms < s.to_ms), self.stays[-1].state)


class Act(NamedTuple):
    """Something that one person did or got, or that software did in that name."""

    t_ms: int
    kind: str
    """A key of ``KINDS``."""
    mail: int = -1
    """The mailing that it belongs to; -1: none."""
    machine: float = 0.0
    """How probably the tracker would take it for software's."""
    click: int = -1
    """Shared by a click in a mail and the page it lands on; -1: none."""


class World(NamedTuple):
    """People by index: what is true of each, and what each one's events say."""

    truths: list[Truth]
    events: list[list[Event]]


KINDS: dict[str, tuple[EventType, Channel, str | None]] = {
    "page": ("page", "website", None),
    "magazine": ("magazine_page", "magazine", None),
    "social": ("page", "social", None),
    "share": ("share", "social", None),
    "podcast": ("play", "podcast", None),
    "vacancy_view": ("vacancy_viewed", "website", "vacancy"),
    "vacancy_click": ("click", "website", "vacancy"),
    "sign_up": ("sign_up", "website", None),
    "application_start": ("application_started", "website", "vacancy"),
    "application": ("applied", "ats", "vacancy"),
    "sent": ("sent", "email", None),
    "open": ("open", "email", None),
    "click": ("click", "email", None),
    "unsubscribe": ("unsubscribe", "email", None),
}
"""Event type, channel and content type of each kind of act."""


def events_of(seed: int, person: int, acts: list[Act]) -> list[Event]:
    """The acts of one person as the scorer gets them, in canonical order, consent first."""
    events = [_agreed(seed, person)]
    events += (event_of(seed, person, number, act) for number, act in enumerate(sorted(acts)))
    return sorted(events, key=lambda event: (event.occurred_ms, event.event_id))


def event_of(seed: int, person: int, number: int, act: Act) -> Event:
    """One act; ``number`` tells it from the person's others."""
    kind, channel, content_type = KINDS[act.kind]
    return Event(
        v=VERSION,
        workspace_id=WORKSPACE_ID,
        event_id=_id(seed, person, number),
        source_id=1,
        type=kind,
        identities=(Identity("user_id", f"p-{person}"),),
        occurred_ms=act.t_ms,
        received_ms=act.t_ms,
        channel=channel,
        content_type=content_type,
        message_id=None if act.mail < 0 else f"m-{act.mail}",
        click_id=None if act.click < 0 else f"k-{person}-{act.click}",
        machine=Machine(act.machine, ("simulated",)) if act.machine else Machine(),
        server_only=True,
    )


def _agreed(seed: int, person: int) -> Event:
    return Event(
        v=VERSION,
        workspace_id=WORKSPACE_ID,
        event_id=_id(seed, person, -1),
        source_id=1,
        type="identified",
        identities=(Identity("user_id", f"p-{person}"),),
        occurred_ms=BEGIN_MS,
        received_ms=BEGIN_MS,
        channel="website",
        consent=Consent(measure=True, profile=True),
        server_only=True,
    )


def _id(seed: int, person: int, number: int) -> bytes:
    return hashlib.blake2b(f"{seed} {person} {number}".encode(), digest_size=16).digest()
