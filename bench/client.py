"""A small HTTP client: kept connections, whole requests in, whole answers out.

Made for measuring: it costs far less than the server that it asks, and an answer's time is taken
where the answer is read.
"""

import asyncio
import re
from typing import Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Connection:
    """One connection, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        """A connection to a port of this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**20))

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer to a request.

        Raises:
            RuntimeError: the answer is an error.
        """
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await self._reader.readexactly(int(length[1])) if length is not None else b""
        if head[9:10] not in b"23":
            raise RuntimeError((head + body).decode(errors="replace"))
        return body

    async def close(self) -> None:
        """Let go."""
        self._writer.close()
        await self._writer.wait_closed()
