"""One workspace with its keys and secrets, and requests told as plain data."""

import json
from typing import Any

from msgspec.structs import replace

from services.contract.event import encode
from services.contract.keys import digest_of
from services.contract.snapshot import KeyEntry, LinkSecret, Snapshot
from services.contract.token import (
    Link,
    Recipient,
    Unsubscribe,
    sign_link,
    sign_recipient,
    sign_unsubscribe,
)
from services.tracker.accept import accept
from services.tracker.accepted import Accepted
from services.tracker.directory import Directory
from services.tracker.request import Request

NOW_MS = 1_772_366_400_000  # 2026-03-01T12:00:00Z
REQUEST_ID = "00112233445566778899aabbccddeeff"
SECRET = b"one secret of thirty-two bytes!!"

SNAPSHOT = Snapshot(
    version="1",
    keys=(
        KeyEntry(digest_of("kw_shop"), 3, "write", 11),
        KeyEntry(digest_of("ks_ats"), 3, "server", 12, asserted_consent="privacy statement 2"),
        KeyEntry(digest_of("ks_plain"), 3, "server", 13),
        KeyEntry(digest_of("inside"), 0, "internal", 0),
    ),
    link_secrets=(LinkSecret(3, 1, SECRET), LinkSecret(4, 1, SECRET[::-1])),
)
DIRECTORY = Directory(SNAPSHOT)

MARCH_MS = 1_772_323_200_000
LINK = Link("https://werkenbij.example/verhalen/nacht?x=1#top", "maart", "nacht", "story")
MEETING = Link("https://werkenbij.example/avond", None, "avond", "meeting", "meeting")
WISH = Unsubscribe("0123456789abcdef", measure=True, message_id="maart")
TOKENS = {
    "{EXPIRED}": sign_link(Link("https://a.example/", expires_ms=MARCH_MS), 3, 1, SECRET),
    "{MEETING}": sign_link(MEETING, 3, 1, SECRET),
    "{WISH}": sign_unsubscribe(WISH, 3, 1, SECRET),
    "{MARK}": sign_unsubscribe(replace(WISH, measure=False), 3, 1, SECRET),
    "{LINK}": sign_link(LINK, 3, 1, SECRET),
    "{PERSON}": sign_recipient(Recipient("0123456789abcdef", True, True), 3, 1, SECRET),
    "{UNMEASURED}": sign_recipient(Recipient("fedcba9876543210", False, False), 3, 1, SECRET),
    "{FOREIGN}": sign_recipient(Recipient("0123456789abcdef", True, True), 4, 1, SECRET[::-1]),
}


def with_tokens(text: str) -> str:
    """The text with real tokens for ``{LINK}``, ``{PERSON}`` and the like."""
    for name, token in TOKENS.items():
        text = text.replace(name, token)
    return text


def without_tokens(text: str) -> str:
    """The reverse."""
    for name, token in TOKENS.items():
        text = text.replace(token, name)
    return text


def request_of(told: dict[str, Any]) -> Request:
    """The request that a golden file tells."""
    body = told.get("raw") or (json.dumps(told["body"]) if "body" in told else "")
    return Request(
        method=told.get("method", "POST"),
        path=with_tokens(told["path"]),
        headers={k.encode(): v.encode() for k, v in told.get("headers", {}).items()},
        request_id=REQUEST_ID,
        query=told.get("query", "").encode(),
        body=with_tokens(body).encode(),
    )


def decide(told: dict[str, Any]) -> Accepted:
    """What the tracker decides."""
    return accept(request_of(told), DIRECTORY, NOW_MS)


def outcome(told: dict[str, Any]) -> dict[str, Any]:
    """The same, as a golden file holds it."""
    accepted = decide(told)
    reply = accepted.reply
    headers = {k.decode(): without_tokens(v.decode()) for k, v in reply.headers}
    is_json = "json" in headers.get("content-type", "")
    return {
        "status": reply.status,
        "location": headers.get("location"),
        "body": json.loads(reply.body) if is_json else headers.get("content-type"),
        "reasons": accepted.reasons,
        "events": [json.loads(encode(event)) for event in accepted.events],
    }
