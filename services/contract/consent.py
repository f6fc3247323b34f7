"""What may be done with a person's events: judged by all that was said, in any order.

An *answer* is consent that was said at a moment of its own: a ``consent_changed`` event, or consent
that carries the time at which it was given. Everything else repeats what
was said before: a page's cookie, a mail's token, a sender's standing declaration. A refusal that is
an answer is a **withdrawal**; it holds for the whole person until a later answer says yes.
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

import msgspec

from services.contract.event import NO_PROOF, Consent, Event, Identity

Purpose = Literal[
    "measure",
    "profile",
    "contact",
    "contact_mail",
    "contact_phone",
    "contact_messaging",
    "share",
]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
SPLIT_PURPOSES: frozenset[str] = frozenset(PURPOSES[3:])
"""Those that an event carries in ``agreement.purposes``."""

NEVER_MS = 2**62
"""Later than any event."""


class Said(NamedTuple):
    """One answer in the ledger, as far as judging needs it."""

    purpose: str
    granted: bool
    said_ms: int
    told_ms: int
    """When it was received: dates can be forged."""
    speaker: Identity
    sure: bool
    """Whether it is the person's for certain; else a cookie's that only browsers tied to them."""


class Refusal(NamedTuple):
    """One no, and what it holds for."""

    said_ms: int
    lifted_ms: int
    """When a yes followed that may lift it; ``NEVER_MS``: none did."""
    told_ms: int
    speaker: Identity
    sure: bool

    def reaches(self, event: Event) -> bool:
        """Whether it speaks of an event of the person at all.

        A cookie that only browsers tied to the person speaks of its own events, and of what
        comes after its word was received.
        """
        return self.sure or event.occurred_ms >= self.told_ms or self.speaker in event.identities


class Terms(NamedTuple):
    """What withdrawals mean for one purpose of one person."""

    withdrawn_ms: int
    """When it was last taken back."""
    renewed_ms: int
    """From when on it may be done again; ``NEVER_MS``: it may not."""
    refusals: tuple[Refusal, ...]

    @property
    def holds(self) -> bool:
        """Whether the withdrawal still stands."""
        return self.renewed_ms == NEVER_MS


def said_in(event: Event) -> dict[str, bool]:
    """Yes or no per purpose, as far as the event says. Who may not be measured is not profiled."""
    consent = event.consent
    found: dict[str, bool] = {
        purpose: value
        for purpose, value in (
            ("measure", consent.measure),
            ("profile", consent.profile),
            ("contact", consent.contact),
        )
        if value is not None
    }
    found.update(event.agreement.purposes)
    if consent.measure is False:
        found["profile"] = False
    return found


def said_ms(event: Event) -> int:
    """When the consent in an event was said: never after its receipt."""
    given_ms = event.agreement.given_ms
    return event.occurred_ms if given_ms is None else min(given_ms, event.received_ms)


def is_answer(event: Event) -> bool:
    """Whether consent in the event was said then, and is not repeated."""
    if event.agreement.asserted:
        return False
    return event.type == "consent_changed" or event.agreement.given_ms is not None


def terms(said: Iterable[Said], purpose: str) -> Terms | None:
    """The terms of one purpose by all answers of a person; None: it was never taken back.

    A no is lifted by a later yes of whoever said it, or by one that is surely the person's.
    """
    answers = [one for one in said if one.purpose == purpose]
    refusals = tuple(
        Refusal(one.said_ms, _lifted_ms(one, answers), one.told_ms, one.speaker, one.sure)
        for one in sorted(answers)
        if not one.granted
    )
    if not refusals:
        return None
    withdrawn_ms = max(one.said_ms for one in refusals)
    return Terms(withdrawn_ms, max(one.lifted_ms for one in refusals), refusals)


def _lifted_ms(no: Said, answers: Iterable[Said]) -> int:
    renewals = (
        one.said_ms
        for one in answers
        if one.granted and one.said_ms > no.said_ms and (one.sure or one.speaker == no.speaker)
    )
    return min(renewals, default=NEVER_MS)


def kept(event: Event, measure: Terms | None, profile: Terms | None) -> Event:
    """An event of a person as it may be kept; the same object where nothing changes.

    Before renewed consent to ``measure`` nothing that a no reaches is left but the last withdrawal
    itself. Before renewed consent to ``profile`` nothing says yes.
    """
    is_word = event.type == "consent_changed"
    if measure is not None and _is_ended(event, measure):
        if not is_word or event.occurred_ms < measure.withdrawn_ms:
            return stripped(event, Consent(measure=False, profile=False))
        if event.consent.measure is True:  # a yes that lifts nothing, or from before
            return stripped(event, Consent(measure=False, profile=False))
    if profile is not None and event.consent.profile is True and _is_refused(event, profile):
        consent = msgspec.structs.replace(event.consent, profile=None)
        return msgspec.structs.replace(event, consent=consent)
    return event


def _is_ended(event: Event, measure: Terms) -> bool:
    """Whether an event comes before the end of a no that speaks of it."""
    return any(one.reaches(event) and event.occurred_ms < one.lifted_ms for one in measure.refusals)


def _is_refused(event: Event, profile: Terms) -> bool:
    """Whether a yes in an event was said while a no held that speaks of it."""
    at_ms = max(event.occurred_ms, said_ms(event)) if is_answer(event) else event.occurred_ms
    return any(
        one.reaches(event) and one.said_ms <= event.occurred_ms and at_ms < one.lifted_ms
        for one in profile.refusals
    )


_PLAIN = re.compile(r"[\w.:/-]{1,200}")


def stripped(event: Event, consent: Consent) -> Event:
    """What counts without following: that it happened, where, and with which content."""
    return msgspec.structs.replace(
        event,
        identities=(),
        content_id=_impersonal(event.content_id, event.identities),
        content_type=_impersonal(event.content_type, event.identities),
        message_id=None,
        click_id=None,
        consent=consent,
        agreement=NO_PROOF,
        properties={},
    )


def _impersonal(text: str | None, identities: tuple[Identity, ...]) -> str | None:
    """The name of a content without its query; None where a person may stand in it."""
    if text is None:
        return None
    text = text.partition("?")[0].partition("#")[0]
    if not _PLAIN.fullmatch(text) or any(i.value.lower() in text.lower() for i in identities):
        return None
    return text


def only_the_word(event: Event, identities: tuple[Identity, ...]) -> Event:
    """A ``consent_changed`` event as it is kept: who said what, and nothing around it."""
    return msgspec.structs.replace(
        event,
        identities=identities,
        content_id=None,
        content_type=None,
        message_id=None,
        click_id=None,
        properties={},
    )
