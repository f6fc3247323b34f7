"""The recipes of docs/recipes hand over what the other tool's documents ask for.

Their servers here only record what they got, and answer as those documents say; no account of
theirs was used.
"""

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from httpx import Client

from services.api.exports.run import Exporting
from services.api.in_force import InForce
from services.api.jobs.work import Worker
from services.contract.event import Agreement, Consent, Event, Identity
from services.contract.phases import DAY_MS
from tests.contract.api.world import MODEL, NOW_MS, World
from tests.servers.web import run_app

RECIPES = Path(__file__).parents[3] / "docs" / "recipes"
Got = list[tuple[str, str, dict[str, str], bytes]]


@pytest.fixture
def database_url(sqlite: str) -> str:
    """One database is enough: nothing of the recipes knows which it is."""
    return sqlite


class Receiver:
    """Records each request, and answers with what a path was told to."""

    def __init__(self) -> None:
        self.got: Got = []
        self.answers: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        path = scope["path"] + (f"?{query}" if query else "")
        self.got.append((scope["method"], path, headers, body))
        answer = json.dumps(self.answers.get(scope["path"], {})).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    def calls(self) -> list[tuple[str, str, Any]]:
        found = [(m, p, json.loads(b) if b[:1] == b"{" else b.decode()) for m, p, _, b in self.got]
        self.got.clear()
        return found


