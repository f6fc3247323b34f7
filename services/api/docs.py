"""The API's documentation page: Swagger UI from an installed package, no other host."""

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Response

from services.api.problem import Problem

router = APIRouter(prefix="/docs", include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kentering API</title>
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/start.js" defer></script>
</head>
<body><div id="docs"></div></body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null,
  tryItOutEnabled: true, persistAuthorization: false,
});
"""
_TYPES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
}


@router.get("")
def page() -> Response:
    """The page."""
    return Response(_PAGE, media_type="text/html")


@router.get("/{name}")
def asset(name: str) -> Response:
    """A part of the page."""
    if name not in _TYPES:
        raise Problem(404, "not_found", "There is no such file.")
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(_asset(name), media_type=_TYPES[name], headers=headers)


@cache
def _asset(name: str) -> bytes:
    if name == "start.js":
        return _START.encode()
    return files("fastapi_offline").joinpath("static", name).read_bytes()
