"""HTTP to addresses that somebody else chose: we connect to the very address that was checked."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import httpcore
import httpx

CONNECT_S_MAX = 5.0
WHOLE_S_MAX = 15.0
"""From resolving the name to the last byte that is read of the answer."""
ANSWER_BYTES_MAX = 4_096
"""Of an answer's body; what is longer is cut off, and its connection with it."""
ADDRESSES_TRIED_MAX = 3
KEEP_ALIVE_S = 20.0

Check = Callable[[Iterable[str]], list[str]]
"""The addresses of a host's name if all of them may be connected to; else it raises."""


class Answer(NamedTuple):
    """What came of a request."""

    status: int | None
    """None: there was no answer."""
    error: str | None
    """Why not."""
    retry_after: str | None
    took_ms: int


def addresses_of(host: str, port: int) -> list[str]:
    """The IP addresses that a name has now.

    Raises:
        OSError: it has none, or nobody says.
    """
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that ``check`` let pass, never to a name."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  as its base has it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the name's addresses that answers.

        Raises:
            httpcore.ConnectError: none does.
            ValueError: what ``check`` says of them.
        """
        try:
            found = await asyncio.to_thread(addresses_of, host, port)
        except OSError as error:
            raise httpcore.ConnectError("its name has no address") from error
        failure: Exception = httpcore.ConnectError("its name has no address")
        for address in self._check(found)[:ADDRESSES_TRIED_MAX]:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """As its base has it."""
        await asyncio.sleep(seconds)


class Outbound:
    """Requests to one host: redirects are not followed, and no proxy stands between.

    Args:
        check: of every address before it is connected to.
        connections_max: open at one time.
    """

    def __init__(self, check: Check, connections_max: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=connections_max,
            max_keepalive_connections=connections_max,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=CheckedNetwork(check),
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send, and wait for the answer; every failure is an answer too."""
        begun_s = time.monotonic()
        status = retry_after = error = None
        try:
            async with asyncio.timeout(WHOLE_S_MAX):
                status, retry_after = await self._post(url, headers, body)
        except (TimeoutError, httpcore.TimeoutException):
            error = "timeout"
        except (httpcore.NetworkError, OSError):
            error = "no connection"
        except httpcore.ProtocolError:
            error = "not HTTP"
        except ValueError as refused:
            error = str(refused)
        return Answer(status, error, retry_after, round((time.monotonic() - begun_s) * 1000))

    async def close(self) -> None:
        """Let go of its connections."""
        await self._pool.aclose()

    async def _post(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str | None]:
        limits = dict.fromkeys(("connect", "pool"), CONNECT_S_MAX)
        limits |= dict.fromkeys(("read", "write"), WHOLE_S_MAX)
        asked = self._pool.stream(
            "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": limits}
        )
        async with asked as response:
            told = dict(response.headers)
            size = 0
            async for part in response.aiter_stream():
                size += len(part)
                if size > ANSWER_BYTES_MAX:
                    break
            retry_after = told.get(b"Retry-After", told.get(b"retry-after"))
        return response.status, None if retry_after is None else retry_after.decode("latin-1")
