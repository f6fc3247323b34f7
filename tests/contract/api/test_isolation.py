"""Nothing crosses a workspace, and nothing tells that another one has it.

Every operation of the OpenAPI, and every page of the dashboard, is asked with an id of another
workspace and with one that nobody has. Both answers are the same byte for byte, made by the same
statements; and of the other workspace not one row has changed.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest
from fastapi.routing import APIRoute
from httpx import Client, Response
from sqlalchemy import Engine, event, select

from services.api.app import create_app
from services.api.dashboard import (
    access,
    imports,
    jobs,
    keeping,
    people,
    privacy,
    segment_editor,
    segments,
    triggers,
    webhooks,
)
from services.api.dashboard import routes as dashboard
from services.contract.tables import metadata
from tests.contract.api.conftest import KEY
from tests.contract.api.world import World

NOBODYS = {
    "person_id": "p_00000000deadbeef",
    "key": "nobodys",
    "segment": "nobodys",
    "campaign_id": "c_00000000deadbeef",
    "message_id": "m_00000000",
    "link_id": "00000000deadbeef",
    "hook_id": "hk_00000000deadbeef00000000deadbeef",
    "content_id": "unheard-of",
    "key_id": "key_00000000deadbeef",
    "account_id": "acc_00000000deadbeef",
    "about": "key_00000000deadbeef",
    "webhook_id": "wh_00000000deadbeef",
    "delivery_id": "00000000deadbeef",
    "job_id": "j_00000000deadbeef",
    "trigger_id": "tr_00000000deadbeef",
    "value": "nobody-has-this",
}
"""By a parameter's or a body field's name, an id of that form that no workspace has. A new name
stands here and in ``_made``, which makes one in the other workspace."""

NO_IDS = {"phase": "see", "name": "x", "code": "x", "token": "x", "namespace": "user_id"}
"""Parts of addresses that are the same in every workspace, with a value that is right."""

PAGES = (
    dashboard, access, people, privacy, keeping, segments, segment_editor, webhooks, triggers, jobs,
    imports,
)  # fmt: skip
FORM = {"role": "reader", "sure": "yes", "reason": "by phone", "day": "2026-11-01", "name": "x",
        "use": "insight", "format": "csv", "do": "save", "r.type": "all", "r.0.type": "phase",
        "r.0.any_of": "do", "status": "paused", "url": "https://93.184.216.34/x", "seen": "*",
        "overlap_hours": "0"}  # fmt: skip
"""What makes the dashboard's forms right."""

IMPORT = {
    "kind": "people",
    "as_of": "2026-11-01T00:00:00Z",
    "identities": {"user_id": "Number"},
    "consent": {
        "purposes": {"measure": {"value": True}},
        "given_at": {"column": "Agreed on"},
        "text_version": {"value": "1"},
        "source": "a form",
    },
}

_SKIPPED_TAGS = {"collecting", "for visitors", "running it", "internal"}
# Read again by the clock, whoever asks what.
_BY_THE_CLOCK = ("FROM model_version", "UPDATE api_key SET used_ms")


