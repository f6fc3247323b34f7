"""Passwords: hashed by Argon2id, checked by a bounded number of requests at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.api.problem import Problem

LENGTH_MIN = 12
LENGTH_MAX = 200
AT_ONCE_MAX = 2
"""Each takes 64 MiB and a processor while it is checked."""
WAIT_S_MAX = 5.0

_hasher = PasswordHasher()  # Argon2id as RFC 9106 advises where memory is dear
_places = threading.BoundedSemaphore(AT_ONCE_MAX)


def hash_of(password: str) -> str:
    """What is stored of a password.

    Raises:
        Problem: 503, too many are being checked.
    """
    with _place():
        return _hasher.hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Whether it is the password; without a stored one it takes as long, and is not.

    Raises:
        Problem: 503, too many are being checked.
    """
    with _place():
        try:
            return _hasher.verify(stored or _nobodys(), password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys() -> str:
    return _hasher.hash("a password that nobody has")


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=WAIT_S_MAX):
        raise Problem(503, "busy", "Too many log in just now.", {"Retry-After": "5"})
    try:
        yield
    finally:
        _places.release()
