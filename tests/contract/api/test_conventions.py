"""What every route does alike: suggestions, limits, cursors, problems with a page."""

import time

import pytest
from httpx import Client, Response

from services.api import campaigns
from services.api.app import create_app
from services.api.cursors import CURSOR_LIFE_MS, _RowPlace, pack_cursor
from services.api.edge import REQUESTS
from services.api.jobs.routes import _ErrorPlace
from services.api.limits import VISITS_PER_MINUTE, Limits
from services.api.persons import _PersonsCursor
from services.contract.addresses import networks_of
from services.contract.moment import rfc3339
from services.contract.phases import DAY_MS
from services.runtime.clock import now_ms
from tests.contract.api.conftest import KEY
from tests.contract.api.test_isolation import IMPORT
from tests.contract.api.world import NOW_MS, World
from tests.servers.web import LOCAL, run_app


def test_a_slip_of_the_pen_is_refused_with_what_was_meant(client: Client) -> None:
    answer = client.get("/v1/persons?limt=5").json()
    assert answer["code"] == "unknown_parameter"
    assert "'limt' here. Did you mean 'limit'?" in answer["detail"]
    phase = {"type": "phase", "any_off": ["do"], "any_of": ["do"]}
    for rule in (phase, {"type": "all", "rules": [phase]}):
        answer = client.post("/v1/segments", json={"key": "x", "name": "X", "rule": rule}).json()
        assert answer["code"] == "unknown_field"
        assert "'any_off'. Did you mean 'any_of'?" in answer["detail"]
    answer = client.post("/v1/campaigns", json={"nmae": "X"}).json()
    assert "body has no field 'nmae'. Did you mean 'name'?" in answer["detail"]
    odd = {"name": "X", "channel": "emial"}
    for answer in (
        client.post("/v1/campaigns", json=odd),
        client.get("/v1/persons/x/next-content", params={"channel": "emial"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert answer.json()["detail"].endswith(" Did you mean 'email'?")
    far = client.post("/v1/campaigns", json=odd | {"channel": "carrier pigeon"}).json()["detail"]
    assert "mean" not in far
    commas = client.get("/v1/changes", params={"types": "phase,segment"}).json()["detail"]
    assert commas.endswith(" Give several one by one: types=…&types=…")
    rule = {"type": "phase", "any_of": ["do"]}
    client.put("/v1/segments/technicians", json={"name": "T", "rule": rule})
    phase = {"type": "phase", "any_of": ["thnik"]}
    alone = client.post("/v1/segments", json={"key": "x", "name": "X", "rule": phase}).json()
    assert alone["detail"].endswith(" Did you mean 'think'?")
    bare = client.get("/v1/segments/technicians/trend").json()["detail"]
    assert bare == "query.from, query.to: Field required"
    no_json = client.post("/v1/segments", content="{", headers={"Content-Type": "application/json"})
    assert no_json.json()["detail"].startswith("body: this is not JSON: ")
    sent_as_text = client.post("/v1/segments", content="{}", headers={"Content-Type": "text/plain"})
    assert sent_as_text.json()["detail"].endswith("an object, as `Content-Type: application/json`")
    inside = client.post("/v1/imports", json=IMPORT | {"identities": ["email"]}).json()
    assert inside["detail"] == "body.identities: give an object"
    odd_key = client.get("/v1/segments/Technicians").json()["detail"]
    assert odd_key.startswith("path.key: give small letters, digits, _ and -, 64 at most")
    slips: list[tuple[dict[str, object], str]] = [
        ({"type": "phase", "any_of": "think"}, "body.rule.rules.0.any_of: give a list"),
        ({"type": "phase", "phase": "do"}, "body.rule.rules.0 has no field 'phase'. There is:"),
        (
            {"type": "attribute", "name": "region", "op": "is", "value": ["Noord"]},
            "body.rule.rules.0.value: give one text, number, true or false",
        ),
        (
            {"type": "attribute", "name": "region", "op": "is", "value": "x" * 501},
            "body.rule.rules.0.value: a text has at most 500 characters",
        ),
        (
            {"type": "attribute", "name": "years", "op": "is", "value": 2**53 + 1},
            "body.rule.rules.0.value: a whole number lies between -9007199254740992 and 9007",
        ),
        (
            {
                "type": "attribute",
                "name": "years",
                "op": "any_of",
                "values": [True, 1, -(2**53) - 1],
            },
            "body.rule.rules.0.values.2: a whole number lies between",
        ),
        (
            {"type": "attribute", "name": "years", "op": "any_of", "values": [0.5, "x", None]},
            "body.rule.rules.0.values.2: give one text, number, true or false",
        ),
    ]
    for slip, detail in slips:
        whole = {"key": "x", "name": "X", "rule": {"type": "all", "rules": [slip]}}
        told = client.post("/v1/segments", json=whole).json()["detail"]
        assert told.startswith(detail)
        assert "more" not in told
    neither = "body.attributes.region: give one text, number, true or false, or a list of texts"
    for attributes, tail in (
        ({"region": {}, "bool": {}}, "; and 1 more"),
        ({"region": [1, 2]}, ""),
        ({"region": ["Noord", None]}, ""),
        ({"type": "region", "region": {}}, ""),
        ({"kind": "region", "region": {}}, ""),
    ):
        told = client.patch("/v1/persons/x", json={"attributes": attributes}).json()["detail"]
        assert told == neither + tail
    for over, detail in (
        ({"identities": {"type": "email", "email": {}}}, "body.identities.email: Input should"),
        ({"attributes": {"kind": "type", "type": {"colum": "A"}}}, "body.attributes.type has no"),
    ):
        assert client.post("/v1/imports", json=IMPORT | over).json()["detail"].startswith(detail)
    mapped = client.post("/v1/imports", json={"kind": "people", "consent": {"text_version": 5}})
    assert mapped.json()["detail"].startswith("body.identities, body.as_of")
    long = {"name": "T", "segment": "technicians", "when": {"type": "x" * 9_000}}
    assert len(client.post("/v1/triggers", json=long).text) < 1_000
    day = client.get("/v1/segments/technicians/count", params={"as_of": "2026-02-30T00:00:00Z"})
    assert day.json()["detail"].startswith("query.as_of: there is no such moment")
    nowhere = client.get("/v1/segmnets").json()["detail"]
    assert nowhere.startswith("There is nothing at this address")
    answer = client.get("/v1/segments/techniciens/count")
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith(" Did you mean 'technicians'?")


def test_a_problem_leads_to_its_page(client: Client) -> None:
    problem = client.get("/v1/persons/nobody").json()
    page = client.get(problem["type"])
    assert page.status_code == 200
    assert "in the workspace of this key" in page.text
    assert 'href="/problems/not_found"' in client.get("/problems").text
    assert client.get("/problems/no_such_kind").status_code == 404


def test_what_takes_long_says_so(client: Client, world: World) -> None:
    rule = {"type": "phase", "any_of": ["see"]}
    client.put("/v1/segments/s", json={"name": "S", "rule": rule})
    world.build()
    body = {"use": "insight", "format": "csv"}
    for prefer, applied in (("respond-async, wait=10", "respond-async"), ("wait=10", None)):
        headers = {"Prefer": prefer}
        answer = client.post("/v1/segments/s/exports", json=body, headers=headers)
        assert answer.status_code == 202
        assert answer.headers.get("preference-applied") == applied
        where, pause_s = answer.headers["location"], answer.headers["retry-after"]
        assert client.get(where).json()["id"] == answer.json()["id"]
        assert pause_s == "1"
    quick = client.get("/v1/segments", headers={"Prefer": "respond-async"})
    assert "preference-applied" not in quick.headers


def test_a_cursor_says_that_it_is_too_old(client: Client) -> None:
    for age_ms, code in ((0, None), (CURSOR_LIFE_MS + 60_000, "cursor_expired")):
        cursor = pack_cursor(_RowPlace(5), "campaigns", at_ms=now_ms() - age_ms)
        answer = client.get("/v1/campaigns", params={"cursor": cursor})
        assert (answer.status_code, answer.json().get("code")) == (400 if code else 200, code)


def test_a_cursor_from_another_time_breaks_nothing(client: Client, world: World) -> None:
    for i in range(3):
        world.person(f"u{i}", [world.event(5, "page", f"u{i}")])
    long_ago = pack_cursor(_PersonsCursor(1, 31_536_000_000), None, None)
    page = client.get("/v1/persons", params={"cursor": long_ago})
    assert [one["as_of"] for one in page.json()["persons"]] == [
        one["last_seen"] for one in page.json()["persons"]
    ]
    ahead = pack_cursor(_RowPlace(5), "campaigns", at_ms=now_ms() + 2 * CURSOR_LIFE_MS)
    answer = client.get("/v1/campaigns", params={"cursor": ahead})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_a_cursor_among_errors_is_of_their_job(client: Client) -> None:
    jobs = [client.post("/v1/imports", json=IMPORT).json()["id"] for _ in range(2)]
    cursors = [pack_cursor(_ErrorPlace(n), jobs[0]) for n in (5, 2**31)] + [
        pack_cursor(_RowPlace(5))
    ]
    paths = [f"/v1/jobs/{job}/errors" for job in jobs]
    answers = [client.get(path, params={"cursor": c}) for path in paths for c in cursors]
    assert [one.status_code for one in answers] == [200, 400, 400, 400, 400, 400]


def test_a_fault_of_ours_is_counted_and_answered_as_all_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(campaigns, "next_rows", broken)
    counted = REQUESTS.labels("/v1/campaigns", "GET", 500)._value
    before = counted.get()
    app = create_app(world.engine, KEY, "http://x.test", lambda: NOW_MS)
    headers = {"Authorization": f"Bearer {world.made.api_key}"}
    with run_app(app) as url, Client(base_url=url, headers=headers, **LOCAL) as client:
        answer = client.get("/v1/campaigns")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert counted.get() == before + 1


def test_a_cursor_is_of_one_list(client: Client) -> None:
    cursor = pack_cursor(_RowPlace(5), "campaigns")
    for path in ("/v1/persons", "/v1/jobs", "/v1/audit", "/v1/messages", "/v1/content"):
        answer = client.get(path, params={"cursor": cursor})
        assert answer.json()["code"] == "bad_cursor", path


def test_a_cursor_goes_on_with_the_same_filters(client: Client, world: World) -> None:
    for i in range(3):
        world.person(f"u{i}", [world.event(5, "page", f"u{i}")])
    see = {"phase": "see", "limit": 1}
    first = client.get("/v1/persons", params=see).json()
    cursor = {"cursor": first["next"]}
    assert client.get("/v1/persons", params=see | cursor).status_code == 200
    for other in ({}, {"phase": "do"}, {"phase": "see", "q": "u1"}):
        answer = client.get("/v1/persons", params=other | cursor)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), other


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("/v1/content", {"content_type": "vacancy", "phase": "do"}),
        ("/v1/messages", {"campaign_id": "c_1"}),
        ("/v1/links", {"message_id": "m_1"}),
        ("/v1/jobs", {"kind": "import"}),
        ("/v1/audit", {"about": "technicians"}),
        ("/v1/webhooks/wh_1/deliveries", {"status": "waiting"}),
        ("/v1/triggers/tr_1/fired", {"status": "waiting"}),
    ],
)
def test_a_cursor_is_of_its_list_and_every_filter(
    client: Client, path: str, filters: dict[str, str]
) -> None:
    """What it is about need not be there: with the right filters the cursor itself is taken."""
    whose = path.split("/")[-2] if path.count("/") > 2 else path.rsplit("/", maxsplit=1)[-1]
    cursor = {"cursor": pack_cursor(_RowPlace(5), whose, *filters.values())}
    assert client.get(path, params=filters | cursor).json().get("code") in {None, "not_found"}
    for name in filters:
        fewer = {other: value for other, value in filters.items() if other != name}
        answer = client.get(path, params=fewer | cursor)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), name
    other_list = path.replace("_1/", "_2/") if "_1/" in path else "/v1/campaigns"
    answer = client.get(other_list, params=(filters if "_1/" in path else {}) | cursor)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize(("path", "moment"), [("explain", "at"), ("timeline", "as_of")])
