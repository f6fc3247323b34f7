"""The tags in the HTML of a mail, with the places where their attributes' values stand.

Mails are ugly, and whoever writes one out again from a tree changes them: what Outlook reads in
comments, what a mailer's merge fields need, what was never closed. So this finds places and
changes nothing. It goes by the tokens of the HTML standard, and into conditional comments, for
Outlook follows the links there. Its time grows with the mail's length whatever stands in it;
``html.parser`` and others that know places take hours over a few hundred kilobytes of ``<a``.
"""

import re
from collections.abc import Iterator
from html import unescape
from html.entities import html5
from typing import NamedTuple

_OPENING = re.compile(
    r"<(?:(?P<comment>!--)|(?P<slash>/?)(?P<name>[a-zA-Z][^\s/>]*)|(?P<other>[!?/]))"
)
_CONDITION = re.compile(r"\s*\[if[^\]]*\]>", re.IGNORECASE)
_NAME = re.compile(r"[\s/]*([^\s/>][^\s/>=]*)(\s*=\s*)?")
_BARE_VALUE = re.compile(r"[^\s>]*")
_RAW = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
}
_REFERENCE_LENGTH_MAX = 1_000
_REFERENCE = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|([a-zA-Z][a-zA-Z0-9]*)(;?))(=?)")


class Attribute(NamedTuple):
    """A value in the text."""

    start: int
    end: int
    """Without quotes."""
    quote: str
    """Empty where there are none."""
    value: str
    """As a browser reads it."""


class Tag(NamedTuple):
    """A tag in the text."""

    name: str
    """In lower case, with a ``/`` before it where it closes."""
    start: int
    end: int
    attributes: dict[str, Attribute]
    """By name in lower case; the first of each."""


def tags_in(html: str, start: int = 0, end: int | None = None) -> Iterator[Tag]:
    """All tags between two places, in order, those in conditional comments among them."""
    end = len(html) if end is None else end
    at = start
    while (opening := _OPENING.search(html, at, end)) is not None:
        if opening["name"] is None:
            at, inner = _comment(html, opening, end)
            if inner is not None:
                yield from tags_in(html, *inner)
            continue
        attributes, at = _attributes(html, opening.end(), end)
        if attributes is None:
            continue
        name = opening["slash"] + opening["name"].lower()
        yield Tag(name, opening.start(), at, attributes)
        if name in _RAW:
            closing = _RAW[name].search(html, at, end)
            at = closing.start() if closing is not None else end


def _comment(html: str, opening: re.Match[str], end: int) -> tuple[int, tuple[int, int] | None]:
    """Where a comment, or what is read as one, ends; and what Outlook reads in it."""
    at = opening.end()
    if not opening["comment"]:
        close = html.find(">", at, end)
        return (close + 1 if close >= 0 else end), None
    if html.startswith((">", "->"), at):
        return at + 1, None
    close = html.find("-->", at, end)
    if close < 0:
        return end, None
    condition = _CONDITION.match(html, at, close)
    return close + 3, (condition.end(), close) if condition is not None else None


def _attributes(html: str, at: int, end: int) -> tuple[dict[str, Attribute] | None, int]:
    """A tag's attributes, None where it does not end; and where to go on."""
    found: dict[str, Attribute] = {}
    while (name := _NAME.match(html, at, end)) is not None:
        at = name.end()
        if not name[2]:
            continue
        quote = html[at : at + 1] if at < end else ""
        if quote in {'"', "'"}:
            close = html.find(quote, at + 1, end)
            if close < 0:
                return None, end
            start, stop, at = at + 1, close, close + 1
        else:
            bare = _BARE_VALUE.match(html, at, end)
            assert bare is not None  # noqa: S101  it matches the empty text
            quote, start, stop, at = "", at, bare.end(), bare.end()
        value = Attribute(start, stop, quote, read_value(html[start:stop]))
        found.setdefault(name[1].lower(), value)
    close = html.find(">", at, end)
    return (found, close + 1) if close >= 0 else (None, end)


def read_value(raw: str) -> str:
    """An attribute's value with its character references resolved, as a browser does it.

    A name without its semicolon is none where ``=`` follows or it goes on: ``?a=1&copy=2`` and
    ``&region=nl`` mean what they say.
    """
    return _REFERENCE.sub(_resolved, raw) if "&" in raw else raw


def _resolved(found: re.Match[str]) -> str:
    name, semicolon, equals = found.groups()
    whole = found[0].removesuffix("=") if equals else found[0]
    if name is None:
        # Python reads no number of thousands of digits; whatever is no character becomes this one.
        return (unescape(whole) if len(whole) <= _REFERENCE_LENGTH_MAX else "\ufffd") + equals
    if name + semicolon not in html5 or (equals and not semicolon):
        return found[0]
    return html5[name + semicolon] + equals
