"""HTTP requests as they go over the wire, each about another person."""

import base64
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from services.contract.keys import digest_of
from services.contract.snapshot import KeyEntry, LinkSecret, Snapshot
from services.contract.token import Link, Recipient, sign_link, sign_recipient

KINDS = ("open pixel", "click", "page pixel", "POST /v1/track")
DISTINCT = 4_000
BATCHES_DISTINCT = 40
BATCH_EVENTS = 100
PEOPLE = 2_000
LINKS = 60
SEED = 5

_WORKSPACE_ID = 1
_SECRET = b"one secret of thirty-two bytes!!"
WRITE_KEY, SERVER_KEY = "kw_bench", "ks_bench"
SNAPSHOT = Snapshot(
    version="1",
    keys=(
        KeyEntry(digest_of(WRITE_KEY), _WORKSPACE_ID, "write", 11),
        KeyEntry(digest_of(SERVER_KEY), _WORKSPACE_ID, "server", 12),
    ),
    link_secrets=(LinkSecret(_WORKSPACE_ID, 1, _SECRET),),
)
"""What a tracker knows that takes them."""

_AGREED = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
_BROWSER = (
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    "\r\nAccept: image/avif,image/webp,image/png,*/*;q=0.8\r\nAccept-Language: nl,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
)
_encode = msgspec.json.encode


@dataclass(frozen=True)
class Requests:
    """Makes requests to one server.

    Args:
        port: of the server, for the Host header.
        write_key: of the pages that send them.
        server_key: of the system that sends batches.
    """

    port: int
    write_key: str = WRITE_KEY
    server_key: str = SERVER_KEY

    def of(self, kind: str) -> list[bytes]:
        """Many of one kind, all different."""
        rng = random.Random(SEED)
        if kind == "POST /v1/track":
            return [self.track(f"t{n}", f"u{rng.randrange(PEOPLE)}") for n in range(DISTINCT)]
        if kind == "page pixel":
            return [self.page(f"c{rng.randrange(PEOPLE)}", n) for n in range(DISTINCT)]
        path = "/o/{}.gif" if kind == "open pixel" else "/c/{}"
        links, persons = _links(is_pixel=kind == "open pixel"), _persons()
        return [
            self.get(path.format(f"{rng.choice(links)}.{rng.choice(persons)}"))
            for _ in range(DISTINCT)
        ]

    def batches(self) -> Iterator[bytes]:
        """Batches of a server's track calls."""
        for number in range(BATCHES_DISTINCT):
            calls = [_call(f"b{number}-{i}", f"u{i}") for i in range(BATCH_EVENTS)]
            yield self.post("/v1/batch", {"batch": calls}, self.server_key)

    def track(self, message_id: str, user_id: str, event: str = "read") -> bytes:
        """A track call of one person's browser."""
        return self.post("/v1/track", _call(message_id, user_id, event), self.write_key)

    def page(self, anonymous_id: str, number: int) -> bytes:
        """A page's pixel."""
        return self.get(
            f"/p.gif?key={self.write_key}&anonymousId={anonymous_id}&consent=measure,profile"
            f"&url=https%3A%2F%2Fwerkenbij.example%2Fverhalen%2F{number % 50}&title=Verhalen"
        )

    def get(self, path: str) -> bytes:
        """A GET as a browser sends it."""
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{_BROWSER}\r\n".encode()

    def post(self, path: str, body: Any, key: str) -> bytes:
        """A POST as an SDK sends it."""
        content = _encode(body)
        basic = base64.b64encode(f"{key}:".encode()).decode()
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{_BROWSER}"
            f"Content-Type: application/json\r\nAuthorization: Basic {basic}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        ).encode() + content


def _call(message_id: str, user_id: str, event: str = "read") -> dict[str, Any]:
    return {
        "type": "track",
        "event": event,
        "messageId": message_id,
        "userId": user_id,
        "anonymousId": f"c-{user_id}",
        "context": {**_AGREED, "library": {"name": "analytics-node", "version": "3.1.0"}},
        "properties": {"content_id": "nacht", "content_type": "story", "channel": "website"},
    }


def _links(*, is_pixel: bool) -> Sequence[str]:
    """As many as a few campaigns have."""
    return [
        sign_link(
            Link(
                "" if is_pixel else f"https://werkenbij.example/verhalen/{number}?x=1",
                f"mail-{number}",
                "nacht",
                "story",
            ),
            *(_WORKSPACE_ID, 1, _SECRET),
        )
        for number in range(LINKS)
    ]


def _persons() -> Sequence[str]:
    return [
        sign_recipient(Recipient(f"{n:016x}", True, True), _WORKSPACE_ID, 1, _SECRET)
        for n in range(PEOPLE)
    ]
