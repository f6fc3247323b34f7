"""What only the log in Kafka promises: shared partitions, outages."""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from services.contract.topics import Topic
from services.runtime import kafka_connection, kafka_log_reader
from services.runtime.event_log import Record
from services.runtime.kafka_log import KafkaLog
from services.runtime.kafka_log_reader import KafkaLogReader
from services.runtime.kafka_topics import ensure_topics
from tests.servers.kafka import Kafka, run_kafka
from tests.servers.process import free_port, wait_until

_numbers = itertools.count(1)


def new_topic(bootstrap: str) -> str:
    topic = Topic(f"kafka-{next(_numbers)}", partitions=4)
    list(ensure_topics(bootstrap, [topic], timeout_s=30))
    return topic.name


def records(count: int) -> list[Record]:
    return [Record(b"key-%d" % n, b"%d" % n) for n in range(count)]


class Member(threading.Thread):
    """A reader in a thread of its own; members keep positions where the others find them."""

    def __init__(self, bootstrap: str, topic: str, positions: dict[int, int]) -> None:
        super().__init__()
        self.values: list[bytes] = []
        self._positions = positions
        self._stop_asked = threading.Event()
        self._reader = KafkaLogReader(
            bootstrap, topic, f"{topic}-group", lambda _, partition: positions.get(partition)
        )

    def run(self) -> None:
        while not self._stop_asked.is_set():
            for record in self._reader.poll(20, 0.1):
                self._positions[record.partition] = record.offset + 1
                self.values.append(record.value)
        self._reader.close()

    def partitions(self) -> int:
        return len(self._reader._consumer.assignment())

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


@contextmanager
def members(count: int, bootstrap: str, topic: str, positions: dict[int, int]):
    started = [Member(bootstrap, topic, positions) for _ in range(count)]
    for member in started:
        member.start()
    try:
        yield started
    finally:
        for member in started:
            member.stop()


def test_a_group_shares_the_partitions_and_takes_over(kafka: str) -> None:
    topic = new_topic(kafka)
    log = KafkaLog(kafka, topic)
    positions: dict[int, int] = {}
    with members(2, kafka, topic, positions) as both:
        first, second = both
        wait_until(lambda: [m.partitions() for m in both] == [2, 2], "each to have its half")
        log.append(records(200))
        wait_until(lambda: sum(positions.values()) == 200, "all to be read")
        assert first.values
        assert second.values
        second.stop()
        log.append(records(200))
        wait_until(lambda: sum(positions.values()) == 400, "the first to take over")
    assert set(first.values + second.values) == {r.value for r in records(200)}
    log.close()


def test_a_backlog_is_read_in_the_order_in_which_it_came(kafka: str) -> None:
    topic = new_topic(kafka)
    log = KafkaLog(kafka, topic)
    for batch in range(30):
        log.append([Record(b"key-%d" % n, b"%d" % batch) for n in range(60)])
    log.close()
    reader = KafkaLogReader(kafka, topic, f"{topic}-group", lambda *_: 0)
    values: list[int] = []
    wait_until(lambda: values.extend(polled(reader)) or len(values) == 1_800, "all to be read")
    reader.close()
    latest = list(itertools.accumulate(values, max))
    # Two batches may bear the same millisecond.
    assert max(after - value for after, value in zip(latest, values, strict=True)) <= 1


def polled(reader: KafkaLogReader) -> list[int]:
    return [int(record.value) for record in reader.poll(700, 0.1)]


def test_offsets_that_somebody_stored_in_the_group_are_not_followed(kafka: str) -> None:
    topic = new_topic(kafka)
    log = KafkaLog(kafka, topic)
    log.append(records(200))
    log.close()
    meddler = KafkaConsumer(bootstrap_servers=kafka, group_id=f"{topic}-group")
    meddler.commit(
        {TopicPartition(topic, number): OffsetAndMetadata(5, "", -1) for number in range(4)}
    )
    meddler.close()
    positions: dict[int, int] = {}
    with members(1, kafka, topic, positions) as [member]:
        wait_until(lambda: sum(positions.values()) == 200, "all to be read")
    assert sorted(member.values) == sorted(r.value for r in records(200))


