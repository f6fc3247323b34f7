"""Withdrawals on their way to the trackers: marks that name nobody, in numbered order."""

import hashlib

import msgspec

from services.contract.event import Identity

MARK_BYTES = 8
PAGE_MAX = 1_000
"""Taken in within two milliseconds, during which a tracker answers nobody."""


class Withdrawal(msgspec.Struct, frozen=True, array_like=True):
    """What holds for whoever bears a mark."""

    workspace_id: int
    mark: bytes
    measure_ms: int | None
    """When consent to be measured was taken back; None: it was not, or was given again."""
    profile_ms: int | None


class Page(msgspec.Struct, frozen=True):
    """Withdrawals after a number, oldest first; a later one of the same mark replaces it."""

    reached: int
    """Ask on after this number."""
    newest: int
    """The last number given out; below what the reader has reached: begin anew."""
    withdrawals: tuple[Withdrawal, ...] = ()


def mark_of(identity: Identity, secret: bytes) -> bytes:
    """8 bytes that tell an identity to whoever has the secret and knows it already.

    Args:
        identity: spelled as events spell it.
        secret: the workspace's first link secret, which is never replaced.
    """
    text = f"{identity.namespace}\x1f{identity.value}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(
        text, key=secret[:64], digest_size=MARK_BYTES, person=b"withdrawal"
    ).digest()


def encode(page: Page) -> bytes:
    """The page as MessagePack."""
    return msgspec.msgpack.encode(page)


_decoder = msgspec.msgpack.Decoder(Page)


def decode(value: bytes) -> Page:
    """The page again.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _decoder.decode(value)
