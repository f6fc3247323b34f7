"""An API over each database, with a few people in it."""

from collections.abc import Iterator

import pytest
from httpx import Client

from services.api.app import create_app
from services.contract.event import Consent
from tests.contract.api.world import NOW_MS, World
from tests.servers.web import run_app

KEY = "internal-key-of-the-tests"


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A database with one workspace."""
    world = World(database_url)
    yield world
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
    with run_app(app) as url, Client(base_url=url, headers=headers, timeout=30) as client:
        yield client
