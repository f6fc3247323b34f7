"""Sending to the product's own doors, patiently: what a well-behaved server SDK does."""

import asyncio

import httpx
import msgspec

from services.demo.calls import Call

TRIES_MAX = 60
WAIT_MAX_S = 10.0
_encode = msgspec.json.Encoder().encode


class RefusedError(Exception):
    """The door said no, and would say it again."""


async def post(client: httpx.AsyncClient, path: str, body: Call) -> Call:
    """The answer's JSON. Waits and tries again while the door is busy or away.

    Raises:
        RefusedError: it was refused for good, or the door stayed shut for some minutes.
    """
    content = _encode(body)
    for _ in range(TRIES_MAX):
        try:
            response = await client.post(
                path, content=content, headers={"Content-Type": "application/json"}
            )
        except httpx.TransportError as error:
            reason = repr(error)
            await asyncio.sleep(1)
            continue
        if response.is_success:
            return dict(response.json())
        reason = f"{response.status_code} {response.text[:500]}"
        if response.status_code not in {429, 502, 503, 504}:
            break
        await asyncio.sleep(_wait_s(response.headers.get("Retry-After", "1")))
    raise RefusedError(f"POST {path}: {reason}")


def _wait_s(retry_after: str) -> float:
    return min(float(retry_after), WAIT_MAX_S) if retry_after.isdigit() else 1.0
