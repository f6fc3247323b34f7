"""The writing end of the log in a Kafka topic; see ``kafka_log_reader`` for the other one."""

import contextlib
import random
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.partitioner import Partitioner
from kafka.producer.future import FutureRecordMetadata

from services.runtime.event_log import RECORD_BYTES_MAX, Record, check_sizes
from services.runtime.kafka_connection import connect

# The producer bounds no memory by itself, so we never have more than this outstanding.
OUTSTANDING_RECORDS_MAX = 2_000
OUTSTANDING_BYTES_MAX = 8_000_000

METADATA_TIMEOUT_MS = 5_000
CLOSE_TIMEOUT_S = 1.0
_LOOK_S = 0.2


class KafkaLog:
    """Appends with acks=all, one request in flight. Append from one thread; close from any.

    No idempotent producer: after an outage longer than the delivery timeout it never sends
    again, while ours goes on at once. What was reported as failed may be stored all the same, so
    appending it again may store it twice; readers deduplicate by event id anyway.

    Nothing is connected before the first append.

    Args:
        bootstrap: ``host:port`` of the brokers, several with commas.
        topic: must exist.
        delivery_timeout_ms: after this long without acknowledgement a record has failed.
        request_timeout_ms: after this long without an answer the connection is made anew.
        wedged_after_ms: when for so long beyond the delivery timeout nothing was acknowledged
            that should have been, the producer is replaced: it may be stuck for ever.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        *,
        delivery_timeout_ms: int = 30_000,
        request_timeout_ms: int = 10_000,
        wedged_after_ms: int = 30_000,
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._delivery_timeout_ms = delivery_timeout_ms
        self._request_timeout_ms = request_timeout_ms
        self._patience_s = (delivery_timeout_ms + wedged_after_ms) / 1000
        self._producer: KafkaProducer | None = None
        self._unacknowledged_since: float | None = None
        self._closed = threading.Event()

    def append(self, records: Sequence[Record]) -> None:
        """Store all records; every one is acknowledged by all in-sync replicas on return.

        Raises:
            ValueError: a record is too large; nothing was stored.
            OSError: not all were acknowledged, or the log was closed meanwhile; some may be
                stored.
        """
        check_sizes(records)
        for part in _parts(records):
            self._append_part(part)

    def close(self) -> None:
        """Let go of the connections, within some seconds; an append that waits fails."""
        self._closed.set()
        self._drop_producer()

    def _append_part(self, records: Sequence[Record]) -> None:
        if self._unacknowledged_since is None:
            self._unacknowledged_since = time.monotonic()
        try:
            self._send(records)
        except OSError:
            if self._is_wedged():
                self._drop_producer()
            raise
        self._unacknowledged_since = None

    def _send(self, records: Sequence[Record]) -> None:
        producer = self._connected()
        futures: list[FutureRecordMetadata] = []
        failure: Exception | None = None
        try:
            for record in records:
                # An empty key would send everything to one partition; None spreads.
                key = record.key or None
                futures.append(producer.send(self._topic, record.value, key=key))
        except KafkaError as error:
            failure = error
        # All are awaited, failed or not, so that none is still outstanding when we return.
        for future in futures:
            self._wait(future)
            failure = failure or future.exception
        if failure is not None:
            raise OSError(f"Kafka did not acknowledge: {failure}") from failure

    def _wait(self, future: FutureRecordMetadata) -> None:
        while not future.is_done:
            if self._closed.is_set():
                raise OSError("the log was closed while records waited for acknowledgement")
            if self._is_wedged():
                raise OSError("the Kafka producer tells neither success nor failure")
            with contextlib.suppress(KafkaError):  # the future keeps it for us
                future.get(timeout=_LOOK_S)

    def _is_wedged(self) -> bool:
        since = self._unacknowledged_since
        return since is not None and time.monotonic() - since > self._patience_s

    def _connected(self) -> KafkaProducer:
        if self._producer is None:
            self._producer = connect(
                KafkaProducer,
                self._bootstrap,
                acks="all",
                enable_idempotence=False,
                max_in_flight_requests_per_connection=1,
                delivery_timeout_ms=self._delivery_timeout_ms,
                request_timeout_ms=self._request_timeout_ms,
                max_block_ms=METADATA_TIMEOUT_MS,
                max_request_size=RECORD_BYTES_MAX + 10_000,
                reconnect_backoff_max_ms=2_000,
                batch_size=262_144,
                compression_type="zstd",
                partitioner=_ByChecksum(),
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        if self._closed.is_set():
            self._drop_producer()
            raise OSError("the log is closed")
        return self._producer

    def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        self._unacknowledged_since = None
        if producer is not None:
            _end(producer)


class _ByChecksum(Partitioner):  # type: ignore[misc] # the library has no types
    """Same key, same partition; the library's own way costs several µs more a record."""

    def partition(
        self, topic: str, _key: Any, key: bytes | None, _value: Any, _bytes: Any, cluster: Any
    ) -> int:
        count = len(cluster.partitions_for_topic(topic))
        return random.randrange(count) if key is None else zlib.crc32(key) % count  # noqa: S311


def _end(producer: KafkaProducer) -> None:
    try:
        producer.close(timeout=CLOSE_TIMEOUT_S)
    except KafkaError:
        # With records outstanding close() gives up and leaves its thread running for ever.
        producer._sender.force_close()  # noqa: SLF001 - there is no public way
        with contextlib.suppress(KafkaError):
            producer.close(timeout=CLOSE_TIMEOUT_S)


def _parts(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """The records in order, in parts that may be outstanding at one time."""
    start = size = 0
    for index, record in enumerate(records):
        size += len(record.value)
        if size > OUTSTANDING_BYTES_MAX or index - start == OUTSTANDING_RECORDS_MAX:
            yield records[start:index]
            start, size = index, len(record.value)
    if start < len(records):
        yield records[start:]
