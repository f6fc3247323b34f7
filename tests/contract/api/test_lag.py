"""The dashboard says so where nothing is scored, though something waits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Client
from sqlalchemy import insert, update

from services.api.app import create_app
from services.api.dashboard.notices import STILL_MS
from services.cli.unscored import Unscored
from services.contract.event import encode
from services.contract.tables import log_position, person_state
from services.runtime.database import writing
from services.runtime.event_log import Record
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader
from tests.contract.api.world import NOW_MS, World
from tests.servers.web import LOCAL, run_app

STILL = "Nothing was worked through since"


@pytest.fixture
def browser(world: World, tmp_path: Path) -> Iterator[Client]:
    """A browser that logged in, where the spool is at hand."""
    waits = Unscored(tmp_path / "spool", world.engine)
    app = create_app(world.engine, "", "http://track.test", clock=lambda: NOW_MS, unscored=waits)
    with run_app(app) as url, Client(base_url=url, timeout=30, **LOCAL) as client:
        assert client.post("/login", data={"key": world.made.api_key}).status_code == 303
        yield client


def test_events_that_wait_are_told_of_until_they_are_scored(
    browser: Client, world: World, tmp_path: Path
) -> None:
    assert STILL not in browser.get("/?lang=en").text, "there is no spool yet"
    log = SqliteLog(tmp_path / "spool", readers=["test"])
    assert STILL not in browser.get("/?lang=en").text
    for ago_ms in (STILL_MS - 1000, 2 * STILL_MS):
        told = world.event(ago_ms / 86_400_000, "page", "anna")
        log.append([Record(b"anna", encode(told))])
    assert STILL not in browser.get("/?lang=en").text, "the first does not wait for long"
    reader = SqliteLogReader(tmp_path / "spool", lambda _log, _partition: None)
    position = {"log_id": reader.log_id, "partition": 0}
    first = reader.poll(1, 0)[0].offset
    with writing(world.engine).begin() as connection:
        connection.execute(insert(log_position).values(**position, next=first + 1))
    told = browser.get("/?lang=en").text
    assert f"{STILL} 18 Nov 2026, " in told
    assert "Sinds 18 nov 2026, " in browser.get("/?lang=nl").text
    with writing(world.engine).begin() as connection:
        connection.execute(update(log_position).values(next=first + 2))
    assert STILL not in browser.get("/?lang=en").text
    reader.close()
    log.close()


def test_boundaries_that_nobody_announces_are_told_of(
    browser: Client, world: World, people: dict[str, str]
) -> None:
    assert people
    other = world.workspace("Another employer")
    for due_ms, is_still in ((NOW_MS - STILL_MS + 1000, False), (NOW_MS - STILL_MS, True)):
        with writing(world.engine).begin() as connection:
            connection.execute(update(person_state).values(due_ms=due_ms))
        assert (STILL in browser.get("/?lang=en").text) is is_still
    assert browser.post("/login", data={"key": other.api_key}).status_code == 303
    assert STILL not in browser.get("/?lang=en").text, "nothing of theirs waits"
