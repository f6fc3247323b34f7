"""What changes a rule, key, setting, account or person is in the audit, and nobody's data are."""

from typing import Any

import pytest
from httpx import Client, Response
from sqlalchemy import create_engine, select

from services.api.app import create_app
from services.contract.event import Identity
from services.contract.tables import audit
from tests.contract.api.world import World

NOTED = {
    "POST /v1/persons/{person_id}/identities": "identity.decided",
    "DELETE /v1/persons/{person_id}/identities": "identity.decided",
    "POST /v1/identities/decisions": "identity.decided",
    "POST /v1/persons/{person_id}/consent": "consent.recorded",
    "POST /v1/consent": "consent.recorded",
    "POST /v1/persons/{person_id}/objection": "person.objected",
    "POST /v1/objections": "person.objected",
    "DELETE /v1/persons/{person_id}": "erasure.asked",
    "POST /v1/erasures": "erasure.asked",
    "PUT /v1/workspace/retention": "retention.set",
    "PUT /v1/workspace/asserted-consent": "asserted_consent.declared",
    "DELETE /v1/workspace/asserted-consent": "asserted_consent.declared",
    "PUT /v1/segments/{key}/manual/{person_id}": "segment.listed",
    "DELETE /v1/segments/{key}/manual/{person_id}": "segment.listed",
    "POST /v1/segments": "segment.made",
    "PUT /v1/segments/{key}": "segment.edited",
    "DELETE /v1/segments/{key}": "segment.deleted",
    "POST /v1/segments/{key}/exports": "segment.exported",
    "PUT /v1/content/{content_id}": "content.put",
    "DELETE /v1/content/{content_id}": "content.removed",
    "POST /v1/imports": "import.begun",
    "PUT /v1/imports/{job_id}/file": "import.file_given",
    "POST /v1/jobs/{job_id}/cancel": "job.cancelled",
    "POST /v1/webhooks": "webhook.made",
    "PATCH /v1/webhooks/{webhook_id}": "webhook.changed",
    "DELETE /v1/webhooks/{webhook_id}": "webhook.deleted",
    "POST /v1/webhooks/{webhook_id}/secrets": "webhook.secret_rotated",
    "POST /v1/triggers": "trigger.made",
    "PATCH /v1/triggers/{trigger_id}": "trigger.changed",
    "DELETE /v1/triggers/{trigger_id}": "trigger.deleted",
    "POST /v1/campaigns": "campaign.made",
    "POST /v1/messages": "mailing.made",
    "POST /v1/link-secrets": "link_secret.rotated",
    "POST /v1/hooks": "hook.made",
    "PUT /v1/hooks/{hook_id}/secrets": "hook.secrets_told",
    "DELETE /v1/hooks/{hook_id}": "hook.deleted",
    "POST /v1/keys": "key.made",
    "PATCH /v1/keys/{key_id}": "key.changed",
    "DELETE /v1/keys/{key_id}": "key.ended",
    "POST /v1/keys/{key_id}/rotate": "key.rotated",
    "POST /v1/accounts": "account.invited",
    "PATCH /v1/accounts/{account_id}": "account.changed",
    "DELETE /v1/accounts/{account_id}": "account.ended",
    "POST /v1/accounts/{account_id}/invitation": "account.invited_again",
}
UNNOTED = {
    "POST /v1/segments/preview": "reads",
    "PATCH /v1/persons/{person_id}": "an event of the timeline",
    "PUT /v1/persons/{namespace}/{value}": "an event of the timeline",
    "POST /v1/messages/{message_id}/recipients": "events of the timeline",
    "POST /v1/links": "listed with when they were made, by the thousand",
    "POST /v1/rewrite": "the same",
    "POST /v1/webhooks/{webhook_id}/test": "listed with the deliveries",
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": "the same",
}
RULE = {"type": "phase", "any_of": ["think", "do"]}
IMPORT = {
    "kind": "people",
    "as_of": "2026-11-01T00:00:00Z",
    "identities": {"user_id": "Number"},
    "consent": {
        "purposes": {"measure": {"value": True}},
        "given_at": {"value": "2026-10-01"},
        "text_version": {"value": "1"},
        "source": "a form",
    },
}
SAID = {"given_at": "2026-11-17T12:00:00Z", "purposes": {"measure": False}}
OBJECTED = {"objected_at": "2026-11-17T12:00:00Z", "reason": "her own words", "by": "piet"}
MAIL = {"namespace": "email", "value": "anna@example.org"}


def test_every_route_that_changes_something_is_noted_or_is_said_why_not() -> None:
    openapi = create_app(create_engine("sqlite://"), "", "http://localhost").openapi()
    found = {
        f"{method.upper()} {path}"
        for path, item in openapi["paths"].items()
        for method, operation in item.items()
        if method != "get" and not {"collecting", "for visitors"} & set(operation["tags"])
    }
    assert found == NOTED.keys() | UNNOTED.keys()


