"""The one door through which personal values go into the database and come back.

Today values stand as they are. When payloads get a key per identity and look-up columns become
keyed hashes, only this file changes.
"""

from services.contract.event import Identity


def seal_payload(envelope: bytes) -> bytes:
    """What is stored of an event."""
    return envelope


def open_payload(stored: bytes) -> bytes:
    """The event's envelope again."""
    return stored


def lookup_value(identity: Identity) -> str:
    """What the ``identity.value`` column holds, for finding somebody by it."""
    return identity.value


def shown_value(stored: str) -> str:
    """The identity's value as its owner's systems know it."""
    return stored


def seal_secret(secret: bytes) -> bytes:
    """What is stored of a secret that we were given to verify somebody else's calls by."""
    return secret


def open_secret(stored: bytes) -> bytes:
    """The secret again."""
    return stored
