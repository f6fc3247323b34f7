"""The beginning of a file of people: its columns, what stands in them, and how it is written."""

import codecs
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from services.api.imports.asked import COLUMN_LENGTH_MAX, Dialect
from services.api.imports.table import FileRow, csv_header, csv_rows, ndjson_rows
from services.api.jobs.hold import RefusedError

SAMPLE_BYTES_MAX = 65_536
COLUMNS_SHOWN_MAX = 100
_ROWS = 50
EXAMPLES = 3
_EXAMPLE_CHARS = 60
Encoding = Literal["utf-8", "windows-1252"]


@dataclass(frozen=True)
class Column:
    """A column, and the first different things that stand in it."""

    name: str
    cells: list[str]
    """Of the first rows, without the empty ones."""

    @property
    def examples(self) -> list[str]:
        """A few of them, to know the column by."""
        return [one[:_EXAMPLE_CHARS] for one in dict.fromkeys(self.cells)][:EXAMPLES]


@dataclass(frozen=True)
class Glimpse:
    """What the beginning of a file tells."""

    format: Literal["csv", "ndjson"]
    encoding: Encoding
    columns: list[Column]
    left_out: list[str] = field(default_factory=list)
    """Columns that cannot be read: no name of their own, or a long one, or beyond those shown."""


def glimpse(sample: bytes) -> Glimpse:
    """A file by its first bytes.

    Args:
        sample: at most :data:`SAMPLE_BYTES_MAX`; the last line of so many is not looked at.

    Raises:
        RefusedError: it is no file that can be read.
    """
    whole = _whole_lines(sample)
    if whole.lstrip(codecs.BOM_UTF8).lstrip()[:1] == b"{":
        return _of_rows(list(ndjson_rows([whole])))
    try:
        return _of_csv(whole, "utf-8")
    except RefusedError:
        if _is_text(whole):
            raise
    # Older programs on Windows write so. Whoever looks at the examples sees whether it is right.
    return _of_csv(whole, "windows-1252")


def _whole_lines(sample: bytes) -> bytes:
    """Without the half line at the end; UTF-16 as UTF-8, in which lines can be cut."""
    if sample[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        sample = codecs.getincrementaldecoder("utf-16")("replace").decode(sample).encode()
    is_cut = len(sample) >= SAMPLE_BYTES_MAX // 2
    return sample[: sample.rfind(b"\n") + 1] if is_cut and b"\n" in sample else sample


def _is_text(sample: bytes) -> bool:
    try:
        sample.decode()
    except UnicodeDecodeError:
        return sample[:2] == b"PK"  # said already what it is
    return True


def _of_csv(sample: bytes, encoding: Encoding) -> Glimpse:
    dialect = Dialect(encoding=None if encoding == "utf-8" else encoding)
    counted = Counter(csv_header([sample], dialect))
    usable = [name for name, times in counted.items() if _is_usable(name) and times == 1]
    shown = usable[:COLUMNS_SHOWN_MAX]
    rows = _first(csv_rows([sample], dialect, set(shown)))
    columns = [Column(name, _cells(rows, name)) for name in shown]
    return Glimpse("csv", encoding, columns, [name for name in counted if name not in shown])


def _of_rows(rows: list[FileRow]) -> Glimpse:
    names = list(dict.fromkeys(name for row in rows[:_ROWS] for name in row.cells))
    if not names:
        raise RefusedError("Write one JSON object on each line, whole, and nothing else.")
    shown = [name for name in names if _is_usable(name)][:COLUMNS_SHOWN_MAX]
    columns = [Column(name, _cells(rows[:_ROWS], name)) for name in shown]
    return Glimpse("ndjson", "utf-8", columns, [name for name in names if name not in shown])


def _is_usable(name: str) -> bool:
    return 0 < len(name) <= COLUMN_LENGTH_MAX


def _first(rows: Any) -> list[FileRow]:
    """The first rows, as far as they can be read: what is wrong further on the job tells."""
    found: list[FileRow] = []
    try:
        for row in rows:
            found.append(row)
            if len(found) >= _ROWS:
                break
    except RefusedError:
        pass
    return found


def _cells(rows: list[FileRow], name: str) -> list[str]:
    told = (row.cells.get(name) for row in rows)
    return [str(one).strip() for one in told if one is not None and str(one).strip()]
