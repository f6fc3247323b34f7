"""Who sees which page, and the page where people are invited and keys made."""

import re

import pytest
from httpx import Client

from services.api.dashboard import (
    access,
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
from tests.contract.api.visiting import PASSWORD, browser_of, csrf_of, invite

pytestmark = pytest.mark.usefixtures("quick_passwords")

NUMBERS = ("/", "/part", "/charts/see.svg", "/segments/doers", "/segments/doers/trend.svg")
PEOPLE = ("/phases/see", "/people/{person}", "/people", "/people/{person}/known.json")
EDITOR = ("/new-segment", "/segments/doers/edit")
OBJECTION, ERASURE = "/people/{person}/objection", ("/people/{person}/erasure", "/privacy")
CONNECTED = ("/webhooks", "/triggers")
PAGES = (
    *NUMBERS, *PEOPLE, *EDITOR, OBJECTION, *ERASURE, *CONNECTED, "/jobs", "/keeping", "/access",
    "/audit", "/new-import",
)  # fmt: skip
MAY = {
    "owner": {*PAGES},
    "recruiter": {
        *NUMBERS,
        *PEOPLE,
        *EDITOR,
        OBJECTION,
        *CONNECTED,
        "/jobs",
        "/keeping",
        "/new-import",
    },
    "reader": {*NUMBERS, "/keeping"},
    "privacy_officer": {*PAGES} - {*EDITOR, "/jobs", "/new-import"},
}
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
    doers = {"name": "Doers", "rule": {"type": "phase", "any_of": ["do"]}}
    assert client.put("/v1/segments/doers", json=doers).status_code == 201
    for role, allowed in MAY.items():
        token = invite(client, f"{role}@example.org", role)
        with browser_of(client) as browser:
            browser.post("/invitation", data={"token": token, "password": PASSWORD})
            for page in PAGES:
                answer = browser.get(page.format(person=people["turning"]))
                assert answer.status_code == (200 if page in allowed else 403), (role, page)
            assert ("Anna" in browser.get("/").text) is (role != "reader")
            shown = (browser.get(page).text for page in ("/triggers", "/keeping"))
            own = (re.search(r'name="csrf" value="(\w+)"', page) for page in shown)
            csrf = next((found[1] for found in own if found), "")
            for form, (data, who) in CHANGES.items():
                answer = browser.post(form, data={"csrf": csrf, **data})
                expected = {200, 303} if role in who else {403}
                assert answer.status_code in expected, (role, form)
                if role not in who and form in allowed:
                    assert f'action="{form}' not in browser.get(form).text


def test_every_page_asks_who_it_is() -> None:
    open_to_all = {"/login", "/logout", "/static/{name}", "/invitation", "/part"}
    parts = (
        routes, people, segments, segment_editor, privacy, keeping, webhooks, triggers, jobs,
        access, invitations, password,
    )  # fmt: skip
    for part in parts:
        for route in part.router.routes:
            asked = [d.call for d in route.dependant.dependencies if isinstance(d.call, May)]
            assert asked or route.path in open_to_all, route.path


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
