"""The relay between a real spool and a real broker that stops, freezes and comes back."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
from prometheus_client import REGISTRY

from services.contract.topics import EVENTS, Topic
from services.runtime.event_log import Record
from services.runtime.kafka_log import KafkaLog
from services.runtime.kafka_log_reader import KafkaLogReader
from services.runtime.kafka_topics import ensure_topics
from services.runtime.reader_position import reader_position
from services.runtime.sqlite_file import newest_file
from services.runtime.sqlite_log import SqliteLog
from services.tracker.relay import READER, Relay
from tests.servers.kafka import Kafka, run_kafka
from tests.servers.process import free_port, wait_until

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    """A broker of our own, to be maltreated."""
    # How long one that was killed counts as running still: its successor waits for that.
    with run_kafka({"broker.session.timeout.ms": "2500"}) as broker:
        yield broker


@pytest.fixture
def topic(broker: Kafka) -> str:
    topic = Topic(f"relay-{next(_numbers)}", partitions=3)
    list(ensure_topics(broker.bootstrap, [topic], timeout_s=30))
    return topic.name


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[SqliteLog]:
    log = SqliteLog(tmp_path)
    yield log
    log.close()


@contextmanager
def relaying(folder: Path, broker: Kafka, topic: str) -> Iterator[Relay]:
    kafka = KafkaLog(
        broker.bootstrap,
        topic,
        delivery_timeout_ms=2_000,
        request_timeout_ms=1_000,
    )
    relay = Relay(folder, kafka, backoff_max_s=0.5)
    worker = threading.Thread(target=relay.run)
    worker.start()
    try:
        yield relay
    finally:
        relay.stop()
        kafka.close()
        worker.join(20)
        assert not worker.is_alive()


def written(spool: SqliteLog, first: int, count: int) -> None:
    spool.append([Record(b"key-%d" % (n % 5), b"%d" % n) for n in range(first, first + count)])


def caught_up(folder: Path, spool: SqliteLog, position: int) -> Callable[[], bool]:
    return lambda: reader_position(folder, READER, spool.log_id) == position


def in_kafka(broker: Kafka, topic: str, wanted: set[int]) -> list[int]:
    """All numbers in the topic, read until the wanted ones and then some were seen."""
    reader = KafkaLogReader(broker.bootstrap, topic, f"{topic}-check", lambda *_: None)
    numbers: list[int] = []
    deadline = time.monotonic() + 60
    while not wanted <= set(numbers) and time.monotonic() < deadline:
        numbers += [int(r.value) for r in reader.poll(1000, 0.5)]
    numbers += [int(r.value) for r in reader.poll(1000, 0.5)]
    reader.close()
    return numbers


def test_the_spool_comes_into_kafka_in_order(
    tmp_path: Path, spool: SqliteLog, broker: Kafka, topic: str
) -> None:
    written(spool, 0, 3_000)
    with relaying(tmp_path, broker, topic) as relay:
        wait_until(caught_up(tmp_path, spool, 3_001), "the relay")
        written(spool, 3_000, 10)
        wait_until(caught_up(tmp_path, spool, 3_011), "the relay")
        assert relay.why_not_ready() is None
    numbers = in_kafka(broker, topic, set(range(3_010)))
    assert sorted(numbers) == list(range(3_010))
    for key in range(5):
        of_key = [n for n in numbers if n % 5 == key]
        assert of_key == sorted(of_key)


def test_another_relay_goes_on_where_the_first_stopped(
    tmp_path: Path, spool: SqliteLog, broker: Kafka, topic: str
) -> None:
    for first in (0, 100):
        written(spool, first, 100)
        with relaying(tmp_path, broker, topic):
            wait_until(caught_up(tmp_path, spool, first + 101), "the relay")
    assert sorted(in_kafka(broker, topic, set(range(200)))) == list(range(200))


def test_a_broker_that_is_stopped_and_started_again(
    tmp_path: Path, spool: SqliteLog, broker: Kafka, topic: str
) -> None:
    with relaying(tmp_path, broker, topic) as relay:
        written(spool, 0, 100)
        wait_until(caught_up(tmp_path, spool, 101), "the relay")
        broker.kill()
        written(spool, 100, 100)
        wait_until(lambda: relay.why_not_ready() is not None, "the relay to notice")
        broker.start()
        written(spool, 200, 100)
        wait_until(caught_up(tmp_path, spool, 301), "the relay")
        wait_until(lambda: relay.why_not_ready() is None, "the relay to be ready again")
    assert set(in_kafka(broker, topic, set(range(300)))) == set(range(300))


def test_a_broker_frozen_for_longer_than_the_delivery_timeout(
    tmp_path: Path, spool: SqliteLog, broker: Kafka, topic: str
) -> None:
    with relaying(tmp_path, broker, topic) as relay:
        written(spool, 0, 100)
        wait_until(caught_up(tmp_path, spool, 101), "the relay")
        broker.freeze()
        written(spool, 100, 100)
        wait_until(lambda: relay.why_not_ready() is not None, "the relay to notice")
        position = reader_position(tmp_path, READER, spool.log_id)
        broker.thaw()
        assert position == 101
        wait_until(caught_up(tmp_path, spool, 201), "the relay")
    # Some may be there twice: reported as failed, stored all the same.
    assert set(in_kafka(broker, topic, set(range(200)))) == set(range(200))


def test_damage_in_the_spool_is_counted_and_passed_over(
    tmp_path: Path, broker: Kafka, topic: str
) -> None:
    first = SqliteLog(tmp_path)
    written(first, 0, 1_000)
    first.close()
    with newest_file(tmp_path).open("r+b") as file:  # a page of records turns to nothing
        file.seek(6 * 4_096)
        file.write(bytes(4_096))
    spool = SqliteLog(tmp_path)
    written(spool, 1_000, 10)
    before = gone()
    with relaying(tmp_path, broker, topic):
        wait_until(caught_up(tmp_path, spool, 1_011), "the relay")
    spool.close()
    lost = gone() - before
    assert 0 < lost < 200
    numbers = in_kafka(broker, topic, {1_009})
    assert len(set(numbers)) == 1_010 - lost
    assert set(range(1_000, 1_010)) <= set(numbers)


def gone() -> float:
    value = REGISTRY.get_sample_value("kentering_log_gap_records_total", {"reader": READER})
    return value or 0.0


@pytest.fixture
def command(tmp_path: Path, broker: Kafka) -> Iterator[tuple[subprocess.Popen, int]]:
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from services.cli.relay import command; command()"),
            *("--health-port", str(port), "--delivery-timeout", "60"),
        ],
        env={**os.environ, "KENTERING_KAFKA": broker.bootstrap, "KENTERING_DATA": str(tmp_path)},
    )
    yield process, port
    process.kill()
    process.wait()


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code
    except URLError:
        return 0


def test_the_command_relays_and_stops_in_time_with_the_broker_frozen(
    tmp_path: Path, broker: Kafka, command: tuple[subprocess.Popen, int]
) -> None:
    process, port = command
    list(ensure_topics(broker.bootstrap, [EVENTS], timeout_s=30))
    wait_until(lambda: status(port, "/healthz") == 200, "the relay's health")
    wait_until(lambda: status(port, "/readyz") == 503, "word that there is no spool")
    folder = tmp_path / "spool"
    spool = SqliteLog(folder)
    written(spool, 0, 50)
    wait_until(caught_up(folder, spool, 51), "the relay")
    wait_until(lambda: status(port, "/readyz") == 200, "the relay to be ready")
    assert status(port, "/metrics") == 200
    broker.freeze()
    written(spool, 50, 50)
    time.sleep(1)  # for the batch to be under way; it passes without it too
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    broker.thaw()
    spool.close()
    assert process.returncode == 0
