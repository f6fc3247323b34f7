"""Reads a request's body, bounded in size and time, and unpacks it."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from services.tracker.reasons import RefusedRequestError
from services.tracker.request import BODY_BYTES_MAX

BODY_SECONDS_MAX = 30.0
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_MEMBERS_MAX = 100
"""Each copies what lies behind it: 4 MiB of empty ones would take a core for many seconds."""
_GZIP_WINDOW = 31  # zlib's word for: a gzip header, the largest window

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class ClientGoneError(Exception):
    """The client left before its body was complete: nobody waits for an answer."""


async def read_body(receive: Receive) -> bytes:
    """The body, unpacked where its first bytes say that it is packed.

    Raises:
        RefusedRequestError: too large, too slow, or packed and broken.
        ClientGoneError: the client left.
    """
    message = await receive()
    if message.get("more_body"):
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                body = await _read_on(message, receive)
        except TimeoutError:
            raise RefusedRequestError("slow_body") from None
    else:
        body = _part(message)
    return whole_body(body)


def whole_body(body: bytes) -> bytes:
    """A body that came to its end, unpacked where its first bytes say that it is packed.

    Raises:
        RefusedRequestError: too large, or packed and broken.
    """
    if len(body) > BODY_BYTES_MAX:
        raise RefusedRequestError("too_large")
    return unpack(body) if body[:2] == _GZIP_MAGIC else body


async def _read_on(message: MutableMapping[str, Any], receive: Receive) -> bytes:
    body = bytearray(_part(message))
    while message.get("more_body"):
        message = await receive()
        # What is too large is read to its end but not kept: a client that is cut off in the
        # middle of sending sees a broken connection, not the answer, and tries again.
        if len(body) <= BODY_BYTES_MAX:
            body += _part(message)
    return bytes(body)


def _part(message: MutableMapping[str, Any]) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    part: bytes = message.get("body", b"")
    return part


def unpack(packed: bytes) -> bytes:
    """What a gzip body holds.

    Raises:
        RefusedRequestError: it holds more than BODY_BYTES_MAX, is broken, or in too many parts.
    """
    body = b""
    for _ in range(_GZIP_MEMBERS_MAX):
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            body += member.decompress(packed, BODY_BYTES_MAX + 1 - len(body))
        except zlib.error:
            raise RefusedRequestError("malformed") from None
        if len(body) > BODY_BYTES_MAX:
            raise RefusedRequestError("too_large")
        if not member.eof:
            raise RefusedRequestError("malformed")
        packed = member.unused_data
        if not packed:
            return body
    raise RefusedRequestError("malformed")
