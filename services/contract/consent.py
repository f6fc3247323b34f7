"""What may be done with a person's events: judged by all that was said, in any order.

An *answer* is consent that was said at a moment of its own: a ``consent_changed`` event, or consent
that carries the time at which it was given. Everything else repeats what
was said before: a page's cookie, a mail's token, a sender's standing declaration. A refusal that is
an answer is a **withdrawal**; it holds for the whole person until a later answer says yes.
"""

import re
from typing import Literal, get_args

import msgspec

from services.contract.event import NO_PROOF, Consent, Event, Identity, Machine
from services.contract.terms import Terms

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


def kept(event: Event, measure: Terms | None, profile: Terms | None) -> Event:
    """An event of a person as it may be kept; the same object where nothing changes.

    Before renewed consent to ``measure`` nothing that a no reaches is left but the last withdrawal
    itself. Before renewed consent to ``profile`` nothing says yes.
    """
    is_word = event.type == "consent_changed"
    if measure is not None and measure.ends(event):
        if not is_word or event.occurred_ms < measure.withdrawn_ms:
            return stripped(event, Consent(measure=False, profile=False))
        if event.consent.measure is True:  # a yes that lifts nothing, or from before
            return stripped(event, Consent(measure=False, profile=False))
    consent = Consent(
        _said_still(event, measure, said=event.consent.measure),
        _said_still(event, profile, said=event.consent.profile),
        event.consent.contact,
    )
    if consent.profile is True and profile is not None:
        at_ms = said_ms(event) if is_answer(event) else event.occurred_ms
        if profile.refuses(event, at_ms) or profile.takes_back(event):
            consent = msgspec.structs.replace(consent, profile=None)
    return event if consent == event.consent else msgspec.structs.replace(event, consent=consent)


def _said_still(event: Event, terms: Terms | None, *, said: bool | None) -> bool | None:
    """What an event says of a purpose, where it may be a no that was lifted as if never said."""
    no = None if terms is None or said is True else terms.no_in(event)
    if no is None:
        return said
    return False if no else None


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
        machine=_from_nowhere(event.machine),
        consent=consent,
        agreement=NO_PROOF,
        properties={},
    )


def _from_nowhere(machine: Machine) -> Machine:
    if machine.origin is msgspec.UNSET:
        return machine
    return msgspec.structs.replace(machine, origin=msgspec.UNSET)


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
