"""HTTP to addresses that somebody else chose: we connect to the very address that was checked."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from ssl import SSLContext
from typing import NamedTuple

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

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


class CheckedResolver(AbstractResolver):
    """Finds only addresses that ``check`` let pass."""

    def __init__(self, check: Check) -> None:
        self._check = check

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  as its base has it
    ) -> list[ResolveResult]:
        """The first of a name's addresses.

        Raises:
            OSError: it has none.
            ValueError: what ``check`` says of them.
        """
        found = await asyncio.to_thread(addresses_of, host, port)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in self._check(found)[:ADDRESSES_TRIED_MAX]
        ]

    async def close(self) -> None:
        """As its base has it."""


class Outbound:
    """Requests to one host: redirects are not followed, and no proxy stands between.

    Args:
        check: of every address before it is connected to.
        connections_max: open at one time.
    """

    def __init__(self, check: Check, connections_max: int) -> None:
        def checked_socket(address: aiohttp.AddrInfoType) -> socket.socket:
            # An address that stands in the URL itself is not looked up: here comes every one.
            check([str(address[4][0])])
            return socket.socket(*address[:3])

        connector = aiohttp.TCPConnector(
            ssl=_tls(),
            limit=connections_max,
            keepalive_timeout=KEEP_ALIVE_S,
            resolver=CheckedResolver(check),
            use_dns_cache=False,
            happy_eyeballs_delay=None,
            socket_factory=checked_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": "Kentering"},
            skip_auto_headers=("Accept", "Accept-Encoding"),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_S_MAX),
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send, and wait for the answer; every failure is an answer too."""
        begun_s = time.monotonic()
        status = retry_after = error = None
        try:
            async with asyncio.timeout(WHOLE_S_MAX):
                status, retry_after = await self._post(URL(url, encoded=True), headers, body)
        except TimeoutError:
            error = "timeout"
        except (aiohttp.ClientConnectionError, OSError):
            error = "no connection"
        except aiohttp.ClientError:
            error = "not HTTP"
        except ValueError as refused:
            error = str(refused)
        return Answer(status, error, retry_after, round((time.monotonic() - begun_s) * 1000))

    async def close(self) -> None:
        """Let go of its connections."""
        await self._session.close()

    async def _post(
        self, url: URL, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str | None]:
        asked = self._session.post(url, data=body, headers=headers, allow_redirects=False)
        async with asked as response:
            size = 0
            async for part in response.content.iter_any():
                size += len(part)
                if size > ANSWER_BYTES_MAX:
                    response.close()
                    break
            return response.status, response.headers.get("Retry-After")


@cache
def _tls() -> SSLContext:
    """One for all: it holds every authority that is trusted."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
