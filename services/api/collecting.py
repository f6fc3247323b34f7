"""The tracker's routes in the OpenAPI: plain handlers there, so described by hand here."""

from typing import Any

from services.api.problem import described
from services.api.segment_calls import RESULTS, call_paths

_TEXT = {"type": "string"}
_OBJECT = {"type": "object", "additionalProperties": True}
_PROBLEMS = {str(status): answer for status, answer in described(400, 401, 413, 429, 503).items()}

_HOOK_BODIES = ("application/json", "application/x-www-form-urlencoded", "text/plain")
_HOOK_PROBLEMS = {
    str(status): answer for status, answer in described(400, 401, 403, 404, 413, 503).items()
}
_NO_HOOK = {"description": "There is no such webhook."}


def collecting_paths() -> dict[str, Any]:
    """Path items of everything that collects."""
    paths = call_paths()
    paths["/o/{token}.gif"] = {
        "get": _get(
            "A mail was opened",
            "The pixel of a mail. Any token gets the same picture; only ours count.",
            {"200": _body("A transparent picture; also where nothing counted.", "image/gif")},
            [_path_parameter("token")],
        )
    }
    paths["/c/{token}"] = {
        "get": _get(
            "A link was clicked",
            "Sends the browser on to the signed target, and nowhere else.",
            {
                "302": {
                    "description": "To the target.",
                    "headers": {"Location": {"schema": _TEXT}},
                },
                "404": _body("Not one of our links: a plain page.", "text/html"),
                "410": _body("A link that has ended: a plain page.", "text/html"),
            },
            [_path_parameter("token")],
        )
    }
    paths["/u/{token}"] = _unsubscribing()
    paths["/p.gif"] = {
        "get": _get(
            "A page view without script",
            "For pages where no script may run.",
            {"200": _body("A transparent picture; also where nothing counted.", "image/gif")},
            [
                _query_parameter("writeKey", "The write key."),
                _query_parameter("consent", "`measure,profile`, as far as given."),
                _query_parameter("url", "The page; left out: the referring one."),
            ],
        )
    }
    paths["/hooks/{esp}/{hook_id}"] = {method: _hook(method) for method in ("get", "head", "post")}
    paths["/k.js"] = {
        "get": _get(
            "The script",
            "Page views and clicks of a site; no cookie before consent.",
            {"200": _body("The script.", "text/javascript")},
            [],
        )
    }
    return paths


def _hook(method: str) -> dict[str, Any]:
    taken = _body("Every event is stored durably, or says why not.", "application/json", RESULTS)
    operation = {
        "tags": ["collecting"],
        "summary": "What a mailer tells of its mails",
        "description": "As the mailer sends it, proved in the mailer's own way; made by "
        "`POST /v1/hooks`. GET and HEAD ask only whether the address is right.",
        "operationId": f"collect_hook_{method}",
        "parameters": [_path_parameter("esp"), _path_parameter("hook_id")],
        "responses": {"200": taken, **_HOOK_PROBLEMS},
    }
    if method != "post":
        return operation | {"responses": {"200": {"description": "It is."}, "404": _NO_HOOK}}
    media = {kind: {"schema": _OBJECT} for kind in _HOOK_BODIES}
    return operation | {"requestBody": {"required": True, "content": media}}


def _unsubscribing() -> dict[str, Any]:
    token = [_path_parameter("token")]
    page = {
        "200": _body("A page, in English or Dutch.", "text/html"),
        "404": _body("Not a token to unsubscribe: a plain page.", "text/html"),
    }
    ask = _get("Ask whether to unsubscribe", "Looking changes nothing.", page, token)
    wish = _get(
        "Unsubscribe by one click",
        "Of RFC 8058, and of the form on the page. Any other body is answered with the page that "
        "asks.",
        page | {"503": _PROBLEMS["503"]},
        token,
    )
    field = {"List-Unsubscribe": {"const": "One-Click"}}
    schema = {"type": "object", "required": list(field), "properties": field}
    kinds = ("application/x-www-form-urlencoded", "multipart/form-data")
    wish["requestBody"] = {
        "required": True,
        "content": {kind: {"schema": schema} for kind in kinds},
    }
    return {"get": ask, "post": wish}


def _get(
    summary: str, description: str, responses: dict[str, Any], parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "tags": ["collecting"],
        "summary": summary,
        "description": description,
        "operationId": "collect_" + summary.lower().replace(" ", "_"),
        "parameters": parameters,
        "responses": responses,
    }


def _body(description: str, media_type: str, schema: dict[str, Any] | None = None) -> Any:
    return {"description": description, "content": {media_type: {"schema": schema or _TEXT}}}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT}


def _query_parameter(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": _TEXT}
