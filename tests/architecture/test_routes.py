"""What every route of the API has, read from the OpenAPI itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine

from services.api.app import create_app

MAKE_NOTHING = {
    "/v1/persons/lookup",
    "/v1/segments/preview",
    "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
}
REPEATS_BY_NATURE = {
    "/v1/links",  # the same link is found again
    "/v1/rewrite",  # the same
    "/v1/messages/{message_id}/recipients",  # events named after mailing and recipient
    "/v1/consent",  # an event named after what was said
    "/v1/persons/{person_id}/consent",  # the same
    "/v1/objections",  # who objected already has objected
    "/v1/persons/{person_id}/objection",  # the same
    "/v1/erasures",  # who is erased already is erased
    "/v1/jobs/{job_id}/cancel",  # a job that ended stays as it is
}


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return create_app(create_engine("sqlite://"), "", "http://localhost").openapi()


def _operations(openapi: dict[str, Any], method: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in openapi["paths"].items():
        if method in item and "collecting" not in item[method]["tags"]:
            yield path, item[method]


def _headers(operation: dict[str, Any]) -> set[str]:
    return {one["name"].lower() for one in operation.get("parameters", ()) if one["in"] == "header"}


def test_every_post_that_makes_something_can_be_repeated(openapi: dict[str, Any]) -> None:
    for path, operation in _operations(openapi, "post"):
        known = path in MAKE_NOTHING | REPEATS_BY_NATURE
        assert known or "idempotency-key" in _headers(operation), path
        assert known or "409" in operation["responses"], path


def test_every_patch_names_what_it_saw(openapi: dict[str, Any]) -> None:
    for path, operation in _operations(openapi, "patch"):
        if path == "/v1/persons/{person_id}":
            continue  # an event with its own time, which overwrites nothing that is newer
        assert "if-match" in _headers(operation), path
        assert {"412", "428"} <= operation["responses"].keys(), path


def test_every_answer_to_a_key_tells_of_its_limit(openapi: dict[str, Any]) -> None:
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            if {"bearer": []} not in operation.get("security", ()):
                continue
            assert "429" in operation["responses"], f"{method} {path}"
            for answer in operation["responses"].values():
                assert "RateLimit" in answer["headers"], f"{method} {path}"
