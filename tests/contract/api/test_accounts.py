"""People are invited, log in, change their password; a session ends with its time and role."""

import re

import pytest
from httpx import Client, Response
from sqlalchemy import select

from services.api.account_store import INVITED_MS
from services.api.app import create_app
from services.api.dashboard.session import COOKIE, LIFETIME_MS
from services.contract.tables import account, session
from tests.contract.api.conftest import KEY
from tests.contract.api.visiting import PASSWORD, browser_of, invite, log_in
from tests.contract.api.world import NOW_MS, World
from tests.servers.web import LOCAL, run_app


def test_somebody_is_invited_and_logs_in(client: Client, world: World) -> None:
    token = invite(client, "Piet@Example.org", "recruiter")
    with browser_of(client) as browser:
        short = browser.post("/invitation?lang=en", data={"token": token, "password": "short"})
        assert (short.status_code, "12 to 200" in short.text) == (403, True)
        entered = browser.post("/invitation", data={"token": token, "password": PASSWORD})
        assert entered.status_code == 303
        first = browser.cookies[COOKIE]
        assert browser.get("/?lang=en").status_code == 200
        used = browser.post("/invitation?lang=en", data={"token": token, "password": PASSWORD})
        assert "was used" in used.text
        assert log_in(browser, " piet@example.org").status_code == 303
        assert browser.cookies[COOKIE] != first
        browser.cookies.set(COOKIE, first)
        assert browser.get("/").status_code == 303  # the first session ended at the next log-in
    with browser_of(client) as browser:
        wrong = log_in(browser, "piet@example.org", "another password")
        nobody = log_in(browser, "jan@example.org")
        assert (wrong.status_code, nobody.status_code) == (403, 403)
        assert wrong.text == nobody.text
        assert "not right" in wrong.text
    with world.engine.connect() as connection:
        stored = connection.execute(select(account.c.password)).scalar_one()
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    listed = client.get("/v1/accounts").json()["accounts"]
    assert [(one["email"], one["role"]) for one in listed] == [("piet@example.org", "recruiter")]
    twice = client.post("/v1/accounts", json={"email": "piet@example.org", "role": "reader"})
    assert (twice.status_code, twice.json()["code"]) == (409, "account_exists")


def test_an_invitation_is_good_for_a_week(client: Client, world: World) -> None:
    token = invite(client, "piet@example.org", "reader")
    app = create_app(world.engine, KEY, "http://x.test", lambda: NOW_MS + INVITED_MS)
    with run_app(app) as url, Client(base_url=url, timeout=30, **LOCAL) as browser:
        answer = browser.post("/invitation", data={"token": token, "password": PASSWORD})
    assert answer.status_code == 403


@pytest.mark.usefixtures("quick_passwords")
def test_somebody_changes_their_own_password(client: Client, world: World) -> None:
    token, new = invite(client, "piet@example.org", "reader"), "another good password"
    with browser_of(client) as browser, browser_of(client) as other:
        assert browser.get("/password").status_code == 303
        browser.post("/invitation", data={"token": token, "password": PASSWORD})
        log_in(other, "piet@example.org")
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
        assert log_in(other, "piet@example.org").status_code == 403
        assert log_in(other, "piet@example.org", new).status_code == 303
    with browser_of(client) as browser:
        browser.post("/login", data={"key": world.made.api_key})
        assert browser.get("/password").status_code == 403
    told = [row["what"] for row in client.get("/v1/audit").json()["audit"]]
    assert told.count("account.password_set") == 2


@pytest.mark.usefixtures("quick_passwords")
def test_a_session_ends_with_the_role_and_with_its_time(client: Client, world: World) -> None:
    invite(client, "first@example.org", "owner")
    token = invite(client, "piet@example.org", "owner")
    with browser_of(client) as browser:
        browser.post("/invitation", data={"token": token, "password": PASSWORD})
        assert browser.get("/access").status_code == 200
        mine = client.get("/v1/accounts").json()["accounts"][1]["id"]
        changed = client.patch(
            f"/v1/accounts/{mine}", json={"role": "reader"}, headers={"If-Match": "*"}
        )
        assert changed.json()["role"] == "reader"
        assert browser.get("/").status_code == 303
        assert log_in(browser, "piet@example.org").status_code == 303
        assert browser.get("/access").status_code == 403
        cookie = browser.cookies[COOKIE]
        assert client.delete(f"/v1/accounts/{mine}").status_code == 204
        assert browser.get("/").status_code == 303
        assert log_in(browser, "piet@example.org").status_code == 403
    with world.engine.connect() as connection:
        assert cookie not in str(connection.execute(select(session)).all())
    later = create_app(world.engine, KEY, "http://x.test", lambda: NOW_MS + LIFETIME_MS)
    with browser_of(client) as browser:
        browser.post("/login", data={"key": world.made.api_key})
        assert browser.get("/").status_code == 200
        with run_app(later) as url, Client(base_url=url, timeout=30, **LOCAL) as aged:
            aged.cookies.set(COOKIE, browser.cookies[COOKIE])
            assert aged.get("/").status_code == 303
