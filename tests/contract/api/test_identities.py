"""Who is who by REST: decided through the real tracker's door, kept with who and why, undone."""

from collections.abc import Callable

from httpx import Client

from services.api.wire import rfc3339
from services.contract.event import Event, Identity
from services.contract.phases import DAY_MS
from tests.contract.api.world import NOW_MS, World

Api = tuple[Client, Callable[[], list[Event]]]


def _user(name: str) -> dict[str, str]:
    return {"namespace": "user_id", "value": name}


def _decide(api: Api, one: dict[str, str], other: dict[str, str], decision: str) -> str:
    client, arrive = api
    body = {"identities": [one, other], "decision": decision, "reason": "by telephone", "by": "p"}
    taken = client.post("/v1/identities/decisions", json=body)
    assert taken.status_code == 202, taken.text
    assert arrive()
    return taken.json()["position"]


def test_two_are_one_until_it_is_taken_back(world: World, api: Api) -> None:
    client, _ = api
    anna = world.person("anna", [world.event(9, "page", "anna"), world.event(8, "read", "anna")])
    bert = world.person("bert", [world.event(7, "vacancy_viewed", "bert")])
    before = {p: client.get(f"/v1/persons/{p}").json() for p in (anna, bert)}

    position = _decide(api, _user("bert"), _user("anna"), "same_person")
    shown = client.get(f"/v1/persons/{bert}", params={"after": position})
    assert (shown.status_code, shown.headers["location"].split("?")[0]) == (
        307, f"/v1/persons/{anna}",
    )  # fmt: skip
    events = client.get(f"/v1/persons/{anna}/timeline").json()["events"]
    assert [e["type"] for e in events] == ["vacancy_viewed", "read", "page"], "no more than these"
    told = client.get(f"/v1/persons/{anna}/identities").json()
    assert [(i["value"], i["person"], i["known_to"]) for i in told["identities"]] == [
        ("anna", anna, None),
        ("bert", anna, None),
    ]
    assert [(i["value"], i["person"]) for i in told["history"]] == [("bert", bert)]
    (tie,) = told["ties"]
    assert (tie["told_by"], tie["decision"]) == (None, "same_person")
    (decided,) = told["decisions"]
    assert (decided["reason"], decided["by"], decided["stands"]) == ("by telephone", "p", True)
    assert decided["key"].startswith("key ")
    assert decided["id"] == position

    _decide(api, _user("anna"), _user("bert"), "undecided")
    assert {p: client.get(f"/v1/persons/{p}").json() for p in (anna, bert)} == before
    told = client.get(f"/v1/persons/{anna}/identities").json()
    assert [(i["value"], i["person"]) for i in told["history"]] == [("bert", anna)]
    assert told["ties"] == []
    page = client.get("/v1/identities/decisions").json()["decisions"]
    assert [(d["decision"], d["stands"]) for d in page] == [
        ("undecided", True), ("same_person", False),
    ]  # fmt: skip
    changes = client.get("/v1/changes", params={"types": "identity"}).json()["changes"]
    assert [(c["before"], c["after"], c["reason"]) for c in changes] == [
        (bert, anna, "merged"),
        (anna, bert, "parted"),
        (anna, bert, "unlinked"),
    ]


