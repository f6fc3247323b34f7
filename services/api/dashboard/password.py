"""Where somebody who logs in changes their own password."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.api.account_store import change_password, find_account
from services.api.context import Here
from services.api.dashboard.entering import TooOften, proves_to_be
from services.api.dashboard.pages import Form, May, field, lang, must_be_own, page, words_of
from services.api.dashboard.session import Visitor, open_session
from services.api.passwords import LENGTH_MAX, LENGTH_MIN, hash_of
from services.api.problem import Problem
from services.api.visitors import sender_of
from services.runtime.database import writing

router = APIRouter(prefix="/password", include_in_schema=False)

Somebody = Annotated[Visitor, Depends(May())]


@router.get("")
def password(here: Here, request: Request, visitor: Somebody) -> Response:
    """Asks for the present one and for a new one."""
    return _page(here, request, visitor)


@router.post("")
def change(here: Here, request: Request, visitor: Somebody, form: Form) -> Response:
    """Changes it; every other browser of theirs logs in anew."""
    must_be_own(visitor, form)
    given, new = field(form, "current")[:LENGTH_MAX], field(form, "password")
    with here.engine.connect() as connection:
        row = find_account(connection, visitor.workspace_id, _public_id(visitor))
    right = proves_to_be(here, sender_of(here, request), row, given)
    if isinstance(right, TooOften):
        refused = _page(here, request, visitor, "login_too_often", -(-right.wait_s // 60), 429)
        refused.headers["Retry-After"] = str(right.wait_s)
        return refused
    if not right:
        return _page(here, request, visitor, "password_wrong")
    if not LENGTH_MIN <= len(new) <= LENGTH_MAX or new.strip().lower() == row.email:
        return _page(here, request, visitor, "invitation_short")
    hashed = hash_of(new)
    with writing(here.engine).begin() as connection:
        row = find_account(connection, visitor.workspace_id, row.public_id)
        change_password(connection, row, hashed, here.clock())
    response = RedirectResponse(f"/{lang(request)}", 303)
    open_session(here, request, response, row.workspace_id, account_id=row.id)
    return response


def _public_id(visitor: Visitor) -> str:
    """Of their account.

    Raises:
        Problem: 403, they came in with a key.
    """
    kind, _, public_id = visitor.who.partition(" ")
    if kind != "account":
        raise Problem(403, "wrong_key", "A key has no password.")
    return public_id


def _page(
    here: Here,
    request: Request,
    visitor: Visitor,
    wrong: str = "",
    minutes: int = 0,
    status: int = 403,
) -> Response:
    _public_id(visitor)
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
    told = words[wrong].format(least=LENGTH_MIN, most=LENGTH_MAX, minutes=minutes) if wrong else ""
    return page(
        "password.html",
        words,
        visitor,
        status if wrong else 200,
        workspace=name,
        wrong=told,
        least=LENGTH_MIN,
    )
