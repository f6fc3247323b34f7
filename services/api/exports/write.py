"""Writes exports: each format takes rows a few at a time, and keeps no more in memory."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, Protocol, cast

import msgspec
from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import write_parquet

from services.api.exports.formats import Column, Format
from services.api.wire import rfc3339

Rows = Sequence[Sequence[Any]]
"""Values in the order of the columns: text, float, or UTC milliseconds; None: nothing."""

ROW_GROUP_ROWS = 20_000
_FORMULA = re.compile("(^|[;\t\r\n])(?=[=+\\-@\t\r\n＝＋－＠])")
"""Where a spreadsheet may take what follows for a formula: at the beginning of a text, and behind
what begins a cell for one that goes by semicolons or tabs, where our quotation marks hold nothing.
"""


class Out(Protocol):
    """Where bytes go."""

    def write(self, data: bytes) -> int:
        """Take them."""


def write_rows(kind: Format, columns: Sequence[Column], batches: Iterable[Rows], out: Out) -> None:
    """Write a whole file."""
    if kind == "parquet":
        _write_parquet(columns, batches, out)
        return
    parts = _csv(columns, batches) if kind == "csv" else _ndjson(columns, batches)
    for part in parts:
        out.write(part)


def _csv(columns: Sequence[Column], batches: Iterable[Rows]) -> Iterator[bytes]:
    """With the mark by which spreadsheets know UTF-8."""
    yield "\ufeff".encode()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_plain(column.name) for column in columns])
    for rows in batches:
        for row in rows:
            writer.writerow(
                [_cell(column, value) for column, value in zip(columns, row, strict=True)]
            )
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _cell(column: Column, value: Any) -> Any:
    if value is None:
        return ""
    if column.kind == "moment":
        return rfc3339(value)
    if column.kind == "text":
        return _plain(value)
    return value


def _plain(text: str) -> str:
    """The text, which no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1'", text)


def _ndjson(columns: Sequence[Column], batches: Iterable[Rows]) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode_lines
    for rows in batches:
        yield encode(
            [
                {
                    column.name: rfc3339(value)
                    if column.kind == "moment" and value is not None
                    else value
                    for column, value in zip(columns, row, strict=True)
                }
                for row in rows
            ]
        )


def _write_parquet(columns: Sequence[Column], batches: Iterable[Rows], out: Out) -> None:
    types = {
        "text": DataType.utf8(),
        "number": DataType.float64(),
        "moment": DataType.timestamp("ms", tz="UTC"),
    }
    schema = Schema([Field(column.name, types[column.kind]) for column in columns])

    def arrow(rows: Rows) -> RecordBatch:
        arrays = []
        for i, column in enumerate(columns):
            values = [row[i] for row in rows]
            if column.kind == "moment":
                arrays.append(Array(values, DataType.int64()).cast(types["moment"]))
            else:
                arrays.append(Array(values, types[column.kind]))
        return RecordBatch.from_arrays(arrays, schema=schema)

    reader = RecordBatchReader.from_batches(schema, (arrow(rows) for rows in batches))
    write_parquet(
        reader,
        cast("IO[bytes]", _Forward(out)),
        compression="zstd(3)",
        max_row_group_size=ROW_GROUP_ROWS,
    )


class _Forward:
    """A file that is only written onwards."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._size = 0

    def write(self, data: bytes) -> int:
        self._size += len(data)
        return self._out.write(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def tell(self) -> int:
        return self._size

    def seek(self, *_: int) -> int:
        raise OSError("what is written goes onwards")
