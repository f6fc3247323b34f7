"""What the dashboard says of moves is what is known of them now, on both databases."""

import re

import pytest
from httpx import Client
from sqlalchemy import update

from services.api.dashboard.notices import caught_up_to
from services.contract.phases import DAY_MS
from services.contract.tables import change
from services.runtime.database import writing
from tests.contract.api.world import NOW_MS, World

ROW = r'<li>\s*<a href="/people/{}\?lang=en">.*?</li>'
COURSE = {"title": "Open day", "content_phase": "think"}


@pytest.fixture
def browser(client: Client, world: World) -> Client:
    """A browser that logged in; the key goes along for calls of the API."""
    assert client.post("/login", data={"key": world.made.api_key}).status_code == 303
    return client


def _steps(page: str, person: str) -> list[str]:
    found = re.search(ROW.format(person), page, re.DOTALL)
    assert found is not None
    return re.findall(r'class="tag (\w+)"', found[0])


def test_a_move_is_told_from_where_it_was_and_by_silence_where_it_was(
    browser: Client, world: World, people: dict[str, str]
) -> None:
    rule = {"type": "phase", "any_of": ["see", "think"]}
    made = {"key": "early", "name": "Early", "rule": rule}
    assert browser.post("/v1/segments", json=made).status_code == 201
    events = [
        world.event(100, "identified", "kees"),
        world.event(60, "sign_up", "kees", properties=COURSE),
    ]
    kees = world.person("kees", events, NOW_MS - 60 * DAY_MS)
    world.score([world.event(1, "identified", "kees")])
    with writing(world.engine).begin() as connection:
        connection.execute(update(change).values(before="care"))  # whatever was told last
    page = browser.get("/?lang=en").text
    for person, because in ((people["turning"], "event"), (kees, "silence")):
        phases = browser.get(f"/v1/persons/{person}/phases").json()["phases"]
        before, now = [one for one in phases if one["since"] < "2026-11-18"][-2:]
        assert _steps(page, person) == [before["phase"], now["phase"]]
        assert now["because"] == because
    fell = "fell back from Do, by silence; had come there by: Signed up: Open day, 19 Sep 2026"
    assert fell in page
    assert "not heard from" not in page
    world.build()
    assert fell in browser.get("/segments/early?lang=en").text


def test_who_applied_is_offered_nothing_else(browser: Client, people: dict[str, str]) -> None:
    item = {"title": "Fitter", "content_type": "vacancy", "url": "https://jobs.example/fitter"}
    assert browser.put("/v1/content/fitter", json=item).status_code in {200, 201}
    named = {"title": "Mechanic (m/f)", "content_type": "vacancy", "url": "https://jobs.example/m"}
    assert browser.put("/v1/content/mechanic", json=named).status_code in {200, 201}
    page = browser.get(f"/people/{people['turning']}?lang=en").text
    assert "Is in a procedure (Applied, 16 Nov 2026)." in page
    assert "Fitter" not in page
    assert "looked at a vacancy: Mechanic" in page
    told = browser.get(f"/v1/persons/{people['turning']}/next-content").json()
    assert (told["in_procedure"], told["next"]) == (True, [])


def test_a_page_says_that_the_scorer_is_behind(browser: Client, world: World) -> None:
    def behind(now_ms: int = NOW_MS) -> int | None:
        with world.engine.connect() as connection:
            return caught_up_to(connection, world.id, now_ms)

    came = [world.event(60, "identified", f"live{i}") for i in range(5)]
    world.score(came, NOW_MS - 60 * DAY_MS)
    world.score([world.event(0.001, "sign_up", f"live{i}", properties=COURSE) for i in range(5)])
    assert behind() is None
    assert "still working" not in browser.get("/?lang=en").text
    for i in range(8):
        late = [(200, "identified"), (100 - i, "sign_up")]
        world.score([world.event(d, what, f"late{i}", properties=COURSE) for d, what in late])
    assert behind() == NOW_MS - 93 * DAY_MS
    assert behind(NOW_MS + 60_000) is None
    assert "has come to about 17 Aug 2026" in browser.get("/?lang=en").text
