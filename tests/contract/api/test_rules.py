"""Rules over REST: every kind, references, what is refused, and lists by hand."""

import json
from typing import get_args

import pytest
from httpx import Client

from services.api.wire import rfc3339
from services.contract.phases import HOUR_MS
from services.model.rules import tree
from services.runtime.database import writing
from services.scorer.due import announce_due
from tests.contract.api.world import NOW_MS, World

PAGES = {"type": "events", "event": ["page"], "within_days": 30}


def refer(key: str) -> dict[str, str]:
    return {"type": "in_segment", "segment": key}


def put(client: Client, key: str, rule: dict, status: int = 201) -> dict:
    answer = client.put(f"/v1/segments/{key}", json={"name": key, "rule": rule})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_every_example_of_a_condition_is_a_rule(client: Client, world: World) -> None:
    put(client, "almost-ready", PAGES)
    put(client, "own-staff", PAGES)
    described = client.get("/openapi.json").json()["components"]["schemas"]
    made = True
    for kind in get_args(tree._Written):
        name = kind.__name__ if kind.__name__ in described else f"{kind.__name__}-Input"
        examples = described[name]["examples"]
        assert examples
        for rule in examples:
            put(client, "example", rule, 201 if made else 200)
            made = False
            assert client.get("/v1/segments/example").json()["rule"]["type"] == rule["type"]
    world.build()
    assert client.get("/v1/segments/example").json()["status"] == "live"


