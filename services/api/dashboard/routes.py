"""The dashboard's pages. Nothing of a person is shown without a session that may see it."""

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from services.api.context import Context, Here
from services.api.dashboard.charts import COLOURS, draw
from services.api.dashboard.entering import TooOften, account_of
from services.api.dashboard.figures import figure, phase_figures, segment_figures
from services.api.dashboard.movers import Whys, movers
from services.api.dashboard.notices import dead_webhooks, lag
from services.api.dashboard.pages import (
    Form,
    SeesNumbers,
    field,
    html,
    lang,
    page,
    picture,
    templates,
    words_of,
)
from services.api.dashboard.session import (
    NEEDED_SCOPES,
    Visitor,
    close_session,
    open_session,
    session_of,
)
from services.api.dashboard.texts import Words, language_of
from services.api.passwords import LENGTH_MAX as PASSWORD_MAX
from services.api.problem import Problem
from services.api.visitors import sender_of
from services.contract.phases import PHASES
from services.model.amounts import lasting

router = APIRouter(include_in_schema=False)

_STATIC = {
    "style.css": "text/css",
    "live.js": "text/javascript",
    "import.js": "text/javascript",
    "login.js": "text/javascript",
    "invitation.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_whys = Whys()


@router.get("/")
def home(here: Here, request: Request, visitor: SeesNumbers) -> Response:
    """Who is where, and who moves."""
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        part = _part(connection, here, visitor, words)
    return page("home.html", words, visitor, workspace=name, path="/", part=part)


@router.get("/part")
def part(here: Here, request: Request) -> Response:
    """What changes of the first page, for the script that keeps it live."""
    visitor = session_of(here, request)
    if visitor is None:
        raise Problem(401, "log_in", "Log in first.")
    with here.engine.connect() as connection:
        words, _ = words_of(connection, visitor, request)
        return html(_part(connection, here, visitor, words))


@router.get("/charts/{name}")
def chart(here: Here, request: Request, name: str, visitor: SeesNumbers) -> Response:
    """A phase's curve."""
    phase = next((phase for phase in PHASES if f"{phase}.svg" == name), None)
    if phase is None:
        raise Problem(404, "not_found", "There is no such chart.")
    with here.engine.connect() as connection:
        words, _ = words_of(connection, visitor, request)
        found = figure(connection, visitor.workspace_id, "phase", phase, here.clock())
    return picture(draw(found, COLOURS[phase], words))


@router.get("/login")
def login(request: Request) -> Response:
    """Asks who it is. A link may carry a key behind #, which browsers keep to themselves."""
    return page("login.html", Words(language_of(request), "UTC"), wrong="")


@router.post("/login")
async def enter(here: Here, request: Request, form: Form) -> Response:
    """Opens a session, for an account or a key."""
    response = RedirectResponse(f"/{lang(request)}", 303)
    enters = _enter_with_password if "email" in form else _enter_with_key
    wrong = await run_in_threadpool(enters, here, request, form, response)
    if not wrong:
        return response
    words = Words(language_of(request), "UTC")
    if isinstance(wrong, TooOften):
        wait = lasting(-(-wrong.wait_s // 60), words.language)
        told = words["login_too_often"].format(wait=wait)
        refused = page("login.html", words, status=429, wrong=told)
        refused.headers["Retry-After"] = str(wrong.wait_s)
        return refused
    return page("login.html", words, status=403, wrong=words[wrong])


def _enter_with_password(
    here: Context, request: Request, form: dict[str, list[str]], response: Response
) -> str | TooOften:
    """Open a session; else the name of the text that says why not."""
    found = account_of(
        here,
        sender_of(here, request),
        field(form, "email")[:254],
        field(form, "password")[:PASSWORD_MAX],
    )
    if found is None:
        return "login_nobody"
    if isinstance(found, TooOften):
        return found
    open_session(here, request, response, found[1], account_id=found[0])
    return ""


def _enter_with_key(
    here: Context, request: Request, form: dict[str, list[str]], response: Response
) -> str:
    credential = here.keys.by_key(field(form, "key").strip())
    if credential is None:
        return "login_unknown"
    if credential.kind != "api" or not credential.scopes >= NEEDED_SCOPES:
        return "login_wrong"
    open_session(here, request, response, credential.workspace_id, key_id=credential.key_id)
    return ""


@router.post("/logout")
def leave(here: Here, request: Request, _form: Form) -> Response:
    """Ends the session. That the form comes from no other site is all that is asked of it."""
    response = RedirectResponse(f"/login{lang(request)}", 303)
    close_session(here, request, response)
    return response


@router.get("/static/{name}")
def static(name: str) -> Response:
    """The page's own style and scripts."""
    if name not in _STATIC:
        raise Problem(404, "not_found", "There is no such file.")
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(_static(name), media_type=_STATIC[name], headers=headers)


@cache
def _static(name: str) -> bytes:
    return files("services.api.dashboard").joinpath("static", name).read_bytes()


def _part(connection: Connection, here: Context, visitor: Visitor, words: Words) -> str:
    now_ms = here.clock()
    figures = phase_figures(connection, visitor.workspace_id, now_ms)
    drawn = hashlib.blake2b(repr(figures).encode(), digest_size=8).hexdigest()
    return templates.get_template("part.html").render(
        words=words,
        figures=figures,
        drawn=drawn,
        visitor=visitor,
        movers=movers(connection, visitor.workspace_id, here.model, words, _whys, now_ms)
        if visitor.may("persons:read", "changes:read")
        else None,
        segments=segment_figures(connection, visitor.workspace_id, now_ms),
        dead=dead_webhooks(connection, visitor.workspace_id),
        lag=lag(here, connection, visitor.workspace_id),
        now_ms=now_ms,
    )
