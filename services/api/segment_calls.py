"""The calls of the Segment specification in the OpenAPI."""

from typing import Any

from services.api.problem import described

_TEXT = {"type": "string"}
_OBJECT = {"type": "object", "additionalProperties": True}
_PROBLEMS = {str(status): answer for status, answer in described(400, 401, 413, 429, 503).items()}

_COMMON = {
    "messageId": {**_TEXT, "description": "Deduplicates: the same id counts once."},
    "userId": {"type": ["string", "null"]},
    "anonymousId": {"type": ["string", "null"]},
    "timestamp": {**_TEXT, "format": "date-time"},
    "sentAt": {**_TEXT, "format": "date-time", "description": "Corrects a wrong clock."},
    "context": {
        **_OBJECT,
        "description": "Consent goes in `context.consent.categoryPreferences`: `measure`, "
        "`profile`, `contact`. Said nothing: it counts, but follows nobody.",
    },
    "writeKey": {**_TEXT, "description": "Where no Authorization header can be sent."},
}
_CONSENT = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
_CALLS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "track": (
        "Something a person did",
        {"event": {**_TEXT, "description": "What."}, "properties": _OBJECT},
        {
            "event": "Vacancy Viewed",
            "userId": "4711",
            "properties": {"content_id": "mechanic-amsterdam", "content_type": "vacancy"},
            "context": _CONSENT,
        },
    ),
    "page": (
        "A page view",
        {"name": {"type": ["string", "null"]}, "properties": _OBJECT},
        {
            "anonymousId": "2d4f6a80-5c31-4f6e-9f3e-6a8f0b1c2d3e",
            "properties": {"url": "https://werkenbij.example.org/verhalen", "title": "Verhalen"},
            "context": _CONSENT,
        },
    ),
    "identify": (
        "Who a person is, and what is known of them",
        {"traits": _OBJECT},
        {
            "userId": "4711",
            "anonymousId": "2d4f6a80-5c31-4f6e-9f3e-6a8f0b1c2d3e",
            "traits": {"email": "anna@example.org", "region": "Utrecht"},
            "context": _CONSENT,
        },
    ),
    "screen": (
        "A page view in an app",
        {"name": {"type": ["string", "null"]}, "properties": _OBJECT},
        {
            "userId": "4711",
            "name": "Night shift",
            "properties": {"content_id": "night-shift"},
            "context": {**_CONSENT, "app": {"name": "Portal"}},
        },
    ),
    "group": (
        "Where a person belongs",
        {"groupId": {**_TEXT, "description": "Kept as `group_id`."}, "traits": _OBJECT},
        {
            "userId": "4711",
            "groupId": "installers-9",
            "traits": {"name": "Installers Ltd"},
            "context": _CONSENT,
        },
    ),
    "alias": (
        "Who a person was before",
        {"previousId": {**_TEXT, "description": "A cookie's id or a mail address."}},
        {
            "userId": "4711",
            "previousId": "2d4f6a80-5c31-4f6e-9f3e-6a8f0b1c2d3e",
            "context": _CONSENT,
        },
    ),
    "batch": (
        "Many calls at once",
        {
            "batch": {
                "type": "array",
                "items": _OBJECT,
                "description": "Calls with their `type`; at most 32,768 bytes each, 4 MiB in all.",
            }
        },
        {
            "batch": [
                {"type": "track", "event": "Email Opened", "userId": "4711", "context": _CONSENT}
            ]
        },
    ),
}
RESULTS = {
    "type": "object",
    "required": ["success"],
    "properties": {
        "success": {"type": "boolean"},
        "position": {
            "type": ["string", "null"],
            "description": "For `after` of reads: the last event that was stored.",
        },
        "results": {
            "type": "object",
            "description": "By messageId: `stored`, `counted` (no consent, so it follows nobody) "
            "or `refused`, with the reason.",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "status": {"enum": ["stored", "counted", "refused"]},
                    "reason": _TEXT,
                    "warnings": {
                        "type": "array",
                        "description": "Kept, but perhaps not as it was meant.",
                        "items": {
                            "type": "object",
                            "required": ["code"],
                            "properties": {"code": _TEXT, "field": _TEXT},
                        },
                    },
                },
            },
        },
    },
}


def call_paths() -> dict[str, Any]:
    """Path items of the calls, and of the settings that browser libraries ask for."""
    paths: dict[str, Any] = {f"/v1/{name}": {"post": _call(name)} for name in _CALLS}
    paths["/v1/projects/{write_key}/settings"] = {"get": _settings()}
    return paths


def _settings() -> dict[str, Any]:
    parameter = {"name": "write_key", "in": "path", "required": True, "schema": _TEXT}
    content = {"application/json": {"schema": _OBJECT}}
    return {
        "tags": ["collecting"],
        "summary": "Settings of a browser library",
        "description": "What Segment's own libraries ask for before they send: where to.",
        "operationId": "collect_settings",
        "security": [{"writeKey": []}],
        "parameters": [parameter],
        "responses": {
            "200": {"description": "The settings.", "content": content},
            **{status: _PROBLEMS[status] for status in ("400", "401", "503")},
        },
    }


def _call(name: str) -> dict[str, Any]:
    summary, fields, example = _CALLS[name]
    properties = (
        fields | _COMMON
        if name != "batch"
        else {
            **fields,
            **{key: _COMMON[key] for key in ("sentAt", "context", "writeKey")},
        }
    )
    schema = {"type": "object", "properties": properties, "additionalProperties": True}
    content = {"application/json": {"schema": RESULTS}}
    answer = {"description": "Every event is stored durably, or says why not.", "content": content}
    return {
        "tags": ["collecting"],
        "summary": summary,
        "description": "A call of the Segment specification. Answered when it is on disk. "
        f"`/v1/{name[0]}` is the same.",
        "operationId": f"collect_{name}",
        "security": [{"writeKey": []}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": {"200": answer, **_PROBLEMS},
    }
