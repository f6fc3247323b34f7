"""Signed tokens for links, pixels and persons.

A *link token* says where a click goes and what it is about; it is the same for everybody. A
*person token* says who the mail was sent to, and needs one merge field. They are signed apart
and stand together as ``{link}.{person}``; either half is worthless without its own signature. An
*unsubscribe token* says who wants no more mail, and is good for nothing else: what stands in
everybody's address bar after a click cannot unsubscribe the reader.

Version 2, in base64url without padding; numbers are varints of seven bits a byte, low ones first:

    0x20 | kind:4 | secret number | workspace | body | mac:9

The MAC is keyed BLAKE2b of 72 bits over all before it. It can be guessed only by asking a
tracker: a hundred thousand guesses a second, for a year, hit one time in 1.5 billion. Version 1
(fixed fields, JSON, 96 bits) is no longer written and goes on being read, as does what a rotated
secret signed: mail is opened years later. docs/decisions/0017-short-tokens.md says why.
"""

import hashlib
from urllib.parse import urlsplit

import msgspec

from services.contract.token_wire import SecretOf, number_at, seal, unseal, varint

_LINK, _PERSON, _UNSUBSCRIBE = 0x0, 0x4, 0x8
_LINK_1, _PERSON_1 = 1, 2
_PERSON_BYTES = 8

_SCHEMES = ("", "https://", "http://", "https://www.")
_SCHEME, _CAMPAIGN, _CONTENT, _TYPE, _CHANNEL, _EXPIRES = 0x03, 0x04, 0x08, 0x10, 0x20, 0x40
# By place: new ones go to the end, so that old tokens go on saying what they said.
_CHANNELS = (
    "email", "website", "magazine", "social", "ads", "podcast", "messaging", "meeting",
    "referral", "ats",
)  # fmt: skip


class Link(msgspec.Struct, frozen=True, array_like=True):
    """What a click on a link means. ``target`` is empty for a pixel."""

    target: str
    campaign_id: str | None = None
    """The mailing; it becomes the event's ``message_id``."""
    content_id: str | None = None
    content_type: str | None = None
    channel: str = "email"
    expires_ms: int | None = None
    """UTC milliseconds, in whole seconds; from then on the link leads nowhere. None: it never
    expires."""


class Recipient(msgspec.Struct, frozen=True, array_like=True):
    """Who a mail was sent to: a random-looking id, and what they had agreed to by then."""

    person_token: str
    """16 hex digits: the value of an identity in the namespace ``person_token``."""
    measure: bool
    profile: bool


class Unsubscribe(msgspec.Struct, frozen=True):
    """Who wants no more mail, told from which mailing."""

    person_token: str
    measure: bool
    """Whether they had agreed to be followed; without it only the wish itself is kept."""
    message_id: str | None = None


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
        ValueError: the target is no http(s) address that a browser follows as it reads, or the
            channel is none of ours.
    """
    if link.target and not is_safe_target(link.target):
        raise ValueError(f"not a safe http or https address: {link.target[:200]!r}")
    return seal(_LINK, _packed(link), workspace_id, number, secret)


def sign_recipient(recipient: Recipient, workspace_id: int, number: int, secret: bytes) -> str:
    """The person's token."""
    kind = _PERSON | recipient.measure | recipient.profile << 1
    return seal(kind, bytes.fromhex(recipient.person_token), workspace_id, number, secret)


def sign_unsubscribe(wish: Unsubscribe, workspace_id: int, number: int, secret: bytes) -> str:
    """The token by which somebody unsubscribes."""
    body = bytes.fromhex(wish.person_token) + (wish.message_id or "").encode()
    return seal(_UNSUBSCRIBE | wish.measure, body, workspace_id, number, secret)


def read_link(token: str, secret_of: SecretOf) -> tuple[int, Link] | None:
    """(workspace id, link), or None for anything that we did not sign."""
    read = unseal(token, secret_of)
    if read is None:
        return None
    version, kind, workspace_id, body = read
    if version == 1:
        if kind != _LINK_1:
            return None
        return workspace_id, msgspec.json.decode(body, type=Link)
    return (workspace_id, _unpacked(body)) if kind == _LINK else None


def read_recipient(token: str, secret_of: SecretOf) -> tuple[int, Recipient] | None:
    """(workspace id, recipient), or None for anything that we did not sign."""
    read = unseal(token, secret_of)
    if read is None:
        return None
    version, kind, workspace_id, body = read
    if version == 1:
        if kind != _PERSON_1:
            return None
        kind = _PERSON | body[_PERSON_BYTES]
    elif kind & ~3 != _PERSON:
        return None
    return workspace_id, Recipient(body[:_PERSON_BYTES].hex(), bool(kind & 1), bool(kind & 2))


def read_unsubscribe(token: str, secret_of: SecretOf) -> tuple[int, Unsubscribe] | None:
    """(workspace id, who unsubscribes), or None for anything that we did not sign."""
    read = unseal(token, secret_of)
    if read is None:
        return None
    version, kind, workspace_id, body = read
    if version == 1 or kind & ~1 != _UNSUBSCRIBE:
        return None
    message_id = body[_PERSON_BYTES:].decode() or None
    return workspace_id, Unsubscribe(body[:_PERSON_BYTES].hex(), bool(kind & 1), message_id)


def person_token_of(namespace: str, value: str, secret: bytes) -> str:
    """The ``person_token`` identity of a known identity: 16 hex digits, the same every time."""
    text = f"{namespace}\x1f{value}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=secret, digest_size=8, person=b"person token").hexdigest()


def _packed(link: Link) -> bytes:
    """Flags, then the fields that there are, then the target without its beginning."""
    scheme = max(
        (i for i, start in enumerate(_SCHEMES) if link.target.startswith(start)),
        key=lambda i: len(_SCHEMES[i]),
    )
    flags, fields = scheme, b""
    for flag, text in (
        (_CAMPAIGN, link.campaign_id),
        (_CONTENT, link.content_id),
        (_TYPE, link.content_type),
    ):
        if text is not None:
            flags |= flag
            fields += varint(len(text.encode())) + text.encode()
    if link.channel != _CHANNELS[0]:
        flags |= _CHANNEL
        fields += varint(_CHANNELS.index(link.channel))
    if link.expires_ms is not None:
        flags |= _EXPIRES
        fields += varint(-(-link.expires_ms // 1000))
    return bytes([flags]) + fields + link.target.removeprefix(_SCHEMES[scheme]).encode()


def _unpacked(body: bytes) -> Link:
    flags, at = body[0], 1
    texts: list[str | None] = []
    for flag in (_CAMPAIGN, _CONTENT, _TYPE):
        if not flags & flag:
            texts.append(None)
            continue
        length, at = number_at(body, at)
        texts.append(body[at : at + length].decode())
        at += length
    channel, expires_s = 0, None
    if flags & _CHANNEL:
        channel, at = number_at(body, at)
    if flags & _EXPIRES:
        expires_s, at = number_at(body, at)
    target = _SCHEMES[flags & _SCHEME] + body[at:].decode()
    expires_ms = None if expires_s is None else expires_s * 1000
    campaign_id, content_id, content_type = texts
    return Link(target, campaign_id, content_id, content_type, _CHANNELS[channel], expires_ms)
