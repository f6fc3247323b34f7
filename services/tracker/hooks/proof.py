"""Proofs that several mailers share: a password, and the moment of a signature."""

import base64
import binascii
import hmac

from services.contract.hook import HookEntry
from services.tracker.reasons import RefusedRequestError
from services.tracker.request import Request

AHEAD_MS_MAX = 600_000
"""So far a mailer's clock may be ahead of ours."""


def check_password(request: Request, hook: HookEntry) -> None:
    """User name and password as Basic authentication, or the password alone as Bearer token.

    Raises:
        RefusedRequestError: there is none, or another.
    """
    scheme, _, value = request.header(b"authorization").partition(" ")
    expected = hook.secrets["password"].encode()
    if scheme.lower() == "bearer":
        given = value.strip().encode("latin-1")
    elif scheme.lower() == "basic":
        expected = hook.secrets["username"].encode() + b":" + expected
        given = _decoded(value)
    else:
        raise RefusedRequestError("no_signature")
    if not hmac.compare_digest(given, expected):
        raise RefusedRequestError("bad_signature")


def check_secret(request: Request, secret: str) -> None:
    """The secret as the password of Basic authentication, whoever the user, or as Bearer token.

    Raises:
        RefusedRequestError: there is none, or another.
    """
    scheme, _, value = request.header(b"authorization").partition(" ")
    if scheme.lower() == "bearer":
        given = value.strip().encode("latin-1")
    elif scheme.lower() == "basic":
        given = _decoded(value).partition(b":")[2]
    else:
        raise RefusedRequestError("no_signature")
    if not hmac.compare_digest(given, secret.encode()):
        raise RefusedRequestError("bad_signature")


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def check_moment(seconds: str, now_ms: int, age_ms_max: int) -> None:
    """That a signature was made not too long ago.

    Raises:
        RefusedRequestError: it was, or lies ahead, or tells no moment.
    """
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 14):
        raise RefusedRequestError("bad_signature")
    age_ms = now_ms - int(seconds) * 1000
    if not -AHEAD_MS_MAX <= age_ms <= age_ms_max:
        raise RefusedRequestError("stale_signature")
