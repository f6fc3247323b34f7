"""Whatever a file is called, an import takes the name that is shown."""

import pytest
from pydantic import ValidationError

from services.api.imports.asked import VacanciesImport
from services.contract.file_name import FILE_NAME_LENGTH_MAX, shown_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("lijst van André.csv", "lijst van André.csv"),
        (r"C:\lijsten\mei.csv", "C: lijsten mei.csv"),
        ("a/b\tc\x7f.csv", "a b c .csv"),
        ("mei\u202efdp.csv\u2069", "mei fdp.csv"),
        ("r\udce9gion.csv", "r gion.csv"),  # as Linux gives a name that is no UTF-8
        ("x" * 300, "x" * FILE_NAME_LENGTH_MAX),
        ("\\\u202a\n", None),
    ],
)
def test_a_name_is_shown_as_one_that_is_taken(name: str, shown: str | None) -> None:
    assert shown_name(name) == shown
    asked = {"kind": "vacancies", "feed": "ats", "file_name": shown}
    assert VacanciesImport.model_validate(asked).file_name == shown


@pytest.mark.parametrize("name", ["mei\u202efdp.csv", "mei\u2066.csv", "a/b.csv", "a\n.csv"])
def test_no_other_name_is_taken(name: str) -> None:
    with pytest.raises(ValidationError):
        VacanciesImport.model_validate({"kind": "vacancies", "feed": "ats", "file_name": name})
