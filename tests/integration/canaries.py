"""What must be found nowhere, and every door that it is brought to.

A new door is a line in :data:`DOORS`. Each is tried in every way of :data:`WAYS`.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

MAIL = "canary.jansen@mail.example"
NAME = "Canaryanna"
ID = "canary-user-4711"
COOKIE = "canarycookie0123456789abcdef"
AGENT = "CanaryBrowser/7.1"
ADDRESS = "203.0.113.77"
QUERY = "canaryquery=1"
CANARIES = (MAIL, NAME, ID, COOKIE, AGENT, ADDRESS, QUERY)

CONTROL = "followed-by-consent"
"""Stands in an event of somebody who agreed: it must be found, or the search sees nothing."""

HEADERS = {
    "User-Agent": f"Mozilla/5.0 {AGENT}",
    "Referer": f"https://site.example/?{QUERY}",
    "X-Forwarded-For": ADDRESS,
    "Forwarded": f"for={ADDRESS}",
    "X-Real-IP": ADDRESS,
    "Cookie": f"kentering={COOKIE}; name={NAME}",
}

_YES = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
_WHO = {
    "userId": ID,
    "anonymousId": COOKIE,
    "traits": {"email": MAIL, "name": NAME},
    "properties": {
        "url": f"https://site.example/?{QUERY}",
        "email": MAIL,
        "content_id": MAIL,
        "content_type": f"story?{QUERY}",
        "campaign_id": ID,
        "title": NAME,
    },
}
_PIXEL = f"anonymousId={COOKIE}&userId={ID}&content_id={MAIL}&url=https://s.example/%3F{QUERY}"


@dataclass(frozen=True)
class Way:
    """A way of not having consent."""

    name: str
    context: dict[str, Any] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""


WAYS = (
    Way("nothing-said"),
    Way("said-no", {"consent": {"categoryPreferences": {"measure": False}}}),
    Way("said-no-as-text", {"consent": {"categoryPreferences": {"measure": "yes"}}}),
    Way("gpc", _YES, (("Sec-GPC", "1"),), "&consent=measure,profile"),
    Way("gpc-twice", _YES, (("Sec-GPC", "1"), ("Sec-GPC", "0")), "&consent=measure,profile"),
    Way("dnt", _YES, (("DNT", "1"),), "&consent=measure,profile"),
)


@dataclass(frozen=True)
class Door:
    """One door. ``body`` is a call, ``query`` goes behind the path."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    query: str = ""
    """May hold ``{key}`` for the write key; what a way says of consent is put behind it."""
    counts: int = 1
    """Events that one request comes to."""
    form: bytes | None = None
    raw: dict[str, Any] | None = None
    """A body that is no call: what a mailer posts."""


def _call(path: str, counts: int = 1, **more: Any) -> Door:
    return Door("POST", path, {**_WHO, **more}, counts=counts)


def _batch(path: str) -> Door:
    calls = [{"type": "track", "event": "read", **_WHO}, {"type": "page", **_WHO}]
    return Door("POST", path, {"batch": calls}, counts=2)


DOORS = (
    *(_call(path, event="Story Read " + NAME) for path in ("/v1/track", "/v1/t")),
    *(_call(path, name=NAME) for path in ("/v1/page", "/v1/p", "/v1/screen", "/v1/s")),
    *(_call(path) for path in ("/v1/identify", "/v1/i")),
    *(_call(path, groupId=ID) for path in ("/v1/group", "/v1/g")),
    *(_call(path, previousId=MAIL) for path in ("/v1/alias", "/v1/a")),
    *(_batch(path) for path in ("/v1/batch", "/v1/b", "/v1/import")),
    _call("/v1/m", counts=0),
    Door("GET", "/p.gif", query=f"key={{key}}&{_PIXEL}"),
    Door("HEAD", "/p.gif", query=f"key={{key}}&{_PIXEL}"),
    Door("GET", "{open}.gif", query=QUERY),
    Door("GET", "{click}", query=QUERY),
    Door("GET", f"/c/{COOKIE}.{ID}", query=QUERY, counts=0),
    Door("GET", f"/u/{COOKIE}", query=QUERY, counts=0),
    Door("POST", "{unsubscribe}", form=b"List-Unsubscribe=One-Click", query=QUERY),
    Door(
        "POST",
        "{hook}",
        raw={"RecordType": "Delivery", "MessageID": ID, "Recipient": MAIL, "Details": NAME,
             "Metadata": {"name": NAME}, "DeliveredAt": "2026-01-01T00:00:00Z"},
    ),
    Door("GET", f"/v1/{COOKIE}", query=QUERY, counts=0),
)  # fmt: skip


def found_in(files: Iterator[Path], wanted: tuple[str, ...]) -> dict[str, list[str]]:
    """For each text the files that hold it, as it is or within a compressed batch of Kafka."""
    hits: dict[str, list[str]] = {}
    for file in files:
        try:
            raw = file.read_bytes()
        except OSError:  # gone since it was listed, or a socket
            continue
        content = (raw + b"".join(_unpacked(raw))).lower()
        for text in wanted:
            if text.lower().encode() in content:
                hits.setdefault(text, []).append(str(file))
    return hits


def _unpacked(raw: bytes) -> Iterator[bytes]:
    """What compressed frames within the file hold."""
    at = raw.find(zstandard.FRAME_HEADER)
    while at >= 0:
        with contextlib.suppress(zstandard.ZstdError):
            yield zstandard.ZstdDecompressor().decompressobj().decompress(raw[at:])
        at = raw.find(zstandard.FRAME_HEADER, at + 1)


def body_of(door: Door, way: Way, number: int) -> bytes:
    """The JSON of a call, with what the way says of consent, under an id of its own."""
    assert door.body is not None
    body = json.loads(json.dumps(door.body))
    for i, call in enumerate(body.get("batch", [body])):
        call["messageId"] = f"{COOKIE}-{number}-{i}"
        call["context"] = {**way.context, "ip": ADDRESS, "userAgent": AGENT, "traits": {"n": NAME}}
    return json.dumps(body).encode()
