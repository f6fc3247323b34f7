"""Every answer that the tracker gives, as bytes."""

import base64
from functools import lru_cache
from http import HTTPStatus

import msgspec

from services.tracker.reasons import Doubt, RequestReason

Headers = tuple[tuple[bytes, bytes], ...]


class Reply(msgspec.Struct, frozen=True, gc=False):
    """One HTTP answer; ``content-length`` is among the headers."""

    status: int
    headers: Headers
    body: bytes = b""


# The authorization header needs naming: the wildcard does not cover it.
CORS: Headers = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Retry-After"),
)
_PREFLIGHT: Headers = (
    *CORS,
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    # Whatever a library sends along: nothing depends on it, and no cookies come this way.
    (b"access-control-allow-headers", b"authorization, content-type, x-retry-count, *"),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
)
_NO_STORE: Headers = ((b"cache-control", b"no-store"),)
_MORE: dict[int, Headers] = {
    # Basic is taken too, but browsers would ask whoever looks at the page for a password.
    401: ((b"www-authenticate", b'Bearer realm="kentering"'),),
    408: ((b"connection", b"close"),),  # the rest of the body is not waited for
    503: ((b"retry-after", b"5"),),
}

_NO_KEY = (
    "No key came along. Send a write key (kw_…) or server key (ks_…) as Authorization: Bearer KEY, "
    "as writeKey in the body, or as writeKey in the query."
)
_NO_SUCH_KEY = (
    "This key is unknown or revoked. Events come with a write key (kw_…) or server key (ks_…) of "
    "the workspace, not with an api key; a new one is known within seconds."
)
_NO_SUCH_HOOK = (
    "There is no such webhook. It may have been deleted, or made a moment ago: a new one is known "
    "within seconds."
)
_STATUS: dict[RequestReason, tuple[int, str]] = {
    "missing_key": (401, _NO_KEY),
    "wrong_key": (401, _NO_SUCH_KEY),
    "no_workspace": (400, "The internal key needs X-Kentering-Workspace: the workspace's id."),
    "malformed": (400, "The body is not the JSON object that this route takes."),
    "too_large": (413, "At most 4 MiB per request, after decompression."),
    "too_many_events": (413, "At most 5,000 events per batch."),
    "slow_body": (408, "The body did not arrive in time."),
    "rate_limited": (429, "More than may be sent. Send the same again after Retry-After."),
    "no_route": (404, "There is nothing here."),
    "wrong_method": (405, "This route does not take this method."),
    "not_ready": (503, "Keys cannot be checked yet. Send the same again later."),
    "busy": (503, "Too much is waiting to be stored. Send the same again later."),
    "log_full": (503, "There is no room to store this. Send the same again later."),
    "log_failed": (503, "This could not be stored. Send the same again later."),
    "no_hook": (404, _NO_SUCH_HOOK),
    "hook_unfinished": (403, "This webhook was not told yet what proves its mailer."),
    "no_signature": (401, "Nothing here proves that the mailer sent this."),
    "bad_signature": (403, "This was not sent by the mailer, or was changed on its way."),
    "old_signature": (403, "Only SignatureVersion 2 is taken: set it at the Amazon SNS topic."),
    "stale_signature": (403, "This was signed too long ago, or ahead of time."),
    "used_signature": (403, "This signature came with another body before."),
    "certificate_awaited": (503, "The signature cannot be checked yet. Send the same again."),
}

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent point."""

PIXEL = Reply(
    200,
    (
        (b"content-type", b"image/gif"),
        (b"content-length", str(len(GIF)).encode()),
        (b"cross-origin-resource-policy", b"cross-origin"),
        *_NO_STORE,
    ),
    GIF,
)


def _page(status: int, title: bytes, text: bytes) -> Reply:
    """A plain page that asks for nothing."""
    body = (
        b"<!doctype html><html lang=en><meta charset=utf-8><title>%b</title><h1>%b</h1><p>%b"
    ) % (title, title, text)
    headers = (
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", b"default-src 'none'"),
        *_NO_STORE,
    )
    return Reply(status, headers, body)


NO_SUCH_LINK = _page(
    404, b"This link leads nowhere", b"It was changed on its way, or it was never ours."
)
LINK_ENDED = _page(410, b"This link has ended", b"It was made for a time, and that time is over.")

PREFLIGHT = Reply(204, _PREFLIGHT)

_encode = msgspec.json.Encoder().encode


class Result(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of one event: ``stored``, ``counted`` or ``refused``, and why."""

    status: str
    reason: str | None = None
    warnings: tuple[Doubt, ...] = ()

    @property
    def is_stored(self) -> bool:
        """Whether it is kept, and about somebody."""
        return self.status == "stored"


class _Collected(msgspec.Struct, frozen=True):
    success: bool
    position: str | None
    results: dict[str, Result]


def collected(position: str | None, results: dict[str, Result]) -> Reply:
    """The answer to Segment calls: exactly 200, one result per event by its messageId."""
    return json_reply(
        200, _encode(_Collected(success=True, position=position, results=results)), CORS
    )


def json_reply(status: int, body: bytes, more: Headers = ()) -> Reply:
    """JSON that no cache keeps."""
    return Reply(status, _headers_of_json(len(body), more), body)


@lru_cache(maxsize=1024)
def _headers_of_json(length: int, more: Headers) -> Headers:
    told = (b"content-length", b"%d" % length)
    return ((b"content-type", b"application/json"), told, *_NO_STORE, *more)


FORGOTTEN = json_reply(200, b'{"success":true}', CORS)


def redirect(target: str) -> Reply:
    """302 to an address that was signed."""
    location = (b"location", target.encode("ascii"))
    return Reply(302, (location, (b"content-length", b"0"), *_NO_STORE))


def problem(reason: RequestReason) -> Reply:
    """Problem details (RFC 9457) that also carry ``code`` and ``message``.

    Some SDKs retry whatever fails without these two, a wrong key included.
    """
    return _PROBLEMS[reason]


def rate_limited(retry_after_s: int) -> Reply:
    """429, with the whole seconds after which to send the same again."""
    reply = problem("rate_limited")
    retry_after = (b"retry-after", str(retry_after_s).encode())
    return Reply(reply.status, (*reply.headers, retry_after), reply.body)


def wrong_method(allowed: bytes) -> Reply:
    """405, naming the methods that the route takes."""
    reply = problem("wrong_method")
    return Reply(reply.status, (*reply.headers, (b"allow", allowed)), reply.body)


def _problem(reason: RequestReason) -> Reply:
    status, detail = _STATUS[reason]
    body = {
        "type": f"/problems/{reason}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": reason,
        "message": detail,
    }
    more = _MORE.get(status, ())
    reply = json_reply(status, _encode(body), (*CORS, *more))
    content_type = (b"content-type", b"application/problem+json")
    return Reply(status, (content_type, *reply.headers[1:]), reply.body)


# Always the same bytes, so they are made once.
_PROBLEMS: dict[RequestReason, Reply] = {reason: _problem(reason) for reason in _STATUS}


def readiness(why_not: list[str]) -> Reply:
    """The answer to ``/readyz``: 200 when the promise can be kept, else 503 and why not."""
    body = _encode({"status": "not ready" if why_not else "ready", "reasons": why_not})
    return json_reply(503 if why_not else 200, body)


def plain(body: bytes, content_type: str) -> Reply:
    """Text for machines."""
    length = (b"content-length", str(len(body)).encode())
    return Reply(200, ((b"content-type", content_type.encode()), length, *_NO_STORE), body)
