"""Who may ask, what is refused, and what happens when things are away."""

import base64

import httpx
import pytest
from fastapi import FastAPI
from httpx import Client
from psycopg.errors import DeadlockDetected
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from services.api import problem
from services.api.app import create_app
from services.api.invalid import invalid
from services.api.waiting import WAIT_S_MAX
from services.contract import snapshot as snapshot_wire
from services.contract.keys import digest_of
from services.contract.tables import api_key
from services.contract.token import read_link
from services.runtime.database import open_database, writing
from tests.contract.api.conftest import KEY
from tests.contract.api.world import NOW_MS, World
from tests.servers.web import LOCAL, run_app


def test_keys(client: Client, world: World) -> None:
    key = world.made.api_key
    basic = base64.b64encode(f"{key}:".encode()).decode()
    cases = {
        f"Bearer {key}": 200,
        f"Basic {basic}": 200,
        f"bearer {key}": 200,
        f"Bearer {key}x": 401,
        "Bearer": 401,
        "Basic !!": 401,
        "": 401,
        f"Bearer {world.made.write_key}": 403,
        f"Bearer {world.made.server_key}": 403,
    }
    for header, status in cases.items():
        answer = client.get("/v1/workspace", headers={"Authorization": header})
        assert answer.status_code == status, header
        if status != 200:
            assert {"type", "title", "status", "detail", "code", "message"} <= answer.json().keys()


def test_scopes(client: Client, world: World) -> None:
    with writing(world.engine).begin() as connection:
        connection.execute(
            update(api_key).where(api_key.c.kind == "api").values(scopes=["segments:read"])
        )
    assert client.get("/v1/segments").status_code == 200
    answer = client.get("/v1/persons")
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


def test_nothing_crosses_a_workspace(client: Client, world: World, people: dict[str, str]) -> None:
    client.post(
        "/v1/segments",
        json={"key": "s", "name": "S", "rule": {"type": "phase", "any_of": ["do"]}},
    )
    stranger = world.workspace("Another employer")
    client.headers["Authorization"] = f"Bearer {stranger.api_key}"
    for path in ("", "/timeline", "/phases", "/explain", "/segments"):
        assert client.get(f"/v1/persons/{people['turning']}{path}").status_code == 404
    lookup = {"namespace": "user_id", "value": "anna"}
    assert client.get("/v1/persons/lookup", params=lookup).status_code == 404
    assert client.get("/v1/persons").json()["persons"] == []
    assert client.get("/v1/changes").json()["changes"] == []
    assert client.get("/v1/segments").json()["segments"] == []
    for path in ("", "/members", "/count", "/versions"):
        assert client.get(f"/v1/segments/s{path}").status_code == 404


_ODD_ADDRESSES = [
    "/v1/persons?limt=5",
    "/v1/persons?limit=0",
    "/v1/persons?limit=" + "9" * 5000,
    "/v1/persons?cursor=%ff",
    "/v1/persons?cursor=AAAA",
    "/v1/persons?q=%00",
    "/v1/persons/lookup?namespace=email&value=%00",
    "/v1/persons/%00",
    "/v1/persons/x?as_of=yesterday",
    "/v1/persons/x?as_of=2026-01-01T00:00:00",
    "/v1/persons/x?as_of=9999-12-31T23:59:59Z",
    "/v1/persons/x?as_of=0001-01-01T00:00:00%2B14:00",
    "/v1/changes?after=-1",
    "/v1/changes?after=" + str(2**63),
    "/v1/changes?types=everything",
    "/v1/segments/UPPER",
    "/v1/segments/a%00b/members",
]


