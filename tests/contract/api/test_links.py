"""Tokens for recipients, tied to their persons through the real tracker's door."""

from pathlib import Path

from httpx import Client

from services.api.app import create_app
from services.api.snapshot import load_snapshot
from services.contract import event as envelope
from services.contract.event import Consent, Identity
from services.contract.token import read_recipient
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.tracker.app import create_app as create_tracker
from services.tracker.gate import Gate
from tests.contract.api.conftest import KEY
from tests.contract.api.world import NOW_MS, World
from tests.servers.web import LOCAL, run_app


def test_a_token_and_its_person_are_tied(world: World, tmp_path: Path) -> None:
    anna = world.person("anna", [world.event(9, "page", "anna")])
    refusing = Consent(measure=False, profile=False)
    world.person("no", [world.event(8, "identified", "no", consent=refusing)])
    log = SqliteLog(tmp_path / "spool", readers=["test"])
    tracker = create_tracker(
        log, lambda: load_snapshot(world.engine, KEY), tmp_path, "http://track.test", Gate((), 0, 0)
    )
    with run_app(tracker) as tracker_url:
        api = create_app(
            world.engine, KEY, "http://track.test", lambda: NOW_MS, tracker_url=tracker_url
        )
        headers = {"Authorization": f"Bearer {world.made.api_key}"}
        with run_app(api) as api_url, Client(base_url=api_url, headers=headers, **LOCAL) as client:
            people = [{"namespace": "user_id", "value": value} for value in ("anna", "no", "who")]
            body = {"target": "https://werkenbij.example.org/", "recipients": people}
            answer = client.post("/v1/links", json=body)
            assert answer.status_code == 201, answer.text
            made = answer.json()
            assert [r["reason"] for r in made["recipients"]] == [
                None,
                "no_consent",
                "unknown_person",
            ]
            again = client.post("/v1/links", json=body).json()
            assert again["recipients"] == made["recipients"]
            assert again["position"] == made["position"]
            reader = SqliteLogReader(tmp_path / "spool", lambda _log, _partition: None)
            stored = [envelope.decode(record.value) for record in reader.poll(10, 2)]
            reader.close()
            world.score(stored[:1])
            token = made["recipients"][0]["token"]
            secret = load_snapshot(world.engine, KEY).link_secrets[0].secret
            read = read_recipient(token, lambda _workspace, _number: secret)
            assert read is not None
            tied = (Identity("user_id", "anna"), Identity("person_token", read[1].person_token))
            assert set(stored[0].identities) == set(tied)
            query = {
                "namespace": "person_token",
                "value": read[1].person_token,
                "after": made["position"],
            }
            assert client.get("/v1/persons/lookup", params=query).json()["id"] == anna
            for url in (made["recipients"][0]["url"], made["recipients"][0]["pixel"]):
                assert url.startswith("http://track.test/")
                local = url.replace("http://track.test", tracker_url)
                assert client.get(local, headers={"Authorization": ""}).status_code in {200, 302}
    log.close()
