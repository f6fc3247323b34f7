"""Fetches the snapshot from the API over HTTP."""

import httpx

from services.contract import snapshot as wire
from services.contract import withdrawal
from services.contract.snapshot import Snapshot

TIMEOUT_S = 5.0


class HttpSnapshotSource:
    """``GET {api_url}/internal/snapshot``, asking for changes only.

    Args:
        api_url: where the API is.
        internal_key: what the product's own processes share.
    """

    def __init__(self, api_url: str, internal_key: str) -> None:
        self._url = f"{api_url.rstrip('/')}/internal/snapshot"
        self._withdrawals_url = f"{api_url.rstrip('/')}/internal/withdrawals"
        self._etag = ""
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {internal_key}"}, timeout=TIMEOUT_S
        )

    def __call__(self) -> Snapshot | None:
        """The snapshot, or None while it is the one that we were given before.

        Raises:
            httpx.HTTPError: the API is away or refuses.
            msgspec.DecodeError: it answered something else.
        """
        asked = {"If-None-Match": self._etag} if self._etag else {}
        answer = self._client.get(self._url, headers=asked)
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return None
        answer.raise_for_status()
        snapshot = wire.decode(answer.content)
        self._etag = answer.headers.get("ETag", "")
        return snapshot

    def withdrawals(self, after: int) -> withdrawal.Page:
        """Who took consent back after a number; may be asked in another thread.

        Raises:
            httpx.HTTPError: the API is away or refuses.
            msgspec.DecodeError: it answered something else.
        """
        answer = self._client.get(self._withdrawals_url, params={"after": after})
        answer.raise_for_status()
        return withdrawal.decode(answer.content)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
