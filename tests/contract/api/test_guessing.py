"""Passwords are guessed a few times and no more; whose account it is gets in all the same."""

import pytest
from httpx import Client
from sqlalchemy import update

from services.api.app import create_app
from services.api.dashboard.entering import FAILURES_MAX, FROM_ANYWHERE_MAX, _marks
from services.contract.addresses import networks_of
from services.contract.tables import login_failure
from services.runtime.database import writing
from tests.contract.api.conftest import KEY
from tests.contract.api.visiting import PASSWORD, browser_of, invite, log_in
from tests.contract.api.world import NOW_MS, World
from tests.servers.web import LOCAL, run_app

pytestmark = pytest.mark.usefixtures("quick_passwords")


def test_a_password_is_tried_so_often_and_no_more(client: Client, world: World) -> None:
    token = invite(client, "piet@example.org", "owner")
    with browser_of(client) as browser:
        browser.post("/invitation", data={"token": token, "password": PASSWORD})
        browser.post("/logout")
        tried = [log_in(browser, "piet@example.org", f"wrong {i}") for i in range(FAILURES_MAX)]
        assert {one.status_code for one in tried} == {403}
        right = log_in(browser, "piet@example.org")
        assert right.status_code == 429
        assert int(right.headers["retry-after"]) == 900
        assert "15 minutes" in right.text
        assert log_in(browser, "jan@example.org").status_code == 403  # of one address alone
    later = create_app(world.engine, KEY, "http://x.test", lambda: NOW_MS + 901_000)
    with run_app(later) as url, Client(base_url=url, timeout=30, **LOCAL) as browser:
        assert log_in(browser, "piet@example.org").status_code == 303


def test_nobody_keeps_another_from_logging_in(client: Client, world: World) -> None:
    token = invite(client, "piet@example.org", "owner")
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
