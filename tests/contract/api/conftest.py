"""An API over each database, with a few people in it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from httpx import Client

from services.api import passwords
from services.api.app import create_app
from services.api.exports.run import Exporting
from services.api.in_force import InForce
from services.api.jobs import work
from services.api.jobs.work import Worker
from services.api.snapshot import load_snapshot
from services.api.withdrawals import load_withdrawals
from services.contract import event as envelope
from services.contract.event import Consent, Event
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.tracker.app import create_app as create_tracker
from services.tracker.gate import Gate
from tests.contract.api.kitchen import Kitchen, Receiver
from tests.contract.api.world import MODEL, NOW_MS, World
from tests.servers.web import LOCAL, run_app

KEY = "internal-key-of-the-tests"


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A database with one workspace."""
    world = World(database_url)
    yield world
    for thread in threading.enumerate():  # it gives its connection back before the pool goes
        if thread.name == "keys used":
            thread.join()
    world.engine.dispose()


@pytest.fixture
def people(world: World) -> dict[str, str]:
    """Public ids: ``quiet`` came by once, ``turning`` looks around and applies."""
    quiet = [world.event(300, "page", "quiet")]
    turning = [
        world.event(200, "identified", "anna", properties={"name": "Anna", "region": "Utrecht"}),
        world.event(20, "page", "anna", properties={"title": "Stories"}),
        world.event(6, "vacancy_viewed", "anna", properties={"title": "Mechanic"}),
        world.event(4, "vacancy_viewed", "anna", content_id="mechanic", content_type="vacancy"),
        world.event(3, "application_started", "anna"),
        world.event(2, "applied", "anna"),
    ]
    silent = [world.event(10, "page", "unscored", consent=Consent(measure=True))]
    return {
        "quiet": world.person("quiet", quiet),
        "turning": world.person("anna", turning),
        "third": world.person("unscored", silent),
    }


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    """A client with the workspace's api key, at the world's own time."""
    app = create_app(world.engine, KEY, "http://track.test", clock=lambda: NOW_MS)
    headers = {"Authorization": f"Bearer {world.made.api_key}"}
    with run_app(app) as url, Client(base_url=url, headers=headers, timeout=30, **LOCAL) as client:
        yield client


@pytest.fixture
def door(world: World, tmp_path: Path) -> Iterator[tuple[str, Callable[[], list[Event]]]]:
    """A tracker's address, and a call that scores what reached its spool and tells it."""
    log = SqliteLog(tmp_path / "spool", readers=["test"])
    tracker = create_tracker(
        log,
        lambda: load_snapshot(world.engine, KEY),
        tmp_path,
        "http://track.test",
        Gate((), 0, 0),
        clock=lambda: NOW_MS,
        withdrawal_source=lambda after: load_withdrawals(world.engine, after),
    )
    reader = SqliteLogReader(tmp_path / "spool", lambda _log, _partition: None)

    def arrive() -> list[Event]:
        found = [envelope.decode(record.value) for record in reader.poll(100, 2)]
        if found:
            world.score(found)
        return found

    with run_app(tracker) as tracker_url:
        yield tracker_url, arrive
    reader.close()
    log.close()


@pytest.fixture
def api(
    world: World, door: tuple[str, Callable[[], list[Event]]]
) -> Iterator[tuple[Client, Callable[[], list[Event]]]]:
    """A client, and a call that scores what reached the spool and tells it."""
    tracker_url, arrive = door
    app = create_app(
        world.engine, KEY, "http://track.test", lambda: NOW_MS, tracker_url=tracker_url
    )
    headers = {"Authorization": f"Bearer {world.made.api_key}"}
    with run_app(app) as url, Client(base_url=url, headers=headers, timeout=30, **LOCAL) as client:
        yield client, arrive


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checking one takes next to nothing; ``test_accounts.py`` has what it takes in life."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)


@pytest.fixture
def receiver() -> Receiver:
    """Somebody else's server, where ``kitchen`` hands over to."""
    return Receiver()


@pytest.fixture
def kitchen(
    api: tuple[Client, Callable[[], list[Event]]],
    world: World,
    tmp_path: Path,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Kitchen]:
    """Recipes, over a segment of whoever viewed a page, with a worker for its exports."""
    client, _ = api
    monkeypatch.setattr(work, "PAUSE_S", 0.02)
    exporting = Exporting(InForce(world.engine, MODEL))
    worker = Worker(world.engine, {"export": exporting}, lambda: NOW_MS)
    thread = threading.Thread(target=worker.run)
    thread.start()
    rule = {"type": "events", "event": ["page"], "at_least": 1, "within_days": 30}
    client.put("/v1/segments/readers", json={"name": "Readers", "rule": rule})
    with run_app(receiver, lifespan="off") as url:
        yield Kitchen(client, world, tmp_path, url)
    worker.stop()
    thread.join()
