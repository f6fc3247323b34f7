"""Forms that change something: one way for all of them, from the session to what is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from services.api.context import Context, Here
from services.api.dashboard.pages import SMALL_FORM, FormOf, May, field, must_be_own
from services.api.dashboard.session import Visitor
from services.api.problem import Problem
from services.runtime.database import writing

B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True)
class Sent:
    """A form that a page of the visitor's own session sent."""

    here: Context
    request: Request
    visitor: Visitor
    fields: dict[str, list[str]]

    def field(self, name: str) -> str:
        """A field's only value, without blanks around it; empty where it was not sent."""
        return field(self.fields, name).strip()

    def named(self, name: str) -> str:
        """What the address names: an id that may be nobody's."""
        return str(self.request.path_params[name])


Changed = dict[str, Any]
"""What the page shows once of a change."""


def on_form(
    router: APIRouter, path: str, may: May, form: FormOf = SMALL_FORM
) -> Callable[[Callable[[Sent], Response]], Callable[[Sent], Response]]:
    """Let a function answer the form that is sent to ``path``, by whoever may do so."""

    def register(answer: Callable[[Sent], Response]) -> Callable[[Sent], Response]:
        def post(
            here: Here,
            request: Request,
            visitor: Annotated[Visitor, Depends(may)],
            fields: Annotated[dict[str, list[str]], Depends(form)],
        ) -> Response:
            must_be_own(visitor, fields)
            return answer(Sent(here, request, visitor, fields))

        router.post(path)(post)
        return answer

    return register


def changed(
    sent: Sent,
    change: Callable[[Connection, Sent], Changed],
    show: Callable[[Sent, Changed, Problem | None], Response],
) -> Response:
    """What is shown after a change in one transaction; or of why nothing was done."""

    def in_one(sent: Sent) -> Changed:
        with writing(sent.here.engine).begin() as connection:
            return change(connection, sent)

    return asked(sent, in_one, show)


def asked(
    sent: Sent,
    ask: Callable[[Sent], Changed],
    show: Callable[[Sent, Changed, Problem | None], Response],
) -> Response:
    """The same of what the API's own routes change, each in a transaction of theirs."""
    try:
        done = ask(sent)
    except Problem as problem:
        return show(sent, {}, problem)
    return show(sent, done, None)


def body_of(kind: type[B], values: dict[str, Any]) -> B:
    """A form's values as the body of the API's route that takes them.

    Raises:
        Problem: 400, the route would refuse them.
    """
    try:
        return kind.model_validate(values)
    except ValidationError:
        raise Problem(400, "invalid", "The form is not right.") from None
