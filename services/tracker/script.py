"""The browser script: the source ``static/k.js`` made small, compressed once, kept by caches."""

import gzip
import hashlib
from collections.abc import Iterable
from importlib.resources import files

from services.tracker.answers import Headers, Reply, wrong_method

_BODY = files("services.tracker").joinpath("static/k.min.js").read_bytes()
_PACKED = gzip.compress(_BODY, 9, mtime=0)
# Weak, for it stands for both forms.
_ETAG = b'W/"' + hashlib.blake2b(_BODY, digest_size=12).hexdigest().encode() + b'"'

_ALWAYS: Headers = (
    (b"cache-control", b"public, max-age=3600, stale-while-revalidate=86400"),
    (b"etag", _ETAG),
    (b"vary", b"accept-encoding"),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
)
_TYPE = (b"content-type", b"text/javascript; charset=utf-8")


def _whole(body: bytes, *more: tuple[bytes, bytes]) -> Reply:
    return Reply(200, (_TYPE, (b"content-length", str(len(body)).encode()), *more, *_ALWAYS), body)


_PLAIN = _whole(_BODY)
_GZIP = _whole(_PACKED, (b"content-encoding", b"gzip"))
_UNCHANGED = Reply(304, _ALWAYS)


def script_reply(method: str, headers: Iterable[tuple[bytes, bytes]]) -> Reply:
    """The answer to ``/k.js``: 200, or 304 to whoever has it; 405 to what is no GET or HEAD.

    Args:
        method: the request's.
        headers: the request's, names in lower case.
    """
    if method not in ("GET", "HEAD"):
        return wrong_method(b"GET, HEAD")
    said = dict(headers)
    if _ETAG in said.get(b"if-none-match", b""):
        return _UNCHANGED
    return _GZIP if _takes_gzip(said.get(b"accept-encoding", b"")) else _PLAIN


def _takes_gzip(said: bytes) -> bool:
    """Whether an Accept-Encoding names gzip without a weight of zero."""
    for coding in said.lower().split(b","):
        name, _, weight = coding.replace(b" ", b"").partition(b";q=")
        if name == b"gzip":
            return weight.strip(b"0.") != b"" or not weight
    return False
