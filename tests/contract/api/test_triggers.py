"""Triggers over REST: made, changed, seen at work, on both databases."""

from httpx import Client

from services.contract.phases import DAY_MS, HOUR_MS
from services.runtime.database import writing
from services.scorer.firing import fire_due
from tests.contract.api.world import MODEL, NOW_MS, World

READERS = {"type": "events", "event": ["read"], "within_days": 7}
INVITE = {
    "name": "Invite readers",
    "segment": "readers",
    "content_id": "evening",
    "when": {"type": "after", "minutes": 60},
}


def made(client: Client, **more: object) -> dict:
    rule = {"name": "Readers", "rule": READERS}
    assert client.put("/v1/segments/readers", json=rule).status_code in {200, 201}
    item = {"content_type": "meeting", "title": "An evening", "url": "https://example.org/e"}
    assert client.put("/v1/content/evening", json=item).status_code in {200, 201}
    answer = client.post("/v1/triggers", json=INVITE | more)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_trigger_is_made_changed_and_ended(client: Client) -> None:
    one = made(client)
    asked = INVITE | {"phase": None, "channel": None, "per_week": 2, "webhook_id": None}
    assert {name: one[name] for name in asked} == asked
    assert (one["status"], one["created_by"]) == ("active", "key api key")
    assert client.get("/v1/triggers").json()["triggers"] == [one]
    path = f"/v1/triggers/{one['id']}"
    tag = client.get(path).headers["etag"]
    assert client.patch(path, json={"status": "paused"}).status_code == 428
    change = {"content_id": None, "when": {"type": "best_moment", "within_days": 7}}
    changed = client.patch(path, json=change, headers={"If-Match": tag})
    assert changed.json() == one | change
    late = client.patch(path, json={"status": "paused"}, headers={"If-Match": tag})
    assert late.status_code == 412
    in_use = client.delete("/v1/segments/readers")
    assert (in_use.status_code, in_use.json()["code"]) == (409, "segment_in_use")
    assert "Invite readers" in in_use.json()["detail"]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.delete("/v1/segments/readers").status_code == 204
    told = client.get("/v1/audit", params={"about": one["id"]}).json()["audit"]
    assert [row["what"] for row in told] == ["trigger.deleted", "trigger.changed", "trigger.made"]
    assert (told[1]["before"]["content_id"], told[1]["after"]["content_id"]) == ("evening", None)


def test_what_it_names_must_be_there(client: Client, world: World) -> None:
    made(client)
    for odd in (
        {"segment": "unheard-of"},
        {"content_id": "unheard-of"},
        {"webhook_id": "wh_unheard-of"},
    ):
        assert client.post("/v1/triggers", json=INVITE | odd).status_code == 404, odd
    for odd, detail in (
        ({"phase": "do"}, "give segment or phase"),
        ({"segment": None}, "give segment or phase"),
        ({"segment": None, "phase": "thinck"}, "Did you mean 'think'?"),
        ({"when": {"type": "best_momment"}}, "Did you mean 'best_moment'?"),
        ({"when": {"type": "after", "minutes": 0}}, "greater than or equal to 1"),
        ({"chanel": "email"}, "Did you mean 'channel'?"),
    ):
        answer = client.post("/v1/triggers", json=INVITE | odd)
        assert answer.status_code == 400, odd
        assert detail in answer.json()["detail"]


def test_a_vacancy_waits_for_no_phase_before_do(client: Client) -> None:
    item = {"content_type": "Vacancy", "title": "Fitter", "url": "https://example.org/v"}
    assert client.put("/v1/content/fitter", json=item).status_code == 201
    early = made(client, segment=None, phase="think", content_id=None)
    path, tag = f"/v1/triggers/{early['id']}", {"If-Match": "*"}
    asked = {"segment": None, "phase": "think", "content_id": "fitter"}
    for answer in (
        client.post("/v1/triggers", json=INVITE | asked),
        client.patch(path, json={"content_id": "fitter"}, headers=tag),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "never_fires")
    made(client, segment=None, phase="do", content_id="fitter")
    made(client, content_id="fitter")
    story = made(client, segment=None, phase="see", content_id="evening")
    assert client.put("/v1/content/evening", json=item).status_code == 200, "a vacancy since"
    again = {"content_id": "evening", "status": "paused"}
    assert client.patch(f"/v1/triggers/{story['id']}", json=again, headers=tag).status_code == 200


def test_who_was_handed_over_is_listed(client: Client, world: World) -> None:
    one = made(client)
    world.build()
    reader = world.person("r", [world.event(0, "read", "r")])
    waits = client.get(f"/v1/triggers/{one['id']}/fired", params={"status": "waiting"}).json()
    assert [row["person"] for row in waits["fired"]] == [reader]
    path = f"/v1/triggers/{one['id']}/fired"
    with writing(world.engine).begin() as db:
        assert fire_due(db, MODEL, NOW_MS + HOUR_MS) == (1, 1)
    (row,) = client.get(path).json()["fired"]
    assert (row["status"], row["content_id"], row["why"]) == ("fired", "evening", None)
    assert row["reason"] == "event"
    (told,) = client.get("/v1/changes", params={"types": "trigger"}).json()["changes"]
    expected = (reader, one["id"], "evening", row["due_at"])
    assert (told["person"], told["trigger"], told["content"], told["valid_at"]) == expected
    assert (told["before"], told["after"], told["segment"]) == (None, None, None)
    assert client.get(path, params={"status": "withheld"}).json() == {"fired": [], "next": None}
    late = world.person("l", [world.event(0, "read", "l")])
    with writing(world.engine).begin() as db:
        fire_due(db, MODEL, NOW_MS + 3 * DAY_MS)
    page = client.get(path, params={"limit": 1}).json()
    assert (page["fired"][0]["person"], page["fired"][0]["why"]) == (late, "late")
    (rest,) = client.get(path, params={"limit": 1, "cursor": page["next"]}).json()["fired"]
    assert rest == row
    assert client.delete(f"/v1/triggers/{one['id']}").status_code == 204
    again = client.get(path, params={"limit": 1}).json()
    assert again["fired"] == page["fired"], "though it is no more"
