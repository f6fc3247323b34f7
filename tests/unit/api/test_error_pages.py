"""Problems as pages: in both languages, with what to do, for whoever looks at one."""

import pytest
from starlette.requests import Request

from services.api.dashboard.error_pages import shown
from services.api.dashboard.error_texts import what_to_do
from services.api.problem import Problem
from services.api.problem_kinds import KINDS


def _request(path: str = "/segments/x", accept: str = "text/html", lang: str = "nl") -> Request:
    headers = [(b"accept", accept.encode()), (b"accept-language", lang.encode())]
    return Request(
        {"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": b""}
    )


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 412, 413, 418, 429, 500, 503, 504])
def test_every_status_is_a_page_that_says_what_to_do(status: int) -> None:
    wait = {"Retry-After": "5"}
    for lang, word in (("nl", "Overzicht"), ("en", "Overview")):
        answer = shown(_request(lang=lang), Problem(status, "internal", "inner words", wait))
        text = bytes(answer.body).decode()
        assert answer.status_code == status
        assert answer.headers["retry-after"] == "5"
        assert (word in text, "inner words" in text) == (True, False)
        assert f'<html lang="{lang}">' in text


def test_programs_get_problem_details() -> None:
    problem = Problem(404, "not_found", "There is none.")
    for request in (_request(accept="*/*"), _request("/v1/segments/x")):
        assert shown(request, problem).media_type == "application/problem+json"
    away = Problem(303, "log_in", "Log in first.", {"Location": "/login"})
    assert shown(_request(), away).headers["location"] == "/login"


def test_every_kind_of_problem_can_be_told() -> None:
    for code in KINDS:
        for status in (400, 404, 409, 503):
            told = [what_to_do(Problem(status, code, ""), lang) for lang in ("nl", "en")]
            assert told[0] != told[1]
