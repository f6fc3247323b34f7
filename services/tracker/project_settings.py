"""What a browser SDK of the Segment spec asks for before it sends: where to, and as whom."""

from typing import Any
from urllib.parse import urlsplit

import msgspec

from services.tracker import answers
from services.tracker.answers import Reply
from services.tracker.directory import Directory
from services.tracker.reasons import RefusedRequestError

_BEGINNING, _END = "/v1/projects/", "/settings"
_CACHED: answers.Headers = ((b"cache-control", b"public, max-age=300"),)

_encode = msgspec.json.Encoder().encode


def key_in(path: str) -> str | None:
    """The key in ``/v1/projects/{key}/settings``; None for any other path.

    Slashes too many around it are passed over, as in ``services/tracker/routes.py``.
    """
    path = f"/{path.strip('/')}"
    if not path.startswith(_BEGINNING) or not path.endswith(_END):
        return None
    key = path[len(_BEGINNING) : -len(_END)]
    return key if key and "/" not in key else None


def settings_reply(key: str, directory: Directory | None, public_url: str) -> Reply:
    """The settings of a write key.

    Args:
        key: as it stands in the path.
        directory: who may write; None before it is known.
        public_url: where browsers reach the tracker.

    Raises:
        RefusedRequestError: no key that may stand in a page, or none can be checked yet.
    """
    if directory is None:
        raise RefusedRequestError("not_ready")
    entry = directory.entry_of(key)
    if entry is None or entry.kind != "write":
        raise RefusedRequestError("wrong_key")
    url = urlsplit(public_url.rstrip("/"))
    segment: dict[str, Any] = {
        "apiKey": key,
        "apiHost": f"{url.netloc}{url.path}/v1",
        "type": "server",
        "bundlingStatus": "bundled",
        "unbundledIntegrations": [],
        "addBundledMetadata": False,
    }
    if url.scheme != "https":
        segment["protocol"] = url.scheme
    body = {
        "integrations": {"Segment.io": segment},
        "plan": {},
        "metrics": {"sampleRate": 0},
        "remotePlugins": [],
    }
    reply = answers.json_reply(200, _encode(body), answers.CORS)
    headers = tuple(h for h in reply.headers if h[0] != b"cache-control")
    return Reply(reply.status, (*headers, *_CACHED), reply.body)