def test_what_is_told_of_a_person_goes_on_with_the_same_one(
    client: Client, world: World, path: str, moment: str
) -> None:
    one, other = (
        world.person(f"u{i}", [world.event(day, "page", f"u{i}") for day in (3, 4, 5)])
        for i in range(2)
    )
    first = client.get(f"/v1/persons/{one}/{path}", params={"limit": 1}).json()
    cursor = {"cursor": first["next"]}
    assert client.get(f"/v1/persons/{one}/{path}", params=cursor).status_code == 200
    yesterday = rfc3339(NOW_MS - DAY_MS)
    for who, others in ((other, {}), (one, {moment: yesterday}), (one, {"known_at": yesterday})):
        answer = client.get(f"/v1/persons/{who}/{path}", params=cursor | others)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), others


def test_a_key_asks_so_often_and_no_more(world: World) -> None:
    app = create_app(world.engine, KEY, "http://x.test", lambda: NOW_MS, requests_per_key=2)
    headers = {"Authorization": f"Bearer {world.made.api_key}"}
    with run_app(app) as url, Client(base_url=url, headers=headers, **LOCAL) as client:
        first = client.get("/v1/workspace")
        assert first.headers["ratelimit-policy"] == '"key";q=2;w=60'
        assert first.headers["ratelimit"] == '"key";r=1;t=30'
        client.get("/v1/nothing")  # asks for no key
        assert client.get("/v1/persons/nobody").headers["ratelimit"].startswith('"key";r=0')
        refused = client.get("/v1/workspace")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert 25 <= int(refused.headers["retry-after"]) <= 30
        other = {"Authorization": f"Bearer {world.workspace('Another').api_key}"}
        assert client.get("/v1/workspace", headers=other).status_code == 200
        assert client.get("/v1/workspace", headers={"Authorization": "Bearer x"}).headers.get(
            "ratelimit"
        ) is None  # fmt: skip


