"""Who sends: the key in the header, in the body or in the query, in this order."""

import base64
import binascii
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import msgspec

from services.contract.snapshot import KeyEntry
from services.tracker.directory import Directory
from services.tracker.reasons import RefusedRequestError
from services.tracker.request import Request

WORKSPACE_HEADER = b"x-kentering-workspace"

_REMEMBERED_MAX = 4_096
_REMEMBERED_LENGTH_MAX = 200


def sender_of(request: Request, directory: Directory, body_key: Any) -> KeyEntry:
    """The entry of the key that the request shows.

    Raises:
        RefusedRequestError: there is none, it is unknown, or it does not say its workspace.
    """
    key = _key_in_header(request) or body_key or _key_in_query(request)
    if not key or not isinstance(key, str):
        raise RefusedRequestError("missing_key")
    entry = directory.entry_of(key)
    if entry is None:
        raise RefusedRequestError("wrong_key")
    return _for_workspace(entry, request) if entry.kind == "internal" else entry


def _for_workspace(entry: KeyEntry, request: Request) -> KeyEntry:
    number = request.header(WORKSPACE_HEADER)
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise RefusedRequestError("no_workspace")
    return msgspec.structs.replace(entry, workspace_id=int(number))


def _key_in_header(request: Request) -> str | None:
    header = request.headers.get(b"authorization")
    if header is None:
        return None
    read = _read_header if len(header) <= _REMEMBERED_LENGTH_MAX else _read_header.__wrapped__
    return read(header)


@lru_cache(maxsize=_REMEMBERED_MAX)
def _read_header(header: bytes) -> str | None:
    scheme, _, value = header.decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "unreadable"  # a header that says nothing is still a wrong key, not a missing one
    return pair.partition(":")[0]


def _key_in_query(request: Request) -> str | None:
    if not request.query:
        return None
    values = parse_qs(request.query.decode("latin-1"))
    for name in ("writeKey", "key"):
        if name in values:
            return values[name][0]
    return None
