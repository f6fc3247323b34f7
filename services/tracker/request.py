"""What accept() is given: one HTTP request, already read and decompressed."""

from collections.abc import Mapping, Sequence

import msgspec

BODY_BYTES_MAX = 4 * 2**20
"""Of a request's body, as it came and after decompression."""
EVENT_BYTES_MAX = 32_768
"""Of one event's JSON."""
BATCH_EVENTS_MAX = 5_000


def headers_of(pairs: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name, the last value of each; of those in ``_LISTS`` all of them."""
    headers = dict(pairs)
    if len(headers) < len(pairs):
        for name in _LISTS & headers.keys():
            headers[name] = b", ".join([value for one, value in pairs if one == name])
    return headers


_LISTS = frozenset({b"sec-gpc", b"dnt", b"x-forwarded-for", b"forwarded"})
"""Proxies add lines of their own to what the browser and others before them said."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """One HTTP request.

    ``request_id`` is random: whatever needs an id and brought none gets one made from it.
    Header names are in lower case.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    request_id: str
    query: bytes = b""
    body: bytes = b""
    peer: str = ""
    """The address that the connection came from; a proxy's where there is one before us."""
    address: str | None = None
    """Of the client, where a click is to be marked with its origin and somebody vouches for it."""

    def header(self, name: bytes) -> str:
        """The header's value, empty where there is none."""
        return self.headers.get(name, b"").decode("latin-1")
