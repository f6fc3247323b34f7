"""The least that uvicorn can do: an ASGI application that answers, and nothing else."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_BODY = b"GIF89a" + bytes(37)
_HEADERS = [(b"content-type", b"image/gif"), (b"content-length", str(len(_BODY)).encode())]
Message = MutableMapping[str, Any]


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],  # noqa: ARG001  the body is not even asked for
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer whatever is asked as a pixel is answered."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _BODY})
