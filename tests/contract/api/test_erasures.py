"""Erasing by REST: through the real tracker's door, out of every answer, told in the feed."""

from click.testing import CliRunner
from sqlalchemy import Connection, insert, select

from services.api.withdrawals import load_withdrawals
from services.cli.erase import command
from services.contract.event import Identity
from services.contract.phases import DAY_MS
from services.contract.tables import job, job_piece, workspace
from services.runtime.database import writing
from tests.contract.api.asked import export_of
from tests.contract.api.world import NOW_MS, World

MAIL = Identity("email", "anna@example.org")


def _anna(world: World) -> str:
    both = (Identity("user_id", "anna"), MAIL)
    told = world.event(9, "identified", "anna", identities=both, server_only=True,
                       properties={"name": "Anna"})  # fmt: skip
    return world.person("anna", [told, world.event(8, "page", "anna")])


def test_a_person_is_erased_and_everybody_is_told(world: World, api) -> None:
    client, arrive = api
    anna = _anna(world)
    rule = {"type": "phase", "any_of": ["do"]}
    client.put("/v1/segments/x", json={"name": "X", "rule": rule})
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
    asked = {"types": "phase", "segment": "x"}
    (told,) = client.get("/v1/changes", params=asked).json()["changes"]
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
    kept = {"months": 24, "applicant_days": 28}
    assert client.get(path).json() == kept
    assert client.put(path, json={"months": 6}).json() == kept | {"months": 6}
    assert client.get(path).json() == kept | {"months": 6}
    for other in ({"months": None, "applicant_days": 7}, {"months": 2, "applicant_days": None}):
        assert client.put(path, json=other).json() == client.get(path).json() == other
    for wrong in (
        {},
        {"months": 0},
        {"months": 121},
        {"months": True},
        kept | {"applicant_days": 0},
    ):
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


def test_what_pages_alone_tied_is_decided_by_people(world: World, api) -> None:
    client, arrive = api
    both = (Identity("user_id", "anna"), MAIL)
    browser = Identity("anonymous_id", "hall")
    anna = world.person("anna", [
        world.event(9, "identified", "anna", identities=both),
        world.event(8, "page", "anna", identities=(both[0], browser)),
    ])  # fmt: skip
    refused = client.delete(f"/v1/persons/{anna}")
    assert (refused.status_code, refused.json()["code"]) == (409, "tied_by_pages")
    assert "(email)" in refused.json()["detail"]
    who = {"namespace": "email", "value": MAIL.value}
    assert client.post("/v1/erasures", json=who).json()["code"] == "tied_by_pages"
    at_cookie = {"namespace": "anonymous_id", "value": "hall"}
    assert client.post("/v1/erasures", json=at_cookie).status_code == 409

    taken = client.post("/v1/erasures", json={**who, "whole": False}).json()
    assert (taken["person"], taken["left"]) == (anna, 2)
    assert arrive()[0].identities == (MAIL,)
    assert client.get(f"/v1/persons/{anna}").json()["id"] == anna
    assert client.get("/v1/persons/lookup", params=who).status_code == 404
    # What is left is one circle, and the browser that pages tied to it: nothing to decide.
    taken = client.delete(f"/v1/persons/{anna}").json()
    assert (taken["person"], taken["left"]) == (anna, 0)
    assert set(arrive()[0].identities) == {both[0], browser}
    assert client.get(f"/v1/persons/{anna}").status_code == 404


def test_all_of_it_goes_if_somebody_says_so(world: World, api) -> None:
    client, arrive = api
    both = (Identity("user_id", "anna"), MAIL)
    anna = world.person("anna", [world.event(9, "identified", "anna", identities=both)])
    where = ["--url", str(client.base_url), "--key", world.made.api_key, "--yes"]
    asked = CliRunner().invoke(command, [anna, *where])
    assert asked.exit_code == 1
    assert "whole=true" in asked.output
    done = CliRunner().invoke(command, [anna, "--whole", *where])
    assert (done.exit_code, done.output) == (0, f"{anna} is being erased\n")
    assert set(arrive()[0].identities) == set(both)


def test_files_of_exports_go_with_whoever_may_stand_in_them(world: World, api) -> None:
    client, arrive = api
    anna = _anna(world)
    other = world.workspace("Another")
    rows = [
        ("export", "done", NOW_MS + DAY_MS),
        ("export", "running", None),
        ("import", "running", None),
    ]
    with writing(world.engine).begin() as db:
        spaces = [world.id] * 3 + [
            db.execute(
                select(workspace.c.id).where(workspace.c.public_id == other.workspace)
            ).scalar_one()
        ]
        for number, (space, told) in enumerate(zip(spaces, [*rows, rows[0]], strict=True)):
            add_with_file(db, space, number, *told)
    client.delete(f"/v1/persons/{anna}")
    arrive()
    with world.engine.connect() as db:
        query = select(job.c.status, job.c.file_until_ms).order_by(job.c.id)
        assert [tuple(one) for one in db.execute(query)] == [
            ("done", None), ("waiting", None), ("running", None), ("done", NOW_MS + DAY_MS),
        ]  # fmt: skip
        left = select(job_piece.c.job_id).order_by(job_piece.c.job_id)
        assert len(db.execute(left).all()) == 2
    shown = client.get("/v1/jobs", params={"kind": "export"}).json()["jobs"]
    assert "erased" in shown[-1]["problem"]
    assert shown[-1]["file"] is None


def add_with_file(
    db: Connection, workspace_id: int, number: int, kind: str, status: str, until_ms: int | None
) -> None:
    """A job with a piece of a file."""
    values = {
        "workspace_id": workspace_id,
        "public_id": f"j_{number}",
        "kind": kind,
        "status": status,
        "asked": export_of("s") if kind == "export" else {"kind": "people"},
        "created_ms": NOW_MS,
        "created_by": "test",
        "turn": 1,
        "done": 0,
        "errors": 0,
        "counts": {},
        "file_bytes": 4,
        "file_until_ms": until_ms,
    }
    made = db.execute(insert(job).values(values)).inserted_primary_key
    assert made is not None
    piece = {"workspace_id": workspace_id, "job_id": made[0], "number": 0, "data": b"anna"}
    db.execute(insert(job_piece).values(piece))
