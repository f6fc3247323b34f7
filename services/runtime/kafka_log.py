"""The writing end of the log in a Kafka topic; see ``kafka_log_reader`` for the other one."""

import random
import threading
import time
import zlib
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Any

from kafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    UnknownTopicOrPartitionError,
    for_code,
)
from kafka.future import Future
from kafka.net.compat import KafkaNetClient
from kafka.protocol.producer import ProduceRequest
from kafka.structs import TopicPartition

from services.runtime.clock import now_ms
from services.runtime.event_log import Keyed, checked_bytes
from services.runtime.kafka_batch import RECORD_OVERHEAD_BYTES, encode_batch
from services.runtime.kafka_connection import connect_network

OUTSTANDING_RECORDS_MAX = 10_000
OUTSTANDING_BYTES_MAX = 8_000_000
BATCH_BYTES_MAX = 1_000_000
"""Of one partition's batch before compression; one record may be larger. Below what the topic
takes (``max.message.bytes``)."""

CLOSE_TIMEOUT_S = 1.0
_LOOK_MS = 200
_RETRY_S = 0.1
_ALL_IN_SYNC = -1
_VERSION_MAX = 9

Waiting = dict[int, deque[bytes]]
"""Partition to its batches that are still to be acknowledged, in order."""


class KafkaLog:
    """Appends with acks=all. Append from one thread, close from any.

    The library's producer takes 25 µs and more for each record; here batches are made of many at
    a time (``kafka_batch``) and sent by its network client alone, in the caller's thread, one
    request in flight to a broker. Nothing is idempotent: what was reported as failed may be stored
    all the same, so appending it again may store it twice; readers deduplicate by event id anyway.

    Nothing is connected before the first append.

    Args:
        bootstrap: ``host:port`` of the brokers, several with commas.
        topic: must exist.
        delivery_timeout_ms: after this long without acknowledgement an append has failed.
        request_timeout_ms: after this long without an answer the connection is made anew.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        *,
        delivery_timeout_ms: int = 30_000,
        request_timeout_ms: int = 10_000,
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._delivery_timeout_s = delivery_timeout_ms / 1000
        self._request_timeout_ms = request_timeout_ms
        self._network: KafkaNetClient | None = None
        self._closed = threading.Event()
        self._using = threading.Lock()

    def append(self, records: Sequence[Keyed]) -> None:
        """Store all records; every one is acknowledged by all in-sync replicas on return.

        Raises:
            ValueError: a record is too large; nothing was stored.
            OSError: not all were acknowledged in time, or the log was closed meanwhile; some may
                be stored.
        """
        checked_bytes(records)
        with self._using:
            for part in _parts(records):
                self._append_part(part)

    def close(self) -> None:
        """Let go of the connections, within some seconds; an append that waits fails."""
        self._closed.set()
        # Who still appends sees it soon; one who cannot connect is left behind.
        if self._using.acquire(timeout=CLOSE_TIMEOUT_S):
            self._disconnect()
            self._using.release()

    def _append_part(self, records: Sequence[Keyed]) -> None:
        give_up_s = time.monotonic() + self._delivery_timeout_s
        waiting: Waiting | None = None
        while True:
            try:
                waiting = self._batches(records, give_up_s) if waiting is None else waiting
                while waiting:
                    self._send_first(waiting, give_up_s)
            except KafkaError as error:
                if time.monotonic() > give_up_s or not error.retriable:
                    # Whatever is still on its way, or stuck, goes with the connections.
                    self._disconnect()
                    raise OSError(f"Kafka did not acknowledge: {error!r}") from error
                self._connected().cluster.request_update()
                self._closed.wait(_RETRY_S)
            else:
                return

    def _batches(self, records: Sequence[Keyed], give_up_s: float) -> Waiting:
        """The records as batches, by the partition that each belongs to."""
        count = self._partition_count(give_up_s)
        shared: dict[int, list[Keyed]] = defaultdict(list)
        for record in records:
            # Without a key it may go anywhere; with one always to the same.
            place = zlib.crc32(record.key) if record.key else random.randrange(count)  # noqa: S311
            shared[place % count].append(record)
        sent_ms = now_ms()
        return {
            partition: deque(encode_batch(batch, sent_ms) for batch in _batched(theirs))
            for partition, theirs in shared.items()
        }

    def _send_first(self, waiting: Waiting, give_up_s: float) -> None:
        """Send the first batch of every partition; those acknowledged are taken away.

        Raises:
            KafkaError: of one that was not, after all were answered or failed.
        """
        by_leader: dict[int, dict[int, bytes]] = defaultdict(dict)
        for partition, batches in waiting.items():
            by_leader[self._leader(partition)][partition] = batches[0]
        failure: KafkaError | None = None
        sent = [self._send(leader, batches) for leader, batches in by_leader.items()]
        for answer in sent:
            try:
                failure = _settle(self._wait(answer, give_up_s), waiting) or failure
            except KafkaError as error:
                failure = error
        if failure is not None:
            raise failure

    def _leader(self, partition: int) -> int:
        leader = self._connected().cluster.leader_for_partition(
            TopicPartition(self._topic, partition)
        )
        if leader is None or leader < 0:
            raise LeaderNotAvailableError(f"partition {partition} has no leader now")
        return int(leader)

    def _send(self, leader: int, batches: dict[int, bytes]) -> Any:
        """The answer to come."""
        topic = ProduceRequest.TopicProduceData
        partitions = [
            topic.PartitionProduceData(index=partition, records=batch)
            for partition, batch in batches.items()
        ]
        request = ProduceRequest(
            transactional_id=None,
            acks=_ALL_IN_SYNC,
            timeout_ms=self._request_timeout_ms,
            topic_data=[topic(name=self._topic, partition_data=partitions)],
            max_version=_VERSION_MAX,
        )
        try:
            return self._connected().send(leader, request)
        except KafkaError as error:  # the broker is not known any more, or not yet again
            return Future().failure(LeaderNotAvailableError(str(error)))

    def _wait(self, future: Any, give_up_s: float) -> Any:
        """What comes of a request."""
        while not future.is_done:
            if self._closed.is_set():
                raise OSError("the log was closed while records waited for acknowledgement")
            if time.monotonic() > give_up_s:
                raise KafkaTimeoutError("no answer in time")
            self._connected().poll(timeout_ms=_LOOK_MS, future=future)
        if isinstance(future.exception, KafkaError):
            raise future.exception
        if future.exception is not None:
            raise KafkaConnectionError(future.exception) from future.exception
        return future.value

    def _partition_count(self, give_up_s: float) -> int:
        cluster = self._connected().cluster
        if not cluster.partitions_for_topic(self._topic):
            cluster.set_topics([self._topic])
            self._wait(cluster.request_update(), give_up_s)
        partitions = cluster.partitions_for_topic(self._topic)
        if not partitions:
            raise UnknownTopicOrPartitionError(f"there is no topic {self._topic}")
        return len(partitions)

    def _connected(self) -> KafkaNetClient:
        if self._network is None:
            self._network = connect_network(
                self._bootstrap,
                request_timeout_ms=self._request_timeout_ms,
                reconnect_backoff_max_ms=2_000,
                allow_auto_create_topics=False,
            )
        if self._closed.is_set():
            self._disconnect()
            raise OSError("the log is closed")
        return self._network

    def _disconnect(self) -> None:
        network, self._network = self._network, None
        if network is not None:
            network.close()


def _settle(answer: Any, waiting: Waiting) -> KafkaError | None:
    """Take away what was acknowledged; the error of what was not."""
    failure: KafkaError | None = None
    for topic in answer.responses:
        for place in topic.partition_responses:
            if place.error_code:
                failure = for_code(place.error_code)(place.error_message)
                continue
            waiting[place.index].popleft()
            if not waiting[place.index]:
                del waiting[place.index]
    return failure


def _parts(records: Sequence[Keyed]) -> Iterator[Sequence[Keyed]]:
    """The records in order, in parts that may be outstanding at one time."""
    return _cut(records, OUTSTANDING_RECORDS_MAX, OUTSTANDING_BYTES_MAX)


def _batched(records: Sequence[Keyed]) -> Iterator[Sequence[Keyed]]:
    """One partition's records in order, in batches that its topic takes."""
    return _cut(records, OUTSTANDING_RECORDS_MAX, BATCH_BYTES_MAX)


def _cut(records: Sequence[Keyed], count_max: int, bytes_max: int) -> Iterator[Sequence[Keyed]]:
    start = size = 0
    for index, record in enumerate(records):
        needs = len(record.key) + len(record.value) + RECORD_OVERHEAD_BYTES
        size += needs
        if index > start and (size > bytes_max or index - start == count_max):
            yield records[start:index]
            start, size = index, needs
    if start < len(records):
        yield records[start:]
