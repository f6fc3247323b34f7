"""Who looked at somebody stands in the audit, once an hour, for those who may see the audit."""

import pytest
from httpx import Client
from sqlalchemy import select

from services.api.dashboard.looking import AGAIN_MS
from services.contract.tables import audit
from tests.contract.api.world import World


def _looks(world: World) -> list[tuple[str, str]]:
    query = select(audit.c.what, audit.c.about).where(
        audit.c.workspace_id == world.id, audit.c.what.startswith("look.")
    )
    with world.engine.connect() as connection:
        return [(row.what, row.about) for row in connection.execute(query.order_by(audit.c.id))]


@pytest.fixture
def browser(client: Client, world: World) -> Client:
    """A browser that logged in."""
    del client.headers["Authorization"]
    assert client.post("/login", data={"key": world.made.api_key}).status_code == 303
    return client


def test_a_look_is_noted_once_an_hour_and_shown_apart(
    browser: Client, world: World, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = people["turning"]
    for path in (f"/people/{anna}", f"/people/{anna}?lang=en", "/people/p_nobody", "/phases/think"):
        browser.get(path)
    assert _looks(world) == [("look.person", anna)]
    browser.get(f"/people/{anna}/known.json")
    assert _looks(world) == [("look.person", anna), ("look.known", anna)]
    monkeypatch.setattr("services.api.dashboard.looking.AGAIN_MS", 0)
    browser.get(f"/people/{anna}")
    assert AGAIN_MS > 0
    assert _looks(world).count(("look.person", anna)) == 2

    changes = browser.get("/audit?lang=nl").text
    assert "Pagina van iemand bekeken" not in changes
    told = browser.get("/audit?lang=nl&kind=looks").text
    assert told.count("Pagina van iemand bekeken") == 2
    assert f'<a href="/people/{anna}?lang=nl">Anna</a>' in told
    assert "Anna" not in str(_looks(world))
