"""From a file's lines to its rows: CSV as spreadsheets and mailers write it, and NDJSON."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from services.api.imports.asked import Dialect
from services.api.imports.text import LINE_CHARS_MAX, lines, too_long
from services.api.jobs.hold import RefusedError, RowError

_DELIMITERS = ";,\t|"
COLUMNS_MAX = 1_000


class FileRow(NamedTuple):
    """A row, and what stands in its columns; or what is wrong with it as a whole."""

    number: int
    cells: dict[str, Any]
    error: RowError | None = None


def ndjson_rows(pieces: Iterable[bytes]) -> Iterator[FileRow]:
    """The rows of a file with a JSON object on each line; empty lines are none.

    Raises:
        RefusedError: it is no text, or a line has no end.
    """
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for number, line in enumerate(lines(pieces, None), 1):
        text = line.strip()
        if not text:
            continue
        try:
            yield FileRow(number, decode(text))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            wrong = "Write one JSON object on this line, whole, and nothing else."
            yield FileRow(number, {}, RowError(number, None, "not_json", wrong))


def csv_rows(pieces: Iterable[bytes], dialect: Dialect, wanted: set[str]) -> Iterator[FileRow]:
    """The rows of a CSV file; lines without anything are none.

    Args:
        pieces: the file.
        dialect: how it is written, as far as that was said.
        wanted: the columns that are read.

    Raises:
        RefusedError: it is no text, its header lacks a column or has it twice, or quotes are
            open to the end.
    """
    bounded = _Records(lines(pieces, dialect.encoding))
    header, delimiter = _header(bounded, dialect.delimiter)
    _check(header, wanted)
    places = [(i, name) for i, name in enumerate(header) if name in wanted]
    reader = csv.reader(bounded, delimiter=delimiter, strict=True)
    while True:
        number = bounded.next_record()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if "unexpected end" in str(error):
                text = f"A quotation mark in row {number} is never closed."
                raise RefusedError(text) from None
            wrong = "A quotation mark stands inside a cell: write it twice, and quote the cell."
            yield FileRow(number, {}, RowError(number, None, "quotes", wrong))
            continue
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _row(number, len(header), places, cells)


def csv_header(pieces: Iterable[bytes], dialect: Dialect) -> list[str]:
    """The names of a CSV file's columns, in their order; one may stand there twice, or be empty.

    Raises:
        RefusedError: it is no text, or its header cannot be read.
    """
    return _header(_Records(lines(pieces, dialect.encoding)), dialect.delimiter)[0]


class _Records:
    """Lines, counted by record: a quoted cell may go over several."""

    def __init__(self, found: Iterator[str]) -> None:
        self._found = found
        self._number = 0
        self._chars = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._found)
        self._chars += len(line)
        if self._chars > LINE_CHARS_MAX:
            raise too_long(self._number)
        return line

    def next_record(self) -> int:
        """Another record begins; its number."""
        self._number += 1
        self._chars = 0
        return self._number


def _header(bounded: _Records, delimiter: str | None) -> tuple[list[str], str]:
    first = ""
    while not first.strip():
        bounded.next_record()
        try:
            first = next(bounded)
        except StopIteration:
            raise RefusedError("The file is empty.") from None
        if first[:4].lower() == "sep=":  # Excel's own word for the delimiter
            delimiter = delimiter or first[4:5]
            first = ""
    delimiter = delimiter or _likely(first)
    try:
        cells = next(csv.reader(_Both(first, bounded), delimiter=delimiter, strict=True))
    except (csv.Error, TypeError):
        raise RefusedError("Row 1, the header, cannot be read: look at its quotes.") from None
    if len(cells) > COLUMNS_MAX:
        raise RefusedError(f"A file has at most {COLUMNS_MAX} columns.")
    return [cell.strip() for cell in cells], delimiter


class _Both:
    """A line, and those behind it."""

    def __init__(self, first: str, rest: Iterator[str]) -> None:
        self._first: str | None = first
        self._rest = rest

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        first, self._first = self._first, None
        return next(self._rest) if first is None else first


def _likely(header: str) -> str:
    """The delimiter that stands most often outside quotes."""
    outside = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _check(header: list[str], wanted: set[str]) -> None:
    missing = sorted(wanted - set(header))
    if missing:
        shown = ", ".join(repr(name) for name in header[:30])
        text = f"There is no column {missing[0]!r}. The header has: {shown}."
        raise RefusedError(text)
    twice = sorted(name for name in wanted if header.count(name) > 1)
    if twice:
        raise RefusedError(f"The column {twice[0]!r} stands there twice: rename one of them.")


def _row(number: int, width: int, places: list[tuple[int, str]], cells: list[str]) -> FileRow:
    """A row's cells, of the columns that are read, by their places."""
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        text = f"It has {len(cells)} cells, and the header {width}: is a cell unquoted?"
        return FileRow(number, {}, RowError(number, None, "too_many_cells", text))
    # Spreadsheets leave empty cells at a row's end away.
    there = len(cells)
    return FileRow(number, {name: _plain(cells[i]) for i, name in places if i < there})


def _plain(cell: str) -> str:
    """A cell without what spreadsheets wrap around a number that is meant as text: ="0612"."""
    cell = cell.strip()
    if cell.startswith('="') and cell.endswith('"'):
        return cell[2:-1].strip()
    return cell
