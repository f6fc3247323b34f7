"""``kentering dispatch`` as a process: killed, frozen, and told to stop."""

import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from services.api.webhook_store import add_webhook
from services.contract.tables import feed_reader
from services.runtime.clock import now_ms
from services.runtime.database import writing
from tests.contract.dispatch.feed import Feed
from tests.servers.process import free_port, start, stop, wait_until
from tests.servers.receiver import Receiver, Reply, run_receiver

KENTERING = Path(sys.executable).parent / "kentering"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as receiver:
        yield receiver


@pytest.fixture
def feed(database_url: str) -> Iterator[Feed]:
    feed = Feed(database_url)
    yield feed
    feed.engine.dispose()


def _hook(feed: Feed, url: str) -> str:
    values = {"url": url, "description": "", "types": [], "segments": [], "late": False}
    with writing(feed.engine).begin() as db:
        return str(add_webhook(db, 1, values, 0, now_ms()).public_id)


class Process:
    """One dispatcher."""

    def __init__(self, url: str, log: Path, *options: str) -> None:
        self.port = free_port()
        command = [KENTERING, "dispatch", *(options or ("--no-topic",))]
        told = {
            "KENTERING_DATABASE_URL": url,
            "KENTERING_WEBHOOK_NETWORKS": "127.0.0.0/8",
        }
        health = ["--health-host", "127.0.0.1", "--health-port", str(self.port)]
        self.process = start([*command, *health], log, env=told)

    def get(self, path: str) -> httpx.Response | None:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5, verify=False)
        except httpx.TransportError:
            return None

    def ready(self) -> bool:
        answer = self.get("/readyz")
        return answer is not None and answer.is_success


@contextmanager
def running(url: str, log: Path) -> Iterator[Process]:
    process = Process(url, log)
    try:
        wait_until(process.ready, "kentering dispatch", process=process.process, log=log)
        yield process
    finally:
        stop(process.process, signal.SIGTERM, 15)


def _arrived(receiver: Receiver) -> int:
    return len({got.id for got in receiver.accepted})


def _in_order(receiver: Receiver) -> None:
    """Each under one id; and the first time that each came, each person's are in order."""
    ids: dict[int, set[str]] = {}
    first: dict[str, list[int]] = {}
    for got in receiver.accepted:
        if got.position not in ids:
            first.setdefault(got.message["data"]["person"], []).append(got.position)
        ids.setdefault(got.position, set()).add(got.id)
    assert all(len(some) == 1 for some in ids.values())
    assert all(some == sorted(some) for some in first.values())


def test_a_killed_dispatcher_loses_nothing(
    feed: Feed, database_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    rng = random.Random(seed)
    _hook(feed, receiver.url)
    receiver.answer = lambda _got: Reply(after_s=0.005)
    log = tmp_path / "dispatch.log"
    process = Process(database_url, log)
    wait_until(process.ready, "kentering dispatch", process=process.process, log=log)
    feed.tell(*(rng.randrange(3) for _ in range(300)))
    wait_until(lambda: len(receiver.accepted) > rng.randrange(5, 250), "some")
    process.process.send_signal(signal.SIGKILL)
    process.process.wait()
    feed.tell(0, 1, 2)
    with running(database_url, log) as last:
        wait_until(
            lambda: {got.position for got in receiver.accepted} == set(feed.positions()),
            "everything",
            timeout_s=60,
        )
        metrics = last.get("/metrics")
        assert metrics is not None
        assert 'kentering_dispatch_deliveries_total{outcome="delivered"}' in metrics.text
        assert "kentering_dispatch_webhooks 1.0" in metrics.text
    _in_order(receiver)


# SQLite is for one machine, whose processes are started again.
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_frozen_dispatcher_is_followed_by_another(
    feed: Feed, database_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    name = _hook(feed, receiver.url)
    with running(database_url, tmp_path / "1.log") as one:
        feed.tell(0, 1)
        wait_until(lambda: _arrived(receiver) == 2, "the first")
        one.process.send_signal(signal.SIGSTOP)
        with running(database_url, tmp_path / "2.log"):
            feed.tell(0, 1)
            wait_until(lambda: _arrived(receiver) == 4, "the second", timeout_s=30)
            one.process.send_signal(signal.SIGCONT)
            feed.tell(0, 1)
            wait_until(lambda: _arrived(receiver) == 6, "the third")
            time.sleep(1)
    # The one that was frozen may not have written down what it had sent.
    assert {got.position for got in receiver.accepted} == set(feed.positions())
    _in_order(receiver)
    with feed.engine.connect() as db:
        row = db.execute(select(feed_reader).where(feed_reader.c.name == name)).one()
    assert row.holder is None, "given back"
