"""Signed tokens for links, pixels and persons.

A *link token* says where a click goes and what it is about; it is the same for everybody. A
*person token* says who the mail was sent to, and needs one merge field. They are signed apart
and stand together as ``{link}.{person}``; either half is worthless without its own signature.

    token = base64url( version:1 | kind:1 | secret number:2 | workspace:4 | body | mac:12 )

The MAC is keyed BLAKE2b of 96 bits over all before it. Tokens do not expire: mail is opened
years later, and a rotated secret goes on verifying what it signed.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

_VERSION = 1
_LINK, _PERSON = 1, 2
_HEAD = struct.Struct(">BBHI")
_MAC_BYTES = 12
TOKEN_LENGTH_MAX = 4096

SecretOf = Callable[[int, int], bytes | None]
"""(workspace id, secret number) → the secret, or None where there is none."""


class Link(msgspec.Struct, frozen=True, array_like=True):
    """What a click on a link means. ``target`` is empty for a pixel."""

    target: str
    campaign_id: str | None = None
    """The mailing; it becomes the event's ``message_id``."""
    content_id: str | None = None
    content_type: str | None = None
    channel: str = "email"


class Recipient(msgspec.Struct, frozen=True, array_like=True):
    """Who a mail was sent to: a random-looking id, and what they had agreed to by then."""

    person_token: str
    """16 hex digits: the value of an identity in the namespace ``person_token``."""
    measure: bool
    profile: bool


def is_safe_target(target: str) -> bool:
    """Whether a browser that is sent there goes to the web page that it looks like."""
    if not target.isascii() or any(c <= " " or c in '\\"<>^`{|}\x7f' for c in target):
        return False
    try:
        parts = urlsplit(target)
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and target.lower().startswith(("http://", "https://"))
    )


def sign_link(link: Link, workspace_id: int, number: int, secret: bytes) -> str:
    """The link's token.

    Raises:
        ValueError: the target is no http(s) address that a browser follows as it reads.
    """
    if link.target and not is_safe_target(link.target):
        raise ValueError(f"not a safe http or https address: {link.target[:200]!r}")
    return _sign(_LINK, msgspec.json.encode(link), workspace_id, number, secret)


def sign_recipient(recipient: Recipient, workspace_id: int, number: int, secret: bytes) -> str:
    """The person's token."""
    flags = recipient.measure | recipient.profile << 1
    body = bytes.fromhex(recipient.person_token) + bytes([flags])
    return _sign(_PERSON, body, workspace_id, number, secret)


def read_link(token: str, secret_of: SecretOf) -> tuple[int, Link] | None:
    """(workspace id, link), or None for anything that we did not sign."""
    read = _read(token, _LINK, secret_of)
    if read is None:
        return None
    workspace_id, body = read
    return workspace_id, msgspec.json.decode(body, type=Link)


def read_recipient(token: str, secret_of: SecretOf) -> tuple[int, Recipient] | None:
    """(workspace id, recipient), or None for anything that we did not sign."""
    read = _read(token, _PERSON, secret_of)
    if read is None:
        return None
    workspace_id, body = read
    return workspace_id, Recipient(body[:8].hex(), bool(body[8] & 1), bool(body[8] & 2))


def person_token_of(namespace: str, value: str, secret: bytes) -> str:
    """The ``person_token`` identity of a known identity: 16 hex digits, the same every time."""
    text = f"{namespace}\x1f{value}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=secret, digest_size=8, person=b"person token").hexdigest()


def _sign(kind: int, body: bytes, workspace_id: int, number: int, secret: bytes) -> str:
    signed = _HEAD.pack(_VERSION, kind, number, workspace_id) + body
    return base64.urlsafe_b64encode(signed + _mac(signed, secret)).rstrip(b"=").decode()


def _read(token: str, kind: int, secret_of: SecretOf) -> tuple[int, bytes] | None:
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) < _HEAD.size + _MAC_BYTES:
        return None
    signed, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    version, found, number, workspace_id = _HEAD.unpack_from(signed)
    secret = secret_of(workspace_id, number)
    # Without a secret the same work is done, so that the answer's time tells nothing.
    genuine = hmac.compare_digest(_mac(signed, secret or b"no such secret"), mac)
    if secret is None or not genuine or version != _VERSION or found != kind:
        return None
    return workspace_id, signed[_HEAD.size :]


def _mac(signed: bytes, secret: bytes) -> bytes:
    return hashlib.blake2b(signed, key=secret, digest_size=_MAC_BYTES, person=b"token").digest()
