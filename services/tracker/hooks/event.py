"""From what a mailer told to an event of ours: who, which mailing, with what consent."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from services.contract.event import (
    UNSUBSCRIBED_MARK,
    VERSION,
    Agreement,
    Consent,
    Event,
    Identity,
    Machine,
    content_type_of,
    event_id_of,
)
from services.contract.hook import ESPS, Esp, HookEntry
from services.contract.snapshot import KeyEntry
from services.contract.token import person_token_of, read_unsubscribe
from services.tracker.clean import clean_id, clean_object
from services.tracker.consent import NOTHING_SAID, with_assertion
from services.tracker.directory import Directory
from services.tracker.hooks.told import Mail
from services.tracker.identities import email_of
from services.tracker.machine import UNJUDGED, label
from services.tracker.occurred import occurred_ms
from services.tracker.reasons import Reason
from services.tracker.tokens import PERSON_PARAMETER, read_person, read_token

CAMPAIGN = "campaign_id"
BY_MACHINE = Machine(0.9, ("said_by_mailer",))
_ASSERTED = Agreement(asserted=True)
_FIRST = 1
"""The number of the secret that makes person tokens, which is never replaced."""

# The same for every hook of a mailer, so that what comes over an old and a new one counts once;
# below the sources of workspaces and of our own links.
_SOURCES: Mapping[Esp, int] = {esp: -10 - i for i, esp in enumerate(ESPS)}


def sender_of(hook: HookEntry) -> KeyEntry:
    """A mailer speaks for its workspace as a server does."""
    return KeyEntry(b"", hook.workspace_id, "server", _SOURCES[hook.esp], hook.asserted_consent)


def event_of(
    mail: Mail, hook: HookEntry, directory: Directory, now_ms: int, noticed: list[Reason]
) -> Event:
    """The event, with all that it says; consent is judged after it."""
    sender = sender_of(hook)
    identities, consent = _who(mail, sender, directory, noticed)
    at_ms, doubt = occurred_ms(None, mail.at, None, now_ms)
    if doubt is not None:
        noticed.append(doubt)
    custom = mail.custom
    event = Event(
        v=VERSION,
        workspace_id=hook.workspace_id,
        event_id=event_id_of(hook.workspace_id, sender.source_id, mail.id),
        source_id=sender.source_id,
        type=mail.type,
        identities=identities,
        occurred_ms=at_ms,
        received_ms=now_ms,
        channel="email",
        content_id=clean_id(custom.get("content_id")),
        content_type=content_type_of(clean_id(custom.get("content_type")) or "") or None,
        message_id=clean_id(custom.get(CAMPAIGN))
        or clean_id(mail.campaign)
        or clean_id(mail.message),
        server_only=True,
        machine=_machine(mail),
        consent=consent,
        properties=_properties(mail),
    )
    by_token = any(identity.namespace == "person_token" for identity in identities)
    if by_token or consent.measure is None:
        return event
    return msgspec.structs.replace(event, agreement=_ASSERTED)


def heeded(event: Event, kept: Event, directory: Directory) -> Event:
    """Who wants no more mail is heeded, whatever was agreed to; all other events are as kept.

    Args:
        event: with all that was told.
        kept: what consent leaves of it.
        directory: has the workspace's secrets.

    Returns:
        Of somebody who is followed, that they take back consent to be mailed; of anybody else
        nothing but the mark of the address, as ``services.tracker.unsubscribe`` keeps it.
    """
    if event.type not in {"unsubscribe", "complaint"} or not event.identities:
        return kept
    if kept.identities:
        told = Agreement(given_ms=event.occurred_ms, purposes={"contact_mail": False})
        return msgspec.structs.replace(kept, consent=NOTHING_SAID, agreement=told)
    secret = directory.secret_of(event.workspace_id, _FIRST)
    who = event.identities[0]
    if secret is None:
        return kept
    is_mark = who.namespace == "person_token"
    mark = who.value if is_mark else person_token_of(who.namespace, who.value, secret)
    return msgspec.structs.replace(kept, properties={UNSUBSCRIBED_MARK: mark})


def _who(
    mail: Mail, sender: KeyEntry, directory: Directory, noticed: list[Reason]
) -> tuple[tuple[Identity, ...], Consent]:
    """Whom the mail was sent to: by our own token where it came along, else by the address.

    Not by both: one token given to a whole mailing by mistake would make all of them one person.
    """
    half = mail.custom.get(PERSON_PARAMETER)
    if isinstance(half, str) and half:
        recipient = read_person(half, sender.workspace_id, directory)
        if recipient is not None:
            token = Identity("person_token", recipient.person_token)
            # A token repeats what held when it was made: a yes, or else nothing.
            return (token,), Consent(recipient.measure, recipient.profile or None)
        noticed.append("bad_person")
    address = email_of(mail.address)
    who = Identity("email", address) if address else mail.other
    identities = () if who is None else (who,)
    return identities, with_assertion(NOTHING_SAID, sender)


def _machine(mail: Mail) -> Machine:
    if mail.type not in {"open", "click"}:
        return UNJUDGED
    by_agent = UNJUDGED
    if isinstance(mail.agent, str) and mail.agent:
        # A language is not told by mailers, so that none was sent is no sign of anything.
        agent = mail.agent.encode("latin-1", "replace")
        by_agent = label("GET", {b"user-agent": agent, b"accept-language": b""})
    if not mail.by_machine:
        return by_agent
    return Machine(max(BY_MACHINE.p, by_agent.p), (*BY_MACHINE.reasons, *by_agent.reasons))


def _properties(mail: Mail) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if mail.type == "bounce":
        told = {"kind": "hard" if mail.hard else "soft", "reason": mail.reason}
    elif mail.type == "click":
        told = {"url": mail.url}
    return clean_object({k: v for k, v in told.items() if isinstance(v, str) and v})


def is_own_link(mail: Mail, workspace_id: int, directory: Directory) -> bool:
    """Whether a click went to a link of ours: then it comes in there, and counts there.

    Also a link for unsubscribing, which is no sign of interest.
    """
    if mail.type != "click" or not isinstance(mail.url, str):
        return False
    try:
        path = urlsplit(mail.url).path
    except ValueError:
        return False
    place, _, token = path.rpartition("/")
    if place.endswith("/c"):
        link = read_token(token, directory)
        return link is not None and link.workspace_id == workspace_id
    wish = read_unsubscribe(token, directory.secret_of) if place.endswith("/u") else None
    return wish is not None and wish[0] == workspace_id
