"""What every page of the dashboard is made with: who looks, words, templates, forms."""

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Connection, select

from services.api.context import Here
from services.api.dashboard.session import Visitor, check_csrf, session_of
from services.api.dashboard.texts import Words, language_of
from services.api.problem import Problem
from services.contract.tables import workspace

FORM_BYTES_MAX = 4096
FIELDS_MAX = 40
templates = Environment(
    loader=PackageLoader("services.api.dashboard"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class May:
    """A dependency: who looks, and may do all of this."""

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes

    def __call__(self, here: Here, request: Request) -> Visitor:
        """The visitor.

        Raises:
            Problem: 303 to the log-in without a session; 403 where their role does not allow it.
        """
        visitor = session_of(here, request)
        if visitor is None:
            to_login = {"Location": f"/login{lang(request)}"}
            raise Problem(303, "log_in", "Log in first.", to_login)
        if not visitor.may(*self.scopes):
            raise Problem(403, "missing_scope", "Your role may not see or do this.")
        return visitor


SeesNumbers = Annotated[Visitor, Depends(May("segments:read"))]
SeesPeople = Annotated[Visitor, Depends(May("segments:read", "persons:read"))]
RecordsConsent = Annotated[Visitor, Depends(May("persons:read", "consent:write"))]
ErasesPeople = Annotated[Visitor, Depends(May("persons:read", "persons:erase"))]
ChangesSegments = Annotated[Visitor, Depends(May("segments:read", "segments:write"))]
SeesAccess = Annotated[Visitor, Depends(May("audit:read"))]


def words_of(connection: Connection, visitor: Visitor, request: Request) -> tuple[Words, str]:
    """Words in the visitor's language on the workspace's clock, and the workspace's name."""
    query = select(workspace.c.name, workspace.c.time_zone).where(
        workspace.c.id == visitor.workspace_id
    )
    row = connection.execute(query).one()
    return Words(language_of(request), row.time_zone), row.name


def page(
    template: str,
    words: Words,
    visitor: Visitor | None = None,
    status: int = 200,
    *,
    workspace: str = "",
    path: str = "",
    **shown: Any,
) -> Response:
    """A whole page; ``path`` is where the same is in another language, left out: where it is."""
    text = templates.get_template(template).render(
        words=words, visitor=visitor, workspace=workspace, path=path, **shown
    )
    return html(text, status)


def html(text: str, status: int = 200) -> Response:
    """A page, or a part of one, that no cache keeps."""
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"}
    return Response(text, status, media_type="text/html", headers=headers)


def picture(svg: bytes) -> Response:
    """A drawing, which the visitor's browser keeps for some minutes."""
    headers = {"Cache-Control": "private, max-age=300"}
    return Response(svg, media_type="image/svg+xml", headers=headers)


def must_be_from_here(request: Request) -> None:
    """Take nothing that a page of another site sends.

    Raises:
        Problem: 403.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Problem(403, "cross_site", "This comes from another site.")


class FormOf:
    """A dependency: the fields of a form that a page of our own sent."""

    def __init__(self, bytes_max: int, fields_max: int) -> None:
        self._bytes_max, self._fields_max = bytes_max, fields_max

    async def __call__(self, request: Request) -> dict[str, list[str]]:
        """The fields, by name.

        Raises:
            Problem: 400, 413, there is too much; 403, another site sent it.
        """
        must_be_from_here(request)
        body = await request.body()
        if len(body) > self._bytes_max:
            raise Problem(413, "too_large", "A form is not that large.")
        try:
            return parse_qs(body.decode("utf-8", "replace"), max_num_fields=self._fields_max)
        except ValueError:
            raise Problem(400, "invalid", "A form has not that many fields.") from None


SMALL_FORM = FormOf(FORM_BYTES_MAX, FIELDS_MAX)
Form = Annotated[dict[str, list[str]], Depends(SMALL_FORM)]


def field(form: dict[str, list[str]], name: str) -> str:
    """A field's only value; empty where it was not sent."""
    return form.get(name, [""])[0].replace("\x00", "")


def must_be_own(visitor: Visitor, form: dict[str, list[str]]) -> None:
    """Take the form only from a page of this session.

    Raises:
        Problem: 403.
    """
    check_csrf(visitor, field(form, "csrf"))


def lang(request: Request) -> str:
    """The language that was asked for, for the next address."""
    return f"?lang={language_of(request)}" if "lang" in request.query_params else ""
