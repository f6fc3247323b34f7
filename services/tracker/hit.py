"""A hit that its connection is busy with."""

import msgspec

from services.tracker.request import BODY_BYTES_MAX
from services.tracker.routes import Route


class Hit(msgspec.Struct, gc=False):
    """A request that is answered here.

    It stands where uvicorn has its own request cycle, and has what uvicorn asks of one.
    """

    route: Route
    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]
    keep_alive: bool
    body: bytes | bytearray = b""
    response_complete: bool = False
    disconnected: bool = False

    @property
    def message_event(self) -> "Hit":
        """Set when the connection is lost; nobody waits for that."""
        return self

    def set(self) -> None:
        """See :attr:`message_event`."""

    def add(self, part: bytes) -> None:
        """A part of the body.

        What is too large is read to its end but not kept: a client that is cut off in the middle
        of sending sees a broken connection, not the answer, and tries again.
        """
        if not self.body:
            self.body = part
        elif len(self.body) <= BODY_BYTES_MAX:
            if isinstance(self.body, bytes):
                self.body = bytearray(self.body)
            self.body += part
