"""Keys: how they look, and how they are kept."""

import hashlib
import secrets
from typing import Literal

KeyKind = Literal["write", "server", "api"]

_PREFIX: dict[KeyKind, str] = {"write": "kw", "server": "ks", "api": "ka"}


def new_key(kind: KeyKind) -> str:
    """A fresh key of 192 random bits; its prefix tells what it may do.

    ``write`` keys stand in web pages and can only write; ``server`` keys may also say what only
    an employer's systems know; ``api`` keys read and manage, within their scopes.
    """
    return f"{_PREFIX[kind]}_{secrets.token_urlsafe(24)}"


def digest_of(key: str) -> bytes:
    """What is stored of a key. A fast hash is enough for 192 random bits."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
