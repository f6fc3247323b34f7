"""An answer as the bytes that go over the wire, the same as uvicorn makes of it."""

from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus

from services.tracker.answers import Headers, Reply

_CLOSE = (b"connection", b"close")
_CACHED_MAX = 1024

BROKEN = Reply(
    500,
    ((b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"21"), _CLOSE),
    b"Internal Server Error",
)
"""What uvicorn answers for an application that failed."""


def head_of(
    reply: Reply, first: Iterable[tuple[bytes, bytes]], *, keep_alive: bool
) -> tuple[bytes, bool]:
    """All before the body, and whether the connection closes behind it.

    Args:
        reply: what is answered.
        first: headers of the server's own, as the date.
        keep_alive: whether the client may go on.
    """
    lines, closes = _lines(reply.headers)
    if not keep_alive and not closes:
        lines, closes = lines + b"connection: close\r\n", True
    own, _ = _lines(tuple(first))
    return b"%b%b%b\r\n" % (_STATUS_LINES[reply.status], own, lines), closes


@lru_cache(maxsize=_CACHED_MAX)
def _lines(headers: Headers) -> tuple[bytes, bool]:
    """Most answers have the headers of others before them, or one of their own."""
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    # Nothing that came from outside may begin a line of its own.
    if lines.count(b"\n") != len(headers) or lines.count(b"\r") != len(headers):
        raise ValueError("a header's value holds a line end")
    return lines, _CLOSE in headers


_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}