def test_an_identity_is_taken_off_and_put_on(world: World, api: Api) -> None:
    client, arrive = api
    both = (Identity("user_id", "anna"), Identity("email", "a@example.org"))
    named = world.event(9, "identified", "anna", identities=both, server_only=True)
    anna = world.person("anna", [named, world.event(3, "read", "", identities=both[1:])])
    query = {"namespace": "email", "value": "A@example.org", "reason": "of her neighbour"}
    taken = client.delete(f"/v1/persons/{anna}/identities", params=query)
    assert taken.status_code == 202, taken.text
    arrive()
    neighbour = world.id_of("a@example.org", "email")
    assert neighbour != anna
    types = [e["type"] for e in client.get(f"/v1/persons/{neighbour}/timeline").json()["events"]]
    assert types == ["read"]
    again = client.delete(f"/v1/persons/{anna}/identities", params=query)
    assert (again.status_code, again.json()["code"]) == (404, "not_found")

    body = {"namespace": "email", "value": "a@example.org", "reason": "hers after all"}
    taken = client.post(f"/v1/persons/{anna}/identities", json=body)
    assert taken.status_code == 202, taken.text
    arrive()
    assert world.id_of("a@example.org", "email") == anna
    unknown = {"namespace": "ats", "value": "C-1", "reason": "from the ATS"}
    assert client.post(f"/v1/persons/{anna}/identities", json=unknown).status_code == 202
    arrive()
    found = client.get("/v1/persons/lookup", params={"namespace": "ats", "value": "C-1"})
    assert found.json()["id"] == anna


def test_two_on_one_browser_wait_for_a_decision(world: World, api: Api) -> None:
    client, _ = api
    shared = Identity("anonymous_id", "tablet")

    def use(days_ago: float, name: str) -> Event:
        who = (Identity("user_id", name), shared)
        return world.event(days_ago, "page", name, identities=who)

    world.score([use(9, "anna"), use(8, "bert"), use(7, "anna")])
    anna, bert = world.id_of("anna"), world.id_of("bert")
    assert anna != bert
    (conflict,) = client.get("/v1/identities/conflicts").json()["conflicts"]
    assert conflict["kind"] == "browser"
    assert conflict["browser"] == {"namespace": "anonymous_id", "value": "tablet"}
    assert {(p["value"], p["person"]) for p in conflict["identities"]} == {
        ("anna", anna), ("bert", bert),
    }  # fmt: skip
    one, other = ({k: p[k] for k in ("namespace", "value")} for p in conflict["identities"])
    _decide(api, one, other, "two_people")
    assert client.get("/v1/identities/conflicts").json()["conflicts"] == []
    world.score([use(6, "bert"), use(5, "anna")])
    assert client.get("/v1/identities/conflicts").json()["conflicts"] == [], "decided once"
    _decide(api, one, other, "undecided")
    assert len(client.get("/v1/identities/conflicts").json()["conflicts"]) == 1
    _decide(api, one, other, "same_person")
    assert client.get("/v1/identities/conflicts").json()["conflicts"] == []
    assert world.id_of("anna") == world.id_of("bert")


def test_a_tie_that_stands_aside_waits_too(world: World, api: Api) -> None:
    client, _ = api
    address = Identity("email", "info@example.org")
    for days_ago, name in ((5, "anna"), (4, "bert")):
        who = (Identity("user_id", name), address)
        world.score([world.event(days_ago, "identified", name, identities=who, server_only=True)])
    (conflict,) = client.get("/v1/identities/conflicts").json()["conflicts"]
    assert (conflict["kind"], conflict["browser"]) == ("tie", None)
    assert {p["value"] for p in conflict["identities"]} == {"bert", "info@example.org"}
    _decide(api, _user("bert"), {"namespace": "email", "value": address.value}, "two_people")
    assert client.get("/v1/identities/conflicts").json()["conflicts"] == []


