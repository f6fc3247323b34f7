"""Dashboard sessions: a signed cookie that names the api key it was opened with.

Nothing is stored: a session ends with its time, or when its key is revoked.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct

from fastapi import Request, Response

from services.api.auth import Credential
from services.api.context import Context

COOKIE = "kentering_session"
LIFETIME_MS = 12 * 3_600_000
NEEDED_SCOPES = frozenset({"persons:read", "segments:read", "changes:read", "workspace:read"})

_BODY = struct.Struct(">QQ")
_MAC_BYTES = 16
# Where processes share no key, sessions end with the process.
_OWN_SECRET = secrets.token_hex(32)


def open_session(
    here: Context, credential: Credential, request: Request, response: Response
) -> None:
    """Let the browser come back as this credential."""
    body = _BODY.pack(credential.key_id, here.clock() + LIFETIME_MS)
    token = base64.urlsafe_b64encode(body + _mac(here, body)).decode()
    response.set_cookie(
        COOKIE,
        token,
        max_age=LIFETIME_MS // 1000,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def close_session(response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


def session_of(here: Context, request: Request) -> Credential | None:
    """The credential of a browser that logged in, if it did."""
    try:
        raw = base64.urlsafe_b64decode(request.cookies.get(COOKIE, ""))
    except (binascii.Error, ValueError):
        return None
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(body) != _BODY.size or not hmac.compare_digest(_mac(here, body), mac):
        return None
    key_id, until_ms = _BODY.unpack(body)
    credential = here.keys.by_id(key_id) if here.clock() < until_ms else None
    return credential if credential is not None and may_enter(credential) else None


def may_enter(credential: Credential) -> bool:
    """Whether a credential may see what the dashboard shows."""
    return credential.kind == "api" and credential.scopes >= NEEDED_SCOPES


def _mac(here: Context, body: bytes) -> bytes:
    secret = hashlib.sha256((here.internal_key or _OWN_SECRET).encode()).digest()
    return hashlib.blake2b(body, key=secret, digest_size=_MAC_BYTES, person=b"session").digest()
