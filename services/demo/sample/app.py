"""A sample "werken-bij" site: a few pages that carry the script, as an employer's site would."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.demo.catalogue import (
    BEHIND_THE_SCENES,
    EMPLOYER,
    HACKATHON,
    ITEMS,
    PODCASTS,
    STORIES,
    VACANCIES,
    Item,
)
from services.demo.doors import RefusedError
from services.demo.sample.texts import LABELS, paragraphs_of

templates = Environment(
    loader=PackageLoader("services.demo.sample", "."), autoescape=select_autoescape()
)
_BY_PATH = {item.path: item for item in ITEMS.values()}
_HOME = (STORIES[0], BEHIND_THE_SCENES[0], PODCASTS[0], STORIES[6], HACKATHON, VACANCIES[0])
_FILES = {"site.css": "text/css", "site.js": "text/javascript", "icon.svg": "image/svg+xml"}

_RETRY_AFTER_S = 10

MakeMail = Callable[[], Awaitable[str]]
TellApplication = Callable[[Item, bytes], Awaitable[None]]


def create_sample_app(
    write_key: str,
    tracker_url: str,
    make_mail: MakeMail | None = None,
    tell_application: TellApplication | None = None,
) -> Starlette:
    """The site as an ASGI app, to be mounted anywhere or served alone.

    Args:
        write_key: the workspace's browser key; it stands in every page.
        tracker_url: where ``/k.js`` and the collecting routes are, without a slash at the end.
        make_mail: the HTML of a mail to a reader, shown at ``/mail``; None: there is none. While it
            raises RefusedError, ``/mail`` asks to come back.
        tell_application: called with the vacancy and the posted form; None: nobody is told.
    """
    site = _Site(write_key, tracker_url, make_mail, tell_application)
    return Starlette(
        routes=[
            Route("/", site.home),
            Route("/mail", site.mail),
            Route("/hackathon", site.hackathon, methods=["GET", "POST"]),
            Route("/vacatures/{slug}/solliciteren", site.apply, methods=["GET", "POST"]),
            *(Route(f"/{name}", _File(name)) for name in _FILES),
            Route("/{path:path}", site.item),
        ]
    )


class _Site:
    def __init__(
        self,
        write_key: str,
        tracker_url: str,
        make_mail: MakeMail | None,
        tell_application: TellApplication | None,
    ) -> None:
        self._always = {
            "employer": EMPLOYER,
            "labels": LABELS,
            "write_key": write_key,
            "tracker_url": tracker_url,
        }
        self._make_mail = make_mail
        self._tell_application = tell_application
        self._page_headers = {
            "Content-Security-Policy": f"default-src 'none'; script-src 'self' {tracker_url}; "
            f"connect-src {tracker_url}; img-src 'self' {tracker_url}; style-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "same-origin",
        }
        self._mail_headers = {
            "Content-Security-Policy": f"default-src 'none'; img-src {tracker_url}"
        }

    async def home(self, request: Request) -> Response:
        return self._page(request, "home.html", title="Verhalen", items=_HOME)

    async def item(self, request: Request) -> Response:
        item = _BY_PATH.get("/" + request.path_params["path"])
        if item is None:
            return _not_found()
        others = [other for other in _HOME if other is not item][:3]
        return self._page(request, "item.html", item=item, title=item.title, others=others)

    async def hackathon(self, request: Request) -> Response:
        if request.method == "GET":
            return self._form(request, HACKATHON, HACKATHON.title, "sign_up", "Meld me aan")
        text = "Je staat op de lijst voor de hackathon. Je hoort binnen een week van ons."
        return self._page(request, "thanks.html", title="Aangemeld", text=text)

    async def apply(self, request: Request) -> Response:
        item = _BY_PATH.get(f"/vacatures/{request.path_params['slug']}")
        if item is None:
            return _not_found()
        if request.method == "GET":
            # The button that led here told that it was begun. That it was done is for the
            # employer's system to tell.
            return self._form(request, item, f"Solliciteer: {item.title}", "", "Verstuur")
        if self._tell_application is not None:
            await self._tell_application(item, await request.body())
        text = "Je sollicitatie is binnen. Binnen vijf werkdagen belt er iemand uit de ploeg."
        return self._page(request, "thanks.html", title="Ontvangen", text=text)

    async def mail(self, request: Request) -> Response:
        if self._make_mail is None:
            return _not_found()
        try:
            return HTMLResponse(await self._make_mail(), headers=self._mail_headers)
        except RefusedError:
            answer = self._page(request, "wait.html", title="Nog even", seconds=_RETRY_AFTER_S)
            answer.status_code = 503
            answer.headers["Retry-After"] = str(_RETRY_AFTER_S)
            return answer

    def _form(self, request: Request, item: Item, title: str, track: str, button: str) -> Response:
        return self._page(request, "form.html", item=item, title=title, track=track, button=button)

    def _page(self, request: Request, template: str, **values: object) -> Response:
        item = values.get("item")
        if isinstance(item, Item):
            values["paragraphs"] = paragraphs_of(item.content_type)
        root = request.scope.get("root_path", "")
        text = templates.get_template(template).render(root=root, **self._always, **values)
        return HTMLResponse(text, headers=self._page_headers)


class _File:
    """Answers one of the site's own files."""

    def __init__(self, name: str) -> None:
        self._content = files("services.demo.sample").joinpath(name).read_bytes()
        self._media_type = _FILES[name]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response(self._content, media_type=self._media_type)(scope, receive, send)


def _not_found() -> Response:
    return Response("Niet gevonden", 404)
