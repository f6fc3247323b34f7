"""Segments over REST, on both databases."""

from httpx import Client

from services.api.wire import rfc3339
from services.contract.phases import DAY_MS, HOUR_MS
from tests.contract.api.world import NOW_MS, World

RULE = {"type": "phase", "any_of": ["think", "do"]}
BODY = {"key": "ready", "name": "Ready", "rule": RULE}


def test_a_segment_is_built_then_live(client: Client, world: World, people: dict[str, str]) -> None:
    made = client.post("/v1/segments", json=BODY)
    assert made.status_code == 201, made.text
    assert made.json()["status"] == "building"
    assert client.post("/v1/segments", json=BODY).json()["code"] == "segment_exists"
    world.build()
    body = client.get("/v1/segments/ready").json()
    assert (body["status"], body["progress"], body["count"]) == ("live", 1, 1)
    members = client.get("/v1/segments/ready/members").json()
    assert [m["person"] for m in members["members"]] == [people["turning"]]
    assert members["members"][0]["until"] > rfc3339(NOW_MS)
    of_person = client.get(f"/v1/persons/{people['turning']}/segments").json()
    assert [s["segment"] for s in of_person["segments"]] == ["ready"]


def test_count_members_and_trend_agree_at_any_moment(
    client: Client, world: World, people: dict[str, str]
) -> None:
    client.post("/v1/segments", json=BODY)
    world.build()
    begin = NOW_MS - NOW_MS % HOUR_MS - 10 * DAY_MS
    trend = client.get(
        "/v1/segments/ready/trend",
        params={"from": rfc3339(begin), "to": rfc3339(begin + 200 * DAY_MS)},
    ).json()
    assert len(trend["points"]) == 201
    assert {p["count"] for p in trend["points"]} == {0, 1}
    assert trend["points"][0]["ahead"] is False
    assert trend["points"][-1] == {
        "at": rfc3339(begin + 200 * DAY_MS),
        "count": 0,
        "ahead": True,
    }
    for point in trend["points"][::13]:
        at = {"as_of": point["at"]}
        assert client.get("/v1/segments/ready/count", params=at).json()["count"] == point["count"]
        members = client.get("/v1/segments/ready/members", params=at).json()["members"]
        assert len(members) == point["count"]
        known = at | {"known_at": rfc3339(NOW_MS)}
        believed = client.get("/v1/segments/ready/count", params=known).json()
        assert believed["count"] == point["count"]


def test_counts_are_exact_at_a_boundary(
    client: Client, world: World, people: dict[str, str]
) -> None:
    client.post("/v1/segments", json=BODY)
    world.build()
    member = client.get("/v1/segments/ready/members").json()["members"][0]

    def count(moment: str) -> int:
        answer = client.get("/v1/segments/ready/count", params={"as_of": moment})
        return int(answer.json()["count"])

    def just_before(moment: str) -> str:
        seconds, millis = moment[:-5], int(moment[-4:-1])
        return f"{seconds}.{millis - 1:03d}Z"

    assert count(member["since"]) == 1
    assert count(member["until"]) == 0
    if not member["until"].endswith(".000Z"):
        assert count(just_before(member["until"])) == 1


def test_edit_makes_a_version_and_delete_ends_it(
    client: Client, world: World, people: dict[str, str]
) -> None:
    assert client.put("/v1/segments/ready", json={"name": "R", "rule": RULE}).status_code == 201
    world.build()
    renamed = client.put("/v1/segments/ready", json={"name": "Ready", "rule": RULE})
    assert (renamed.status_code, renamed.json()["version"]) == (200, 1)
    other = {"type": "attribute", "name": "region", "op": "is", "value": "utrecht"}
    edited = client.put("/v1/segments/ready", json={"name": "Ready", "rule": other}).json()
    assert (edited["version"], edited["status"]) == (2, "building")
    count = client.get("/v1/segments/ready/count").json()
    assert (count["count"], count["version"], count["status"]) == (1, 1, "building")
    versions = client.get("/v1/segments/ready/versions").json()["versions"]
    assert [v["status"] for v in versions] == ["live", "building"]
    assert client.delete("/v1/segments/ready").status_code == 204
    assert client.get("/v1/segments/ready").status_code == 404
    assert client.post("/v1/segments", json=BODY).json()["version"] == 3


def test_who_asks_as_once_known_hears_of_the_version_that_answered_then(
    client: Client, world: World, people: dict[str, str]
) -> None:
    client.post("/v1/segments", json=BODY)
    world.build(NOW_MS - 2 * HOUR_MS)
    other = {"type": "attribute", "name": "region", "op": "is", "value": "utrecht"}
    client.put("/v1/segments/ready", json={"name": "Ready", "rule": other})
    world.build()
    for hours, version in ((0, 2), (1, 1), (3, None)):
        asked = {"known_at": rfc3339(NOW_MS - hours * HOUR_MS)}
        for what in ("count", "members"):
            answer = client.get(f"/v1/segments/ready/{what}", params=asked).json()
            assert answer["version"] == version, (hours, what)
    versions = client.get("/v1/segments/ready/versions").json()["versions"]
    assert [one["live_at"] for one in versions] == [
        rfc3339(NOW_MS - 2 * HOUR_MS),
        rfc3339(NOW_MS),
    ]


def test_member_pages_follow_each_other(client: Client, world: World) -> None:
    ids = [world.person(f"u{i}", [world.event(5 + i / 9, "page", f"u{i}")]) for i in range(7)]
    rule = {"type": "events", "event": ["page"], "within_days": 30}
    client.post("/v1/segments", json={"key": "seen", "name": "Seen", "rule": rule})
    world.build()
    found, cursor = [], None
    while True:
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = client.get("/v1/segments/seen/members", params=query).json()
        found += [m["person"] for m in page["members"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == ids


def test_a_rule_is_a_closed_tree(client: Client) -> None:
    bad_rules = [
        {"type": "sql", "text": "1=1"},
        {"type": "phase", "any_of": ["buy"]},
        {"type": "phase", "any_of": []},
        {"type": "phase", "any_of": ["do"], "more": 1},
        {"type": "attribute", "name": "a\x00", "op": "known"},
        {"type": "events", "within_days": 10**400},
    ]
    deep: dict[str, object] = RULE
    for _ in range(9):
        deep = {"type": "not", "rule": deep}
    for rule in [*bad_rules, deep]:
        answer = client.post("/v1/segments", json={"key": "x", "name": "X", "rule": rule})
        assert answer.status_code == 400, (rule, answer.text)
        assert answer.json()["code"] in {"invalid", "unknown_field"}