def test_an_address_follows_so_many_smart_links_and_no_more(world: World) -> None:
    app = create_app(
        world.engine, KEY, "http://x.test", lambda: NOW_MS, proxies=networks_of("127.0.0.0/8")
    )
    path = f"/n/{world.made.workspace}/nothing"
    with run_app(app) as url, Client(base_url=url, **LOCAL) as client:

        def asked(address: str, path: str = path) -> Response:
            return client.get(path, headers={"X-Forwarded-For": address})

        # None of these is there, so that what is counted is all that they cost.
        answers = [asked("8.8.8.8").status_code for _ in range(VISITS_PER_MINUTE // 20)]
        assert set(answers) == {404}
        app.state.context.visits._buckets["8.8.8.8"] = (0.0, time.monotonic())
        refused = asked("8.8.8.8")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.headers["retry-after"] == "1"
        assert asked("8.8.8.8", "/v1/site/next-content?writeKey=x").status_code == 429
        assert asked("8.8.4.4").status_code == 404
        assert client.get(path).status_code == 404, "an inner address is not limited"


def test_a_bucket_fills_evenly() -> None:
    at_s = 0.0
    limits = Limits(60, lambda: at_s)
    for _ in range(60):
        left = limits.take(1)
    assert left is not None
    assert (left.left, left.wait_s, left.full_s) == (0, 0, 60)
    refused = limits.take(1)
    assert refused is not None
    assert refused.wait_s == 1
    at_s = 10.0
    left = limits.take(1)
    assert left is not None
    assert (left.left, left.full_s) == (9, 51)
    assert Limits(0).take(1) is None
