"""A feed on each of the two databases, an API over it, and somebody who gets webhooks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from httpx import Client

from services.api.app import create_app
from services.dispatch import verdict
from tests.contract.dispatch.feed import OWN, Feed
from tests.servers.receiver import Receiver, run_receiver
from tests.servers.web import LOCAL, run_app


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pauses are short, so that tests are."""
    monkeypatch.setattr(verdict, "BACKOFF_MIN_MS", 100)


@pytest.fixture
def feed(database_url: str) -> Iterator[Feed]:
    feed = Feed(database_url)
    yield feed
    feed.engine.dispose()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as receiver:
        yield receiver


@pytest.fixture
def client(feed: Feed) -> Iterator[Client]:
    """With an api key of the first workspace."""
    key = feed.key()
    app = create_app(feed.engine, "internal", "http://track.test", networks=OWN)
    with run_app(app) as url:
        headers = {"Authorization": f"Bearer {key}"}
        with Client(base_url=url, headers=headers, timeout=30, **LOCAL) as client:
            yield client


Hook = Callable[..., Any]


@pytest.fixture
def hook(client: Client) -> Hook:
    """A call that makes a webhook."""

    def make(url: str, **more: Any) -> Any:
        answer = client.post("/v1/webhooks", json={"url": url, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make
