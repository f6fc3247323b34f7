"""Who sees which page, and the page where people are invited and keys made."""

import re
from typing import Any

import pytest
from fastapi.routing import APIRoute
from httpx import Client

from services.api.dashboard import (
    access,
    audit,
    imports,
    invitations,
    jobs,
    keeping,
    password,
    people,
    privacy,
    routes,
    segment_editor,
    segments,
    triggers,
    webhooks,
)
from services.api.dashboard.pages import May
from services.contract.roles import SCOPES_OF, Role
from tests.contract.api.visiting import PASSWORD, browser_of, csrf_of, invite

pytestmark = pytest.mark.usefixtures("quick_passwords")

NUMBERS = ("/", "/part", "/charts/{name}", "/segments/{key}", "/segments/{key}/trend.svg")
PEOPLE = ("/phases/{phase}", "/people/{person_id}", "/people", "/people/{person_id}/known.json")
EDITOR = ("/new-segment", "/segments/{key}/edit")
OBJECTION, ERASURE = "/people/{person_id}/objection", ("/people/{person_id}/erasure", "/privacy")
CONNECTED = ("/webhooks", "/webhooks/{webhook_id}", "/triggers", "/triggers/{trigger_id}")
FILES = ("/jobs", "/jobs/{job_id}", "/jobs/{job_id}/part", "/new-import")
OWN = ("/keeping", "/password")
PAGES = (
    *NUMBERS, *PEOPLE, *EDITOR, OBJECTION, *ERASURE, *CONNECTED, *FILES, *OWN, "/access", "/audit",
)  # fmt: skip
MAY: dict[Role, set[str]] = {
    "owner": {*PAGES},
    "recruiter": {*NUMBERS, *PEOPLE, *EDITOR, OBJECTION, *CONNECTED, *FILES, *OWN},
    "reader": {*NUMBERS, *OWN},
    "privacy_officer": {*PAGES} - {*EDITOR, *FILES},
}
"""Every page by its route, and who may see it."""
OPEN = {"/login", "/static/{name}", "/invitation"}
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
PARTS = (
    routes, people, segments, segment_editor, privacy, keeping, webhooks, triggers, jobs, imports,
    access, audit, invitations, password,
)  # fmt: skip
ROUTES = [one for part in PARTS for one in part.router.routes if isinstance(one, APIRoute)]
CHANGES = {
    "/access/accounts": ({"email": "x@y.nl", "role": "reader"}, {"owner"}),
    "/access/keys": ({"name": "K", "kind": "write"}, {"owner"}),
    "/webhooks": ({"url": "https://93.184.216.34/"}, {"owner"}),
    "/triggers": (
        {"name": "T", "place": "phase:do", "when": "at_once", "per_week": "2"},
        {"owner", "recruiter"},
    ),
    "/keeping": ({"months": "24", "applicant_days": "28"}, {"owner", "privacy_officer"}),
    "/keeping/declaration/end": ({}, {"owner"}),
}
"""Forms that change something: what is in them, and who may send them."""


def test_each_role_sees_what_is_its_own(client: Client, people: dict[str, str]) -> None:
    named = _named(client, people["turning"])
    for role, allowed in MAY.items():
        token = invite(client, f"{role}@example.org", role)
        with browser_of(client) as browser:
            browser.post("/invitation", data={"token": token, "password": PASSWORD})
            for page in PAGES:
                answer = browser.get(page.format(**named))
                assert answer.status_code == (200 if page in allowed else 403), (role, page)
                _leads_where_it_may(answer.text, role, page)
            assert ("Anna" in browser.get("/").text) is (role != "reader")
            own = re.search(r'name="csrf" value="(\w+)"', browser.get("/password").text)
            assert own is not None
            csrf = own[1]
            for route in ROUTES:
                (method,) = route.methods
                may = all(SCOPES_OF[role] >= scopes for scopes in _asked(route))
                if method != "GET" and not may:
                    path = re.sub("{([^}]+)}", lambda name: named.get(name[1], "x"), route.path)
                    answer = browser.request(method, path, data={"csrf": csrf})
                    assert answer.status_code == 403, (role, method, path)
            for form, (data, who) in CHANGES.items():
                answer = browser.post(form, data={"csrf": csrf, **data})
                expected = {200, 303} if role in who else {403}
                assert answer.status_code in expected, (role, form)


def _named(client: Client, person: str) -> dict[str, str]:
    """What stands in the addresses of pages; it is made, as far as it is not there."""
    doers = {"name": "Doers", "rule": {"type": "phase", "any_of": ["do"]}}
    assert client.put("/v1/segments/doers", json=doers).status_code == 201

    def make(path: str, body: dict[str, Any]) -> str:
        return str(client.post(f"/v1/{path}", json=body).json()["id"])

    return {
        "name": "see.svg",
        "key": "doers",
        "phase": "see",
        "person_id": person,
        "webhook_id": make("webhooks", {"url": "https://93.184.216.34/changes"}),
        "trigger_id": make("triggers", {"name": "T", "segment": "doers"}),
        "job_id": make("imports", IMPORT),
    }


