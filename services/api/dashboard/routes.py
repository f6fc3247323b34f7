"""The dashboard's pages. Nothing of a person is shown without a session that may see it."""

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from services.api.context import Context, Here
from services.api.dashboard.charts import draw
from services.api.dashboard.entering import TooOften, account_of
from services.api.dashboard.figures import phase_figure, phase_figures, segment_figures
from services.api.dashboard.movers import Whys, movers
from services.api.dashboard.notices import dead_webhooks
from services.api.dashboard.pages import (
    Form,
    SeesNumbers,
    SeesPeople,
    field,
    html,
    lang,
    page,
    templates,
    words_of,
)
from services.api.dashboard.people_page import Place, people_page
from services.api.dashboard.person_page import person_page
from services.api.dashboard.session import (
    NEEDED_SCOPES,
    Visitor,
    close_session,
    open_session,
    session_of,
)
from services.api.dashboard.texts import Words, language_of
from services.api.passwords import LENGTH_MAX as PASSWORD_MAX
from services.api.people import find_person
from services.api.problem import MovedError, Problem
from services.api.segment_store import find_segment
from services.api.segments import SegmentKey
from services.api.wire import Cursor, unpack_cursor
from services.contract.phases import PHASES, IntervalKind, Phase

router = APIRouter(include_in_schema=False)

_STATIC = {
    "style.css": "text/css",
    "live.js": "text/javascript",
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
    return page("home.html", words, visitor, workspace=name, part=part)


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
        figure = phase_figure(connection, visitor.workspace_id, phase, here.clock())
    return Response(
        draw(figure, words),
        media_type="image/svg+xml",
        headers={"Cache-Control": "private, max-age=300"},
    )


@router.get("/people/{person_id}")
def person(here: Here, request: Request, person_id: str, visitor: SeesPeople) -> Response:
    """One person."""
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        try:
            row = find_person(connection, visitor.workspace_id, person_id)
        except MovedError as moved:
            return RedirectResponse(f"/people/{moved.survivor}{lang(request)}", 303)
        except Problem as problem:
            return page("unknown.html", words, visitor, problem.status, workspace=name)
        shown = person_page(connection, here, row, words)
    return page("person.html", words, visitor, workspace=name, **shown)


@router.get("/phases/{phase}")
def people_of_phase(
    here: Here, request: Request, phase: Phase, visitor: SeesPeople, cursor: Cursor = None
) -> Response:
    """Who is in a phase."""
    with here.engine.connect() as connection:
        words, _ = words_of(connection, visitor, request)
        title = f"{phase.capitalize()}: {words.phase(phase)}"
        return _people(connection, here, request, visitor, "phase", phase, title, cursor)


@router.get("/segments/{key}")
def people_of_segment(
    here: Here, request: Request, key: SegmentKey, visitor: SeesPeople, cursor: Cursor = None
) -> Response:
    """Who is in a segment."""
    with here.engine.connect() as connection:
        found = find_segment(connection, visitor.workspace_id, key)
        # While the first version is being filled nobody is in it.
        version = "0" if found.live is None else str(found.live.id)
        title = found.newest.name
        return _people(connection, here, request, visitor, "segment", version, title, cursor)


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
        told = words["login_too_often"].format(minutes=-(-wrong.wait_s // 60))
        refused = page("login.html", words, status=429, wrong=told)
        refused.headers["Retry-After"] = str(wrong.wait_s)
        return refused
    return page("login.html", words, status=403, wrong=words[wrong])


def _enter_with_password(
    here: Context, request: Request, form: dict[str, list[str]], response: Response
) -> str | TooOften:
    """Open a session; else the name of the text that says why not."""
    found = account_of(here, field(form, "email")[:254], field(form, "password")[:PASSWORD_MAX])
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
        movers=movers(connection, visitor.workspace_id, here.model, words, _whys)
        if visitor.may("persons:read", "changes:read")
        else None,
        segments=segment_figures(connection, visitor.workspace_id, now_ms),
        dead=dead_webhooks(connection, visitor.workspace_id),
        now_ms=now_ms,
    )


def _people(
    connection: Connection,
    here: Context,
    request: Request,
    visitor: Visitor,
    kind: IntervalKind,
    key: str,
    title: str,
    cursor: str | None,
) -> Response:
    words, name = words_of(connection, visitor, request)
    place = Place(here.clock()) if cursor is None else unpack_cursor(cursor, Place)
    people = people_page(connection, visitor.workspace_id, kind, key, place)
    path = request.url.path
    return page("people.html", words, visitor, workspace=name, title=title, page=people, path=path)