@pytest.mark.parametrize(
    ("rule", "code", "said"),
    [
        ({"type": "evnts"}, "invalid", "did you mean `events`?"),
        ({**PAGES, "evnt": ["page"]}, "unknown_field", "Did you mean 'event'?"),
        ({"type": "not", "rule": {**PAGES, "with_days": 3}}, "unknown_field", "'within_days'?"),
        (refer("rady"), "unknown_segment", "did you mean `ready`?"),
    ],
)
def test_what_is_unknown_is_named_with_what_was_meant(
    client: Client, rule: dict, code: str, said: str
) -> None:
    put(client, "ready", PAGES)
    answer = client.put("/v1/segments/x", json={"name": "x", "rule": rule})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        (8, "body.rule: a rule is at most 8 deep"),
        (300, "body.rule: a rule is at most 8 deep"),
        (3_000, "The body nests too deep."),
    ],
)
def test_a_rule_that_is_too_deep_is_told_so_however_deep(
    client: Client, levels: int, said: str
) -> None:
    rule = '{"type":"not","rule":' * levels + json.dumps(PAGES) + "}" * levels
    headers = {"Content-Type": "application/json"}
    body = f'{{"name":"x","rule":{rule}}}'
    answer = client.put("/v1/segments/x", content=body, headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (400, said)


def test_circles_and_what_others_refer_to_are_refused_by_name(client: Client) -> None:
    put(client, "c", PAGES)
    put(client, "b", {"type": "not", "rule": refer("c")})
    put(client, "a", {"type": "any", "rules": [refer("b"), PAGES]})
    edit = {"name": "c", "rule": {"type": "all", "rules": [refer("a"), PAGES]}}
    answer = client.put("/v1/segments/c", json=edit).json()
    assert answer["code"] == "segment_circle"
    assert "c → a → b → c" in answer["detail"]
    answer = client.put("/v1/segments/own", json={"name": "own", "rule": refer("own")}).json()
    assert answer["code"] == "segment_circle"
    assert "own → own." in answer["detail"]
    answer = client.delete("/v1/segments/c")
    assert (answer.status_code, answer.json()["code"]) == (409, "segment_in_use")
    assert answer.json()["detail"].endswith(": b. Edit or delete these first.")
    for key in "abc":
        assert client.delete(f"/v1/segments/{key}").status_code == 204


def test_an_edit_takes_those_along_that_refer_to_it(
    client: Client, world: World, people: dict[str, str]
) -> None:
    put(client, "base", {"type": "phase", "any_of": ["think", "do"]})
    put(client, "rest", {"type": "not", "rule": refer("base")})
    put(client, "alone", PAGES)
    world.build()

    def members(key: str) -> set[str]:
        found = client.get(f"/v1/segments/{key}/members").json()["members"]
        return {one["person"] for one in found}

    assert members("base") == {people["turning"]}
    assert members("rest") == {people["quiet"]}
    put(client, "base", {"type": "phase", "any_of": ["see"]}, 200)
    shown = client.get("/v1/segments").json()["segments"]
    assert {one["key"]: one["version"] for one in shown} == {"base": 2, "rest": 2, "alone": 1}
    # Once more, while both are being filled: nothing of what was begun comes into force.
    put(client, "rest", {"type": "all", "rules": [refer("base"), refer("alone")]}, 200)
    assert members("base") == {people["turning"]}
    world.build()
    assert members("base") == {people["quiet"]}
    assert members("rest") == set()
    shown = client.get("/v1/segments").json()["segments"]
    assert {one["key"]: one["version"] for one in shown} == {"base": 2, "rest": 3, "alone": 1}
    assert {one["status"] for one in shown} == {"live"}


def test_a_rule_is_as_large_as_all_that_it_refers_to(client: Client) -> None:
    many = {"type": "any", "rules": [PAGES] * 60}
    put(client, "s0", many)
    for n in range(1, 8):
        put(client, f"s{n}", {"type": "any", "rules": [refer(f"s{n - 1}"), *[PAGES] * 60]})
    rule = {"type": "any", "rules": [refer("s7"), *[PAGES] * 60]}
    answer = client.put("/v1/segments/s8", json={"name": "s8", "rule": rule})
    assert (answer.status_code, answer.json()["code"]) == (409, "rule_too_large")


def test_a_chain_of_segments_is_bounded_from_both_ends(client: Client) -> None:
    put(client, "s0", PAGES)
    for n in range(1, 16):
        put(client, f"s{n}", refer(f"s{n - 1}"))
    beyond = client.put("/v1/segments/s16", json={"name": "s16", "rule": refer("s15")})
    assert (beyond.status_code, beyond.json()["code"]) == (409, "segment_chain")
    put(client, "deeper", PAGES)
    below = client.put("/v1/segments/s0", json={"name": "s0", "rule": refer("deeper")})
    assert (below.status_code, below.json()["code"]) == (409, "segment_chain")


def test_people_are_put_in_and_kept_out_by_hand(api, world: World, people) -> None:
    client, arrive = api
    later = {"as_of": rfc3339(NOW_MS + HOUR_MS)}
    put(client, "s", {"type": "phase", "any_of": ["think", "do"]})
    world.build()
    quiet, turning = people["quiet"], people["turning"]

    def say(person: str, listing: str) -> None:
        body = {"list": listing, "reason": "By telephone", "by": "piet@example.org"}
        answer = client.put(f"/v1/segments/s/manual/{person}", json=body)
        assert answer.status_code == 202, answer.text
        assert len(answer.json()["position"]) == 32
        (event,) = arrive()
        assert (event.type, event.content_id) == ("segment_listed", "s")

    say(quiet, "in")
    say(turning, "out")
    with writing(world.engine).begin() as connection:
        announce_due(connection, NOW_MS + HOUR_MS)  # the tracker's clock ran on meanwhile
    members = client.get("/v1/segments/s/members", params=later).json()["members"]
    assert [one["person"] for one in members] == [quiet]
    changes = client.get("/v1/changes", params={"segment": "s"}).json()["changes"]
    assert [(c["person"], c["after"], c["reason"]) for c in changes[-2:]] == [
        (quiet, "member", "manual"),
        (turning, None, "manual"),
    ]
    shown = client.get("/v1/segments/s/manual").json()
    assert {(one["person"], one["list"]) for one in shown["people"]} == {
        (quiet, "in"),
        (turning, "out"),
    }
    assert {(one["reason"], one["by"]) for one in shown["people"]} == {
        ("By telephone", "piet@example.org")
    }
    first = client.get("/v1/segments/s/manual", params={"limit": 1}).json()
    second = client.get("/v1/segments/s/manual", params={"limit": 1, "cursor": first["next"]})
    assert first["people"] + second.json()["people"] == shown["people"]
    assert second.json()["next"] is None
    assert client.delete(f"/v1/segments/s/manual/{turning}").status_code == 202
    arrive()
    told = client.get("/v1/audit", params={"about": "s"}).json()["audit"]
    listed = [row["after"] for row in told if row["what"] == "segment.listed"]
    assert listed[0] == {"person": turning, "list": "none"}
    assert {"person": quiet, "list": "in"} in listed
    assert [one["person"] for one in client.get("/v1/segments/s/manual").json()["people"]] == [
        quiet
    ]
    members = client.get("/v1/segments/s/members", params=later).json()["members"]
    assert {one["person"] for one in members} == {quiet, turning}
    body = {"list": "in", "reason": "r"}
    assert client.put(f"/v1/segments/none/manual/{quiet}", json=body).status_code == 404
    assert client.put("/v1/segments/s/manual/p_none", json=body).status_code == 404


def test_a_preview_refuses_what_saving_would(client: Client, people: dict[str, str]) -> None:
    put(client, "ready", PAGES)

    def preview(rule: dict, **more: str) -> dict:
        return client.post("/v1/segments/preview", json={"rule": rule, **more}).json()

    assert preview(refer("rady"))["code"] == "unknown_segment"
    there = "There is no segment `zzz`: there are ready."
    assert preview(refer("zzz"))["detail"] == there
    edit = {"name": "zz", "rule": refer("zzz")}
    assert client.put("/v1/segments/zz", json=edit).json()["detail"] == there
    assert preview(refer("ready"), key="ready")["code"] == "segment_circle"
    for kind in get_args(tree._Written):
        for rule in kind.model_config["json_schema_extra"]["examples"]:
            if "segment" not in str(rule):
                assert preview(rule).keys() >= {"enter", "leave"}, rule
    for op in ("none_of", "less_or_same", "greater_or_same"):
        value = {"values": ["x"]} if op == "none_of" else {"value": "x"}
        rule = {"type": "attribute", "name": "region", "op": op, **value}
        assert preview(rule).keys() >= {"enter", "leave"}, rule
