"""The browser script: one file, served as it is."""

import json
from importlib.resources import files

from services.tracker.answers import Reply

_PLACE_OF_URL = '"KENTERING_URL"'


def script_reply(public_url: str) -> Reply:
    """The answer to ``/k.js``.

    Args:
        public_url: where the script sends to if a page hides where it came from.
    """
    source = files("services.tracker").joinpath("static/k.js").read_text("utf-8")
    body = source.replace(_PLACE_OF_URL, json.dumps(public_url.rstrip("/"))).encode()
    return Reply(
        200,
        (
            (b"content-type", b"text/javascript; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"public, max-age=3600"),
            (b"access-control-allow-origin", b"*"),
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"x-content-type-options", b"nosniff"),
        ),
        body,
    )
