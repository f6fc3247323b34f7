"""Writers side by side, and four ways to read: nobody misses a change, none overtakes another."""

import itertools
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from httpx import Client

from services.contract.topics import CHANGES
from services.dispatch.dispatcher import Dispatcher
from services.runtime.database import writing
from services.runtime.kafka_log import KafkaLog
from services.runtime.kafka_log_reader import KafkaLogReader
from services.runtime.kafka_topics import ensure_topics
from services.scorer.announce import publish
from tests.contract.dispatch.conftest import Hook
from tests.contract.dispatch.feed import Feed, change, dispatching
from tests.contract.dispatch.test_stream import listening
from tests.servers.process import wait_until
from tests.servers.receiver import Receiver

WRITERS, TRANSACTIONS = 6, 40
_numbers = itertools.count(1)


@pytest.fixture
def database_url(postgres: str) -> str:
    """SQLite has one writer at a time by itself."""
    return postgres


@pytest.fixture
def topic(kafka: str) -> str:
    name = f"changes-{next(_numbers)}"
    list(ensure_topics(kafka, [replace(CHANGES, name=name)], 30))
    return name


def _write(feed: Feed, rng: random.Random) -> None:
    for _ in range(TRANSACTIONS):
        persons = [rng.randrange(3) for _ in range(rng.randrange(1, 5))]
        now = int(time.time() * 1000)
        with writing(feed.engine).begin() as db:
            time.sleep(rng.random() * 0.005)
            publish(db, [(1, change(10 + one, valid_ms=now)) for one in persons], now)
            # Committed well after its positions were given out.
            time.sleep(rng.random() * 0.01)


def _pages(client: Client, seen: list[int], done: threading.Event) -> None:
    while True:
        last = done.is_set()
        page = client.get("/v1/changes", params={"after": seen[-1] if seen else 0}).json()
        seen += [one["position"] for one in page["changes"]]
        if last and not page["changes"]:
            return


class Reader:
    """Of the topic, from its beginning, as the documents tell to read it."""

    def __init__(self, kafka: str, topic: str) -> None:
        self._reader = KafkaLogReader(kafka, topic, f"{topic}-test", lambda _log, _partition: 0)
        self._highest: dict[int, int] = {}
        self.records: list[dict] = []
        self.repeats = 0

    def poll(self) -> list[int]:
        for record in self._reader.poll(1000, 0.2):
            value = json.loads(record.value)
            assert record.key.decode() == f"{value['workspace']}:{value['person']}"
            if value["position"] <= self._highest.get(record.partition, 0):
                self.repeats += 1
                continue
            self._highest[record.partition] = value["position"]
            self.records.append(value)
        return [one["position"] for one in self.records]

    def close(self) -> None:
        self._reader.close()


@pytest.fixture
def reader(kafka: str, topic: str) -> Iterator[Reader]:
    reader = Reader(kafka, topic)
    yield reader
    reader.close()


def _by_person(told: Iterable[dict]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for one in told:
        found[one["person"]].append(one["position"])
    return found


def test_nothing_is_skipped_and_nobody_is_overtaken(
    feed: Feed,
    hook: Hook,
    client: Client,
    receiver: Receiver,
    kafka: str,
    topic: str,
    reader: Reader,
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    hook(receiver.url)
    log = KafkaLog(kafka, topic)
    seen: list[int] = []
    done = threading.Event()
    paging = threading.Thread(target=_pages, args=(client, seen, done))
    writers = [
        threading.Thread(target=_write, args=(feed, random.Random(seed + n)))
        for n in range(WRITERS)
    ]
    with listening(client, params={"after": 0}) as stream, dispatching(feed.engine, kafka=log):
        for thread in (paging, *writers):
            thread.start()
        for writer in writers:
            writer.join()
        done.set()
        paging.join()
        written = feed.positions()
        assert stream.wait_for(len(written)) == seen == written
        wait_until(lambda: len(receiver.accepted) >= len(written), "all messages", timeout_s=60)
        wait_until(lambda: len(reader.poll()) >= len(written), "all records", timeout_s=60)
    log.close()
    told = {data["position"]: data for _, data in stream.events}
    assert sorted(receiver.positions()) == sorted(reader.poll()) == written
    per_person = _by_person(told.values())
    assert _by_person(got.message["data"] for got in receiver.accepted) == per_person
    assert _by_person(reader.records) == per_person
    (first, *_) = reader.records
    assert {name: first[name] for name in told[1]} == told[first["position"]]
    assert (first["v"], first["workspace"]) == (1, "ws_1")


def test_a_copier_that_forgets_where_it_was_repeats_and_leaves_nothing_out(
    feed: Feed, kafka: str, topic: str, reader: Reader
) -> None:
    """As one that is killed between Kafka's acknowledgement and its own note of it."""
    feed.tell(0, 1, 2)
    log = KafkaLog(kafka, topic)

    class Forgetful(KafkaLog):
        def append(self, records) -> None:
            log.append(records)
            raise OSError("gone before it was noted")

    with dispatching(feed.engine, kafka=Forgetful(kafka, topic)) as broken:
        wait_until(lambda: broken.why_not_ready() is not None, "the fault to be told")
        wait_until(lambda: len(reader.poll()) == 3, "the records")
    feed.tell(0, 1, 2)
    with dispatching(feed.engine, kafka=log):
        wait_until(lambda: len(reader.poll()) == 6, "the rest")
    log.close()
    assert sorted(reader.poll()) == feed.positions()
    assert reader.repeats >= 3
    assert isinstance(broken, Dispatcher)
