"""Errors as answers: RFC 9457 problem details that also carry ``code`` and ``message``."""

import json
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

RETRY_AFTER_S = 5
MEDIA_TYPE = "application/problem+json"
TYPES = "/problems/"
"""What each ``type`` begins with: an address at whoever answered, for there is no other host."""


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/not_found",
                    "title": "Not found",
                    "status": 404,
                    "detail": "There is no person with this id in this workspace.",
                    "code": "not_found",
                    "message": "There is no person with this id in this workspace.",
                }
            ]
        }
    )
    type: str = Field(
        description="Names the kind of problem; stable. It leads to a page that explains it."
    )
    title: str
    status: int
    detail: str = Field(description="What is the matter here, in words.")
    code: str = Field(description="The last part of `type`; stable.")
    message: str = Field(description="The same as `detail`.")


class Problem(Exception):  # noqa: N818  it is the answer's own name
    """A request that cannot be answered as asked."""

    def __init__(
        self, status: int, code: str, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


class MovedError(Exception):
    """The person was found to be another: ask for that one. It may be undone."""

    def __init__(self, asked: str, survivor: str) -> None:
        super().__init__(asked)
        self.asked, self.survivor = asked, survivor


_WORDS = {
    304: "Not modified: what you hold is still right",
    307: "Merged into another person; follow `Location`, but do not keep it: it may be undone",
    400: "The request is not as described here",
    401: "No valid key",
    403: "The key may not do this",
    404: "Not found in this workspace",
    405: "No such method here",
    409: "It clashes with what there is",
    412: "It was changed since you saw it",
    413: "The body is too large",
    428: "`If-Match` is missing: say which state you saw",
    429: "More than may be sent; send the same again after `Retry-After`",
    503: "The database, or the collecting door, is away or busy; try again after `Retry-After`",
}


_HEADERS = {
    307: ("Location", "The person's present address."),
    401: ("WWW-Authenticate", "How to give a key."),
    412: ("ETag", "Its present state."),
    429: ("Retry-After", "Seconds."),
    503: ("Retry-After", "Seconds."),
}


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that can answer with these problems."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    answers: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        answer: dict[str, Any] = {"description": _WORDS[status]}
        if status != 304:
            answer["content"] = {MEDIA_TYPE: {"schema": schema}}
        if status in _HEADERS:
            name, meaning = _HEADERS[status]
            answer["headers"] = {name: {"description": meaning, "schema": {"type": "string"}}}
        answers[status] = answer
    return answers


def answer_of(problem: Problem) -> Response:
    """The problem as a response."""
    title = _WORDS.get(problem.status, problem.code.replace("_", " ").capitalize())
    body = {
        "type": f"{TYPES}{problem.code}",
        "title": title.split(";")[0],
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "message": problem.detail,
    }
    return Response(
        json.dumps(body), problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


Shown = Callable[[Request, Problem], Response]
"""How a problem leaves the app: as problem details, or as a page for whoever looks at one."""


ProblemOf = Callable[[Request, Any], Problem]
"""The problem that an error is."""


def install(app: FastAPI, shown: Shown, invalid: ProblemOf) -> None:
    """Let every error of the app leave it as a problem.

    Args:
        app: whose errors these are.
        shown: how a problem is answered.
        invalid: what tells of a request that is not as described.
    """
    for kind, problem_of in {**_PROBLEM_OF, RequestValidationError: invalid}.items():
        app.add_exception_handler(kind, _handler(problem_of, shown))
    app.add_exception_handler(MovedError, _on_moved)


def _handler(problem_of: ProblemOf, shown: Shown) -> Callable[[Request, Exception], Response]:
    return lambda request, error: shown(request, problem_of(request, error))


def bug() -> Problem:
    """A fault of ours: it goes to the log, and the caller hears no more than that."""
    return Problem(500, "internal", "This failed on our side; it has been logged.")


def _itself(_request: Request, error: Problem) -> Problem:
    return error


def _on_moved(request: Request, error: Exception) -> Response:
    assert isinstance(error, MovedError)  # noqa: S101  the framework routes by type
    rest = request.url.path.split(f"/persons/{error.asked}", 1)[-1]
    query = f"?{request.url.query}" if request.url.query else ""
    response = answer_of(Problem(307, "merged", f"This person is now {error.survivor}."))
    response.headers["Location"] = f"/v1/persons/{error.survivor}{rest}{query}"
    response.headers["Cache-Control"] = "no-store"
    return response


_PHRASES = {
    "Not Found": "There is nothing at this address; `/docs` has all that there are.",
    "Method Not Allowed": "This address takes other methods; they stand in `Allow`.",
    "There was an error parsing the body": "The body cannot be read.",
}
"""What the framework says by itself."""
_UNREADABLE: dict[type[BaseException | None], str] = {
    RecursionError: "The body nests too deep.",
    UnicodeDecodeError: "The body is not UTF-8.",
    # JSON that is none is an error of another kind.
    ValueError: "The body has a whole number of too many digits: 4300 is the most.",
}
"""By what went wrong in reading a body."""
_CODES = {404: "no_such_route", 405: "method_not_allowed", 413: "too_large"}


def _of_http(_request: Request, error: HTTPException) -> Problem:
    code = _CODES.get(error.status_code, "bad_request")
    headers = dict(error.headers) if error.headers else None
    phrase = _PHRASES.get(str(error.detail), str(error.detail))
    said = _UNREADABLE.get(type(error.__cause__), phrase)
    return Problem(error.status_code, code, said, headers)


_LOST = {"40P01", "40001"}
"""PostgreSQL ended one of two transactions that waited for each other, or that met."""


def _not_now(_request: Request, error: Exception) -> Problem:
    if getattr(getattr(error, "orig", None), "sqlstate", None) in _LOST:
        text = "Others were changing the same at this moment, and nothing was done."
        return Problem(503, "busy", text, {"Retry-After": "1"})
    text = "The database cannot be reached just now."
    return Problem(503, "database_away", text, {"Retry-After": str(RETRY_AFTER_S)})


_PROBLEM_OF: dict[type[Exception], ProblemOf] = {
    Problem: _itself,
    HTTPException: _of_http,
    OperationalError: _not_now,
    InterfaceError: _not_now,
    PoolTimeoutError: _not_now,
}
