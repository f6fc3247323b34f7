"""The snapshot, arranged for looking things up."""

from collections.abc import Iterable

import msgspec

from services.contract.event import Identity, content_type_of
from services.contract.hook import HookEntry
from services.contract.keys import digest_of
from services.contract.snapshot import KeyEntry, Snapshot
from services.contract.token import Link, read_link
from services.contract.withdrawal import mark_of
from services.tracker.clean import clean_id
from services.tracker.hooks.memory import Memory
from services.tracker.withdrawals import Withdrawals

_CACHED_KEYS_MAX = 10_000
_CACHED_LINKS_MAX = 10_000


class Directory:
    """Who may write, and which secrets sign links. Made anew with every snapshot."""

    def __init__(
        self,
        snapshot: Snapshot,
        memory: Memory | None = None,
        withdrawals: Withdrawals | None = None,
    ) -> None:
        self.version = snapshot.version
        self.memory = Memory() if memory is None else memory
        """What mailers' webhooks need beside the snapshot; goes on from one to the next."""
        self._withdrawals = Withdrawals() if withdrawals is None else withdrawals
        self._hooks = {entry.id: entry for entry in snapshot.hooks}
        self._keys = {entry.digest: entry for entry in snapshot.keys}
        self._secrets = {(s.workspace_id, s.number): s.secret for s in snapshot.link_secrets}
        # The first secret of each workspace: the list is in the order of numbers.
        self._mark_secrets: dict[int, bytes] = {}
        for one in snapshot.link_secrets:
            self._mark_secrets.setdefault(one.workspace_id, one.secret)
        # What was found genuine, and nothing else: guesses cannot fill these.
        self._seen: dict[str, KeyEntry] = {}
        self._links: dict[str, tuple[int, Link]] = {}

    def entry_of(self, key: str) -> KeyEntry | None:
        """What the key may do, or None for a key that we did not give."""
        entry = self._seen.get(key)
        if entry is None:
            entry = self._keys.get(digest_of(key))
            if entry is not None and len(self._seen) < _CACHED_KEYS_MAX:
                self._seen[key] = entry
        return entry

    def hook_of(self, hook_id: str) -> HookEntry | None:
        """A mailer's webhook, or None where there is none of this id."""
        return self._hooks.get(hook_id)

    def secret_of(self, workspace_id: int, number: int) -> bytes | None:
        """The secret that signed a token, as ``services.contract.token`` asks for it."""
        return self._secrets.get((workspace_id, number))

    def mark_secret_of(self, workspace_id: int) -> bytes | None:
        """The secret of a workspace's marks: it stays when the one that signs is another."""
        return self._mark_secrets.get(workspace_id)

    def has_withdrawals(self, workspace_id: int) -> bool:
        """Whether anybody in the workspace took consent back."""
        return self._withdrawals.concern(workspace_id)

    def withdrawn(
        self, workspace_id: int, identities: Iterable[Identity]
    ) -> tuple[int | None, int | None]:
        """When ``measure`` and when ``profile`` were last taken back by any of these."""
        secret = self.mark_secret_of(workspace_id)
        if secret is None:
            return None, None
        marks = [mark_of(identity, secret) for identity in identities]
        return self._withdrawals.of(workspace_id, marks)

    def link_of(self, token: str) -> tuple[int, Link] | None:
        """(workspace id, link) of a link's token, or None for one that we did not sign.

        Its ids are cleaned. A mailing's links are few and come in thousands, so they are
        remembered.
        """
        link = self._links.get(token)
        if link is None:
            read = read_link(token, self.secret_of)
            if read is not None:
                link = read[0], _cleaned(read[1])
                if len(self._links) >= _CACHED_LINKS_MAX:
                    self._links.clear()
                self._links[token] = link
        return link


def _cleaned(link: Link) -> Link:
    return msgspec.structs.replace(
        link,
        campaign_id=clean_id(link.campaign_id),
        content_id=clean_id(link.content_id),
        content_type=content_type_of(clean_id(link.content_type) or "") or None,
    )