def _made(client: Client, people: dict[str, str]) -> dict[str, str]:
    """The same names with what the other workspace has."""

    def make(path: str, body: dict[str, Any]) -> str:
        answer = client.post(f"/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    key = make("keys", {"name": "Theirs", "kind": "write"})
    webhook = make("webhooks", {"url": "https://93.184.216.34/changes"})
    delivery = client.post(f"/v1/webhooks/{webhook}/test").json()["id"]
    rule = {"type": "phase", "any_of": ["see", "think", "do"]}
    segment = {"key": "theirs", "name": "Theirs", "rule": rule}
    assert client.post("/v1/segments", json=segment).status_code == 201
    campaign = make("campaigns", {"name": "Their campaign"})
    message = make("messages", {"name": "Their mailing", "campaign_id": campaign})
    item = {"content_type": "story", "title": "Theirs"}
    assert client.put("/v1/content/their-story", json=item).status_code == 201
    return {
        "person_id": people["turning"],
        "key": "theirs",
        "segment": "theirs",
        "campaign_id": campaign,
        "message_id": message,
        "link_id": make(
            "links", {"target": "https://werkenbij.example.org/x", "message_id": message}
        ),
        "hook_id": make("hooks", {"esp": "sendgrid"}),
        "content_id": "their-story",
        "key_id": key,
        "account_id": make("accounts", {"email": "piet@example.org", "role": "owner"}),
        "about": key,
        "webhook_id": webhook,
        "delivery_id": delivery,
        "job_id": make("imports", IMPORT),
        "trigger_id": make("triggers", {"name": "Theirs", "segment": "theirs"}),
        "value": "anna",
    }


@pytest.fixture
def theirs(client: Client, world: World, people: dict[str, str]) -> dict[str, str]:
    made = _made(client, people)
    world.build()
    assert made.keys() == NOBODYS.keys()
    return made


def test_no_route_tells_of_another_workspace(
    client: Client, world: World, theirs: dict[str, str]
) -> None:
    before = _rows_of(world)
    ours = world.workspace("Another employer")
    client.headers["Authorization"] = f"Bearer {ours.api_key}"
    asked = 0
    with _Statements(world.engine) as statements:
        for call in _calls(create_app(world.engine, KEY, "http://track.test").openapi()):
            _compare(client, statements, call, theirs)
            asked += 1
    assert asked > 20
    assert _rows_of(world) == before


def test_no_page_tells_of_another_workspace(
    client: Client, world: World, theirs: dict[str, str]
) -> None:
    before = _rows_of(world)
    del client.headers["Authorization"]
    ours = world.workspace("Another employer")
    assert client.post("/login", data={"key": ours.api_key}).status_code == 303
    with _Statements(world.engine) as statements:
        csrf = re.search(r'name="csrf" value="(\w+)"', client.get("/access").text)
        assert csrf is not None
        form = {"csrf": csrf[1], **FORM}
        client.headers["X-CSRF"] = csrf[1]
        for route in [one for part in PAGES for one in part.router.routes]:
            assert isinstance(route, APIRoute)
            names = set(re.findall(r"{(\w+)}", route.path)) - NO_IDS.keys()
            for method in sorted(route.methods) if names else ():
                _compare(
                    client, statements, _Call(method, route.path, {}, None, names, form), theirs
                )
    assert _rows_of(world) == before


class _Call:
    """A request with holes for ids."""

    def __init__(
        self,
        method: str,
        path: str,
        query: dict[str, Any],
        body: Any,
        holes: set[str],
        form: dict[str, str] | None = None,
    ) -> None:
        unknown = holes - NOBODYS.keys()
        assert not unknown, f"{method} {path}: teach NOBODYS and _made what {unknown} is"
        self._method, self._path, self._query, self._body = method, path, query, body
        self._holes, self._form = holes, form
        self.name = f"{method} {path} with {', '.join(sorted(holes))}"

    def send(self, client: Client, ids: dict[str, str]) -> Response:
        given = {name: ids[name] for name in self._holes}
        query = self._query | {name: v for name, v in given.items() if name in self._query}
        body = self._body
        if isinstance(body, dict):
            body = body | {name: v for name, v in given.items() if name in body}
        request = client.build_request(
            self._method,
            re.sub(r"{(\w+)}", lambda m: (NO_IDS | given)[m[1]], self._path),
            params=query,
            json=body,
            data=self._form,
            headers={"If-Match": "*"} if self._method in {"PATCH", "DELETE"} else {},
        )
        answer = client.send(request, stream=True)
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.close()  # it has no end
            return Response(answer.status_code, headers=answer.headers)
        answer.read()
        return answer


def _calls(openapi: dict[str, Any]) -> Iterator[_Call]:
    """Of every operation, one call with all ids that it can be given."""
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            if set(operation["tags"]) & _SKIPPED_TAGS:
                continue
            holes = set(re.findall(r"{(\w+)}", path)) - NO_IDS.keys()
            query = {}
            for one in operation.get("parameters", ()):
                wanted = one["name"] in NOBODYS or one.get("required")
                if one["in"] == "query" and wanted:
                    query[one["name"]] = _example(openapi, one["schema"])
            body = _body(openapi, operation)
            holes |= query.keys() & NOBODYS.keys()
            if isinstance(body, dict):
                holes |= body.keys() & NOBODYS.keys()
            if holes:
                yield _Call(method.upper(), path, query, body, holes)


def _body(openapi: dict[str, Any], operation: dict[str, Any]) -> Any:
    """The example of the body, with every id that it may have."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    schema = _resolved(openapi, content["schema"])
    body = content.get("example") or _example(openapi, schema)
    if isinstance(body, dict):
        for name in schema.get("properties", {}).keys() & NOBODYS.keys():
            body = body | {name: ""}
    return body


def _example(openapi: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A value of a schema: its first example, else the plainest one."""
    schema = _resolved(openapi, schema)
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _example(openapi, schema[several][0])
    plain: dict[str, Callable[[], Any]] = {
        "string": lambda: "2026-11-20T09:30:00Z" if schema.get("format") == "date-time" else "x",
        "integer": lambda: schema.get("minimum", 1),
        "number": lambda: schema.get("minimum", 1),
        "boolean": lambda: True,
        "array": lambda: [_example(openapi, schema["items"])] * schema.get("minItems", 0),
        "object": lambda: {
            name: _example(openapi, schema["properties"][name])
            for name in schema.get("required", ())
        },
    }
    return plain[schema.get("type", "string")]()


def _resolved(openapi: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _compare(
    client: Client, statements: "_Statements", call: _Call, theirs: dict[str, str]
) -> None:
    seen = []
    # The first fills what is remembered of keys; what it made, if anything, stays its own.
    first = {name: f"{value[:-1]}z" for name, value in NOBODYS.items()}
    for ids in (first, NOBODYS, theirs):
        statements.run.clear()
        answer = call.send(client, ids)
        assert answer.status_code < 500 or answer.json()["code"] == "tracker_away", call.name
        seen.append((_told(answer, ids), list(statements.run)))
    assert seen[1][0] == seen[2][0], call.name
    assert seen[1][1] == seen[2][1], f"{call.name}: other statements for what another has"


def _told(answer: Response, ids: dict[str, str]) -> tuple[int, str]:
    """All that a caller sees, but the ids that they gave and what differs by chance."""
    own = {"date", "content-length", "ratelimit", "etag"}
    headers = {name: value for name, value in answer.headers.items() if name not in own}
    text = answer.text + json.dumps(headers)
    for name, value in sorted(ids.items(), key=lambda one: -len(one[1])):
        text = text.replace(value, f"<{name}>")
    fresh = r'("(?:id|url|pixel_url|token|next|unsubscribe\w*|list_unsubscribe)": ?)"[^"]*"'
    return answer.status_code, re.sub(fresh, r"\1<fresh>", text)


def _rows_of(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the world's own workspace."""
    with world.engine.connect() as connection:
        return {
            table.name: sorted(
                (tuple(row) for row in connection.execute(
                    select(table).where(table.c.workspace_id == world.id)
                )),
                key=repr,
            )
            for table in metadata.sorted_tables
            if "workspace_id" in table.c
        }  # fmt: skip


class _Statements:
    """What the database is asked, in order."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.run: list[str] = []

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not any(part in statement for part in _BY_THE_CLOCK):
            self.run.append(statement)
