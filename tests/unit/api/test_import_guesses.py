"""What a file of people is guessed to be, and what is wrong with it in Dutch."""

import pytest

from services.api.dashboard.import_glimpse import SAMPLE_BYTES_MAX, Column, Glimpse, glimpse
from services.api.dashboard.import_guess import dates_in, decimal_in, guesses
from services.api.dashboard.job_errors import error_in_words, problem_in_words
from services.api.imports.asked import Dialect
from services.api.imports.table import csv_rows
from services.api.jobs.hold import RefusedError

FILE = """\
E-mail;Kandidaatnummer;Naam;Uren;Geboortedatum;Vrij vanaf;Postcode;Toestemming;Akkoord op;Vast
anna@post.example;0101;Anna;7,5;1980-01-02;31-01-2027;0123;ja;03-05-2025;ja
;0102;Bert;12;1975-02-03;;0456;nee;;nee
"""


def test_columns_are_guessed_by_name_and_by_what_stands_in_them() -> None:
    found = glimpse(FILE.encode())
    means = {
        column.name: guess.means
        for column, guess in zip(found.columns, guesses(found), strict=True)
    }
    assert means == {
        "E-mail": "id:email",
        "Kandidaatnummer": "id:user_id",
        "Naam": "as:text",
        "Uren": "as:number",
        "Geboortedatum": "",
        "Vrij vanaf": "as:date",
        "Postcode": "as:text",
        "Toestemming": "consent:measure",
        "Akkoord op": "given_at",
        "Vast": "as:yes_no",
    }
    assert [one.attribute for one in guesses(found)][2:4] == ["name", "uren"]
    assert (found.format, found.encoding) == ("csv", "utf-8")
    assert (dates_in(found), decimal_in(found)) == ("day_first", ",")
    assert found.columns[0].examples == ["anna@post.example"]


def test_a_column_with_too_long_a_name_is_left_out() -> None:
    long = "x" * 201
    for sample in (f"E-mail;{long}\na@post.example;1\n", f'{{"E-mail": "a@b.nl", "{long}": 1}}\n'):
        found = glimpse(sample.encode())
        assert ([one.name for one in found.columns], found.left_out) == (["E-mail"], [long])


def test_a_wrong_cell_does_not_hide_what_a_column_is() -> None:
    """It is told of as a wrong cell, here and by the trial."""
    found = glimpse(
        b"E-mail;Datum akkoord;Ervaring;Vanaf;Geboortedatum;Huisnummer\n"
        b"a@post.example;03-05-2025;5;2026-01-01;1980-01-02;12\n"
        b"b@post.example;gisteren;veel;2026-02-01;1980-01-02;12a\n"
        b"geen;04-05-2025;7;snel;;12b\n"
    )
    assert [(one.means, one.odd, one.is_special) for one in guesses(found)] == [
        ("id:email", ("geen",), False),
        ("given_at", ("gisteren",), False),
        ("as:number", ("veel",), False),
        ("as:date", ("snel",), False),
        ("", (), True),
        ("as:text", (), False),
    ]


def test_a_second_column_of_the_same_meaning_is_left_to_whoever_looks() -> None:
    found = Glimpse("csv", "utf-8", [Column("email", []), Column("e-mail", [])])
    assert [one.means for one in guesses(found)] == ["id:email", ""]


@pytest.mark.parametrize(
    ("cells", "dates"),
    [
        (["2026-11-22"], "iso"),
        (["01-02-2026"], "day_first"),
        (["11/22/2026", "01/02/2026"], "month_first"),
        (["11/22/2026", "22/11/2026"], "day_first"),
    ],
)
def test_dates_are_read_as_far_as_they_tell(cells: list[str], dates: str) -> None:
    assert dates_in(Glimpse("csv", "utf-8", [Column("x", cells)])) == dates


def test_other_spellings_of_files_are_known() -> None:
    utf16 = glimpse("Naam;Café\nAnna;één\n".encode("utf-16"))
    assert [one.name for one in utf16.columns] == ["Naam", "Café"]
    old = glimpse("Naam;Café\nAnna;één\n".encode("windows-1252"))
    assert (old.encoding, old.columns[1].examples) == ("windows-1252", ["één"])
    rows = glimpse(b'{"email": "a@b.example", "n": 3}\n{"later": null}\n')
    assert (rows.format, [one.name for one in rows.columns]) == ("ndjson", ["email", "n", "later"])
    twice = glimpse(b"a,b,a,\n1,2,3,4\n")
    assert ([one.name for one in twice.columns], twice.left_out) == (["b"], ["a", ""])


def test_a_sample_may_end_in_the_middle_of_a_row() -> None:
    row = 'anna@post.example,"één"\n'.encode()
    sample = (b"email,naam\n" + row * 4000)[: SAMPLE_BYTES_MAX - 1]
    assert sample[-1:] != b"\n"
    assert glimpse(sample).columns[1].examples == ["één"]


@pytest.mark.parametrize("sample", [b"", b"PK\x03\x04xlsx", b"{broken\n", b'"open\n', b"\xff\xfea"])
def test_what_is_no_such_file_is_refused_in_words(sample: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        glimpse(sample)
    assert problem_in_words(str(refused.value), "nl") != str(refused.value)


def test_what_is_wrong_is_told_in_the_language_of_the_page() -> None:
    for header in (b"", b"a,a\n1,2\n", b"b\n1\n"):
        with pytest.raises(RefusedError) as refused:
            list(csv_rows([header], Dialect(), {"a"}))
        assert problem_in_words(str(refused.value), "nl") != str(refused.value)
        assert problem_in_words(str(refused.value), "en") == str(refused.value)
    assert error_in_words("not_a_date", "Write dates as …", "nl").startswith("Dit is geen datum")
    assert error_in_words("not_a_date", "Write dates as …", "en") == "Write dates as …"
    assert error_in_words("of_later_code", "What it says.", "nl") == "What it says."