class _Office:
    """Sends requests, and knows by which routes."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.asked: set[str] = set()

    def __call__(self, route: str, *ids: str, **more: Any) -> Any:
        method, _, path = route.partition(" ")
        for one in ids:
            head, _, rest = path.partition("{")
            path = head + one + rest.partition("}")[2]
        headers = {"If-Match": "*"} if method in {"PATCH", "DELETE"} else {}
        answer: Response = self._client.request(method, path, headers=headers, **more)
        assert answer.is_success, f"{route}: {answer.text}"
        self.asked.add(route)
        return answer.json() if answer.content else None


@pytest.fixture
def anna(world: World) -> str:
    """Known by her mail address, and scored."""
    both = (Identity("user_id", "anna"), Identity("email", "anna@example.org"))
    told = world.event(9, "identified", "anna", identities=both, server_only=True,
                       properties={"name": "Anna"})  # fmt: skip
    return world.person("anna", [told, world.event(8, "page", "anna")])


def test_what_is_changed_is_noted_and_nobodys_data_are(
    world: World, api: tuple[Client, Any], anna: str
) -> None:
    client, arrive = api
    ask = _Office(client)
    _settings(ask)
    _lists(ask, world, anna)
    world.person("other", [world.event(5, "page", "other")])
    other = {"namespace": "user_id", "value": "other"}
    ask("POST /v1/persons/{person_id}/identities", anna, json={**other, "reason": "her own words"})
    arrive()
    gone = {**other, "reason": "her own words"}
    ask("DELETE /v1/persons/{person_id}/identities", anna, params=gone)
    decision = {"identities": [MAIL, other], "decision": "two_people", "reason": "her own words"}
    ask("POST /v1/identities/decisions", json=decision)
    ask("POST /v1/persons/{person_id}/consent", anna, json=SAID)
    ask("POST /v1/consent", json={**MAIL, **SAID})
    ask("POST /v1/persons/{person_id}/objection", anna, json=OBJECTED)
    ask("POST /v1/objections", json={**MAIL, "value": "new@example.org", **OBJECTED})
    ask("DELETE /v1/persons/{person_id}", anna, params={"by": "piet"})
    ask("POST /v1/erasures", json={**MAIL, "value": "new@example.org"})
    assert ask.asked == NOTED.keys()

    with world.engine.connect() as db:
        rows = db.execute(
            select(audit).where(audit.c.workspace_id == world.id).order_by(audit.c.id)
        ).all()
    made = [row for row in rows if row.who != "command line"]
    assert {row.what for row in made} == set(NOTED.values())
    assert {row.who.partition(" ")[0] for row in made} == {"key"}
    erased = [(row.about, row.after) for row in made if row.what == "erasure.asked"]
    assert erased == [
        (anna, {"left": 0, "decided_by": "piet"}),
        ("nobody known", {"left": 0, "decided_by": None}),
    ]
    told = str([(row.about, row.before, row.after) for row in made])
    for personal in ("anna@", "new@", "Anna", "her own words"):
        assert personal not in told


def _settings(ask: _Office) -> None:
    key = ask("POST /v1/keys", json={"name": "BI", "kind": "api", "scopes": ["segments:read"]})
    ask("PATCH /v1/keys/{key_id}", key["id"], json={"name": "Power BI"})
    ask("POST /v1/keys/{key_id}/rotate", key["id"])
    ask("DELETE /v1/keys/{key_id}", key["id"])
    piet = ask("POST /v1/accounts", json={"email": "piet@example.org", "role": "reader"})["id"]
    ask("PATCH /v1/accounts/{account_id}", piet, json={"role": "recruiter"})
    ask("POST /v1/accounts/{account_id}/invitation", piet)
    ask("DELETE /v1/accounts/{account_id}", piet)
    hook = ask("POST /v1/hooks", json={"esp": "postmark"})["id"]
    proof = {"username": "postmark", "password": "a-long-password-of-ours"}
    ask("PUT /v1/hooks/{hook_id}/secrets", hook, json={"secrets": proof})
    ask("DELETE /v1/hooks/{hook_id}", hook)
    ask("POST /v1/link-secrets")
    ask("PUT /v1/workspace/retention", json={"months": 12})
    declared = {"text_version": "1", "source": "a form", "since": "2026-01-01T00:00:00Z"}
    ask("PUT /v1/workspace/asserted-consent", json=declared)
    ask("DELETE /v1/workspace/asserted-consent")


def _lists(ask: _Office, world: World, anna: str) -> None:
    ask("POST /v1/segments", json={"key": "s", "name": "S", "rule": RULE})
    ask("PUT /v1/segments/{key}", "s", json={"name": "Moving", "rule": RULE})
    world.build()
    ask("PUT /v1/segments/{key}/manual/{person_id}", "s", anna,
        json={"list": "in", "reason": "her own words"})  # fmt: skip
    ask("DELETE /v1/segments/{key}/manual/{person_id}", "s", anna)
    ask("POST /v1/segments/{key}/exports", "s", json={"use": "insight"})
    webhook = ask("POST /v1/webhooks", json={"url": "https://93.184.216.34/changes"})["id"]
    ask("PATCH /v1/webhooks/{webhook_id}", webhook, json={"status": "paused"})
    ask("POST /v1/webhooks/{webhook_id}/secrets", webhook, json={})
    ask("DELETE /v1/webhooks/{webhook_id}", webhook)
    trigger = ask("POST /v1/triggers", json={"name": "T", "segment": "s"})["id"]
    ask("PATCH /v1/triggers/{trigger_id}", trigger, json={"name": "Hand over"})
    ask("DELETE /v1/triggers/{trigger_id}", trigger)
    ask("DELETE /v1/segments/{key}", "s")
    ask("PUT /v1/content/{content_id}", "c", json={"content_type": "story", "title": "C"})
    ask("DELETE /v1/content/{content_id}", "c")
    ask("POST /v1/campaigns", json={"name": "Autumn"})
    ask("POST /v1/messages", json={"name": "October"})
    job = ask("POST /v1/imports", json=IMPORT)["id"]
    ask("PUT /v1/imports/{job_id}/file", job, content=b"Number\n4711\n")
    ask("POST /v1/jobs/{job_id}/cancel", job)
