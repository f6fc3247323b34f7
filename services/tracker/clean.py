"""Makes any JSON value storable: every database and every reader takes what comes out.

The cleaning is defined: control characters (tab and line ends stay) and lone surrogates are left
out of texts, texts are cut at TEXT_LENGTH_MAX, names at NAME_LENGTH_MAX, what lies deeper than
DEPTH_MAX becomes null, and integers of more than 64 bits become texts.
"""

import json
import re
from typing import Any

TEXT_LENGTH_MAX = 4096
NAME_LENGTH_MAX = 256
ID_LENGTH_MAX = 256
DEPTH_MAX = 10

_INT64_MAX = 2**63 - 1
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Escapes of JSON, the two halves of one character together, so that a lone half stands out.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def clean_text(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """The text without what cannot be stored or shown, at most ``length_max`` characters."""
    if not text.isprintable():
        text = _UNWANTED.sub("", text)
    return text[:length_max]


def clean_id(value: Any) -> str | None:
    """A text or number as an id; None for anything else, for empty ones and for long ones.

    A long id is not cut: two people could become one.
    """
    if value is None:
        return None
    if isinstance(value, str):
        text = value if value.isprintable() else _UNWANTED.sub("", value)
        text = text.strip()
        return text if 0 < len(text) <= ID_LENGTH_MAX else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
        return text if len(text) <= ID_LENGTH_MAX else None
    return None


def clean_value(value: Any, depth: int = DEPTH_MAX) -> Any:
    """A JSON value as it may be stored."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return clean_object(value, depth - 1) if depth > 0 else None
    if isinstance(value, list):
        return [clean_value(item, depth - 1) for item in value] if depth > 0 else None
    if isinstance(value, int) and abs(value) > _INT64_MAX:
        return str(value)
    return value


def is_clean(told: dict[str, Any]) -> bool:
    """Whether :func:`clean_object` would surely leave all as it is: short texts, plain values."""
    for item in told.values():
        kind = type(item)
        if kind is str:
            if len(item) > TEXT_LENGTH_MAX or not item.isprintable():
                return False
        elif kind is int:
            if abs(item) > _INT64_MAX:
                return False
        elif kind not in _PLAIN_KINDS:
            return False
    names = "".join(told)
    return len(names) <= NAME_LENGTH_MAX and names.isprintable()


_PLAIN_KINDS = frozenset({bool, float, type(None)})


def clean_object(value: dict[str, Any], depth: int = DEPTH_MAX) -> dict[str, Any]:
    """A JSON object as it may be stored: its names are cleaned too."""
    clean: dict[str, Any] = {}
    for name, item in value.items():
        if not name.isprintable() or len(name) > NAME_LENGTH_MAX:
            name = clean_text(name, NAME_LENGTH_MAX)  # noqa: PLW2901 - nearly all stay as they are
        # Most values are short texts, so these are not handed on.
        is_plain = type(item) is str and len(item) <= TEXT_LENGTH_MAX and item.isprintable()
        clean[name] = item if is_plain else clean_value(item, depth)
    return clean


def mended(body: bytes) -> bytes:
    """JSON as strict decoders take it, from what libraries write that are not strict.

    Escaped halves of characters, of texts cut in the middle of an emoji, become U+FFFD; NaN and
    the infinities, which Python's own library writes, become null; characters that should have
    been escaped are.

    Raises:
        ValueError: it is no JSON all the same.
        RecursionError: it is too deep.
    """
    told = json.loads(body, strict=False, parse_constant=lambda _: None)
    text = json.dumps(told, allow_nan=False, separators=(",", ":")).encode()
    return _ESCAPE.sub(lambda m: rb"\ufffd" if m[1] else m[0], text)
