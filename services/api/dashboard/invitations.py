"""Where somebody who was invited sets their password."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.api.account_store import accept_invitation, invited
from services.api.context import Here
from services.api.dashboard.pages import Form, field, lang, page
from services.api.dashboard.session import open_session
from services.api.dashboard.texts import Words, language_of
from services.api.passwords import LENGTH_MAX, LENGTH_MIN, hash_of
from services.runtime.database import writing

router = APIRouter(prefix="/invitation", include_in_schema=False)


@router.get("")
def invitation(request: Request) -> Response:
    """Asks for a password. What proves the invitation stands behind #, where no log sees it."""
    return _page(request)


@router.post("")
def accept(here: Here, request: Request, form: Form) -> Response:
    """Sets it, and logs in."""
    token, password = field(form, "token").strip(), field(form, "password")
    with here.engine.connect() as connection:
        row = invited(connection, token, here.clock())
    if row is None:
        return _page(request, "invitation_wrong")
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX or password.strip().lower() == row.email:
        return _page(request, "invitation_short", token)
    hashed = hash_of(password)
    with writing(here.engine).begin() as connection:
        account_id = accept_invitation(connection, token, hashed, here.clock())
    if account_id is None:  # somebody was quicker
        return _page(request, "invitation_wrong")
    response = RedirectResponse(f"/{lang(request)}", 303)
    open_session(here, request, response, row.workspace_id, account_id=account_id)
    return response


def _page(request: Request, wrong: str = "", token: str = "") -> Response:
    words = Words(language_of(request), "UTC")
    told = words[wrong].format(least=LENGTH_MIN, most=LENGTH_MAX) if wrong else ""
    return page(
        "invitation.html",
        words,
        status=403 if wrong else 200,
        wrong=told,
        token=token,
        least=LENGTH_MIN,
    )
