"""The OpenAPI: what the framework knows of our routes, completed."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from services.api import webhook_messages
from services.api.auth import Needs
from services.api.collecting import collecting_paths
from services.api.problem import ProblemDetails, described
from services.contract.roles import SCOPES

VERSION = "1"
_ABOUT = """\
Kentering notices the moment a person who is not looking for a job starts to turn.

**Moments** are RFC 3339. `as_of` asks for any moment: past, now, or ahead if nothing more
happens; `known_at` asks what was believed then. **Lists** have a `cursor`: pass `next` on until
it is null; it is good for 24 hours. **Writes** that change a person answer with a `position`; a
read with `after=position` waits up to two seconds until it is in. **Errors** are problem details
(RFC 9457) with a stable `code` and a `type` that leads to [its page](/problems). Unknown
parameters and fields are refused, with the one that was probably meant.

**Edits** of what people write together carry an `ETag`: send it as `If-Match`, and nobody's work
is overwritten. **Repeats** with the same `Idempotency-Key` make nothing twice. Every answer to a
key tells in `RateLimit` what is left of its limit. **What takes long** is a job, or answers 202
with a `position`: every such answer applies `Prefer: respond-async`. `HEAD` is answered wherever
`GET` is.

**Keys** belong to one workspace. An api key goes as a Bearer token or as the user name of Basic;
write and server keys can only send events.
"""
_TAGS = [
    {"name": "collecting", "description": "What websites, mailers and servers send."},
    {"name": "persons", "description": "People: who, where, when and why."},
    {"name": "segments", "description": "Rules over people, and who they hold for."},
    {"name": "jobs", "description": "Files in and out, and how far they are."},
    {"name": "changes", "description": "Who moved."},
    {"name": "webhooks", "description": "Who is told of changes, as Standard Webhooks."},
    {"name": "triggers", "description": "Who is handed to a tool, with what, and when."},
    {"name": "content", "description": "What is published, and what to offer whom."},
    {"name": "for visitors", "description": "What people's browsers ask; public."},
    {"name": "links", "description": "Tracked links for mail, magazine and meetings."},
    {"name": "hooks", "description": "Where mailers tell what became of mails."},
    {"name": "workspace", "description": "The workspace and the model."},
    {"name": "access", "description": "Keys, people who log in, and who changed what."},
    {"name": "running it", "description": "Health and numbers of the process."},
    {"name": "internal", "description": "Between the product's own processes."},
]
_SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An api key (`ka_…`)."},
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "An api key as user name, no password.",
    },
    "writeKey": {
        "type": "http",
        "scheme": "basic",
        "description": "A write (`kw_…`) or server key (`ks_…`) as user name, no password; "
        "or as `writeKey` in the body or the address.",
    },
    "signed": {
        "type": "apiKey",
        "in": "query",
        "name": "signature",
        "description": "Part of an address that an answer gave.",
    },
    "internal": {"type": "http", "scheme": "bearer", "description": "The internal key."},
}

_RATE_LIMIT: dict[str, Any] = {
    "RateLimit-Policy": {
        "description": "What one key may ask: `q` requests in `w` seconds.",
        "schema": {"type": "string"},
        "example": '"key";q=12000;w=60',
    },
    "RateLimit": {
        "description": "What is left: `r` requests; all of them again in `t` seconds.",
        "schema": {"type": "string"},
        "example": '"key";r=11999;t=1',
    },
}


def describe(routes: Sequence[BaseRoute], routers: Sequence[APIRouter]) -> dict[str, Any]:
    """The completed description, as ``/openapi.json`` answers it.

    Args:
        routes: all of an app.
        routers: those whose routes may ask for a scope.
    """
    schema = get_openapi(
        title="Kentering",
        version=VERSION,
        description=_ABOUT,
        routes=routes,
        webhooks=webhook_messages.router.routes,
        tags=_TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        # One schema for what is sent and answered: generated clients then have one class of it.
        separate_input_output_schemas=False,
    )
    schema["servers"] = [{"url": "/"}]
    parts = schema["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        parts.pop(name, None)
    parts["ProblemDetails"] = ProblemDetails.model_json_schema()
    schema["components"]["securitySchemes"] = _SECURITY_SCHEMES
    schema["components"]["headers"] = _RATE_LIMIT
    scopes = dict(_scopes(routers))
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            operation["responses"].pop("422", None)
            scope = scopes.get((path, method.upper()))
            if scope is not None:
                _limited(operation)
                operation["security"] = [{"bearer": []}, {"basic": []}]
                operation["description"] += f"\n\nScope: `{scope}` ({SCOPES[scope]})."
    for item in schema["webhooks"].values():
        for operation in item.values():
            operation["responses"].pop("422", None)
    schema["paths"] = collecting_paths() | schema["paths"]
    return schema


def _limited(operation: dict[str, Any]) -> None:
    """What every route with a key has: an answer to too many requests, and the RateLimit fields."""
    responses = operation["responses"]
    responses |= {str(status): answer for status, answer in described(429).items()}
    for answer in responses.values():
        fields = {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_LIMIT}
        answer["headers"] = answer.get("headers", {}) | fields
    operation["responses"] = dict(sorted(responses.items()))


def _scopes(routers: Sequence[APIRouter]) -> list[tuple[tuple[str, str], str]]:
    return [
        ((route.path_format, method), scope)
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for scope in _needed(route.dependant)
        for method in route.methods or ()
    ]


def _needed(dependant: Any) -> Iterator[str]:
    """The scopes that a route, or what it depends on, asks for."""
    for part in dependant.dependencies:
        if isinstance(part.call, Needs):
            yield part.call.scope
        yield from _needed(part)
