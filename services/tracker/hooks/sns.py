"""Amazon SNS: whether a message is genuinely of the topic that a hook is for.

The certificate is not in the message, only its address: where it was not fetched yet, it is asked
for and the message is refused for now. SNS sends it again within seconds.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from services.tracker.hooks.memory import Certificate, Memory
from services.tracker.reasons import RefusedRequestError

_OF_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_OF_CONFIRMATION = (
    "Message",
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
)
_SIGNED: Mapping[str, tuple[str, ...]] = {
    "Notification": _OF_NOTIFICATION,
    "SubscriptionConfirmation": _OF_CONFIRMATION,
    "UnsubscribeConfirmation": _OF_CONFIRMATION,
}


class CertificateAwaitedError(Exception):
    """The certificate at this address must be fetched first."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


def verify(message: Mapping[str, Any], topic_arn: str, memory: Memory, now_ms: int) -> None:
    """That SNS signed this message, and of this topic.

    Raises:
        RefusedRequestError: it did not.
        CertificateAwaitedError: that cannot be said yet.
    """
    url, signature = message.get("SigningCertURL"), message.get("Signature")
    if not isinstance(url, str) or not isinstance(signature, str):
        raise RefusedRequestError("no_signature")
    if message.get("SignatureVersion") != "2":
        raise RefusedRequestError("old_signature")
    signed = _canonical(message)
    if message.get("TopicArn") != topic_arn or signed is None or not memory.speaks_for_sns(url):
        raise RefusedRequestError("bad_signature")
    certificate = memory.certificate(url)
    if certificate is None:
        raise CertificateAwaitedError(url)
    if not certificate.from_ms <= now_ms <= certificate.to_ms:
        raise RefusedRequestError("bad_signature")
    _verify(certificate, signature, signed)


def _verify(certificate: Certificate, signature: str, signed: bytes) -> None:
    try:
        raw = base64.b64decode(signature, validate=True)
        certificate.key.verify(raw, signed, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        raise RefusedRequestError("bad_signature") from None


def _canonical(message: Mapping[str, Any]) -> bytes | None:
    """What is signed: names and values by name, a line each; None where one is missing."""
    kind = message.get("Type")
    names = _SIGNED.get(kind) if isinstance(kind, str) else None
    if names is None:
        return None
    lines: list[str] = []
    for name in names:
        value = message.get(name)
        if name == "Subject" and value is None:
            continue
        if not isinstance(value, str):
            return None
        lines += [name, value]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")
