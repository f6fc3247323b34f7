"""The formats of exports, and their columns."""

from typing import Literal, NamedTuple

Format = Literal["csv", "ndjson", "parquet"]

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


class Column(NamedTuple):
    """One column of an export."""

    name: str
    kind: Literal["text", "number", "moment"]
