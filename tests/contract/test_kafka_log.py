"""What only the log in Kafka promises: shared partitions, outages, a producer that is stuck."""

import itertools
import time
from collections.abc import Iterator

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from services.contract.topics import Topic
from services.runtime import kafka_connection, kafka_log
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


class Member:
    """A reader that keeps positions where the group's other members find them."""

    def __init__(self, bootstrap: str, topic: str, positions: dict[int, int]) -> None:
        self.values: list[bytes] = []
        self.partitions: set[int] = set()
        self._positions = positions
        self.reader = KafkaLogReader(
            bootstrap, topic, f"{topic}-group", lambda _, partition: positions.get(partition)
        )

    def poll(self) -> None:
        batch = self.reader.poll(20, 0.1)
        for record in batch:
            self._positions[record.partition] = record.offset + 1
        self.values += [record.value for record in batch]
        self.partitions |= {record.partition for record in batch}


def poll_until(members: list[Member], condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        for member in members:
            member.poll()


def test_a_group_shares_the_partitions_and_takes_over(kafka: str) -> None:
    topic = new_topic(kafka)
    log = KafkaLog(kafka, topic)
    positions: dict[int, int] = {}
    first, second = (Member(kafka, topic, positions) for _ in range(2))
    both = [first, second]
    poll_until(both, lambda: all(len(m.reader._consumer.assignment()) == 2 for m in both))
    log.append(records(200))
    poll_until(both, lambda: sum(positions.values()) == 200)
    assert first.partitions.isdisjoint(second.partitions)
    assert sorted(first.values + second.values) == sorted(r.value for r in records(200))
    second.reader.close()
    log.append(records(200))
    poll_until([first], lambda: sum(positions.values()) == 400)
    assert len(first.values) + len(second.values) == 400
    first.reader.close()
    log.close()


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
    member = Member(kafka, topic, positions)
    poll_until([member], lambda: sum(positions.values()) == 200)
    assert sorted(member.values) == sorted(r.value for r in records(200))
    member.reader.close()


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


def test_a_topic_that_is_not_there_is_an_oserror(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_log, "METADATA_TIMEOUT_MS", 500)
    log = KafkaLog(kafka, "nothing-here")
    with pytest.raises(OSError, match="acknowledge"):
        log.append(records(1))
    log.close()


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


@pytest.fixture
def broker() -> Iterator[Kafka]:
    with run_kafka() as broker:
        yield broker


class IdempotentProducer(KafkaProducer):
    """As the library makes it by default: it is stuck for ever after a long outage."""

    def __init__(self, **options) -> None:
        super().__init__(**{**options, "enable_idempotence": True})


def test_a_stuck_producer_is_replaced(broker: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_log, "KafkaProducer", IdempotentProducer)
    topic = new_topic(broker.bootstrap)
    log = KafkaLog(
        broker.bootstrap,
        topic,
        delivery_timeout_ms=1_500,
        request_timeout_ms=1_000,
        wedged_after_ms=2_000,
    )
    log.append(records(10))
    stuck = log._producer
    broker.freeze()
    with pytest.raises(OSError, match=r"ack|success"):
        log.append(records(10))
    broker.thaw()
    wait_until(lambda: appended(log), "the log to work again")
    assert log._producer is not stuck
    log.close()


def appended(log: KafkaLog) -> bool:
    try:
        log.append(records(10))
    except OSError:
        return False
    return True