class Kitchen:
    def __init__(self, client: Client, world: World, folder: Path, other_url: str) -> None:
        self.client, self.world, self.folder = client, world, folder
        self._told = {
            **os.environ,
            "KENTERING_URL": str(client.base_url),
            "KENTERING_API_KEY": world.made.api_key,
            "MAILER_URL": other_url,
            "MAILER_KEY": "secret",
            "ATS_URL": other_url,
            "ATS_USER": "user",
            "ATS_KEY": "secret",
        }

    def run(self, name: str, *arguments: str, told: str = "", **more: str) -> str:
        command = [sys.executable, str(RECIPES / name), *arguments]
        done = subprocess.run(
            command,
            input=told,
            env={**self._told, **more},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def person(self, name: str, **told: Any) -> None:
        consent = Consent(measure=True, profile=True, contact=True)
        given = Agreement(given_ms=NOW_MS - 6 * DAY_MS, purposes={"share": True})
        more: dict[str, Any] = {"consent": consent, "agreement": given, "server_only": True}
        who = (
            Identity("user_id", name),
            Identity("email", f"{name}@example.org"),
            Identity("carerix", f"C-{name}"),
        )
        self.world.score(
            [
                self.world.event(6, "identified", name, identities=who, properties=told, **more),
                self.world.event(5, "page", name, consent=consent),
            ]
        )
        self.world.build()

    def leaves(self, name: str) -> None:
        no = Agreement(given_ms=NOW_MS - DAY_MS, purposes={"contact_mail": False})
        word = self.world.event(1, "consent_changed", name, consent=Consent(), agreement=no)
        self.world.score([word])


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def kitchen(
    api: tuple[Client, Callable[[], list[Event]]],
    world: World,
    tmp_path: Path,
    receiver: Receiver,
) -> Iterator[Kitchen]:
    client, _ = api
    exporting = Exporting(InForce(world.engine, MODEL))
    worker = Worker(world.engine, {"export": exporting}, lambda: NOW_MS)
    thread = threading.Thread(target=worker.run)
    thread.start()
    rule = {"type": "events", "event": ["page"], "at_least": 1, "within_days": 30}
    client.put("/v1/segments/readers", json={"name": "Readers", "rule": rule})
    with run_app(receiver, lifespan="off") as url:
        yield Kitchen(client, world, tmp_path, url)
    worker.stop()
    thread.join()


def test_mailers_get_who_came_and_lose_who_went(kitchen: Kitchen, receiver: Receiver) -> None:
    kitchen.person("anna")
    kitchen.person("ben")
    receiver.answers["/v3/marketing/contacts/search/emails"] = {
        "result": {"ben@example.org": {"contact": {"id": "c-2"}}}
    }
    for name, audience in (("mailchimp", "a1"), ("sendgrid", "l1"), ("brevo", "7")):
        told = kitchen.run("mailer.py", name, "readers", audience)
        assert told == "2 added, 0 removed, 2 in all\n"
    assert receiver.got[0][2]["authorization"].startswith("Basic ")
    assert receiver.got[-2][2]["authorization"] == "Bearer secret"
    assert receiver.got[-1][2]["api-key"] == "secret"
    anna, ben = (hashlib.md5(f"{one}@example.org".encode()).hexdigest() for one in ("anna", "ben"))
    active = {"tags": [{"name": "kentering readers", "status": "active"}]}
    members = "/3.0/lists/a1/members"
    new = {"status_if_new": "subscribed"}
    both = [{"email": "anna@example.org"}, {"email": "ben@example.org"}]
    assert receiver.calls() == [
        ("PUT", f"{members}/{anna}", {"email_address": "anna@example.org", **new}),
        ("POST", f"{members}/{anna}/tags", active),
        ("PUT", f"{members}/{ben}", {"email_address": "ben@example.org", **new}),
        ("POST", f"{members}/{ben}/tags", active),
        ("PUT", "/v3/marketing/contacts", {"list_ids": ["l1"], "contacts": both}),
        (
            "POST",
            "/v3/contacts/import",
            {"jsonBody": both, "listIds": [7], "updateExistingContacts": True},
        ),
    ]
    kitchen.leaves("ben")
    for name, audience in (("mailchimp", "a1"), ("sendgrid", "l1"), ("brevo", "7")):
        told = kitchen.run("mailer.py", name, "readers", audience)
        assert told == "0 added, 1 removed, 1 in all\n"
    off = {"tags": [{"name": "kentering readers", "status": "inactive"}]}
    only = {"emails": ["ben@example.org"]}
    assert receiver.calls() == [
        ("POST", f"{members}/{ben}/tags", off),
        ("POST", "/v3/marketing/contacts/search/emails", only),
        ("DELETE", "/v3/marketing/lists/l1/contacts?contact_ids=c-2", ""),
        ("POST", "/v3/contacts/lists/7/contacts/remove", only),
    ]


def test_audiences_are_hashed_as_each_asks(kitchen: Kitchen) -> None:
    kitchen.person("anna", phone=" 06-12 34 56 78", first_name="Ánna ", last_name="'t Hart-Smit")

    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    meta = list(csv.DictReader(io.StringIO(kitchen.run("audience.py", "meta", "readers"))))
    assert meta == [
        {
            "email": sha("anna@example.org"),
            "phone": sha("31612345678"),
            "fn": sha("ánna"),
            "ln": sha("t hartsmit"),
            "country": "",
        }
    ]
    linkedin = kitchen.run("audience.py", "linkedin", "readers")
    assert linkedin.split() == ["email", sha("anna@example.org")]


def test_an_ats_gets_scores_and_tells_what_happened(
    kitchen: Kitchen,
    receiver: Receiver,
    api: tuple[Client, Callable[[], list[Event]]],
    door: tuple[str, Callable[[], list[Event]]],
) -> None:
    kitchen.person("anna")

    assert kitchen.run("ats.py", "scores", "readers") == "1 scores written\n"
    ((method, path, headers, body),) = receiver.got
    assert (method, path, headers["content-type"]) == (
        "PUT",
        "/CREmployee/C-anna",
        "application/xml",
    )
    text = body.decode()
    assert text.startswith("<?xml version='1.0' encoding='utf-8'?>\n<CREmployee><engagementScore>")
    assert 0 <= int(text.split("engagementScore>")[1].rstrip("</")) <= 100
    agreed = {
        "purposes": {"measure": True, "profile": True},
        "given_at": "2026-03-01T00:00:00Z",
        "text_version": "form 2",
    }
    wire = {"categoryPreferences": {"measure": True, "profile": True}}
    at = "2026-11-01T00:00:00Z"
    events = [
        {"kind": "upsert", "candidate": "C-1", "email": "carla@example.org", "at": at}
        | {"attributes": {"region": "Delft"}, "consent": agreed},
        {"kind": "stage", "id": 1, "candidate": "C-1", "at": at, "consent": wire}
        | {"properties": {"stage": "interview"}},
        {"kind": "rejected", "id": 2, "candidate": "C-1", "at": at, "consent": wire},
    ]
    # The API and the tracker, which is one address in the product, are two here.
    told = "\n".join(map(json.dumps, events[:1]))
    kitchen.run("ats.py", "events", told=told)
    rest = "\n".join(map(json.dumps, events[1:]))
    server = kitchen.world.made.server_key
    kitchen.run("ats.py", "events", told=rest, KENTERING_URL=door[0], KENTERING_SERVER_KEY=server)
    client, arrive = api
    arrive()
    query = {"namespace": "carerix", "value": "C-1"}
    carla = client.get("/v1/persons/lookup", params=query).json()
    assert carla["attributes"] == {"region": "Delft"}
    timeline = client.get(f"/v1/persons/{carla['id']}/timeline").json()["events"]
    assert sorted(one["type"] for one in timeline) == ["identified", "rejected", "stage_changed"]
    merged = {"kind": "merged", "candidate": "C-1", "into": "C-anna"}
    kitchen.run("ats.py", "events", told=json.dumps(merged))
    arrive()
    found = json.loads(kitchen.run("ats.py", "merged", "0"))
    assert found["candidates"] == ["C-1", "C-anna"]
    gone = {"kind": "deleted", "candidate": "C-1", "at": "2026-11-17T00:00:00Z"}
    kitchen.run("ats.py", "events", told=json.dumps(gone))
    arrive()
    carla = client.get("/v1/persons/lookup", params=query).json()
    assert carla["attributes"] == {}


def test_a_bi_tool_reads_the_parquet(kitchen: Kitchen) -> None:
    for name, region in (("anna", "Utrecht"), ("ben", "Utrecht"), ("carla", "Delft")):
        kitchen.person(name, region=region)
    client = kitchen.client
    asked = {"use": "insight", "format": "parquet", "attributes": ["region"]}
    job = client.post("/v1/segments/readers/exports", json=asked).json()
    while job["status"] in {"waiting", "running"}:
        job = client.get(f"/v1/jobs/{job['id']}").json()
    file = kitchen.folder / "export.parquet"
    file.write_bytes(client.get(job["file"]["url"]).content)
    query = (RECIPES / "bi.sql").read_text().replace("'export.parquet'", f"'{file}'")
    found = duckdb.sql(query).fetchall()
    assert [row[:2] for row in found] == [("Utrecht", 2), ("Delft", 1)]
