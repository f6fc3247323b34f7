"""Erasing by REST: through the real tracker's door, out of every answer, told in the feed."""

from click.testing import CliRunner

from services.api.withdrawals import load_withdrawals
from services.cli.erase import command
from services.contract.event import Identity
from tests.contract.api.world import World

MAIL = Identity("email", "anna@example.org")


def _anna(world: World) -> str:
    both = (Identity("user_id", "anna"), MAIL)
    told = world.event(9, "identified", "anna", identities=both, server_only=True,
                       properties={"name": "Anna"})  # fmt: skip
    return world.person("anna", [told, world.event(8, "page", "anna")])


def test_a_person_is_erased_and_everybody_is_told(world: World, api) -> None:
    client, arrive = api
    anna = _anna(world)
    taken = client.delete(f"/v1/persons/{anna}", params={"by": "piet@example.org"})
    assert taken.status_code == 202, taken.text
    (word,) = arrive()
    assert (word.type, set(word.identities)) == ("erased", {Identity("user_id", "anna"), MAIL})
    after = {"after": taken.json()["position"]}
    for path in ("", "/timeline", "/consent", "/identities", "/explain"):
        assert client.get(f"/v1/persons/{anna}{path}", params=after).status_code == 404, path
    assert client.delete(f"/v1/persons/{anna}").status_code == 404
    who = {"namespace": "email", "value": "Anna@example.org"}
    assert client.get("/v1/persons/lookup", params=who).status_code == 404
    assert client.get("/v1/persons").json()["persons"] == []
    (told,) = client.get("/v1/changes", params={"types": "phase", "segment": "x"}).json()["changes"]
    assert told["type"] == "person"
    assert (told["person"], told["reason"], told["before"]) == (anna, "erased", None)
    found = client.get("/v1/erasures/lookup", params=who).json()
    assert (found["reason"], found["renewed_at"]) == ("erased", None)
    stranger = client.get("/v1/erasures/lookup", params={**who, "value": "b@example.org"}).json()
    assert (stranger["erased_at"], stranger["proofs"]) == (None, [])
    assert {m.measure_ms for m in load_withdrawals(world.engine, 0).withdrawals} == {
        word.occurred_ms
    }
    world.score([world.event(7, "page", "anna")])
    assert client.get("/v1/persons").json()["persons"] == []


def test_whoever_is_known_by_an_address_is_erased_and_whoever_will_be(world: World, api) -> None:
    client, arrive = api
    anna = _anna(world)
    who = {"namespace": "email", "value": "Anna@example.org"}
    assert client.post("/v1/erasures", json=who).json()["person"] == anna
    nobody = client.post("/v1/erasures", json={"namespace": "user_id", "value": "late"})
    assert nobody.json()["person"] is None
    arrive()
    assert client.get(f"/v1/persons/{anna}").status_code == 404
    world.score([world.event(0.5, "applied", "late")])
    assert client.get("/v1/persons").json()["persons"] == []
    assert client.post("/v1/erasures", json={**who, "value": "none"}).status_code == 400


def test_how_long_people_are_kept_is_a_setting(world: World, api) -> None:
    client, _ = api
    path = "/v1/workspace/retention"
    assert client.get(path).json() == {"months": 24}
    assert client.put(path, json={"months": 6}).json() == {"months": 6}
    assert client.get(path).json() == {"months": 6}
    assert client.put(path, json={"months": None}).json() == {"months": None}
    for wrong in ({}, {"months": 0}, {"months": 121}, {"months": True}):
        assert client.put(path, json=wrong).status_code == 400, wrong


def test_an_objection_is_kept_with_why_and_by_whom(world: World, api) -> None:
    client, arrive = api
    anna = _anna(world)
    body = {"reason": "told us by telephone", "objected_at": "2026-11-17T12:00:00Z", "by": "piet"}
    taken = client.post(f"/v1/persons/{anna}/objection", json=body)
    assert taken.status_code == 202, taken.text
    assert arrive()[0].agreement.objection == "told us by telephone"
    said = client.get(f"/v1/persons/{anna}/consent").json()["now"]["profile"]
    assert (said["granted"], said["objection"], said["objection_by"]) == (
        False, "told us by telephone", "piet",
    )  # fmt: skip
    assert client.get(f"/v1/persons/{anna}").json()["phase"] is None
    reasons = {c["reason"] for c in client.get("/v1/changes").json()["changes"]}
    assert "objected" in reasons
    who = {"namespace": "user_id", "value": "late"}
    assert client.post("/v1/objections", json={**who, **body}).status_code == 202
    for wrong in ({**body, "reason": ""}, {**body, "objected_at": "2099-01-01T00:00:00Z"}):
        assert client.post("/v1/objections", json={**who, **wrong}).status_code == 400


def test_the_command_line_erases_too(world: World, api) -> None:
    client, arrive = api
    anna = _anna(world)
    where = ["--url", str(client.base_url), "--key", world.made.api_key, "--yes"]
    done = CliRunner().invoke(command, ["email", "anna@example.org", *where])
    assert (done.exit_code, done.output) == (0, f"{anna} is being erased\n")
    arrive()
    assert client.get(f"/v1/persons/{anna}").status_code == 404
    again = CliRunner().invoke(command, [anna, *where])
    assert again.exit_code == 1
    assert "no person" in again.output
