"""From a file's bytes to its lines: which encoding it is in, and where lines end."""

import codecs
import itertools
import re
from collections.abc import Iterable, Iterator

from services.api.jobs.hold import RefusedError

LINE_CHARS_MAX = 65_536
_END = re.compile(r"\r\n|\n|\r")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def lines(pieces: Iterable[bytes], encoding: str | None) -> Iterator[str]:
    """A file's lines, each with its end.

    Args:
        pieces: the file.
        encoding: as was asked; None: as its first bytes say, else UTF-8.

    Raises:
        RefusedError: it is no text of that encoding, or a line has no end.
    """
    rest, number = "", 0
    for text in _decoded(iter(pieces), encoding):
        searched = max(0, len(rest) - 1)
        rest += text
        last = 0
        # The last character may be the first half of a line's end.
        for found in _END.finditer(rest, searched, max(searched, len(rest) - 1)):
            number += 1
            yield rest[last : found.end()]
            last = found.end()
        rest = rest[last:]
        if len(rest) > LINE_CHARS_MAX:
            raise too_long(number + 1)
    while rest:
        end = _END.search(rest)
        yield rest[: end.end()] if end else rest
        rest = rest[end.end() :] if end else ""


def too_long(row: int) -> RefusedError:
    """A row has no end."""
    return RefusedError(
        f"Row {row} has more than {LINE_CHARS_MAX} characters. Is there a quotation mark that is "
        "never closed, or is this no CSV or NDJSON file?"
    )


def _decoded(pieces: Iterator[bytes], encoding: str | None) -> Iterator[str]:
    first = next(pieces, b"")
    marked = next((name for mark, name in _MARKS if first.startswith(mark)), None)
    name = marked or encoding or "utf-8"
    if first[:2] == b"PK":
        text = "This is a spreadsheet or an archive. Save it as CSV UTF-8."
        raise RefusedError(text)
    decoder = codecs.getincrementaldecoder(name)()
    breaks = 0
    for piece in itertools.chain([first], pieces):
        try:
            yield decoder.decode(piece)
        except UnicodeDecodeError as error:
            row = breaks + error.object[: error.start].count(b"\n") + 1
            raise RefusedError(_no_text(row, name, encoding)) from None
        breaks += piece.count(b"\n")
    try:
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise RefusedError(_no_text(breaks + 1, name, encoding)) from None


def _no_text(row: int, name: str, asked: str | None) -> str:
    text = f"About row {row} the file is not {name.removesuffix('-sig').upper()}. "
    if asked is not None:
        return text + "Say another `encoding`, or save the file as CSV UTF-8."
    return text + (
        "Save it as CSV UTF-8 (in Excel: Save as, CSV UTF-8), or say `encoding` windows-1252 if "
        "it comes from an older Excel or Windows program."
    )
