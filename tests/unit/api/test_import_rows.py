"""Files as programs write them, and what is said of rows that cannot be taken."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from services.api.imports import run
from services.api.imports.asked import PeopleImport, columns_of
from services.api.imports.calls import Told, read_row
from services.api.imports.table import csv_rows
from services.api.jobs.hold import RefusedError

NOW_MS = 1_795_000_000_000
PEOPLE: dict[str, Any] = {
    "kind": "people",
    "as_of": "2026-11-17T00:00:00Z",
    "identities": {"email": "E-mail", "user_id": "Nummer"},
    "attributes": {"region": {"column": "Regio"}, "years": {"column": "Jaren", "type": "number"}},
    "dialect": {"dates": "day_first", "decimal": ","},
    "consent": {
        "purposes": {"measure": {"column": "Volgen"}, "profile": {"value": True}},
        "given_at": {"column": "Sinds"},
        "text_version": {"value": "privacy 3"},
        "source": "the open day",
    },
}
HEADER = "E-mail;Nummer;Regio;Jaren;Volgen;Sinds\n"
GOOD = "anna@example.org;1;Utrecht;3;ja;01-02-2026\n"


def read(file: str | bytes, piece: int = 7, **dialect: str) -> list[Told | tuple[Any, ...]]:
    """What a file comes to: calls, and (row, column, code) of what is wrong."""
    data = file if isinstance(file, bytes) else file.encode()
    pieces = (data[i : i + piece] for i in range(0, len(data), piece))
    said = {**PEOPLE, "dialect": {**PEOPLE["dialect"], **dialect}}
    asked = TypeAdapter(PeopleImport).validate_python(said)
    found: list[Told | tuple[Any, ...]] = []
    for row in csv_rows(pieces, asked.dialect, columns_of(asked)):
        one, wrong = read_row(asked, row, NOW_MS)
        found += [(error.row, error.column, error.code) for error in wrong]
        found += [] if one is None else [one]
    return found


def calls(found: list[Told | tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [one.call for one in found if isinstance(one, Told)]


@pytest.mark.parametrize(
    "file",
    [
        HEADER + GOOD,
        (HEADER + GOOD).replace("\n", "\r\n"),
        (HEADER + GOOD).replace("\n", "\r"),
        "sep=;\n" + HEADER + GOOD,
        (HEADER + GOOD).replace(";", "\t"),
        (HEADER + GOOD).replace(";", ","),
        (HEADER + GOOD).encode("utf-16"),
        ("\n\n" + HEADER + "\n;;;;;\n" + GOOD + "\n\n").encode("utf-8-sig"),
        HEADER.strip() + ";;\n" + GOOD.strip() + ";;\n",
        HEADER.replace("Regio", "Leeg;Leeg;Regio") + GOOD.replace("Utrecht", ";;Utrecht"),
        '"E-mail";"Nummer";"Regio";"Jaren";"Volgen";"Sinds"\n' + GOOD.rstrip("\n"),
        HEADER + GOOD.replace(";1;", ';="1";'),
        HEADER + GOOD.replace("01-02-2026", "1/2/2026 0:00"),
    ],
)
def test_files_as_programs_write_them(file: str | bytes) -> None:
    assert calls(read(file)) == calls(read(HEADER + GOOD))
    assert calls(read(file, piece=100_000)) == calls(read(HEADER + GOOD))


def test_a_quoted_cell_goes_over_lines_and_rows_are_counted_as_spreadsheets_do() -> None:
    found = read(HEADER + '"a@b.nl";1;"U;\r\n""x""";;ja;01-02-2026\n\nc@d.nl;2;;;x;13-13-2026\n')
    assert isinstance(found[0], Told)
    assert found[0].call["traits"] == {"region": 'U;\r\n"x"'}
    assert found[1] == (4, "Sinds", "not_a_date")


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ((HEADER + GOOD.replace("U", "Ü")).encode("windows-1252"), "windows-1252"),
        (HEADER.replace("Regio", "E-mail") + GOOD, "no column 'Regio'"),
        (HEADER.replace("Regio", "Regio;Regio") + GOOD, "twice"),
        (HEADER + '"anna@example.org;1\n' + GOOD, "never closed"),
        (HEADER + '"' + GOOD * 3_000, "never closed"),
        ("x" * 100_000, "Row 1"),
        (b"PK\x03\x04" + bytes(100), "spreadsheet"),
        ("\n\n", "empty"),
        ("", "empty"),
        (HEADER.encode() + b"\xff\xfe\x00", "About row 2"),
        ("a;" * 1_001 + HEADER, "at most 1000 columns"),
    ],
)
def test_files_that_cannot_be_read_say_what_to_do(file: str | bytes, problem: str) -> None:
    with pytest.raises(RefusedError, match=problem):
        read(file, piece=100)


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("anna;1;U;3;ja;01-02-2026", "E-mail", "not_an_address"),
        (";;U;3;ja;01-02-2026", None, "no_identity"),
        ("a@b.nl;4,7E+11;U;3;ja;01-02-2026", "Nummer", "shortened"),
        ("a@b.nl;1;U;3;misschien;01-02-2026", "Volgen", "not_yes_or_no"),
        ("a@b.nl;1;U;3;nee;", "Volgen", "no_consent"),
        ("a@b.nl;1;U;3;nee;soon", "Sinds", "not_a_date"),
        ("a@b.nl;1;U;3;;01-02-2026", "Volgen", "no_consent"),
        ("a@b.nl;1;U;3;ja;2026-11", "Sinds", "not_a_date"),
        ("a@b.nl;1;U;3;ja;", "Sinds", "empty"),
        ("a@b.nl;1;U;3;ja;01-02-2027", "Sinds", "in_the_future"),
        ("a@b.nl;1;U;3;ja;01-02-1926", "Sinds", "too_long_ago"),
        ("a@b.nl;1;U;3;ja;01-02-2026;and;more", None, "too_many_cells"),
        ('a@b.nl;1;"U"x;3;ja;01-02-2026', None, "quotes"),
    ],
)
def test_a_wrong_row_says_where_and_what_to_do(row: str, column: str | None, code: str) -> None:
    found = read(HEADER + row + "\n" + GOOD)
    assert found[0] == (2, column, code)
    assert len(calls(found)) == 1


def test_a_wrong_attribute_is_left_out_alone() -> None:
    found = read(HEADER + "a@b.nl;1;U;veel;ja;01-02-2026\n")
    assert found[0] == (2, "Jaren", "not_a_number")
    assert [one["traits"] for one in calls(found)] == [{"region": "U"}]


def test_windows_1252_where_it_is_said() -> None:
    file = (HEADER + GOOD.replace("Utrecht", "Fryslân")).encode("windows-1252")
    assert calls(read(file, encoding="windows-1252"))[0]["traits"]["region"] == "Fryslân"


def test_equal_rows_have_one_message_id_and_no_others() -> None:
    one, same, other = calls(read(HEADER + GOOD + GOOD + GOOD.replace("Utrecht", "Zwolle")))
    assert one["messageId"] == same["messageId"] != other["messageId"]


def test_what_is_told_at_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "TOLD_BYTES_MAX", 100)
    calls = {
        bytes([i]): Told(i, (), 0, {"text": "x" * size}, profile=False)
        for i, size in enumerate((40, 30, 30, 200, 10, 10))
    }
    parts = list(run._parts(calls))
    assert [[*part] for part in parts] == [[b"\0", b"\1"], [b"\2"], [b"\3"], [b"\4", b"\5"]]
