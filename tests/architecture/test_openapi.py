"""The OpenAPI in the repository is the one that the code describes, and it is complete."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from services.cli.api import command

SNAPSHOT = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    printed = CliRunner().invoke(command, ["--print-openapi"]).stdout
    described: dict[str, Any] = json.loads(printed)
    return described


def test_the_snapshot_is_up_to_date(described: dict[str, Any]) -> None:
    stored = json.loads(SNAPSHOT.read_text())
    assert described == stored, "run: kentering api --print-openapi > docs/openapi.json"


def test_every_operation_says_what_it_does(described: dict[str, Any]) -> None:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            name = f"{method} {path}"
            assert operation.get("summary"), name
            assert operation.get("description"), name
            assert operation.get("tags"), name
            assert "422" not in operation["responses"], name
            if path.startswith("/v1"):
                assert operation["security"], name
                assert {"400", "401", "503"} <= operation["responses"].keys(), name


def test_what_can_be_edited_has_its_tag_everywhere(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        asks = {
            method: any(one["name"].lower() == "if-match" for one in told.get("parameters", ()))
            for method, told in methods.items()
        }
        for method, told in methods.items():
            answers = told["responses"]
            place = f"{method} {path}"
            assert not asks[method] or "412" in answers, place
            assert ("428" in answers) == (asks[method] and method == "patch"), place
            for status in {"200", "201"} & answers.keys():
                assert not any(asks.values()) or "ETag" in answers[status]["headers"], place
