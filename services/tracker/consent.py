"""What may be done with an event: decided at the door, before anything is written."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from services.contract.consent import (
    SPLIT_PURPOSES,
    is_answer,
    only_the_word,
    said_in,
    said_ms,
    stripped,
)
from services.contract.decision import DECIDED
from services.contract.erasure import ERASED
from services.contract.event import LISTED, NO_PROOF, Agreement, Consent, Event, nobodys_id
from services.contract.snapshot import KeyEntry
from services.tracker.clean import clean_id
from services.tracker.directory import Directory
from services.tracker.occurred import moment_ms
from services.tracker.reasons import EventReason

NOTHING_SAID = Consent()
_ASSERTED = Agreement(asserted=True)
_REFUSED = Consent(measure=False, profile=False)
_PURPOSES = ("measure", "profile", "contact")
_REMEMBERED_LENGTH_MAX = 100
_OF_NOBODY = frozenset({DECIDED, ERASED})
_FROM_BROWSERS = frozenset({"anonymous_id", "person_token"})
"""Whose word a browser may bring: it holds a random cookie or a signed token. Anybody can write
somebody else's address into a page's call."""


def from_preferences(preferences: Any) -> Consent:
    """From ``context.consent.categoryPreferences``; whatever is not true or false was not said."""
    if not isinstance(preferences, dict):
        return NOTHING_SAID
    measure, profile, contact = map(preferences.get, _PURPOSES)
    return Consent(
        measure if isinstance(measure, bool) else None,
        profile if isinstance(profile, bool) else None,
        contact if isinstance(contact, bool) else None,
    )


def from_words(words: str) -> Consent:
    """From ``measure,profile``, as pixels say it: a purpose that is not named was not said."""
    read = _from_words if len(words) <= _REMEMBERED_LENGTH_MAX else _from_words.__wrapped__
    return read(words)


@lru_cache(maxsize=1_000)
def _from_words(words: str) -> Consent:
    named = {word.strip() for word in words.split(",")}
    return Consent(*(True if purpose in named else None for purpose in _PURPOSES))


def proof_of(consent: dict[str, Any], received_ms: int) -> Agreement:
    """What ``context.consent`` says beside the three purposes that events carry.

    Args:
        consent: ``categoryPreferences``, ``textVersion``, ``givenAt`` and ``specific``.
        received_ms: nothing was given later than this.
    """
    preferences = consent.get("categoryPreferences")
    purposes = preferences if isinstance(preferences, dict) else {}
    if len(consent) <= 1 and SPLIT_PURPOSES.isdisjoint(purposes):
        return NO_PROOF
    given_ms = moment_ms(consent.get("givenAt"))
    return Agreement(
        text_version=clean_id(consent.get("textVersion")),
        given_ms=None if given_ms is None else max(0, min(given_ms, received_ms)),
        specific=consent.get("specific") is True,
        purposes={
            purpose: value
            for purpose, value in sorted(purposes.items())
            if purpose in SPLIT_PURPOSES and isinstance(value, bool)
        },
    )


def has_privacy_signal(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the browser says for its user: do not track me."""
    return _says_1(headers.get(b"sec-gpc", b"")) or _says_1(headers.get(b"dnt", b""))


def _says_1(value: bytes) -> bool:
    # Blanks or an extension may stand behind it; where it was said twice, one is enough.
    return value[:1] == b"1" or (
        b"," in value and any(said.strip()[:1] == b"1" for said in value.split(b","))
    )


def with_assertion(said: Consent, sender: KeyEntry) -> Consent:
    """Where nothing was said, a sender's standing declaration that it holds consent counts."""
    if sender.kind != "server" or not sender.asserted_consent:
        return said
    return Consent(
        measure=True if said.measure is None else said.measure,
        profile=True if said.profile is None else said.profile,
        contact=said.contact,
    )


def proof_with_assertion(proof: Agreement, said: Consent, counts: Consent) -> Agreement:
    """The proof, where a declaration spoke for a person of whom nothing was said."""
    return _ASSERTED if said.measure is None and counts.measure else proof


def judged(
    event: Event, directory: Directory, *, privacy_signal: bool
) -> tuple[Event, EventReason | None]:
    """The event as it may be kept, and why it was stripped if it was.

    Args:
        event: with all that was told.
        directory: knows who took consent back.
        privacy_signal: whether the browser says no for its user. Only an answer that was given
            on this very site comes before it.
    """
    event = _heard_now(event)
    if event.type == "consent_changed":
        return _word(event, directory, privacy_signal=privacy_signal)
    if privacy_signal and not event.agreement.specific:
        return _left(event, directory, _REFUSED), "privacy_signal"
    if event.consent.measure is not True and event.type != LISTED:
        if event.type in _OF_NOBODY:  # said of identities, and of nobody's doings
            return event, None
        return _left(event, directory, event.consent), "no_consent"
    if not event.identities:
        return _left(event, directory, event.consent), "no_identity"
    if directory.has_withdrawals(event.workspace_id):
        return _overridden(event, directory)
    return event, None


def _left(event: Event, directory: Directory, consent: Consent) -> Event:
    """What is left of an event that follows nobody: not even its id leads to who it was."""
    secret = directory.mark_secret_of(event.workspace_id)
    left = stripped(event, consent)
    if secret is None:
        return left
    return msgspec.structs.replace(left, event_id=nobodys_id(left.event_id, secret))


def _heard_now(event: Event) -> Event:
    """A browser's answer that says no takes place at its receipt; when it was said is its proof.

    A date can be forged: dated back it would end what was scored of a whole year.
    """
    refuses = event.consent.profile is False or event.consent.measure is False
    if not refuses or event.server_only or not is_answer(event):
        return event
    agreement = msgspec.structs.replace(event.agreement, given_ms=said_ms(event))
    return msgspec.structs.replace(event, occurred_ms=event.received_ms, agreement=agreement)


def _overridden(event: Event, directory: Directory) -> tuple[Event, EventReason | None]:
    """What a withdrawal leaves of an event: it comes before what a token, page or call says."""
    measure_ms, profile_ms = directory.withdrawn(event.workspace_id, event.identities)
    given_ms = event.agreement.given_ms or 0
    if not event.server_only and not any(i.namespace in _FROM_BROWSERS for i in event.identities):
        given_ms = 0  # a date proves nothing of somebody whom anybody may name
    if measure_ms is not None and given_ms <= measure_ms:
        return _left(event, directory, _REFUSED), "withdrawn"
    if profile_ms is not None and event.consent.profile and given_ms <= profile_ms:
        consent = msgspec.structs.replace(event.consent, profile=None)
        return msgspec.structs.replace(event, consent=consent), None
    return event, None


def _word(
    event: Event, directory: Directory, *, privacy_signal: bool
) -> tuple[Event, EventReason | None]:
    """An answer about consent: who said what, and nothing around it.

    Whoever takes consent back has to be known for it to be done.
    """
    identities = event.identities
    if not event.server_only:
        identities = tuple(i for i in identities if i.namespace in _FROM_BROWSERS)
    if not identities:
        return _left(event, directory, event.consent), "no_identity"
    consent, said = event.consent, said_in(event)
    if consent.measure is False:
        refusal = msgspec.structs.replace(consent, profile=False)
        return only_the_word(msgspec.structs.replace(event, consent=refusal), identities), None
    if privacy_signal and not event.agreement.specific:
        return _left(event, directory, _REFUSED), "privacy_signal"
    if not said or (consent.measure is None and any(said.values()) and not event.server_only):
        return _left(event, directory, consent), "no_consent"
    return only_the_word(event, identities), None
