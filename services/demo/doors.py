"""The product's own HTTP doors, knocked on as a well-behaved server SDK does: with patience."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

TRIES_MAX = 60
WAIT_MAX_S = 10.0
CONNECTIONS = 8
_encode = msgspec.json.Encoder().encode
_BUSY = {429, 502, 503, 504}


@dataclass(frozen=True)
class Doors:
    """Where the product listens, and the demonstration workspace's keys."""

    base_url: str
    server_key: str
    api_key: str

    def open(self) -> httpx.AsyncClient:
        """A client for :func:`post` and for playing readers' hits; close it after use."""
        return httpx.AsyncClient(
            base_url=self.base_url,
            timeout=60,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=CONNECTIONS),
        )


class RefusedError(Exception):
    """The door said no, and would say it again."""


async def post(client: httpx.AsyncClient, path: str, key: str, body: Any) -> dict[str, Any]:
    """The answer's JSON. Waits and tries again while the door is busy or away.

    Raises:
        RefusedError: it was refused for good, or the door stayed shut for minutes.
    """
    return await _send(client, "POST", path, key, body)


async def put(client: httpx.AsyncClient, path: str, key: str, body: Any) -> dict[str, Any]:
    """As :func:`post`, where the address names what is put there."""
    return await _send(client, "PUT", path, key, body)


async def _send(
    client: httpx.AsyncClient, method: str, path: str, key: str, body: Any
) -> dict[str, Any]:
    content = _encode(body)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    reason = ""
    for _ in range(TRIES_MAX):
        try:
            response = await client.request(method, path, content=content, headers=headers)
        except httpx.TransportError as error:
            reason = repr(error)
            await asyncio.sleep(1)
            continue
        if response.is_success:
            return dict(response.json())
        reason = f"{response.status_code} {response.text[:500]}"
        if response.status_code not in _BUSY:
            break
        await asyncio.sleep(_wait_s(response.headers.get("Retry-After", "")))
    raise RefusedError(f"{method} {path}: {reason}")


def _wait_s(retry_after: str) -> float:
    return min(float(retry_after), WAIT_MAX_S) if retry_after.isdigit() else 1.0
