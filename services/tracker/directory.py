"""The snapshot, arranged for looking things up."""

from services.contract.keys import digest_of
from services.contract.snapshot import KeyEntry, Snapshot

_CACHED_KEYS_MAX = 10_000


class Directory:
    """Who may write, and which secrets sign links. Made anew with every snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.version = snapshot.version
        self._keys = {entry.digest: entry for entry in snapshot.keys}
        self._secrets = {(s.workspace_id, s.number): s.secret for s in snapshot.link_secrets}
        # Genuine keys only, so that guesses cannot fill it.
        self._seen: dict[str, KeyEntry] = {}

    def entry_of(self, key: str) -> KeyEntry | None:
        """What the key may do, or None for a key that we did not give."""
        entry = self._seen.get(key)
        if entry is None:
            entry = self._keys.get(digest_of(key))
            if entry is not None and len(self._seen) < _CACHED_KEYS_MAX:
                self._seen[key] = entry
        return entry

    def secret_of(self, workspace_id: int, number: int) -> bytes | None:
        """The secret that signed a token, as ``services.contract.token`` asks for it."""
        return self._secrets.get((workspace_id, number))
