"""A mail's HTML with its links tracked: pure, and byte for byte the same everywhere else."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, quote, urlsplit

from services.api.mail_html import Attribute, Tag, tags_in
from services.contract.event import content_type_of
from services.contract.token import is_safe_target

LINKS_MAX = 1_000
"""Places in one mail."""

LeftReason = Literal["off", "unsubscribe", "tracked", "merge_field", "relative", "unsafe", "scheme"]

_MERGE_FIELD = re.compile(
    r"\{\{|\{%|\*\||\|\*|\[\[|%%|<%|<<|\$\{|#\{|@@"
    r"|\[[A-Z][A-Z0-9_ ]+\]|%(?![0-9A-Fa-f]{2})[A-Za-z_]\w*%"
)
_WISH = re.compile(
    r"unsubscribe|unsub\b|opt[-_ ]?out|afmeld|uitschrijv|uitschrijf|abmeld|d[eé]sabonn|d[eé]sinscri"
    r"|meld (?:je|u|mij) (?:hier )?af|schrijf (?:je|u|mij) (?:hier )?uit",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"<[^<>]*>")
_TEXT_MAX = 400
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_ORIGIN = re.compile(rf"\A{_SCHEME.pattern}//[^/?#]*")
_CONTROL = re.compile(r"[\t\n\r]")
_KEPT = "!#$%&'()*+,-./:;=?@[]_~"


@dataclass(frozen=True)
class Place:
    """A link that will be tracked."""

    value: Attribute
    target: str
    content_id: str | None
    content_type: str | None
    is_smart: bool
    """It leads to other content for each person."""


@dataclass(frozen=True)
class Left:
    """A link that is left alone, and why."""

    url: str
    reason: LeftReason


@dataclass(frozen=True)
class Reading:
    """What a mail holds."""

    places: list[Place]
    left: list[Left]
    pixel_at: int
    """Where a pixel goes: before the end of the body."""
    has_pixel: bool


def read_mail(html: str, public_url: str) -> Reading:
    """Find what will be changed.

    Args:
        html: of the mail.
        public_url: where the tracker is, without a slash at the end: its links are left alone.
    """
    places: list[Place] = []
    left: list[Left] = []
    ends: dict[str, int] = {}
    has_pixel = False
    for tag in tags_in(html):
        if tag.name in {"/body", "/html"}:
            ends[tag.name] = tag.start
        elif tag.name == "img" and "src" in tag.attributes:
            has_pixel |= _is_ours(tag.attributes["src"].value, public_url, "o")
        elif "href" in tag.attributes and (tag.name in {"a", "area"} or tag.name.startswith("v:")):
            found = _place_of(tag, html, public_url)
            if isinstance(found, Place):
                places.append(found)
            elif found is not None:
                left.append(found)
    pixel_at = ends.get("/body", ends.get("/html", len(html)))
    return Reading(places, left, pixel_at, has_pixel)


def _place_of(tag: Tag, html: str, public_url: str) -> Place | Left | None:
    """The link of a tag; None: it leads nowhere else."""
    url = _CONTROL.sub("", tag.attributes["href"].value).strip()
    if not url or url.startswith("#"):
        return None
    reason = _reason_to_leave(tag, url, html, public_url)
    target = spelled_out(url)
    if reason is None and not is_safe_target(target):
        reason = "unsafe"
    if reason is not None:
        return Left(url[:2000], reason)
    content_id, content_type = (
        tag.attributes[name].value[:limit] or None if name in tag.attributes else None
        for name, limit in (("data-content-id", 200), ("data-content-type", 100))
    )
    about = content_id, content_type and content_type_of(content_type)
    return Place(tag.attributes["href"], target, *about, is_smart(target, public_url))


def is_smart(target: str, public_url: str) -> bool:
    """Whether an address is one of our smart links."""
    return _is_ours(target, public_url, "n")


def _is_ours(url: str, public_url: str, first: str) -> bool:
    """Whether an address is the tracker's: scheme and host are the same in capitals."""
    url, ours = (_ORIGIN.sub(lambda found: found[0].lower(), one) for one in (url, public_url))
    return url.startswith(f"{ours}/{first}/")


def _reason_to_leave(tag: Tag, url: str, html: str, public_url: str) -> LeftReason | None:
    off = tag.attributes.get("data-kentering")
    if off is not None and off.value.strip().lower() == "off":
        return "off"
    if _is_ours(url, public_url, "c"):
        return "tracked"
    if _is_ours(url, public_url, "u") or _is_unsubscribe(tag, url, html):
        return "unsubscribe"
    if _MERGE_FIELD.search(url):
        return "merge_field"
    scheme = _SCHEME.match(url)
    if scheme is None:
        return "relative"
    return None if scheme[0].lower() in {"http:", "https:"} else "scheme"


def _is_unsubscribe(tag: Tag, url: str, html: str) -> bool:
    if _WISH.search(url):
        return True
    close = html.find("</", tag.end, tag.end + _TEXT_MAX)
    text = html[tag.end : close] if close >= 0 else ""
    return bool(_WISH.search(_MARKUP.sub("", text)))


def spelled_out(url: str) -> str:
    """The address as a browser asks for it: in ASCII, blanks and accents percent-encoded."""
    if url.isascii() and " " not in url:
        return url
    try:
        host = urlsplit(url).hostname or ""
        if not host.isascii():
            url = url.replace(host, host.encode("idna").decode(), 1)
    except (ValueError, UnicodeError):
        return url
    return quote(url, safe=_KEPT)


def with_utm(target: str, utm: dict[str, str]) -> str:
    """The target with these parameters, but for those that it has."""
    base, mark, fragment = target.partition("#")
    has = {name for name, _ in parse_qsl(urlsplit(base).query, keep_blank_values=True)}
    query = "&".join(
        f"{name}={quote(value, safe='')}" for name, value in utm.items() if name not in has
    )
    if not query:
        return target
    joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return f"{base}{joint}{query}{mark}{fragment}"


def put_in(
    html: str, reading: Reading, url_of: Callable[[Place], str], pixel: str | None = None
) -> str:
    """The mail with tracked links, and a pixel if there is one."""
    changes: list[tuple[int, int, str]] = []
    for place in reading.places:
        value, url = place.value, url_of(place)
        changes.append((value.start, value.end, url if value.quote else f'"{url}"'))
    if pixel is not None:
        changes.append((reading.pixel_at, reading.pixel_at, pixel))
    return _changed(html, changes)


def _changed(html: str, changes: Iterable[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    at = 0
    for start, end, text in sorted(changes):
        parts += [html[at:start], text]
        at = end
    parts.append(html[at:])
    return "".join(parts)
