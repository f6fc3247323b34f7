"""An answer as the bytes that go over the wire, the same as uvicorn makes of it."""

from functools import lru_cache
from http import HTTPStatus

from services.tracker.answers import Headers, Reply

_CLOSE = (b"connection", b"close")
_REMEMBERED_MAX = 1024
_FOUND = 302  # an enum's member takes its time

BROKEN = Reply(
    500,
    ((b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"21"), _CLOSE),
    b"Internal Server Error",
)
"""What uvicorn answers for an application that failed."""


def head_of(reply: Reply, own: Headers, *, keep_alive: bool) -> tuple[bytes, bool]:
    """All before the body, and whether the connection closes behind it.

    Args:
        reply: what is answered.
        own: headers of the server's own, as the date.
        keep_alive: whether the client may go on.
    """
    # An answer has the headers of others before it; but a redirect's are its alone.
    make = _head.__wrapped__ if reply.status == _FOUND else _head
    return make(reply.status, own, reply.headers, keep_alive)


@lru_cache(maxsize=_REMEMBERED_MAX)
def _head(status: int, own: Headers, headers: Headers, keep_alive: bool) -> tuple[bytes, bool]:  # noqa: FBT001
    closes = _CLOSE in headers
    if not keep_alive and not closes:
        headers, closes = (*headers, _CLOSE), True
    lines = b"".join([b"%b: %b\r\n" % header for header in (*own, *headers)])
    # Nothing that came from outside may begin a line of its own.
    count = len(own) + len(headers)
    if lines.count(b"\n") != count or lines.count(b"\r") != count:
        raise ValueError("a header's value holds a line end")
    return b"%b%b\r\n" % (_STATUS_LINES[status], lines), closes


_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}
