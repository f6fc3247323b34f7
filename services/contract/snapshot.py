"""What the tracker must know to answer without a database: a small, versioned copy."""

from typing import Literal

import msgspec

from services.contract.hook import HookEntry


class KeyEntry(msgspec.Struct, frozen=True):
    """A key that may write, without the key itself."""

    digest: bytes
    """``keys.digest_of(key)``."""
    workspace_id: int
    kind: Literal["write", "server", "internal"]
    """``internal``: the product's own API and imports; may say anything a server may."""
    source_id: int
    asserted_consent: str | None = None
    """The sender's declaration that it holds consent to measure and profile, if it made one."""


class LinkSecret(msgspec.Struct, frozen=True):
    """One secret that signs a workspace's links; old numbers stay valid after rotation."""

    workspace_id: int
    number: int
    secret: bytes


class Snapshot(msgspec.Struct, frozen=True):
    """All keys and link secrets, and a version that changes when they do."""

    version: str
    keys: tuple[KeyEntry, ...] = ()
    link_secrets: tuple[LinkSecret, ...] = ()
    hooks: tuple[HookEntry, ...] = ()


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as JSON."""
    return msgspec.json.encode(snapshot)


_decoder = msgspec.json.Decoder(Snapshot)


def decode(value: bytes) -> Snapshot:
    """The snapshot again.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _decoder.decode(value)