def _leads_where_it_may(html: str, role: Role, page: str) -> None:
    """Every link leads to a page that the role may see, every form to where it may send it."""
    led = [("GET", path) for path in re.findall(r'href="(/[^"?#]*)', html)]
    for post, path in re.findall(r'<form [^>]*?(method="post")? ?action="(/[^"?#]*)', html):
        led.append(("POST" if post else "GET", path))
    for method, path in led:
        if path == "/docs":
            continue
        route = next(r for r in ROUTES if method in r.methods and r.path_regex.fullmatch(path))
        for scopes in _asked(route):
            assert SCOPES_OF[role] >= scopes, (role, page, method, path)


def _asked(route: APIRoute) -> list[set[str]]:
    return [{*d.call.scopes} for d in route.dependant.dependencies if isinstance(d.call, May)]


def test_every_page_stands_in_the_table() -> None:
    found = {route.path for route in ROUTES if "GET" in route.methods}
    assert found == {*PAGES} | OPEN


def test_every_page_asks_who_it_is() -> None:
    open_to_all = OPEN | {"/logout", "/part"}
    for route in ROUTES:
        assert _asked(route) or route.path in open_to_all, route.path


def _make_settings(client: Client) -> None:
    """A mailer's webhook and a trigger, with all that they may say."""
    held = {"text_version": "T1", "source": "het formulier", "since": "2026-01-01T00:00:00Z"}
    mapping = {
        "signature": {"kind": "query"},
        "rules": [{"type": "unsubscribe", "when": {"type": ["unsubscribe"]}}],
        "fields": {"email": "data.email", "at": "fired_at"},
    }
    hook = {"esp": "generic", "asserted_consent": held, "mapping": mapping}
    when = {"type": "best_moment", "within_days": 7}
    trigger = {"name": "Invite", "phase": "think", "when": when, "channel": "email"}
    for path, body in (("/v1/hooks", hook), ("/v1/triggers", trigger)):
        answer = client.post(path, json=body)
        assert answer.status_code == 201, answer.text


def test_the_page_invites_makes_keys_and_tells_who_did_what(client: Client) -> None:
    token = invite(client, "owner@example.org", "owner")
    with browser_of(client) as browser:
        browser.post("/invitation", data={"token": token, "password": PASSWORD})
        own = {"csrf": csrf_of(browser)}
        invited = browser.post(
            "/access/accounts?lang=en", data=own | {"email": "p@x.nl", "role": "privacy_officer"}
        )
        assert "/invitation#" in invited.text
        made = browser.post(
            "/access/keys?lang=en",
            data=own | {"name": "<b>BI", "kind": "api", "scope": ["segments:read"]},
        )
        key = re.search(r"ka_[\w-]+", made.text)
        assert key is not None
        assert "&lt;b&gt;BI" in made.text
        works = browser.get("/v1/segments", headers={"Authorization": f"Bearer {key[0]}"})
        assert works.status_code == 200
        _make_settings(client)
        page = browser.get("/access?lang=nl").text
        assert key[0] not in page
        assert re.search(r"owner@example\.org <span[^>]*>[^·]+·\s+laatst hier", page)
        assert "Privacyfunctionaris" in page
        changes = browser.get("/audit?lang=nl").text
        for told in (
            "gemaakt</b> een andere mailer",
            "versie van de tekst T1; bron het formulier; sinds 1 jan 2026",
            "op hun beste moment, binnen 7 dagen",
            '<span class="hint">toestand</span> <ins>actief</ins>',
        ):
            assert told in changes, told
        changes = changes[changes.index('class="audit"') :]
        for raw in ("{", "hk_", "created", "complete", "active"):
            assert raw not in changes, raw
        assert "Uitgenodigd</b> p@x.nl" in changes
        assert "account.invited" not in changes
        made = browser.get("/audit?lang=nl&kind=tools").text
        assert ("Trigger gemaakt" in made, "Uitgenodigd</b>" in made) == (True, False)
        nobody = browser.get("/audit?lang=nl&kind=segments&who=command line").text
        assert "Zoiets is er niet gebeurd" in nobody
        assert browser.get("/audit?kind=x&cursor=x").status_code == 400
        last = re.search(r"/access/accounts/(acc_\w+)/end", page)
        assert last is not None
        refused = browser.post(f"/access/accounts/{last[1]}/end?lang=en", data=own)
        assert "Somebody must be owner" in refused.text
        for forged in ({}, {"csrf": "x"}, {"csrf": "é"}):
            answer = browser.post("/access/keys", data=forged | {"name": "x", "kind": "write"})
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
        headers = {"Sec-Fetch-Site": "cross-site"}
        assert browser.post("/access/keys", data=own, headers=headers).status_code == 403
