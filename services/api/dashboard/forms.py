"""Forms that change something: one way for all of them, from the session to what is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from services.api.context import Context, Here
from services.api.dashboard.error_texts import FormError
from services.api.dashboard.pages import SMALL_FORM, FormOf, May, field, lang, must_be_own
from services.api.dashboard.session import Visitor
from services.api.idempotency import Once
from services.api.problem import Problem
from services.runtime.database import writing

B = TypeVar("B", bound=BaseModel)

AS_OFTEN_AS_SENT = Once(None, b"")
"""A form that is sent twice makes two things: nothing stands in it to tell them apart."""
WHATEVER = "*"
"""For what means the same whatever else was changed meanwhile, as pausing does."""
_DIGITS_MAX = 6


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


def whole_number(sent: Sent, name: str) -> int | None:
    """A number of the form; None: nothing stands there.

    Raises:
        Problem: 400, it is no number.
    """
    text = sent.field(name)
    if text and not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise Problem(400, "invalid", "That is no number.")
    return int(text) if text else None


def must_be_sure(sent: Sent) -> None:
    """Go on only if the box was ticked.

    Raises:
        FormError: it was not.
    """
    if sent.field("sure") != "yes":
        raise FormError("not_sure")


def go_to(sent: Sent, address: str) -> Response:
    """Lead to where what was done is shown."""
    return RedirectResponse(f"{address}{lang(sent.request)}", 303)


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
