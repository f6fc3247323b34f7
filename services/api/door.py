"""The tracker's door, from inside: what changes a person is an event, said by the product."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from services.api.problem import Problem
from services.contract.decision import DECIDED, Decision
from services.contract.erasure import ERASED, Span
from services.contract.event import LISTED, Identity
from services.contract.listing import Listing
from services.contract.token import Recipient

TIMEOUT_S = 5.0
BATCH_MAX = 100
TOLD_BYTES_MAX = 2 * 2**20
"""Of calls in one request; the tracker takes twice as much."""
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
class Told:
    """What the tracker answered to calls."""

    position: str | None
    """Of the last event that follows somebody."""
    results: dict[str, dict[str, Any]]
    """By message id, as the tracker's answer has them."""


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


class Door:
    """The tracker over HTTP, with the internal key."""

    def __init__(self, tracker_url: str, internal_key: str) -> None:
        self._url = tracker_url.rstrip("/") + "/v1/batch"
        # One for all: to make a client reads all certificates of the system. Each request has a
        # connection of its own, for an idle one may be gone when it is wanted.
        self._client = httpx.Client(
            auth=(internal_key, ""),
            timeout=TIMEOUT_S,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def tell(self, workspace_id: int, calls: Sequence[dict[str, Any]]) -> Told:
        """Tell calls of the Segment spec, together at most TOLD_BYTES_MAX.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._send(workspace_id, calls)

    def tie(self, workspace_id: int, ties: Sequence[Tie]) -> str | None:
        """Let the record know that identities belong together; the last event's position.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, [_identify(tie) for tie in ties])

    def sent(
        self,
        workspace_id: int,
        sending: Sending,
        people: Sequence[tuple[str, Recipient | None]],
    ) -> str | None:
        """Tell that people were sent a mailing; the last event's position.

        Args:
            workspace_id: whose mailing.
            sending: the mailing.
            people: (person token, what they agreed to); None: it counts, but follows nobody.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, [_sent(sending, *person) for person in people])

    def answer(self, workspace_id: int, answer: Answer) -> str | None:
        """Tell what a person answered about consent; the event's position, None if it is refused.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, [_answered(answer)])

    def decide(self, workspace_id: int, words: Sequence[Word]) -> str | None:
        """Tell what was decided of who is who; the last event's position, None if it is refused.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, [_decided(word) for word in words])

    def put(self, workspace_id: int, put: Put) -> str | None:
        """Tell that somebody was put in a segment by hand; the position, None if it is refused.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, [_listed(put)])

    def erase(self, workspace_id: int, farewell: Farewell) -> str | None:
        """Tell that a person is erased; the last event's position, None if it is refused.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, _erased(farewell))

    def _tell(self, workspace_id: int, calls: Sequence[dict[str, Any]]) -> str | None:
        position: str | None = None
        for i in range(0, len(calls), BATCH_MAX):
            position = self._send(workspace_id, calls[i : i + BATCH_MAX]).position or position
        return position

    def _send(self, workspace_id: int, calls: Sequence[dict[str, Any]]) -> Told:
        try:
            answer = self._client.post(
                self._url,
                content=msgspec.json.encode({"batch": calls}),
                headers={
                    "Content-Type": "application/json",
                    "X-Kentering-Workspace": str(workspace_id),
                },
            )
            if answer.status_code == httpx.codes.OK:
                said = answer.json()
                return Told(said["position"], said["results"])
        except (httpx.HTTPError, ValueError, KeyError):
            pass
        text = "The tracker takes no events just now, so nothing was done."
        raise Problem(503, "tracker_away", text, {"Retry-After": "5"})


def _identify(tie: Tie) -> dict[str, Any]:
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


def _answered(answer: Answer) -> dict[str, Any]:
    consent: dict[str, Any] = {
        "categoryPreferences": answer.purposes,
        "givenAt": answer.given_at,
        "textVersion": answer.text_version,
    }
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


def _decided(word: Word) -> dict[str, Any]:
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


def _listed(put: Put) -> dict[str, Any]:
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


def _erased(farewell: Farewell) -> list[dict[str, Any]]:
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


def _sent(sending: Sending, token: str, recipient: Recipient | None) -> dict[str, Any]:
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
