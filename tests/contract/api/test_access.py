"""Keys, people and the audit, on both databases."""

import re

import pytest
from httpx import Client, Response
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from services.api.account_store import INVITED_MS
from services.api.app import create_app
from services.api.dashboard import (
    access,
    invitations,
    password,
    people,
    privacy,
    routes,
    segment_editor,
    segments,
)
from services.api.dashboard.entering import FAILURES_MAX, FROM_ANYWHERE_MAX, _marks
from services.api.dashboard.pages import May
from services.api.dashboard.session import COOKIE, LIFETIME_MS
from services.api.snapshot import load_snapshot
from services.contract.addresses import networks_of
from services.contract.keys import digest_of
from services.contract.roles import SCOPES
from services.contract.tables import account, audit, login_failure, session
from services.runtime.database import writing
from tests.contract.api.conftest import KEY
from tests.contract.api.world import NOW_MS, World
from tests.servers.process import wait_until
from tests.servers.web import LOCAL, run_app

PASSWORD = "a tide that turns quietly"


def test_a_key_is_made_rotated_and_ended(client: Client, world: World) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {"name": "Our CRM", "kind": "server"}
    made = client.post("/v1/keys", json=body, headers=headers).json()
    again = client.post("/v1/keys", json=body, headers=headers).json()
    assert again == made | {"key": None}
    other = client.post("/v1/keys", json=body | {"name": "Other"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    second = client.post(f"/v1/keys/{made['id']}/rotate").json()
    assert second["key"].startswith("ks_")

    def known() -> dict[bytes, int]:
        return {key.digest: key.source_id for key in load_snapshot(world.engine, KEY).keys}

    # Both are good, and one message sent with each is one event.
    assert known()[digest_of(made["key"])] == known()[digest_of(second["key"])]
    assert client.delete(f"/v1/keys/{made['id']}").status_code == 204
    assert digest_of(made["key"]) not in known()
    assert digest_of(second["key"]) in known()
    assert client.get(f"/v1/keys/{made['id']}").status_code == 404
    listed = client.get("/v1/keys").json()["keys"]
    assert [key["name"] for key in listed] == ["write key", "server key", "api key", "Our CRM"]
    assert second["key"] not in str(listed)


def test_a_key_gives_no_more_than_it_has(client: Client, world: World) -> None:
    wanted = ["segments:read", "keys:read", "keys:write", "accounts:write"]
    body = {"name": "Lesser", "kind": "api", "scopes": wanted}
    lesser = client.post("/v1/keys", json=body).json()
    headers = {"Authorization": f"Bearer {lesser['key']}"}
    refused = [
        client.post(
            "/v1/keys",
            json={"name": "More", "kind": "api", "scopes": ["persons:read"]},
            headers=headers,
        ),
        client.post("/v1/accounts", json={"email": "a@b.nl", "role": "owner"}, headers=headers),
        client.patch(
            f"/v1/keys/{lesser['id']}",
            json={"scopes": sorted(SCOPES)},
            headers=headers | {"If-Match": "*"},
        ),
    ]
    assert {(one.status_code, one.json()["code"]) for one in refused} == {
        (403, "beyond_own_scopes")
    }
    mine = next(key for key in client.get("/v1/keys").json()["keys"] if key["kind"] == "api")
    rotated = client.post(f"/v1/keys/{mine['id']}/rotate", headers=headers)
    assert rotated.status_code == 403
    assert client.get("/v1/audit", headers=headers).status_code == 403
    for odd in ({"kind": "api"}, {"kind": "write", "scopes": ["keys:read"]}):
        assert client.post("/v1/keys", json={"name": "x"} | odd).status_code == 400


def test_an_edit_names_what_it_saw(client: Client) -> None:
    body = {"name": "Power BI", "kind": "api", "scopes": ["segments:read"]}
    made = client.post("/v1/keys", json=body)
    path, tag = f"/v1/keys/{made.json()['id']}", made.headers["etag"]
    assert client.get(path).headers["etag"] == tag
    missing = client.patch(path, json={"name": "A"})
    assert (missing.status_code, missing.json()["code"]) == (428, "if_match_missing")
    changed = client.patch(path, json={"name": "A"}, headers={"If-Match": tag})
    assert changed.json()["name"] == "A"
    late = client.patch(path, json={"name": "B"}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert late.headers["etag"] == changed.headers["etag"] != tag
    assert client.get(path).json()["name"] == "A"


def test_it_is_kept_when_a_key_was_used(client: Client, world: World) -> None:
    body = {"name": "Reader", "kind": "api", "scopes": ["segments:read"]}
    made = client.post("/v1/keys", json=body).json()
    assert made["used_at"] is None
    app = create_app(world.engine, KEY, "http://x.test", lambda: NOW_MS)
    app.state.context.keys.by_key(made["key"])
    path = f"/v1/keys/{made['id']}"
    # It is written beside the request, which does not wait for it.
    wait_until(lambda: client.get(path).json()["used_at"] is not None, "when it was used")


def _invite(client: Client, email: str, role: str) -> str:
    answer = client.post("/v1/accounts", json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["invitation"]).partition("#")[2]


def _browser(client: Client) -> Client:
    """A browser of its own at the same address."""
    return Client(base_url=client.base_url, timeout=30, **LOCAL)


def _log_in(browser: Client, email: str, password: str = PASSWORD) -> Response:
    return browser.post("/login?lang=en", data={"email": email, "password": password})


def _csrf(browser: Client) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', browser.get("/access").text)
    assert found is not None
    return found[1]


def test_somebody_is_invited_and_logs_in(client: Client, world: World) -> None:
    token = _invite(client, "Piet@Example.org", "recruiter")
    with _browser(client) as browser:
        short = browser.post("/invitation?lang=en", data={"token": token, "password": "short"})
        assert (short.status_code, "12 to 200" in short.text) == (403, True)
        entered = browser.post("/invitation", data={"token": token, "password": PASSWORD})
        assert entered.status_code == 303
        first = browser.cookies[COOKIE]
        assert browser.get("/?lang=en").status_code == 200
        used = browser.post("/invitation?lang=en", data={"token": token, "password": PASSWORD})
        assert "was used" in used.text
        assert _log_in(browser, " piet@example.org").status_code == 303
        assert browser.cookies[COOKIE] != first
        browser.cookies.set(COOKIE, first)
        assert browser.get("/").status_code == 303  # the first session ended at the next log-in
    with _browser(client) as browser:
        wrong = _log_in(browser, "piet@example.org", "another password")
        nobody = _log_in(browser, "jan@example.org")
        assert (wrong.status_code, nobody.status_code) == (403, 403)
        assert wrong.text == nobody.text
        assert "not right" in wrong.text
    with world.engine.connect() as connection:
        stored = connection.execute(select(account.c.password)).scalar_one()
    assert stored.startswith("$argon2id$")
    listed = client.get("/v1/accounts").json()["accounts"]
    assert [(one["email"], one["role"]) for one in listed] == [("piet@example.org", "recruiter")]
    twice = client.post("/v1/accounts", json={"email": "piet@example.org", "role": "reader"})
    assert (twice.status_code, twice.json()["code"]) == (409, "account_exists")


def test_an_invitation_is_good_for_a_week(client: Client, world: World) -> None:
    token = _invite(client, "piet@example.org", "reader")
    app = create_app(world.engine, KEY, "http://x.test", lambda: NOW_MS + INVITED_MS)
    with run_app(app) as url, Client(base_url=url, timeout=30, **LOCAL) as browser:
        answer = browser.post("/invitation", data={"token": token, "password": PASSWORD})
    assert answer.status_code == 403


# Passwords are dear to check, on purpose: each of these two is of one database.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_password_is_tried_so_often_and_no_more(client: Client, world: World) -> None:
    token = _invite(client, "piet@example.org", "owner")
    with _browser(client) as browser:
        browser.post("/invitation", data={"token": token, "password": PASSWORD})
        browser.post("/logout")
        tried = [_log_in(browser, "piet@example.org", f"wrong {i}") for i in range(FAILURES_MAX)]
        assert {one.status_code for one in tried} == {403}
        right = _log_in(browser, "piet@example.org")
        assert right.status_code == 429
        assert int(right.headers["retry-after"]) == 900
        assert "15 minutes" in right.text
        assert _log_in(browser, "jan@example.org").status_code == 403  # of one address alone
    later = create_app(world.engine, KEY, "http://x.test", lambda: NOW_MS + 901_000)
    with run_app(later) as url, Client(base_url=url, timeout=30, **LOCAL) as browser:
        assert _log_in(browser, "piet@example.org").status_code == 303


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_nobody_keeps_another_from_logging_in(client: Client, world: World) -> None:
    token = _invite(client, "piet@example.org", "owner")
    now = {"ms": NOW_MS}
    app = create_app(
        world.engine, KEY, "http://x.test", lambda: now["ms"], proxies=networks_of("127.0.0.0/8")
    )
    with run_app(app) as url, Client(base_url=url, timeout=30, **LOCAL) as browser:
        browser.post("/invitation", data={"token": token, "password": PASSWORD})

        def tries(address: str, password: str = "wrong", email: str = "piet@example.org") -> int:
            data = {"email": email, "password": password}
            headers = {"X-Forwarded-For": address}
            return int(browser.post("/login", data=data, headers=headers).status_code)

        attacker, own = "93.184.216.34", "8.8.8.8"
        assert [tries(attacker) for _ in range(FAILURES_MAX + 1)] == [403] * FAILURES_MAX + [429]
        assert tries(own, PASSWORD) == 303, "from where nobody else tried"
        now["ms"] += 15 * 60_000
        assert [tries(attacker) for _ in range(FAILURES_MAX + 1)] == [403] * FAILURES_MAX + [429]
        now["ms"] += 15 * 60_000
        assert tries(attacker) == 429, "the second time the wait is twice as long"
        now["ms"] += 15 * 60_000
        assert tries(attacker, PASSWORD) == 303
        # From ever new addresses each has few tries; whose account it is has them too.
        mark = login_failure.c.mark == _marks(app.state.context, "", "piet@example.org")[2]
        many = {"failures": FROM_ANYWHERE_MAX, "since_ms": now["ms"]}
        with writing(world.engine).begin() as connection:
            connection.execute(update(login_failure).where(mark).values(many))
        assert [tries("93.184.216.35") for _ in range(3)] == [403, 403, 429]
        assert tries(own, PASSWORD) == 303


def test_somebody_changes_their_own_password(client: Client, world: World) -> None:
    token, new = _invite(client, "piet@example.org", "reader"), "another good password"
    with _browser(client) as browser, _browser(client) as other:
        assert browser.get("/password").status_code == 303
        browser.post("/invitation", data={"token": token, "password": PASSWORD})
        _log_in(other, "piet@example.org")
        page = browser.get("/password?lang=en").text
        assert "Change your password" in page
        csrf = re.search(r'name="csrf" value="(\w+)"', page)
        assert csrf is not None

        def change(**data: str) -> Response:
            given = {"csrf": csrf[1], "current": PASSWORD, "password": new}
            return browser.post("/password?lang=en", data=given | data)

        assert change(csrf="x").json()["code"] == "cross_site"
        assert "not right" in change(current="wrong").text
        assert "12 to 200" in change(password="short").text
        assert change().status_code == 303
        assert browser.get("/").status_code == 200
        assert other.get("/").status_code == 303, "every other browser logs in anew"
        assert _log_in(other, "piet@example.org").status_code == 403
        assert _log_in(other, "piet@example.org", new).status_code == 303
    with _browser(client) as browser:
        browser.post("/login", data={"key": world.made.api_key})
        assert browser.get("/password").status_code == 403
    told = [row["what"] for row in client.get("/v1/audit").json()["audit"]]
    assert told.count("account.password_set") == 2


NUMBERS = ("/", "/part", "/charts/see.svg", "/segments/doers", "/segments/doers/trend.svg")
PEOPLE = ("/phases/see", "/people/{person}", "/people", "/people/{person}/known.json")
EDITOR = ("/new-segment", "/segments/doers/edit")
OBJECTION, ERASURE = "/people/{person}/objection", ("/people/{person}/erasure", "/privacy")
PAGES = (*NUMBERS, *PEOPLE, *EDITOR, OBJECTION, *ERASURE, "/access")
MAY = {
    "owner": {*PAGES},
    "recruiter": {*NUMBERS, *PEOPLE, *EDITOR, OBJECTION},
    "reader": {*NUMBERS},
    "privacy_officer": {*PAGES} - {*EDITOR},
}


def test_each_role_sees_what_is_its_own(client: Client, people: dict[str, str]) -> None:
    doers = {"name": "Doers", "rule": {"type": "phase", "any_of": ["do"]}}
    assert client.put("/v1/segments/doers", json=doers).status_code == 201
    for role, allowed in MAY.items():
        token = _invite(client, f"{role}@example.org", role)
        with _browser(client) as browser:
            browser.post("/invitation", data={"token": token, "password": PASSWORD})
            for page in PAGES:
                answer = browser.get(page.format(person=people["turning"]))
                assert answer.status_code == (200 if page in allowed else 403), (role, page)
            assert ("Anna" in browser.get("/").text) is (role != "reader")
            for form in ("accounts", "keys"):
                page = browser.get("/access").text
                csrf = re.search(r'name="csrf" value="(\w+)"', page)
                data = {"csrf": csrf[1] if csrf else "", "email": "x@y.nl", "role": "reader"}
                data |= {"name": "K", "kind": "write"}
                answer = browser.post(f"/access/{form}", data=data)
                assert answer.status_code == (200 if role == "owner" else 403), (role, form)


def test_every_page_asks_who_it_is() -> None:
    open_to_all = {"/login", "/logout", "/static/{name}", "/invitation", "/part"}
    parts = (routes, people, segments, segment_editor, privacy, access, invitations, password)
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
    token = _invite(client, "owner@example.org", "owner")
    with _browser(client) as browser:
        browser.post("/invitation", data={"token": token, "password": PASSWORD})
        own = {"csrf": _csrf(browser)}
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
        for told in (
            "gemaakt</b> een andere mailer",
            "versie van de tekst T1; bron het formulier; sinds 1 jan 2026",
            "op hun beste moment, binnen 7 dagen",
            '<span class="hint">toestand</span> <ins>actief</ins>',
        ):
            assert told in page, told
        changes = page[page.index('id="audit"') :]
        for raw in ("{", "hk_", "created", "complete", "active"):
            assert raw not in changes, raw
        assert "Wie heeft wat veranderd" in page
        assert "Uitgenodigd</b> p@x.nl" in page
        assert "Privacyfunctionaris" in page
        assert "account.invited" not in page
        last = re.search(r"/access/accounts/(acc_\w+)/end", page)
        assert last is not None
        refused = browser.post(f"/access/accounts/{last[1]}/end?lang=en", data=own)
        assert "Somebody must be owner" in refused.text
        for forged in ({}, {"csrf": "x"}, {"csrf": "é"}):
            answer = browser.post("/access/keys", data=forged | {"name": "x", "kind": "write"})
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
        headers = {"Sec-Fetch-Site": "cross-site"}
        assert browser.post("/access/keys", data=own, headers=headers).status_code == 403


def test_a_session_ends_with_the_role_and_with_its_time(client: Client, world: World) -> None:
    _invite(client, "first@example.org", "owner")
    token = _invite(client, "piet@example.org", "owner")
    with _browser(client) as browser:
        browser.post("/invitation", data={"token": token, "password": PASSWORD})
        assert browser.get("/access").status_code == 200
        mine = client.get("/v1/accounts").json()["accounts"][1]["id"]
        changed = client.patch(
            f"/v1/accounts/{mine}", json={"role": "reader"}, headers={"If-Match": "*"}
        )
        assert changed.json()["role"] == "reader"
        assert browser.get("/").status_code == 303
        assert _log_in(browser, "piet@example.org").status_code == 303
        assert browser.get("/access").status_code == 403
        cookie = browser.cookies[COOKIE]
        assert client.delete(f"/v1/accounts/{mine}").status_code == 204
        assert browser.get("/").status_code == 303
        assert _log_in(browser, "piet@example.org").status_code == 403
    with world.engine.connect() as connection:
        assert cookie not in str(connection.execute(select(session)).all())
    later = create_app(world.engine, KEY, "http://x.test", lambda: NOW_MS + LIFETIME_MS)
    with _browser(client) as browser:
        browser.post("/login", data={"key": world.made.api_key})
        assert browser.get("/").status_code == 200
        with run_app(later) as url, Client(base_url=url, timeout=30, **LOCAL) as aged:
            aged.cookies.set(COOKIE, browser.cookies[COOKIE])
            assert aged.get("/").status_code == 303


def test_the_audit_tells_who_what_before_and_after(client: Client, world: World) -> None:
    rule = {"type": "phase", "any_of": ["do"]}
    client.put("/v1/segments/doers", json={"name": "Doers", "rule": rule})
    client.put("/v1/segments/doers", json={"name": "Doers now", "rule": rule})
    client.delete("/v1/segments/doers")
    hook = client.post("/v1/hooks", json={"esp": "sendgrid"}).json()["id"]
    client.delete(f"/v1/hooks/{hook}")
    client.post("/v1/link-secrets")
    client.put("/v1/workspace/retention", json={"months": 12})
    item = {"content_type": "story", "title": "A night"}
    for _ in range(2):  # the second time nothing becomes different
        client.put("/v1/content/night", json=item)
    client.put("/v1/content/night", json=item | {"title": "Two nights"})
    client.delete("/v1/content/night")
    client.put(
        "/v1/workspace/asserted-consent",
        json={"text_version": "T1", "source": "form", "since": "2026-01-01T00:00:00Z"},
    )
    rows = client.get("/v1/audit").json()["audit"]
    me = next(key for key in client.get("/v1/keys").json()["keys"] if key["kind"] == "api")
    assert {row["who"]: row["name"] for row in rows} == {
        f"key {me['id']}": "key api key",
        "command line": "command line",
    }
    kept = next(row for row in rows if row["what"] == "retention.set")
    told = {"months": 24, "applicant_days": 28}
    assert (kept["before"], kept["after"]) == (told, told | {"months": 12})
    mine = [row["what"] for row in reversed(rows) if row["who"] != "command line"]
    assert mine == [
        "segment.made",
        "segment.edited",
        "segment.deleted",
        "hook.made",
        "hook.deleted",
        "link_secret.rotated",
        "retention.set",
        "content.put",
        "content.edited",
        "content.removed",
        "asserted_consent.declared",
    ]
    edited = next(row for row in rows if row["what"] == "segment.edited")
    assert (edited["before"]["name"], edited["after"]["name"]) == ("Doers", "Doers now")
    assert (edited["about"], edited["after"]["rule"]) == ("doers", rule)
    pages, cursor = [], None
    while True:
        page = client.get("/v1/audit", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        pages += page.json()["audit"]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert pages == rows
    told = str(rows)
    for secret in (world.made.api_key, world.made.write_key, world.made.server_key):
        assert secret not in told


@pytest.mark.parametrize("change", [update(audit).values(who="nobody"), delete(audit)])
def test_the_audit_is_only_added_to(world: World, change: object) -> None:
    with pytest.raises(DBAPIError), writing(world.engine).begin() as connection:
        connection.execute(change)  # type: ignore[call-overload]
