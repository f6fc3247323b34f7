"""What stands in a cell: yes or no, a moment, a number, an identity."""

import re
from datetime import UTC, datetime
from typing import Any

from services.api.imports.asked import EARLIEST_MS, Always, Dialect, Source, TypedCell
from services.api.imports.table import FileRow
from services.api.jobs.hold import RowError
from services.api.wire import YEAR_MAX

_YES = {"yes", "true", "1", "x", "y", "ja", "j", "waar", "oui", "wahr"}
_NO = {"no", "false", "0", "n", "nee", "onwaar", "non", "nein", "falsch"}
_DAY = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[ T](.+))?")
_SHORTENED = re.compile(r"\d[.,]?\d*E\+?\d+", re.IGNORECASE)


class CellError(ValueError):
    """A cell cannot be taken as it is."""

    def __init__(self, column: str | None, code: str, text: str) -> None:
        super().__init__(text)
        self.column, self.code, self.text = column, code, text

    def in_row(self, number: int) -> RowError:
        """The same, where it stands."""
        return RowError(number, self.column, self.code, self.text)


def text_of(source: Source | TypedCell, row: FileRow) -> str:
    """What a source says of a row, as text; empty: nothing."""
    return str(source.value) if isinstance(source, Always) else text_in(source.column, row)


def text_in(column: str, row: FileRow) -> str:
    """What stands in a column, as text; empty: nothing.

    Raises:
        CellError: it is no text.
    """
    value = row.cells.get(column)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise CellError(column, "not_text", "A text or a number is wanted here.")
    return str(value).strip()


def column_in(source: Source | TypedCell) -> str | None:
    """The column that a source reads."""
    return None if isinstance(source, Always) else source.column


def yes_or_no(source: Source | TypedCell, row: FileRow) -> bool | None:
    """Yes, no, or nothing said.

    Raises:
        CellError: it is neither.
    """
    if isinstance(source, Always) and isinstance(source.value, bool):
        return source.value
    text = text_of(source, row).lower()
    if not text:
        return None
    if text in _YES or text in _NO:
        return text in _YES
    column = column_in(source)
    raise CellError(column, "not_yes_or_no", "Write yes or no here, or leave the cell empty.")


def moment_of(source: Source, row: FileRow, dialect: Dialect, now_ms: int) -> int:
    """A moment in UTC milliseconds; a day begins at midnight, UTC.

    Raises:
        CellError: it is none, or lies before 2000 or ahead.
    """
    column, text = column_in(source), text_of(source, row)
    if not text:
        raise CellError(column, "empty", "A date is needed here.")
    try:
        at_ms = _parsed(text, dialect)
    except (ValueError, OverflowError):
        raise CellError(column, "not_a_date", _dates_as(dialect)) from None
    if at_ms > now_ms:
        raise CellError(column, "in_the_future", "This date lies ahead.")
    if at_ms < EARLIEST_MS:
        raise CellError(column, "too_long_ago", "This date lies before 2000.")
    return at_ms


def _parsed(text: str, dialect: Dialect) -> int:
    found = _DAY.fullmatch(text)
    if found is not None and dialect.dates != "iso":
        one, other, year, rest = found.groups()
        day, month = (one, other) if dialect.dates == "day_first" else (other, one)
        text = f"{year}-{int(month):02}-{int(day):02}" + (f"T{_padded(rest)}" if rest else "")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if not 1 < moment.year < YEAR_MAX:
        raise ValueError(text)
    return round(moment.timestamp() * 1000)


def _padded(time: str) -> str:
    """9:05 as 09:05."""
    time = time.strip()
    return f"0{time}" if re.match(r"\d:", time) else time


def _dates_as(dialect: Dialect) -> str:
    shapes = {"iso": "2026-11-22", "day_first": "22-11-2026", "month_first": "11/22/2026"}
    more = ", or say with `dialect.dates` how dates are written" if dialect.dates == "iso" else ""
    return f"Write dates as {shapes[dialect.dates]}, also with a time behind them{more}."


def identity_in(column: str, row: FileRow) -> str:
    """An identity as its own system spells it; empty: none is given.

    Raises:
        CellError: a spreadsheet shortened it, or it is too long.
    """
    text = text_in(column, row)
    if _SHORTENED.fullmatch(text):
        wrong = "The spreadsheet shortened this number: format the column as text and export anew."
        raise CellError(column, "shortened", wrong)
    if len(text) > 254:
        raise CellError(column, "too_long", "An identity has at most 254 characters.")
    return text


def typed(cell: TypedCell, row: FileRow, dialect: Dialect) -> Any:
    """A value as it was meant; None: the cell is empty.

    Raises:
        CellError: it is not that.
    """
    value = row.cells.get(cell.column)
    if value is None or value == "":
        return None
    if cell.type == "text" or (cell.type == "list" and isinstance(value, list)):
        return value
    match cell.type:
        case "yes_no":
            return yes_or_no(cell, row)
        case "list":
            parts = re.split(r"[;|]", text_in(cell.column, row))
            return [part.strip() for part in parts if part.strip()]
        case "number":
            return _number(cell.column, value, dialect)
        case _:
            return _date(cell.column, row, dialect)


def _number(column: str, value: Any, dialect: Dialect) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = str(value).strip()
    thousands = "." if dialect.decimal == "," else ","
    text = text.replace(thousands, "").replace(dialect.decimal, ".")
    if not re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text):
        wrong = f"Write a number here, with {dialect.decimal!r} before the tenths."
        raise CellError(column, "not_a_number", wrong)
    return float(text) if "." in text else int(text)


def _date(column: str, row: FileRow, dialect: Dialect) -> str:
    """As 2026-11-22, which rules compare with; it may lie ahead, as the end of a contract does."""
    try:
        at_ms = _parsed(text_in(column, row), dialect)
    except (ValueError, OverflowError):
        raise CellError(column, "not_a_date", _dates_as(dialect)) from None
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