def test_odd_requests_are_refused(client: Client) -> None:
    for address in _ODD_ADDRESSES:
        answer = client.get(address)
        assert answer.status_code == 400, (address, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", address


_ODD_TEXTS = ["\ud800", "🙂" * 60, "\u202e", "'; drop table person; --", "%"]


def test_odd_text_finds_nobody(client: Client, people: dict[str, str]) -> None:
    for text in _ODD_TEXTS:
        quoted = "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))
        for address in ("/v1/persons/lookup?namespace=email&value=", "/v1/persons?q="):
            assert client.get(address + quoted).status_code in {200, 404}, ascii(text)


_RULE_WITH = (
    b'{"key": "x", "name": "x", "rule":'
    b' {"type": "attribute", "name": "a", "op": "is", "value": %s}}'
)


_ODD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"key": "\\ud800", "name": "x", "rule": {}}',
    b'{"key": "k", "name": "\\u0000", "rule": {"type": "phase", "any_of": ["do"]}}',
    b"[" * 100_000,
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b'{"name": ' + b"9" * 5000 + b"}",
    b'{"name": NaN}',
    _RULE_WITH % b"1e400",
    _RULE_WITH % b"NaN",
    b"\xff\xfe",
]


def test_odd_bodies_are_refused(client: Client) -> None:
    headers = {"Content-Type": "application/json"}
    for body in _ODD_BODIES:
        answer = client.post("/v1/segments", content=body, headers=headers)
        assert answer.status_code == 400, (body[:99], answer.text)
        assert answer.json()["code"] in {"invalid", "bad_request", "unknown_field"}, body[:99]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"name": "\xff"}', "The body is not UTF-8."),
        (
            b'{"name": ' + b"9" * 4301 + b"}",
            "The body has a whole number of too many digits: 4300 is the most.",
        ),
    ],
)
def test_a_body_that_cannot_be_read_is_told_why(client: Client, body: bytes, said: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/segments", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.json()["detail"] == said


def test_a_large_body_is_refused(client: Client) -> None:
    answer = client.post("/v1/segments", content=b" " * 1_100_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_changes_in_order(client: Client, world: World, people: dict[str, str]) -> None:
    rule = {"type": "phase", "any_of": ["do"]}
    client.post("/v1/segments", json={"key": "ready", "name": "Ready", "rule": rule})
    world.build()
    world.score([world.event(1, "page", "anna")])
    whole = client.get("/v1/changes").json()
    positions = [c["position"] for c in whole["changes"]]
    assert positions == sorted(set(positions))
    pages, after = [], 0
    while True:
        page = client.get("/v1/changes", params={"limit": 2, "after": after}).json()
        if not page["changes"]:
            break
        pages += page["changes"]
        after = page["next"]
    assert pages == whole["changes"]
    assert after == whole["next"] == positions[-1]
    ahead = client.get("/v1/changes", params={"after": after + 1})
    assert (ahead.status_code, ahead.json()["code"]) == (400, "bad_position")
    phases = client.get("/v1/changes", params=[("types", "phase"), ("types", "latency")]).json()
    assert {c["type"] for c in phases["changes"]} == {"phase", "latency"}
    entered = client.get("/v1/changes", params={"segment": "ready"}).json()["changes"]
    assert [(c["person"], c["segment"], c["after"]) for c in entered] == [
        (people["turning"], "ready", "member")
    ]


def test_the_snapshot_for_trackers(client: Client, world: World) -> None:
    refused = client.get("/internal/snapshot")
    assert refused.status_code == 401
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = client.get("/internal/snapshot", headers=headers)
    snapshot = snapshot_wire.decode(answer.content)
    kinds = {key.kind: key for key in snapshot.keys}
    assert kinds.keys() == {"write", "server", "internal"}
    assert kinds["write"].digest == digest_of(world.made.write_key)
    assert kinds["internal"].digest == digest_of(KEY)
    again = client.get(
        "/internal/snapshot", headers=headers | {"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    world.workspace("One more")
    changed = client.get(
        "/internal/snapshot", headers=headers | {"If-None-Match": answer.headers["etag"]}
    )
    assert changed.status_code == 200


def test_a_link_without_recipients_needs_no_tracker(client: Client, world: World) -> None:
    target = "https://werkenbij.example.org/x?y=1"
    answer = client.post("/v1/links", json={"target": target, "campaign_id": "c1"})
    assert answer.status_code == 201, answer.text
    snapshot = snapshot_wire.decode(
        client.get("/internal/snapshot", headers={"Authorization": f"Bearer {KEY}"}).content
    )
    secrets = {(s.workspace_id, s.number): s.secret for s in snapshot.link_secrets}
    read = read_link(answer.json()["token"], lambda w, n: secrets.get((w, n)))
    assert read is not None
    assert (read[1].target, read[1].campaign_id) == (target, "c1")
    assert answer.json()["url"] == f"http://track.test/c/{answer.json()['token']}"
    for bad in ("javascript:alert(1)", "//evil.example", "https://a@b.example", "x" * 3000):
        assert client.post("/v1/links", json={"target": bad}).status_code == 400


def test_tokens_only_for_who_agreed(client: Client, people: dict[str, str]) -> None:
    body = {
        "target": "https://werkenbij.example.org/",
        "recipients": [{"namespace": "user_id", "value": "nobody"}],
    }
    answer = client.post("/v1/links", json=body)
    assert answer.status_code == 201
    assert answer.json()["recipients"][0]["reason"] == "unknown_person"
    assert answer.json()["recipients"][0]["token"] is None
    # Nothing listens at track.test: without the tie, no token.
    body["recipients"] = [{"namespace": "user_id", "value": "anna"}]
    answer = client.post("/v1/links", json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "tracker_away")


def test_reads_wait_for_a_position(client: Client, world: World) -> None:
    one = world.event(1, "page", "fresh")
    public_id = world.person("fresh", [one])

    def seconds(position: str) -> float:
        answer = client.get(f"/v1/persons/{public_id}", params={"after": position})
        assert answer.status_code == 200
        return answer.elapsed.total_seconds()

    # A machine may be slow now and then, but a read that waits is never quick.
    assert min(seconds(one.event_id.hex()) for _ in range(5)) < WAIT_S_MAX
    assert seconds("0" * 32) >= WAIT_S_MAX


def test_health_and_headers(client: Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        answer = client.get(path, headers={"Authorization": ""})
        assert answer.status_code == 200
        assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
    assert client.get("/v1/nothing").json()["code"] == "no_such_route"
    assert client.post("/v1/changes").json()["code"] == "method_not_allowed"


def test_the_head_of_an_answer(client: Client, world: World) -> None:
    world.person("anna", [world.event(1, "page", "anna")])
    for path in ("/healthz", "/v1/persons", "/v1/persons/p_0", "/v1/changes/stream"):
        head = client.head(path)
        with client.stream("GET", path) as whole:
            assert head.status_code == whole.status_code
            assert head.headers["content-type"] == whole.headers["content-type"]
            assert head.headers.get("content-length") == whole.headers.get("content-length")
            how = {"connection", "transfer-encoding"}
            assert {*head.headers} - how == {*whole.headers} - how
        assert head.content == b""
    assert client.head("/v1/imports").status_code == 405


def test_a_lost_race_is_to_be_run_again() -> None:
    app = FastAPI()
    problem.install(app, lambda _request, told: problem.answer_of(told), invalid)

    @app.get("/")
    def lose() -> None:
        raise OperationalError("", {}, DeadlockDetected())

    with run_app(app) as url:
        answer = httpx.get(url)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["retry-after"]


def test_without_a_database_it_says_so() -> None:
    engine = open_database("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1")
    app = create_app(engine, KEY, "http://track.test", clock=lambda: NOW_MS)
    with run_app(app) as url, Client(base_url=url, **LOCAL) as client:
        headers = {"Authorization": "Bearer ka_x"}
        for path in ("/v1/persons", "/readyz"):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert answer.json()["code"] == "database_away"
