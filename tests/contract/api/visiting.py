"""People with accounts, in browsers of their own."""

import re

from httpx import Client, Response

from tests.servers.web import LOCAL

PASSWORD = "a tide that turns quietly"


def invite(client: Client, email: str, role: str) -> str:
    """Make an account; the token with which they come in and choose a password."""
    answer = client.post("/v1/accounts", json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["invitation"]).partition("#")[2]


def browser_of(client: Client) -> Client:
    """A browser of its own at the same address."""
    return Client(base_url=client.base_url, timeout=30, **LOCAL)


def log_in(browser: Client, email: str, password: str = PASSWORD) -> Response:
    """Send the form of the log-in page."""
    return browser.post("/login?lang=en", data={"email": email, "password": password})


def csrf_of(browser: Client) -> str:
    """What this browser's forms must carry."""
    found = re.search(r'name="csrf" value="(\w+)"', browser.get("/access").text)
    assert found is not None
    return found[1]
