"""Campaigns, mailings and links over each database, with the real tracker behind the door."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from httpx import Client

from services.api.app import create_app
from services.api.snapshot import load_snapshot
from services.api.wire import rfc3339
from services.cli.workspace import command
from services.contract import event as envelope
from services.contract.event import Agreement, Consent, Event, Identity
from services.contract.phases import DAY_MS
from services.contract.token import read_link, read_recipient, read_unsubscribe
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.tracker.app import create_app as create_tracker
from services.tracker.directory import Directory
from services.tracker.gate import Gate
from services.tracker.request import Request
from services.tracker.unsubscribe import unsubscribe as decide
from tests.contract.api.conftest import KEY
from tests.contract.api.world import NOW_MS, World
from tests.servers.web import LOCAL, run_app

TARGET = "https://werkenbij.example.org/nacht"


def one(value: str, **more: Any) -> dict[str, Any]:
    return {"namespace": "user_id", "value": value, **more}


@dataclass
class Office:
    """An API with its tracker, and a clock that a test may move."""

    world: World
    client: Client
    spool: Path
    now_ms: int = NOW_MS

    def post(self, path: str, body: Any, status: int = 201, key: str | None = None) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = self.client.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        answer = self.client.get(path, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def told(self) -> list[Event]:
        """Every event that the door took."""
        reader = SqliteLogReader(self.spool, lambda _log, _partition: None)
        try:
            return [envelope.decode(record.value) for record in reader.poll(1000, 1)]
        finally:
            reader.close()

    def secret_of(self, workspace_id: int, number: int) -> bytes | None:
        secrets = load_snapshot(self.world.engine, KEY).link_secrets
        found = {(s.workspace_id, s.number): s.secret for s in secrets}
        return found.get((workspace_id, number))


@pytest.fixture
def office(world: World, tmp_path: Path) -> Iterator[Office]:
    world.person("anna", [world.event(9, "page", "anna")])
    refusing = Consent(measure=False, profile=False)
    world.person("no", [world.event(8, "identified", "no", consent=refusing)])
    log = SqliteLog(tmp_path / "spool", readers=["test"])
    tracker = create_tracker(
        log, lambda: load_snapshot(world.engine, KEY), tmp_path, "http://track.test", Gate((), 0, 0)
    )
    with run_app(tracker) as tracker_url:
        made = Office(world, Client(), tmp_path / "spool")
        api = create_app(
            world.engine, KEY, "http://track.test", lambda: made.now_ms, tracker_url=tracker_url
        )
        with run_app(api) as url:
            bearer = {"Authorization": f"Bearer {world.made.api_key}"}
            made.client = Client(base_url=url, headers=bearer, timeout=30, **LOCAL)
            yield made
            made.client.close()
    log.close()


def test_campaigns_and_mailings_are_made_once(office: Office) -> None:
    nights = {"name": "Nights", "starts_at": "2026-11-01T00:00:00Z"}
    campaign = office.post("/v1/campaigns", nights, key="a")
    assert office.post("/v1/campaigns", nights, key="a") == campaign
    assert office.post("/v1/campaigns", nights)["id"] != campaign["id"]
    assert (
        office.post("/v1/campaigns", {"name": "Days"}, 409, "a")["code"] == "idempotency_mismatch"
    )
    office.post("/v1/campaigns", {**nights, "ends_at": "2026-10-01T00:00:00Z"}, 400)
    assert office.get(f"/v1/campaigns/{campaign['id']}") == campaign
    page = office.get("/v1/campaigns", limit=1)
    rest = office.get("/v1/campaigns", limit=1, cursor=page["next"])
    assert [c["id"] for c in rest["campaigns"]] == [campaign["id"]]
    mail = {"name": "November", "campaign_id": campaign["id"]}
    message = office.post("/v1/messages", mail, key="b")
    assert office.post("/v1/messages", mail, key="b") == message
    assert office.get("/v1/messages", campaign_id=campaign["id"])["messages"] == [
        office.get(f"/v1/messages/{message['id']}")
    ]
    assert message["campaign_id"] == campaign["id"]
    office.post("/v1/messages", {"name": "x", "campaign_id": "c_none"}, 404)


def test_who_gets_which_tokens(office: Office) -> None:
    people = [
        one("anna"),
        one("no", consent={"measure": True, "profile": True}),
        one("new", consent={"measure": True}),
        one("shy", consent={"measure": False}),
        one("stranger"),
    ]
    body = {"name": "November", "recipients": people, "sent_at": "2026-11-02T09:00:00Z"}
    made = office.post("/v1/messages", body, key="k")
    found = {r["value"]: r for r in made["recipients"]}
    assert [(name, bool(r["token"]), r["reason"]) for name, r in found.items()] == [
        ("anna", True, None),
        ("no", False, "no_consent"),
        ("new", True, None),
        ("shy", False, "no_consent"),
        ("stranger", False, "unknown_person"),
    ]
    for value in ("anna", "new"):
        read = read_recipient(found[value]["token"], office.secret_of)
        assert read is not None
        assert (read[1].measure, read[1].profile) == (True, value == "anna")
    for value, r in found.items():
        wish = read_unsubscribe(r["unsubscribe"], office.secret_of)
        assert wish is not None
        assert (wish[1].message_id, wish[1].measure) == (made["id"], value in {"anna", "new"})
        assert r["list_unsubscribe"] == f"<http://track.test/u/{r['unsubscribe']}>"
    assert made["list_unsubscribe_post"] == "List-Unsubscribe=One-Click"
    sent = [event for event in office.told() if event.type == "sent"]
    assert len(sent) == 5
    followed = [event for event in sent if event.identities]
    assert {event.message_id for event in followed} == {made["id"]}
    assert len(followed) == 2
    text = b"".join(envelope.encode(event) for event in office.told())
    assert not [name for name in (b'"shy"', b'"stranger"', b'"no"') if name in text]
    # Sent again, it is the same mail to the same people.
    assert office.post("/v1/messages", body, key="k")["recipients"] == made["recipients"]
    more = office.post(f"/v1/messages/{made['id']}/recipients", {"recipients": people}, 200)
    assert more["recipients"] == made["recipients"]
    assert len({event.event_id for event in office.told()}) == 7


def test_links(office: Office) -> None:
    message = office.post("/v1/messages", {"name": "November"})["id"]
    body = {
        "target": f"{TARGET}?utm_source=own#top",
        "message_id": message,
        "content_id": "nacht",
        "utm": {"source": "mail", "campaign": "nacht & ontij"},
        "expires_at": "2026-12-01T00:00:00Z",
        "qr": True,
    }
    link = office.post("/v1/links", body)
    assert link["target"] == f"{TARGET}?utm_source=own&utm_campaign=nacht%20%26%20ontij#top"
    assert link["expires_at"] == "2026-12-01T00:00:00.000Z"
    assert link["qr"].startswith("<?xml")
    assert "</svg>" in link["qr"]
    again = office.post("/v1/links", body)
    assert (again["id"], again["token"]) == (link["id"], link["token"])
    assert [row["id"] for row in office.get("/v1/links", message_id=message)["links"]] == [
        link["id"]
    ]
    stored = office.get(f"/v1/links/{link['id']}")
    assert stored["url"] == link["url"]
    qr = office.client.get(f"/v1/links/{link['id']}/qr", params={"scale": 3})
    assert qr.headers["content-type"] == "image/svg+xml"
    personal = office.client.get(f"/v1/links/{link['id']}/qr", params={"token": "A" * 27})
    assert len(personal.text) > len(qr.text)
    office.post("/v1/links", {"target": TARGET, "message_id": "m_none"}, 404)
    office.post("/v1/links", {"target": TARGET, "message_id": message, "campaign_id": "x"}, 400)


def test_nothing_crosses_a_workspace(office: Office) -> None:
    campaign = office.post("/v1/campaigns", {"name": "Nights"}, key="same")["id"]
    message = office.post("/v1/messages", {"name": "November"}, key="same")["id"]
    link = office.post("/v1/links", {"target": TARGET})["id"]
    stranger = office.world.workspace("Another employer")
    office.client.headers["Authorization"] = f"Bearer {stranger.api_key}"
    for path in (
        f"/v1/campaigns/{campaign}",
        f"/v1/messages/{message}",
        f"/v1/links/{link}",
        f"/v1/links/{link}/qr",
    ):
        office.get(path, 404)
    office.get("/v1/messages", 404, campaign_id=campaign)
    office.post(f"/v1/messages/{message}/recipients", {"recipients": []}, 404)
    office.post("/v1/rewrite", {"html": "", "mailer": "brevo", "message_id": message}, 404)
    office.post("/v1/messages", {"name": "x", "campaign_id": campaign}, 404)
    for name in ("campaigns", "messages", "links"):
        assert office.get(f"/v1/{name}")[name] == []
    assert office.get("/v1/links", message_id=message)["links"] == []
    assert office.post("/v1/campaigns", {"name": "Nights"}, key="same")["id"] != campaign


def test_a_new_secret_signs_when_trackers_know_it(office: Office) -> None:
    body = {"target": TARGET, "recipients": [one("anna")]}
    before = office.post("/v1/links", body)
    shown = office.post("/v1/link-secrets", None)["link_secrets"]
    assert [(s["number"], s["status"]) for s in shown] == [(1, "signing"), (2, "waiting")]
    assert office.post("/v1/links", body)["token"] == before["token"]
    office.now_ms += 60_000
    shown = office.get("/v1/link-secrets")["link_secrets"]
    assert [(s["number"], s["status"]) for s in shown] == [(1, "verifying"), (2, "signing")]
    after = office.post("/v1/links", body)
    assert after["token"] != before["token"]
    persons = []
    for made in (before, after):
        link = read_link(made["token"], office.secret_of)
        person = read_recipient(made["recipients"][0]["token"], office.secret_of)
        assert link is not None
        assert link[1].target == TARGET
        assert person is not None
        persons.append(person[1])
    assert persons[0] == persons[1]
    # The old secret goes on verifying, but signs nothing any more.
    assert (
        read_link(after["token"], lambda w, n: office.secret_of(w, n) if n == 1 else None) is None
    )


def test_who_unsubscribed_is_told(office: Office) -> None:
    people = {"recipients": [one("anna"), one("stranger")]}
    made = office.post("/v1/messages", {"name": "November", **people})
    assert [r["unsubscribed_at"] for r in made["recipients"]] == [None, None]
    office.world.score(office.told())  # whose token is whose
    for r in made["recipients"]:
        path = r["unsubscribe_url"].removeprefix("http://track.test")
        unsubscribe(office, path)
    path = f"/v1/messages/{made['id']}/recipients"
    told = office.post(path, people, 200)["recipients"]
    assert all(r["unsubscribed_at"] for r in told)
    # Whom we know is recognised by whatever names them; of the other nothing else is kept.
    anna = office.get("/v1/persons/lookup", namespace="user_id", value="anna")
    timeline = office.get(f"/v1/persons/{anna['id']}/timeline")["events"]
    assert [event["type"] for event in timeline].count("unsubscribe") == 1
    office.get("/v1/persons/lookup", 404, namespace="user_id", value="stranger")
    assert len(office.get("/v1/persons")["persons"]) == 2


def test_who_agreed_anew_is_off_the_list(office: Office) -> None:
    world = office.world
    yes = Agreement(given_ms=NOW_MS - DAY_MS, purposes={"contact_mail": True})
    world.score([world.event(2, "unsubscribe", "anna", server_only=True)])
    people = {"recipients": [one("anna")]}
    made = office.post("/v1/messages", {"name": "November", **people})
    assert made["recipients"][0]["unsubscribed_at"]
    path = f"/v1/messages/{made['id']}/recipients"
    cookie = Identity("anonymous_id", "anybody's")
    tie = world.event(1.5, "identified", "", identities=(Identity("user_id", "anna"), cookie))
    world.score([tie, world.event(1, "consent_changed", "", identities=(cookie,), agreement=yes)])
    told = office.post(path, people, 200)["recipients"][0]
    assert told["unsubscribed_at"], "anybody can tie a cookie to anybody by a page's key"
    by_server = {"source_id": 2, "server_only": True}
    world.score([world.event(1, "consent_changed", "anna", agreement=yes, **by_server)])
    assert office.post(path, people, 200)["recipients"][0]["unsubscribed_at"] is None
    no = Agreement(given_ms=NOW_MS - DAY_MS // 50, purposes={"contact": False})
    world.score([world.event(0.01, "consent_changed", "anna", agreement=no, server_only=True)])
    told = office.post(path, people, 200)["recipients"][0]
    assert told["unsubscribed_at"] == rfc3339(NOW_MS - DAY_MS // 50)


def unsubscribe(office: Office, path: str) -> None:
    """As a mail program does it, decided by the tracker at the world's own time."""
    directory = Directory(load_snapshot(office.world.engine, KEY))
    headers = {b"content-type": b"application/x-www-form-urlencoded"}
    body = b"List-Unsubscribe=One-Click"
    accepted = decide(Request("POST", path, headers, "00", b"", body), directory, office.now_ms)
    assert accepted.reply.status == 200
    office.world.score(accepted.events)


def test_what_a_mailer_tells_is_on_the_list_too(office: Office) -> None:
    world = office.world
    world.score([world.event(0.5, "unsubscribe", "anna")])  # a page may say so, and is not heeded
    told = [world.event(days, "unsubscribe", "anna", server_only=True) for days in (1, 2)]
    world.score(told)
    made = office.post("/v1/messages", {"name": "November", "recipients": [one("anna")]})
    assert made["recipients"][0]["unsubscribed_at"] == rfc3339(NOW_MS - DAY_MS)


def test_a_secret_is_rotated_from_the_command_line(
    client: Client, world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENTERING_DATABASE_URL", database_url)
    done = CliRunner().invoke(command, ["rotate", world.made.workspace])
    noted = client.get("/v1/audit", params={"limit": 1}).json()["audit"][0]
    assert (noted["what"], noted["about"]) == ("link_secret.rotated", "2")
    assert (done.exit_code, done.output) == (0, "Secret 2 signs from a minute from now on.\n")
    assert [s.number for s in load_snapshot(world.engine, KEY).link_secrets] == [1, 2]
    unknown = CliRunner().invoke(command, ["rotate", "ws_none"])
    assert (unknown.exit_code, "no workspace" in unknown.output) == (1, True)
