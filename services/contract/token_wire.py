"""How a token's fields become text and come back: head, body, MAC, in base64url.

The shape is told in ``services/contract/token.py``, which says what stands in a body.
"""

import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable
from functools import lru_cache

VERSION_2 = 0x20
_HEAD_1 = struct.Struct(">BBHI")
_MAC_BYTES_1, _MAC_BYTES = 12, 9
_SHORTEST = 3 + _MAC_BYTES
_SHIFT_MAX = 35
"""Numbers have at most five bytes."""
TOKEN_LENGTH_MAX = 4096
_HASHERS_MAX = 1024

# What the last character may be, by the length's rest: the bits beyond the last byte are zero,
# so that one token has one spelling.
_LAST_CHARACTERS = {0: None, 2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
_PADDING = {0: b"", 2: b"==", 3: b"="}
# As bytes: a text's translate takes ten times as long.
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/   ")
_TO_URL = bytes.maketrans(b"+/", b"-_")

SecretOf = Callable[[int, int], bytes | None]
"""(workspace id, secret number) → the secret, or None where there is none."""


Genuine = tuple[int, int, int, bytes]
"""What a token that we signed holds: version, kind, workspace id, body."""


def seal(kind: int, body: bytes, workspace_id: int, number: int, secret: bytes) -> str:
    """A token of version 2."""
    signed = bytes([VERSION_2 | kind]) + varint(number) + varint(workspace_id) + body
    raw = signed + _mac(signed, secret, _MAC_BYTES)
    return binascii.b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def unseal(token: str, secret_of: SecretOf) -> Genuine | None:
    """What the token holds, or None for anything that we did not sign."""
    raw = _bytes_of(token)
    if len(raw) < _SHORTEST:
        return None
    if raw[0] == 1:
        return _unseal_version_1(raw, secret_of)
    if raw[0] & 0xF0 != VERSION_2:
        return None
    signed, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    try:
        number, at = number_at(signed, 1)
        workspace_id, at = number_at(signed, at)
    except IndexError:
        return None
    if not _is_genuine(signed, mac, secret_of(workspace_id, number)):
        return None
    return 2, raw[0] & 0x0F, workspace_id, signed[at:]


def _unseal_version_1(raw: bytes, secret_of: SecretOf) -> Genuine | None:
    if len(raw) < _HEAD_1.size + _MAC_BYTES_1:
        return None
    signed, mac = raw[:-_MAC_BYTES_1], raw[-_MAC_BYTES_1:]
    _, kind, number, workspace_id = _HEAD_1.unpack_from(signed)
    if not _is_genuine(signed, mac, secret_of(workspace_id, number)):
        return None
    return 1, kind, workspace_id, signed[_HEAD_1.size :]


def _is_genuine(signed: bytes, mac: bytes, secret: bytes | None) -> bool:
    # Without a secret the same work is done, so that the answer's time tells nothing.
    genuine = hmac.compare_digest(_mac(signed, secret or b"no such secret", len(mac)), mac)
    return genuine and secret is not None


def _mac(signed: bytes, secret: bytes, size: int) -> bytes:
    hasher = _hasher(secret, size).copy()
    hasher.update(signed)
    return hasher.digest()


@lru_cache(maxsize=_HASHERS_MAX)
def _hasher(secret: bytes, size: int) -> hashlib.blake2b:
    """A keyed hash to copy, which costs half of making one."""
    return hashlib.blake2b(key=secret, digest_size=size, person=b"token")


def _bytes_of(token: str) -> bytes:
    """The token's bytes; empty for what is no base64url in its one spelling."""
    rest = len(token) & 3
    if len(token) > TOKEN_LENGTH_MAX or rest == 1 or not token:
        return b""
    last = _LAST_CHARACTERS[rest]
    if last is not None and token[-1] not in last:
        return b""
    try:
        text = token.encode().translate(_TO_STANDARD) + _PADDING[rest]
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return b""


def varint(number: int) -> bytes:
    """Seven bits a byte, low ones first."""
    packed = bytearray()
    while number > 0x7F:
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    packed.append(number)
    return bytes(packed)


def number_at(packed: bytes, at: int) -> tuple[int, int]:
    """The varint that begins at ``at``, and where it ends.

    Raises:
        IndexError: it does not end.
    """
    byte = packed[at]
    if byte <= 0x7F:
        return byte, at + 1
    number, shift = byte & 0x7F, 7
    while byte > 0x7F:
        if shift > _SHIFT_MAX:
            raise IndexError
        at += 1
        byte = packed[at]
        number |= (byte & 0x7F) << shift
        shift += 7
    return number, at + 1
