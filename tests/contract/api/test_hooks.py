"""Mailers' webhooks: made by the API, known to trackers, their secrets never shown again."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx import Client, Response, post
from sqlalchemy import select

from services.api.snapshot import load_snapshot
from services.contract import event as envelope
from services.contract import snapshot as wire
from services.contract.event import Identity
from services.contract.mapping import Mapping
from services.contract.tables import hook, identity, unsubscribed
from services.contract.token import person_token_of
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.tracker.app import create_app as create_tracker
from services.tracker.gate import Gate
from tests.contract.api.conftest import KEY
from tests.contract.api.world import World
from tests.servers.web import run_app
from tests.unit.tracker.mailers import PASSWORD, SECRETS, TOPIC, told_by

CONSENT = {
    "text_version": "Terms of May 2026",
    "source": "the sign-up form",
    "since": "2026-05-01T00:00:00.000Z",
}
POSTMARK = {
    "esp": "postmark",
    "secrets": SECRETS["postmark"],
    "asserted_consent": CONSENT,
}


@pytest.mark.parametrize("esp", sorted(SECRETS))
def test_each_mailer_has_one(client: Client, world: World, esp: str) -> None:
    answer = client.post("/v1/hooks", json={"esp": esp, "secrets": SECRETS[esp]})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["url"] == f"http://track.test/hooks/{esp}/{made['id']}"
    assert made["complete"]
    assert client.get("/v1/hooks").json() == {"hooks": [made]}
    for secret in (s for s in SECRETS[esp].values() if s != esp):  # a user name may be the mailer's
        assert secret not in answer.text
        assert secret not in client.get("/v1/hooks").text
    (entry,) = load_snapshot(world.engine, KEY).hooks
    assert (entry.id, entry.esp, entry.secrets) == (made["id"], esp, SECRETS[esp])
    assert (entry.workspace_id, entry.url) == (world.id, made["url"])


def test_declared_consent_has_its_proof(client: Client, world: World) -> None:
    made = client.post("/v1/hooks", json=POSTMARK).json()
    assert made["asserted_consent"] == CONSENT
    (entry,) = load_snapshot(world.engine, KEY).hooks
    assert entry.asserted_consent == "Terms of May 2026"
    for name in CONSENT:
        lacking = {key: value for key, value in CONSENT.items() if key != name}
        answer = client.post("/v1/hooks", json=POSTMARK | {"asserted_consent": lacking})
        assert answer.status_code == 400


def test_secrets_may_be_told_later_and_anew(client: Client, world: World) -> None:
    made = client.post("/v1/hooks", json={"esp": "mandrill"}).json()
    assert not made["complete"]
    before = load_snapshot(world.engine, KEY).version
    path = f"/v1/hooks/{made['id']}/secrets"
    for key in ("first", "second"):
        answer = client.put(path, json={"secrets": {"webhook_key": key}})
        assert answer.status_code == 200
        assert answer.json() == made | {"complete": True}
        (entry,) = load_snapshot(world.engine, KEY).hooks
        assert entry.secrets == {"webhook_key": key}
    assert load_snapshot(world.engine, KEY).version != before


BAD_SECRETS: list[tuple[str, dict[str, str]]] = [
    ("sendgrid", {"public_key": "bm8ga2V5"}),
    ("sendgrid", {"public_key": "no base64"}),
    ("sendgrid", {}),
    ("postmark", {"username": "a", "password": "short"}),
    ("postmark", {"username": "a:b", "password": PASSWORD}),
    ("postmark", {"password": PASSWORD}),
    ("mailgun", {"signing_key": ""}),
    ("mailgun", {"signing_key": "x" * 501}),
    ("mailgun", {"signing_key": "k", "more": "m"}),
    ("ses", {"topic_arn": TOPIC + "/x"}),
    ("ses", {"topic_arn": "arn:aws:sqs:eu-west-1:123456789012:queue"}),
]


def test_secrets_that_cannot_work_are_refused(client: Client) -> None:
    for esp, secrets in BAD_SECRETS:
        made = client.post("/v1/hooks", json={"esp": esp}).json()
        answer = client.put(f"/v1/hooks/{made['id']}/secrets", json={"secrets": secrets})
        assert answer.status_code == 400, secrets
        assert answer.json()["code"] == "bad_secrets"
        if secrets:
            answer = client.post("/v1/hooks", json={"esp": esp, "secrets": secrets})
            assert answer.status_code == 400, secrets


GENERIC = {
    "esp": "generic",
    "secrets": {"secret": "sixteen-letters-or-more"},
    "mapping": {
        "signature": {"kind": "query"},
        "rules": [{"type": "unsubscribe", "when": {"type": ["unsubscribe"]}}],
        "fields": {"email": "data.email", "at": "fired_at"},
    },
}


def test_any_other_mailer_is_declared(client: Client, world: World) -> None:
    made = client.post("/v1/hooks", json=GENERIC)
    assert made.status_code == 201, made.text
    assert made.json()["mapping"] == GENERIC["mapping"]
    (entry,) = load_snapshot(world.engine, KEY).hooks
    assert entry.mapping == msgspec.convert(GENERIC["mapping"], Mapping)
    assert wire.decode(wire.encode(load_snapshot(world.engine, KEY))).hooks == (entry,)


BAD_DECLARATIONS: list[dict[str, Any]] = [
    {"mapping": None},
    {"mapping": {}},
    {"mapping": {"signature": {"kind": "hmac"}, "rules": [{"type": "open"}], "fields": {}}},
    {"esp": "mandrill", "secrets": {}},
    {"secrets": {"secret": "short"}},
]


def test_a_declaration_that_cannot_work_is_refused(client: Client) -> None:
    for change in BAD_DECLARATIONS:
        assert client.post("/v1/hooks", json=GENERIC | change).status_code == 400, change


def test_an_unknown_mailer_is_refused(client: Client) -> None:
    assert client.post("/v1/hooks", json={"esp": "pigeon"}).status_code == 400


def test_another_workspace_sees_and_changes_nothing(client: Client, world: World) -> None:
    made = client.post("/v1/hooks", json=POSTMARK).json()
    other = {"Authorization": f"Bearer {world.workspace('Other').api_key}"}
    assert client.get("/v1/hooks", headers=other).json() == {"hooks": []}
    path = f"/v1/hooks/{made['id']}"
    told = {"secrets": SECRETS["postmark"]}
    assert client.put(f"{path}/secrets", json=told, headers=other).status_code == 404
    assert client.delete(path, headers=other).status_code == 404
    assert client.get("/v1/hooks").json() == {"hooks": [made]}


def test_a_deleted_one_is_gone_with_its_secrets(client: Client, world: World) -> None:
    made = client.post("/v1/hooks", json=POSTMARK).json()
    assert client.delete(f"/v1/hooks/{made['id']}").status_code == 204
    assert client.delete(f"/v1/hooks/{made['id']}").status_code == 404
    assert load_snapshot(world.engine, KEY).hooks == ()
    with world.engine.connect() as connection:
        assert connection.execute(select(hook)).all() == []


def test_there_are_not_endlessly_many(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.api.hooks.HOOKS_MAX", 2)
    answers = [client.post("/v1/hooks", json={"esp": "brevo"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 409]


@pytest.fixture
def tell(
    client: Client, world: World, tmp_path: Path
) -> Iterator[Callable[[dict[str, Any], dict[str, str] | None], tuple[Response, envelope.Event]]]:
    """Tells a tracker something over a fresh webhook of Postmark; the answer and the event."""
    log = SqliteLog(tmp_path / "spool", readers=["test"])
    reader = SqliteLogReader(tmp_path / "spool", lambda _log, _partition: None)
    public_url, gate = "http://track.test", Gate((), 0, 0)

    def tell(
        told: dict[str, Any], consent: dict[str, str] | None
    ) -> tuple[Response, envelope.Event]:
        made = client.post("/v1/hooks", json=POSTMARK | {"asserted_consent": consent}).json()
        source = partial(load_snapshot, world.engine, KEY)
        with run_app(create_tracker(log, source, tmp_path, public_url, gate)) as url:
            path = f"{url}/hooks/postmark/{made['id']}"
            answer = post(path, json=told, auth=("postmark", PASSWORD))
        (stored,) = reader.poll(10, 2)
        return answer, envelope.decode(stored.value)

    yield tell
    reader.close()
    log.close()


def test_a_tracker_takes_what_comes_over_it(world: World, tell: Any) -> None:
    answer, stored = tell(told_by("postmark")["requests"][0], CONSENT)
    assert answer.status_code == 200, answer.text
    assert answer.json()["position"] == stored.event_id.hex()
    assert (stored.type, stored.workspace_id) == ("delivered", world.id)
    assert stored.identities == (Identity("email", "anna@example.org"),)
    world.score([stored])
    assert world.id_of("anna@example.org", "email")


@pytest.mark.parametrize("kind", ["SpamComplaint", "SubscriptionChange"])
def test_who_wants_no_more_mail_stands_on_the_list_and_nothing_else_of_them(
    world: World, tell: Any, kind: str
) -> None:
    told = {"RecordType": kind, "SuppressSending": True, "Recipient": "Otto@example.org"}
    answer, stored = tell(told, None)
    assert answer.json()["position"] is None
    assert b"otto" not in envelope.encode(stored)
    world.score([stored])
    secret = load_snapshot(world.engine, KEY).link_secrets[0].secret
    mark = bytes.fromhex(person_token_of("email", "otto@example.org", secret))
    with world.engine.connect() as connection:
        assert connection.execute(select(unsubscribed.c.mark)).scalars().all() == [mark]
        assert connection.execute(select(identity)).all() == []
