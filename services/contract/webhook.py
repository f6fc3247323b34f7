"""A webhook's secrets, and what API and dispatcher mean by its state.

Signing is that of Standard Webhooks (version 1.0.0 of its specification, HMAC-SHA256).
"""

import base64
import hashlib
import hmac
import secrets as random
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from services.contract.change import Told
from services.contract.phases import DAY_MS
from services.contract.vault import open_secret, seal_secret

SECRET_BYTES = 32
SECRETS_MAX = 5
"""That sign at one time: the newest, and those that are on their way out."""
LATE_MS = DAY_MS
"""What was valid for longer when it was found out is not sent, unless it is asked for."""

WebhookStatus = Literal["active", "paused", "dead"]
DeliveryStatus = Literal["waiting", "delivered", "failed", "gone"]
TEST_TYPE = "webhook.test"


class Secret(msgspec.Struct, frozen=True):
    """One that signs."""

    key: bytes
    created_ms: int
    until_ms: int | None = None
    """It signs until then; None: until it is replaced."""


_decoder = msgspec.msgpack.Decoder(list[Secret])


def new_secret(now_ms: int) -> Secret:
    """A fresh one."""
    return Secret(random.token_bytes(SECRET_BYTES), now_ms)


def shown_secret(secret: Secret) -> str:
    """As its owner keeps it: ``whsec_…``."""
    return "whsec_" + base64.b64encode(secret.key).decode()


def seal_secrets(secrets: Sequence[Secret]) -> bytes:
    """What is stored of them."""
    return seal_secret(msgspec.msgpack.encode(list(secrets)))


def open_secrets(stored: bytes) -> list[Secret]:
    """The secrets again, newest first."""
    return _decoder.decode(open_secret(stored))


def signing(secrets: Sequence[Secret], now_ms: int) -> list[Secret]:
    """Those that sign at a time."""
    return [one for one in secrets if one.until_ms is None or now_ms < one.until_ms]


def rotated(secrets: Sequence[Secret], now_ms: int, overlap_ms: int) -> list[Secret]:
    """The same with a new one in front; the others sign for a while yet."""
    until_ms = now_ms + overlap_ms
    kept = [
        msgspec.structs.replace(one, until_ms=min(one.until_ms or until_ms, until_ms))
        for one in signing(secrets, now_ms)
    ]
    return [new_secret(now_ms), *kept[: SECRETS_MAX - 1]]


def signature(secrets: Sequence[Secret], message_id: str, at_ms: int, body: bytes) -> str:
    """The header ``webhook-signature``: one for every secret that signs then."""
    at_s = at_ms // 1000
    signed = f"{message_id}.{at_s}.".encode() + body
    marks = (hmac.digest(one.key, signed, hashlib.sha256) for one in signing(secrets, at_ms))
    return " ".join("v1," + base64.b64encode(mark).decode() for mark in marks)


def message_id_of(webhook: str, position: int) -> str:
    """The message about one change to one webhook: whoever makes it anew makes the same."""
    mark = hashlib.blake2b(f"{webhook}:{position}".encode(), digest_size=16)
    return f"msg_{mark.hexdigest()}"


def type_of(change: Told) -> str:
    """What a message about a change is called."""
    match change.type:
        case "segment":
            return "segment.left" if change.after is None else "segment.entered"
        case "identity":
            return f"identity.{change.reason}"
        case "person":
            return "person.erased"
        case "trigger":
            return "trigger.fired"
        case _:
            return f"{change.type}.moved"


def body_of(change: Told) -> bytes:
    """A message's body; the same for the same change."""
    data = change._asdict()
    message = {"type": type_of(change), "timestamp": change.recorded_at, "data": data}
    return msgspec.json.encode(message)


def test_body_of(webhook: str, recorded_at: str) -> bytes:
    """The body of a test."""
    data: dict[str, Any] = {"webhook": webhook}
    return msgspec.json.encode({"type": TEST_TYPE, "timestamp": recorded_at, "data": data})
