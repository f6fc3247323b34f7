"""What accept() is given: one HTTP request, already read and decompressed."""

from collections.abc import Mapping

import msgspec

BODY_BYTES_MAX = 4 * 2**20
"""Of a request's body, as it came and after decompression."""
EVENT_BYTES_MAX = 32_768
"""Of one event's JSON."""
BATCH_EVENTS_MAX = 5_000


class Request(msgspec.Struct, frozen=True):
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

    def header(self, name: bytes) -> str:
        """The header's value, empty where there is none."""
        return self.headers.get(name, b"").decode("latin-1")
