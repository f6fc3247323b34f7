"""A site that carries the script, under as strict a policy as a site can have."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

# What a consent banner's own script does: the line that lets calls wait, then its answer.
_STUB = (
    "window.kentering = window.kentering || function () "
    "{ (kentering.q = kentering.q || []).push(arguments) };"
)
SCRIPTS = {
    "stub.js": _STUB,
    "early.js": _STUB + "kentering('consent', {measure: true, profile: false});",
    "named.js": _STUB + "kentering('page', 'Start', {section: 'stories'});",
    # Another script in the page, which looks at the address as soon as it may.
    "nosy.js": "document.documentElement.setAttribute('seen', location.href);",
    # Goes on by itself, and tells of a page whether it had been made ready beforehand.
    "go.js": "setTimeout(() => (location.href = '/two?scripts=stub,shown'), 2500);",
    "shown.js": "const tell = () => kentering('track', 'shown', {made_ready: "
    "performance.getEntriesByType('navigation')[0].activationStart > 0});"
    "if (document.prerendering) document.addEventListener('prerenderingchange', tell);"
    "else tell();",
}

_PAGE = """<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>{title}</title>
<link rel="icon" href="data:,">{scripts}</head>
<body><main data-content-id="night" data-content-type="story"><h1>{title}</h1>
<a id="inside" href="/two">two</a>
<a id="outside" href="http://elsewhere.example/jobs?x=1" target="_blank">jobs elsewhere</a>
<a id="mail" href="mailto:anna@post.example">mail</a>
<button id="play" data-kentering-track="play" data-kentering-channel="podcast"
 data-kentering-content-id="pod" data-kentering-content-type="podcast"><b>play</b></button>
<form id="form" method="get" action="/two" data-kentering-track="sign_up"
 data-kentering-content-phase="think"><input name="who"><button>send</button></form>
<p class="tall"></p></main><nav><a id="nav" href="/two">nav</a></nav></body></html>"""


def create_site(tracker_url: str) -> Starlette:
    """Every path is a page; ``scripts`` in its query names those before the tracker's own.

    Args:
        tracker_url: of another origin than the site's.
    """
    policy = (
        f"default-src 'none'; script-src 'self' {tracker_url}; connect-src {tracker_url}; "
        f"img-src 'self' data: {tracker_url}; style-src 'self'; form-action 'self'; "
        "base-uri 'none'; require-trusted-types-for 'script'"
    )

    async def script(request: Request) -> Response:
        name = request.path_params["name"]
        return Response(SCRIPTS[f"{name}.js"], media_type="text/javascript")

    async def style(_: Request) -> Response:
        return Response(".tall { height: 3000px }", media_type="text/css")

    async def page(request: Request) -> Response:
        asked: Any = request.query_params
        tag = f'<script src="{tracker_url}/k.js" data-key="kw_shop"'
        if "consent" in asked:
            tag += f' data-consent="{asked["consent"]}"'
        before = "".join(
            f'<script src="/{name}.js"></script>'
            for name in asked.get("scripts", "").split(",")
            if name
        )
        text = _PAGE.format(
            title=f"Page {request.url.path}",
            scripts='<link rel="stylesheet" href="/site.css">'
            + before
            + tag
            + '></script><script src="/nosy.js"></script>',
        )
        headers = {"Content-Security-Policy": policy}
        if "ahead" in asked:  # the browser makes the next page ready before anybody asks for it
            headers["Speculation-Rules"] = '"/ahead.json"'
        return HTMLResponse(text, headers=headers)

    async def ahead(_: Request) -> Response:
        rules = {"prerender": [{"urls": ["/two?scripts=stub,shown"], "eagerness": "immediate"}]}
        return JSONResponse(rules, media_type="application/speculationrules+json")

    return Starlette(
        routes=[
            Route("/site.css", style),
            Route("/ahead.json", ahead),
            Route("/{name}.js", script),
            Route("/{path:path}", page),
        ]
    )