def test_a_merged_persons_every_route_leads_on(world: World, api: Api) -> None:
    client, _ = api
    anna = world.person("anna", [world.event(9, "page", "anna")])
    bert = world.person("bert", [world.event(7, "page", "bert")])
    _decide(api, _user("bert"), _user("anna"), "same_person")
    bodies = {
        "consent": {"purposes": {"measure": True}, "given_at": "2026-11-18T00:00:00Z"},
        "identities": {"namespace": "ats", "value": "1", "reason": "r"},
        "objection": {"reason": "r", "objected_at": "2026-11-18T00:00:00Z", "by": "phone"},
        "{person_id}": {"attributes": {"region": "Utrecht"}},
    }
    asked = 0
    for path, item in client.get("/openapi.json").json()["paths"].items():
        if not path.startswith("/v1/persons/{person_id}"):
            continue
        for method in item:
            address = path.replace("{person_id}", bert)
            last = path.rsplit("/", 1)[-1]
            query = bodies["identities"] if (method, last) == ("delete", "identities") else {}
            body = bodies[last] if method in {"post", "patch"} else None
            answer = client.request(method, address, params=query, json=body)
            assert answer.status_code == 307, (method, path, answer.text)
            assert answer.headers["location"].startswith(address.replace(bert, anna)), path
            assert answer.headers["cache-control"] == "no-store"
            asked += 1
    assert asked >= 8
    page = client.get(f"/people/{bert}", follow_redirects=False)
    assert page.status_code in {303, 307}


def test_what_cannot_be_decided_is_refused(world: World, api: Api) -> None:
    client, _ = api
    anna = world.person("anna", [world.event(9, "page", "anna")])
    cookies = [Identity("anonymous_id", name) for name in ("c1", "c2")]
    world.score([world.event(3, "page", "", identities=(cookie,)) for cookie in cookies])
    two = [{"namespace": i.namespace, "value": i.value} for i in cookies]
    for identities, more, status, code in (
        ([_user("anna"), _user("anna")], {}, 400, "one_identity"),
        (two, {}, 400, "two_browsers"),
        ([_user("anna"), _user("nobody")], {}, 404, "not_found"),
        ([_user("anna")], {}, 400, "invalid"),
        ([_user("anna"), two[0]], {"reason": ""}, 400, "invalid"),
        ([_user("anna"), two[0]], {"decision": "perhaps"}, 400, "invalid"),
    ):
        body = {"identities": identities, "decision": "same_person", "reason": "r"} | more
        answer = client.post("/v1/identities/decisions", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    lone = {"namespace": "user_id", "value": "anna", "reason": "r"}
    alone = client.delete(f"/v1/persons/{anna}/identities", params=lone)
    assert (alone.status_code, alone.json()["code"]) == (409, "nothing_to_part")
    assert client.post(f"/v1/persons/{anna}/identities", json=lone).status_code == 409
    stranger = world.workspace("Another employer")
    client.headers["Authorization"] = f"Bearer {stranger.api_key}"
    body = {"identities": [_user("anna"), two[0]], "decision": "two_people", "reason": "r"}
    assert client.post("/v1/identities/decisions", json=body).status_code == 404
    assert client.get(f"/v1/persons/{anna}/identities").status_code == 404
    assert client.get("/v1/identities/conflicts").json()["conflicts"] == []


def test_what_was_believed_of_a_merged_person_stays_readable(world: World, api: Api) -> None:
    client, _ = api
    world.score([world.event(9, "page", "anna")], NOW_MS - 3 * DAY_MS)
    world.score([world.event(7, "read", "bert")], NOW_MS - 3 * DAY_MS)
    bert = world.id_of("bert")
    _decide(api, _user("bert"), _user("anna"), "same_person")
    then = {"known_at": rfc3339(NOW_MS - 2 * DAY_MS)}
    for path in ("", "/timeline", "/phases", "/explain", "/segments", "/identities"):
        assert client.get(f"/v1/persons/{bert}{path}").status_code == 307, path
        assert client.get(f"/v1/persons/{bert}{path}", params=then).status_code == 200, path
    events = client.get(f"/v1/persons/{bert}/timeline", params=then).json()["events"]
    assert [e["type"] for e in events] == ["read"]
    phases = client.get(f"/v1/persons/{bert}/phases", params=then).json()["phases"]
    assert [p["phase"] for p in phases]
    known = client.get(f"/v1/persons/{bert}/identities", params=then).json()["identities"]
    assert [i["value"] for i in known] == ["bert"]
    later = {"known_at": rfc3339(NOW_MS)}
    assert client.get(f"/v1/persons/{bert}", params=later).status_code == 307
