"""What may be done with an event: decided at the door, before anything is written."""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.contract.event import Consent, Event
from services.contract.snapshot import KeyEntry
from services.tracker.reasons import EventReason

NOTHING_SAID = Consent()
_REFUSED = Consent(measure=False, profile=False)
_PURPOSES = ("measure", "profile", "contact")


def from_preferences(preferences: Any) -> Consent:
    """From ``context.consent.categoryPreferences``; whatever is not true or false was not said."""
    if not isinstance(preferences, dict):
        return NOTHING_SAID
    said = preferences.get
    return Consent(_said(said("measure")), _said(said("profile")), _said(said("contact")))


def _said(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def from_words(words: str) -> Consent:
    """From ``measure,profile``, as pixels say it: a purpose that is not named was not said."""
    named = {word.strip() for word in words.split(",")}
    return Consent(*(True if purpose in named else None for purpose in _PURPOSES))


def has_privacy_signal(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the browser says for its user: do not track me."""
    return headers.get(b"sec-gpc") == b"1" or headers.get(b"dnt") == b"1"


def with_assertion(said: Consent, sender: KeyEntry) -> Consent:
    """Where nothing was said, a sender's standing declaration that it holds consent counts."""
    if sender.kind != "server" or not sender.asserted_consent:
        return said
    return Consent(
        measure=True if said.measure is None else said.measure,
        profile=True if said.profile is None else said.profile,
        contact=said.contact,
    )


def judged(event: Event, *, privacy_signal: bool) -> tuple[Event, EventReason | None]:
    """The event as it may be kept, and why it was stripped if it was."""
    if privacy_signal:
        return _stripped(event, _REFUSED), "privacy_signal"
    if event.consent.measure is not True:
        return _stripped(event, event.consent), "no_consent"
    if not event.identities:
        return _stripped(event, event.consent), "no_identity"
    return event, None


def _stripped(event: Event, consent: Consent) -> Event:
    """What counts without following: that it happened, where, and with which content."""
    return msgspec.structs.replace(
        event,
        identities=(),
        message_id=None,
        click_id=None,
        consent=consent,
        properties={},
    )
