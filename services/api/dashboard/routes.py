"""The dashboard's pages. Nothing of a person is shown without a session."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Connection, select

from services.api.auth import Credential
from services.api.context import Context, Here
from services.api.dashboard.charts import draw
from services.api.dashboard.figures import phase_figure, phase_figures, segment_figures
from services.api.dashboard.movers import Whys, movers
from services.api.dashboard.notices import dead_webhooks
from services.api.dashboard.people_page import Place, people_page
from services.api.dashboard.person_page import person_page
from services.api.dashboard.session import close_session, may_enter, open_session, session_of
from services.api.dashboard.texts import Words, language_of
from services.api.people import find_person
from services.api.problem import MovedError, Problem
from services.api.segment_store import find_segment
from services.api.segments import SegmentKey
from services.api.wire import Cursor, unpack_cursor
from services.contract.phases import PHASES, IntervalKind, Phase
from services.contract.tables import workspace

router = APIRouter(include_in_schema=False)

_FORM_BYTES_MAX = 4096
_STATIC = {
    "style.css": "text/css",
    "live.js": "text/javascript",
    "login.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_pages = Environment(
    loader=PackageLoader("services.api.dashboard"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_whys = Whys()


def _entered(here: Here, request: Request) -> Credential:
    credential = session_of(here, request)
    if credential is None:
        raise Problem(303, "log_in", "Log in first.", {"Location": f"/login{_lang(request)}"})
    return credential


Visitor = Annotated[Credential, Depends(_entered)]


@router.get("/")
def home(here: Here, request: Request, credential: Visitor) -> Response:
    """Who is where, and who moves."""
    with here.engine.connect() as connection:
        words, name = _words(connection, credential, request)
        part = _part(connection, here, credential, words)
    return _page("home.html", words=words, workspace=name, part=part)


@router.get("/part")
def part(here: Here, request: Request) -> Response:
    """What changes of the first page, for the script that keeps it live."""
    credential = session_of(here, request)
    if credential is None:
        raise Problem(401, "log_in", "Log in first.")
    with here.engine.connect() as connection:
        words, _ = _words(connection, credential, request)
        return _html(_part(connection, here, credential, words))


@router.get("/charts/{name}")
def chart(here: Here, request: Request, name: str, credential: Visitor) -> Response:
    """A phase's curve."""
    phase = next((phase for phase in PHASES if f"{phase}.svg" == name), None)
    if phase is None:
        raise Problem(404, "not_found", "There is no such chart.")
    with here.engine.connect() as connection:
        words, _ = _words(connection, credential, request)
        figure = phase_figure(connection, credential.workspace_id, phase, here.clock())
    return Response(
        draw(figure, words),
        media_type="image/svg+xml",
        headers={"Cache-Control": "private, max-age=300"},
    )


@router.get("/people/{person_id}")
def person(here: Here, request: Request, person_id: str, credential: Visitor) -> Response:
    """One person."""
    with here.engine.connect() as connection:
        words, name = _words(connection, credential, request)
        try:
            row = find_person(connection, credential.workspace_id, person_id)
        except MovedError as moved:
            return RedirectResponse(f"/people/{moved.survivor}{_lang(request)}", 303)
        except Problem as problem:
            return _page("unknown.html", problem.status, words=words, workspace=name)
        shown = person_page(connection, here, row, words)
    return _page("person.html", words=words, workspace=name, **shown)


@router.get("/phases/{phase}")
def people_of_phase(
    here: Here, request: Request, phase: Phase, credential: Visitor, cursor: Cursor = None
) -> Response:
    """Who is in a phase."""
    with here.engine.connect() as connection:
        words, _ = _words(connection, credential, request)
        title = f"{phase.capitalize()}: {words.phase(phase)}"
        return _people(connection, here, request, credential, "phase", phase, title, cursor)


@router.get("/segments/{key}")
def people_of_segment(
    here: Here, request: Request, key: SegmentKey, credential: Visitor, cursor: Cursor = None
) -> Response:
    """Who is in a segment."""
    with here.engine.connect() as connection:
        found = find_segment(connection, credential.workspace_id, key)
        # While the first version is being filled nobody is in it.
        version = "0" if found.live is None else str(found.live.id)
        title = found.newest.name
        return _people(connection, here, request, credential, "segment", version, title, cursor)


@router.get("/login")
def login(request: Request) -> Response:
    """Asks for the key. A link may carry it behind #, which browsers keep to themselves."""
    words = Words(language_of(request), "UTC")
    return _page("login.html", words=words, workspace="", wrong="")


@router.post("/login")
async def enter(here: Here, request: Request) -> Response:
    """Opens a session."""
    form = await _form(request)
    credential = await run_in_threadpool(here.keys.by_key, form.get("key", "").strip())
    if credential is None or not may_enter(credential):
        words = Words(language_of(request), "UTC")
        wrong = words["login_unknown" if credential is None else "login_wrong"]
        return _page("login.html", 403, words=words, workspace="", wrong=wrong)
    response = RedirectResponse(f"/{_lang(request)}", 303)
    open_session(here, credential, request, response)
    return response


@router.post("/logout")
async def leave(request: Request) -> Response:
    """Ends the session."""
    await _form(request)
    response = RedirectResponse(f"/login{_lang(request)}", 303)
    close_session(response)
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


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form that our own page sent."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Problem(403, "cross_site", "This comes from another site.")
    body = await request.body()
    if len(body) > _FORM_BYTES_MAX:
        raise Problem(413, "too_large", "A form is not that large.")
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    return {name: values[0] for name, values in fields.items()}


def _words(connection: Connection, credential: Credential, request: Request) -> tuple[Words, str]:
    query = select(workspace.c.name, workspace.c.time_zone).where(
        workspace.c.id == credential.workspace_id
    )
    row = connection.execute(query).one()
    return Words(language_of(request), row.time_zone), row.name


def _part(connection: Connection, here: Context, credential: Credential, words: Words) -> str:
    now_ms = here.clock()
    figures = phase_figures(connection, credential.workspace_id, now_ms)
    drawn = hashlib.blake2b(repr(figures).encode(), digest_size=8).hexdigest()
    return _pages.get_template("part.html").render(
        words=words,
        figures=figures,
        drawn=drawn,
        movers=movers(connection, credential.workspace_id, here.model, words, _whys),
        segments=segment_figures(connection, credential.workspace_id, now_ms),
        dead=dead_webhooks(connection, credential.workspace_id),
        now_ms=now_ms,
    )


def _people(
    connection: Connection,
    here: Context,
    request: Request,
    credential: Credential,
    kind: IntervalKind,
    key: str,
    title: str,
    cursor: str | None,
) -> Response:
    words, name = _words(connection, credential, request)
    place = Place(here.clock()) if cursor is None else unpack_cursor(cursor, Place)
    page = people_page(connection, credential.workspace_id, kind, key, place)
    path = request.url.path
    return _page("people.html", words=words, workspace=name, title=title, page=page, path=path)


def _page(template: str, status: int = 200, **shown: Any) -> Response:
    return _html(_pages.get_template(template).render(**shown), status)


def _html(text: str, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"}
    return Response(text, status, media_type="text/html", headers=headers)


def _lang(request: Request) -> str:
    return f"?lang={language_of(request)}" if "lang" in request.query_params else ""