def test_a_joining_that_comes_about_between_two_polls_is_not_forgotten(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = new_topic(kafka)
    reader = KafkaLogReader(kafka, topic, f"{topic}-group", lambda *_: 0)
    wait_until(lambda: partitions_after_poll(reader) == 4, "to join")
    list(ensure_topics(kafka, [Topic(topic, partitions=5)], timeout_s=30))
    group, cluster = reader._consumer._coordinator, reader._consumer._cluster
    cluster.request_update()
    with monkeypatch.context() as hasty:
        hasty.setattr(kafka_log_reader, "JOIN_PATIENCE_S", 0)

        def is_joining() -> bool:
            reader.poll(1, 0)
            return group._join_task is not None

        wait_until(is_joining, "to join for the new partition")
    wait_until(lambda: group._join_task.is_done, "the broker to answer")
    wait_until(lambda: partitions_after_poll(reader) == 5, "to have joined", timeout_s=20)
    reader.close()


def partitions_after_poll(reader: KafkaLogReader) -> int:
    reader.poll(20, 0.1)
    return len(reader._consumer.assignment())


def test_no_broker_is_an_oserror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_connection, "BOOTSTRAP_TIMEOUT_MS", 500)
    nobody = f"127.0.0.1:{free_port()}"
    log = KafkaLog(nobody, "events")
    with pytest.raises(OSError, match="no Kafka broker"):
        log.append(records(1))
    log.close()
    with pytest.raises(OSError, match="no Kafka broker"):
        KafkaLogReader(nobody, "events", "group", lambda *_: None)
    with pytest.raises(OSError, match="no Kafka broker"):
        list(ensure_topics(nobody, [Topic("events", 1)], timeout_s=0))


def test_a_topic_that_is_not_there_is_an_oserror(kafka: str) -> None:
    log = KafkaLog(kafka, "nothing-here", delivery_timeout_ms=500)
    with pytest.raises(OSError, match="acknowledge"):
        log.append(records(1))
    log.close()
    with pytest.raises(OSError, match="no topic"):
        KafkaLogReader(kafka, "nothing-here", "group", lambda *_: None)


def test_topics_are_brought_to_their_settings(kafka: str) -> None:
    name = f"settings-{next(_numbers)}"

    def ensured(partitions: int, **config: str) -> list[str]:
        settings = {key.replace("_", "."): value for key, value in config.items()}
        return list(ensure_topics(kafka, [Topic(name, partitions, settings)], timeout_s=30))

    assert ensured(2, retention_ms="1000") == [f"{name}: created with 2 partitions"]
    assert ensured(2, retention_ms="1000") == [f"{name}: settings are as they should be"]
    assert ensured(3, retention_ms="2000", max_message_bytes="5000") == [
        f"{name}: from 2 to 3 partitions",
        f"{name}: retention.ms from 1000 to 2000",
        f"{name}: max.message.bytes from 1048588 to 5000",
    ]
    assert ensured(1) == [
        f"{name}: keeps its 3 partitions (1 would do)",
        f"{name}: settings are as they should be",
    ]


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    """To be maltreated; each test leaves it in good health."""
    with run_kafka() as broker:
        yield broker


def test_a_broker_that_was_frozen_or_gone_for_longer_than_the_timeout(broker: Kafka) -> None:
    topic = new_topic(broker.bootstrap)
    log = KafkaLog(broker.bootstrap, topic, delivery_timeout_ms=1_500, request_timeout_ms=1_000)
    log.append(records(10))
    broker.freeze()
    with pytest.raises(OSError, match=r"acknowledge|answers"):
        log.append(records(10))
    broker.thaw()
    wait_until(lambda: appended(log), "the log to work again")
    broker.kill()
    with pytest.raises(OSError, match=r"acknowledge|answers"):
        log.append(records(10))
    broker.start()
    wait_until(lambda: appended(log), "the log to work again")
    log.close()
    with pytest.raises(OSError, match="closed"):
        log.append(records(1))


def appended(log: KafkaLog) -> bool:
    try:
        log.append(records(10))
    except OSError:
        return False
    return True


def test_closing_ends_an_append_that_waits(broker: Kafka) -> None:
    log = KafkaLog(broker.bootstrap, new_topic(broker.bootstrap))
    log.append(records(10))
    broker.freeze()
    with ThreadPoolExecutor(1) as thread:
        appending = thread.submit(log.append, records(10))
        time.sleep(0.5)
        assert not appending.done(), f"it did not wait: {appending}"
        log.close()
        failure = appending.exception(30)
        broker.thaw()
    assert isinstance(failure, OSError)
    assert "closed" in str(failure)


def test_more_than_fits_one_request_comes_whole_and_in_order(kafka: str) -> None:
    topic = new_topic(kafka)
    log = KafkaLog(kafka, topic)
    big = [Record(b"key-%d" % (n % 3), b"%07d" % n + os.urandom(30_000)) for n in range(600)]
    log.append(big)
    log.close()
    positions: dict[int, int] = {}
    with members(1, kafka, topic, positions) as [member]:
        wait_until(lambda: sum(positions.values()) == len(big), "all to be read")
    assert sorted(member.values) == [record.value for record in big]
    for key in range(3):
        of_key = [value for value in member.values if int(value[:7]) % 3 == key]
        assert of_key == sorted(of_key)
