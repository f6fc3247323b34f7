"""What both logs promise, tried on both; Kafka is the real one."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.contract.topics import Topic
from services.runtime.event_log import (
    RECORD_BYTES_MAX,
    EventLog,
    LogGapError,
    LogReader,
    Positions,
    Record,
    Stored,
)
from services.runtime.kafka_log import KafkaLog
from services.runtime.kafka_log_reader import KafkaLogReader
from services.runtime.kafka_topics import ensure_topics
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader

_numbers = itertools.count(1)


@dataclass
class Log:
    """A log under test: how to write to it, and how to read it from where."""

    open: Callable[[], EventLog]
    reader: Callable[[Positions], LogReader]


@pytest.fixture(params=["sqlite", "kafka"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    opened: list[EventLog | LogReader] = []

    def kept(thing):
        opened.append(thing)
        return thing

    if request.param == "sqlite":
        yield Log(
            lambda: kept(SqliteLog(tmp_path)),
            lambda positions: kept(SqliteLogReader(tmp_path, positions)),
        )
    else:
        bootstrap: str = request.getfixturevalue("kafka")
        topic = Topic(f"log-{next(_numbers)}", partitions=3)
        list(ensure_topics(bootstrap, [topic], timeout_s=30))
        group = f"{topic.name}-readers"
        yield Log(
            lambda: kept(KafkaLog(bootstrap, topic.name)),
            lambda positions: kept(KafkaLogReader(bootstrap, topic.name, group, positions)),
        )
    for thing in opened:
        thing.close()


def from_the_beginning(_log_id: str, _partition: int) -> int | None:
    return None


def records(count: int, keys: int = 7) -> list[Record]:
    return [Record(b"key-%d" % (n % keys), b"value-%d" % n) for n in range(count)]


def read(reader: LogReader, count: int, records_max: int = 1000) -> list[Stored]:
    """So many records, however long their coming takes within a minute."""
    found: list[Stored] = []
    deadline = time.monotonic() + 60
    while len(found) < count and time.monotonic() < deadline:
        batch = reader.poll(records_max, 0.5)
        assert len(batch) <= records_max
        found += batch
    assert len(found) == count
    return found


def test_everything_appended_is_read_once(log: Log) -> None:
    written = records(500)
    writer = log.open()
    writer.append(written[:1])
    writer.append([])
    writer.append(written[1:])
    reader = log.reader(from_the_beginning)
    found = read(reader, 500, records_max=60)
    assert sorted((r.key, r.value) for r in found) == sorted((r.key, r.value) for r in written)
    assert reader.poll(10, 0.1) == []
    assert reader.lag() == 0


def test_records_of_one_key_keep_their_order_and_partition(log: Log) -> None:
    written = records(300)
    log.open().append(written)
    by_key = defaultdict(list)
    for record in read(log.reader(from_the_beginning), 300):
        by_key[record.key].append(record)
    for key, found in by_key.items():
        assert [r.value for r in found] == [r.value for r in written if r.key == key]
        assert len({r.partition for r in found}) == 1
        assert [r.offset for r in found] == sorted(r.offset for r in found)


def test_records_without_key_are_taken_too(log: Log) -> None:
    log.open().append([Record(b"", b"one"), Record(b"", b"two")])
    found = read(log.reader(from_the_beginning), 2)
    assert {(r.key, r.value) for r in found} == {(b"", b"one"), (b"", b"two")}


def test_a_reader_waits_for_what_comes_later(log: Log) -> None:
    writer = log.open()
    reader = log.reader(from_the_beginning)
    assert reader.poll(10, 0.1) == []
    writer.append(records(3))
    read(reader, 3)


def test_another_reader_goes_on_where_the_position_says(log: Log) -> None:
    writer = log.open()
    writer.append(records(100))
    first = log.reader(from_the_beginning)
    positions = {}
    for record in read(first, 100):
        positions[first.log_id, record.partition] = record.offset + 1
    first.close()
    writer.append([Record(r.key, b"later " + r.value) for r in records(50)])
    second = log.reader(lambda log_id, partition: positions.get((log_id, partition)))
    found = read(second, 50)
    assert all(r.value.startswith(b"later ") for r in found)
    assert second.log_id == first.log_id


def test_seek_reads_again(log: Log) -> None:
    log.open().append([Record(b"key", b"%d" % n) for n in range(10)])
    reader = log.reader(from_the_beginning)
    found = read(reader, 10)
    reader.seek(found[4].partition, found[4].offset)
    assert read(reader, 6) == found[4:]


def test_a_paused_reader_gets_nothing_and_then_everything(log: Log) -> None:
    writer = log.open()
    asked = []
    reader = log.reader(lambda *place: asked.append(place))
    reader.pause()
    writer.append(records(20))
    for _ in range(10):
        assert reader.poll(10, 0.1) == []
    assert asked == []  # the database that knows positions is away
    reader.resume()
    read(reader, 10, records_max=1)
    reader.pause()
    assert reader.poll(10, 0.1) == []
    reader.resume()
    read(reader, 10)


def test_a_lookup_that_fails_is_asked_again(log: Log) -> None:
    log.open().append([Record(b"key", b"value")])
    answers = [ConnectionError("the database is away"), None]

    def positions(_log_id: str, _partition: int) -> int | None:
        answer = answers.pop(0) if answers else None
        if answer is not None:
            raise answer
        return None

    reader = log.reader(positions)
    with pytest.raises(ConnectionError):
        read(reader, 1)
    read(reader, 1)


def test_a_position_that_is_not_in_the_log_is_told(log: Log) -> None:
    log.open().append([Record(b"key", b"%d" % n) for n in range(5)])
    known = log.reader(from_the_beginning)
    last = read(known, 5)[-1]
    known.close()
    beyond = last.offset + 100
    reader = log.reader(lambda _, partition: beyond if partition == last.partition else None)
    for _ in range(2):  # and told again until it is dealt with
        with pytest.raises(LogGapError) as gap:
            read(reader, 1)
        found = (gap.value.partition, gap.value.expected, gap.value.found)
        assert found == (last.partition, beyond, last.offset + 1)
    reader.seek(last.partition, last.offset)
    assert read(reader, 1) == [last]


def test_a_record_too_large_for_any_log_is_refused_whole(log: Log) -> None:
    writer = log.open()
    with pytest.raises(ValueError, match="at most"):
        writer.append([Record(b"key", b"small"), Record(b"key", b"x" * RECORD_BYTES_MAX)])
    largest = Record(b"key", b"x" * (RECORD_BYTES_MAX - 3))
    writer.append([largest])
    assert [r.value for r in read(log.reader(from_the_beginning), 1)] == [largest.value]


@pytest.mark.parametrize("kind", ["sqlite", "kafka"])
def test_what_was_appended_survives_the_writer_being_killed(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    topic = f"killed-{next(_numbers)}"
    if kind == "kafka":
        bootstrap = request.getfixturevalue("kafka")
        list(ensure_topics(bootstrap, [Topic(topic, partitions=1)], timeout_s=30))
        opening = f"KafkaLog({bootstrap!r}, {topic!r})"
    else:
        opening = f"SqliteLog(Path({str(tmp_path)!r}))"
    program = f"""
        from pathlib import Path
        from services.runtime.event_log import Record
        from services.runtime.kafka_log import KafkaLog
        from services.runtime.sqlite_log import SqliteLog
        log = {opening}
        number = 0
        while True:
            log.append([Record(b"key", b"%d" % n) for n in range(number, number + 10)])
            number += 10
            print(number, flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    with process:
        promised = 0
        for line in process.stdout:
            promised = int(line)
            if promised >= 200:
                process.send_signal(signal.SIGKILL)
    reader: LogReader = (
        KafkaLogReader(bootstrap, topic, "g", from_the_beginning)
        if kind == "kafka"
        else SqliteLogReader(tmp_path, from_the_beginning)
    )
    found = read_all(reader, at_least=promised)
    reader.close()
    assert found[:promised] == [b"%d" % n for n in range(promised)]
    if kind == "sqlite":
        assert len(found) % 10 == 0  # a batch is there whole or not at all


def read_all(reader: LogReader, at_least: int) -> list[bytes]:
    values = [r.value for r in read(reader, at_least, records_max=at_least)]
    while batch := reader.poll(1000, 0.5):
        values += [r.value for r in batch]
    return values
