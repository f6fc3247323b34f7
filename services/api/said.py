"""What the product itself says of persons, and each as a call of the Segment spec."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from services.contract.decision import DECIDED, Decision
from services.contract.erasure import ERASED, Span
from services.contract.event import LISTED, Identity
from services.contract.listing import Listing
from services.contract.token import Recipient

NAMED_MAX = 20
"""Identities in one call, as the tracker takes them."""


@dataclass(frozen=True)
class Tie:
    """Two identities of one person, with what the person had agreed to."""

    known: Identity
    token: Identity
    measure: bool
    profile: bool


@dataclass(frozen=True)
class Sending:
    """A mailing that left."""

    message_id: str
    channel: str
    sent_at: str
    """RFC 3339."""


@dataclass(frozen=True)
class Answer:
    """What a person said of consent elsewhere."""

    message_id: str
    who: Identity
    purposes: dict[str, bool]
    given_at: str
    """RFC 3339."""
    text_version: str | None
    asked_where: str | None = None
    """And is kept."""
    objection: str | None = None
    """Why, of an objection to being scored."""
    objection_by: str | None = None
    """Who recorded it."""


@dataclass(frozen=True)
class Word:
    """What somebody decided of two identities."""

    one: Identity
    other: Identity
    decision: Decision
    reason: str
    by: str | None
    """Who decided, as the caller says."""
    key: str
    """The credential that brought it."""
    name: str = field(default_factory=lambda: uuid4().hex)
    """Of the event: the same name again is the same word."""


@dataclass(frozen=True)
class Put:
    """That somebody was put in a segment, or kept out of it, by hand."""

    who: Identity
    segment: str
    list: Listing
    reason: str
    by: str | None
    """Who decided, as the caller says."""
    key: str
    """The credential that brought it."""


@dataclass(frozen=True)
class Farewell:
    """Whom to erase; see ``contract/erasure.py``."""

    identities: tuple[Identity, ...]
    """At least one."""
    spans: tuple[Span, ...]
    by: str | None
    """Who decided, as the caller says."""
    key: str
    """The credential that brought it."""


def identify(tie: Tie) -> dict[str, Any]:
    """A Segment identify call; its id is the tie's own, so that saying it again changes nothing."""
    return {
        "type": "identify",
        "messageId": f"person-token:{tie.token.value}:{tie.known.namespace}:{tie.known.value}",
        "context": {
            "externalIds": [
                {"type": identity.namespace, "id": identity.value, "collection": "users"}
                for identity in (tie.known, tie.token)
            ],
            "consent": {"categoryPreferences": {"measure": tie.measure, "profile": tie.profile}},
        },
    }


def answered(answer: Answer) -> dict[str, Any]:
    """A Segment track call, under the answer's own id."""
    consent: dict[str, Any] = {
        "categoryPreferences": answer.purposes,
        "givenAt": answer.given_at,
        "textVersion": answer.text_version,
    }
    if answer.asked_where is not None:
        consent["askedWhere"] = answer.asked_where
    if answer.objection is not None:
        consent |= {"objection": answer.objection, "objectionBy": answer.objection_by}
    who = {"type": answer.who.namespace, "id": answer.who.value, "collection": "users"}
    return {
        "type": "track",
        "event": "consent_changed",
        "messageId": answer.message_id,
        "timestamp": answer.given_at,
        "context": {"externalIds": [who], "consent": consent},
    }


def decided(word: Word) -> dict[str, Any]:
    """A call that only the internal key may make; each is a word of its own."""
    return {
        "type": DECIDED,
        "messageId": f"decision:{word.name}",
        "properties": {
            "decision": word.decision,
            "reason": word.reason,
            "by": word.by,
            "key": word.key,
        },
        "context": {
            "externalIds": [
                {"type": identity.namespace, "id": identity.value, "collection": "users"}
                for identity in (word.one, word.other)
            ]
        },
    }


def listed(put: Put) -> dict[str, Any]:
    """A call that only the internal key may make; each is a word of its own."""
    who = {"type": put.who.namespace, "id": put.who.value, "collection": "users"}
    return {
        "type": LISTED,
        "messageId": f"listed:{uuid4().hex}",
        "properties": {
            "content_id": put.segment,
            "list": put.list,
            "reason": put.reason,
            "by": put.by,
            "key": put.key,
        },
        "context": {"externalIds": [who]},
    }


def erased(farewell: Farewell) -> list[dict[str, Any]]:
    """Calls that only the internal key may make, of so many identities as one may name."""
    named, spans = farewell.identities, farewell.spans
    pieces = [
        (named[i : i + NAMED_MAX], spans[i : i + NAMED_MAX])
        for i in range(0, max(len(named), len(spans)), NAMED_MAX)
    ]
    return [
        {
            "type": ERASED,
            "messageId": f"erasure:{uuid4().hex}",
            "properties": {
                "reason": "erased",
                "spans": [[s.identity.namespace, s.identity.value, *s[1:]] for s in some],
                "by": farewell.by,
                "key": farewell.key,
            },
            "context": {
                "externalIds": [
                    {"type": identity.namespace, "id": identity.value, "collection": "users"}
                    for identity in identities or named[:1]
                ]
            },
        }
        for identities, some in pieces
    ]


def sent(sending: Sending, token: str, recipient: Recipient | None) -> dict[str, Any]:
    """A Segment track call; its id is the keyed hash's, so that it names nobody by itself."""
    call: dict[str, Any] = {
        "type": "track",
        "event": "Email Sent",
        "messageId": f"sent:{sending.message_id}:{token}",
        "timestamp": sending.sent_at,
        "properties": {"campaign_id": sending.message_id, "channel": sending.channel},
    }
    if recipient is not None:
        said = {"measure": recipient.measure, "profile": recipient.profile}
        call["context"] = {
            "externalIds": [{"type": "person_token", "id": token, "collection": "users"}],
            "consent": {"categoryPreferences": said},
        }
    return call
