"""The reading end of the log in a Kafka topic.

Kafka's consumer group only says who reads which partition. Positions never go to Kafka: they
are asked from whoever keeps them beside the effects of what was read.
"""

import time
from collections.abc import Iterable
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import (
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from kafka.structs import MemberState

from services.runtime.event_log import LogGapError, Positions, Stored
from services.runtime.in_time import InTime
from services.runtime.kafka_connection import connect

LOOKUP_TIMEOUT_MS = 5_000
CLOSE_TIMEOUT_MS = 3_000
JOIN_PATIENCE_S = 5.0
IN_TIME_PATIENCE_S = 0.1
"""Records are given out of time when of those before them none came for so long."""
FETCH_BYTES = 131_072
"""At once, of one partition: some thousand compressed events, or one batch of the broker's."""
AT_HAND_MIN = 500
"""Of a partition so many at least are read ahead."""
_UNPLACED_PAUSE_S = 0.05
_ALL = 2**31 - 1


class KafkaLogReader:
    """A member of a consumer group. Use it from one thread.

    Call :meth:`poll` at least every five minutes, also while paused: the group gives partitions
    of a silent member to others.

    Args:
        bootstrap: ``host:port`` of the brokers, several with commas.
        topic: the log's.
        group: readers of one group share the partitions.
        positions: asked from within :meth:`poll`, in the caller's thread, for each partition
            that was assigned; what it raises, :meth:`poll` raises, and it is asked again.
        session_timeout_ms: a reader that died without closing loses its partitions after this.

    Raises:
        OSError: no broker answers, or there is no such topic yet.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        group: str,
        positions: Positions,
        *,
        session_timeout_ms: int = 15_000,
    ) -> None:
        self._topic = topic
        self._positions = positions
        self._paused = False
        self._next: dict[int, int] = {}
        """Where :meth:`poll` goes on, per partition."""
        self._fetched: dict[int, int] = {}
        """Up to where records are at hand."""
        self._in_time = InTime()
        self._unplaced: set[TopicPartition] = set()
        self._consumer = connect(
            KafkaConsumer,
            bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            allow_auto_create_topics=False,
            session_timeout_ms=session_timeout_ms,
            reconnect_backoff_max_ms=2_000,
            request_timeout_ms=10_000,
            max_partition_fetch_bytes=FETCH_BYTES,
            metadata_max_age_ms=10_000,  # how soon new partitions are noticed
            metrics_enabled=False,
        )
        self.log_id = f"kafka-{self._consumer._cluster.cluster_id}-{topic}"  # noqa: SLF001
        self._consumer.subscribe([topic], listener=_Assigned(self._unplaced))
        # Heard of before joining, and after subscribing, or the library takes its partitions for
        # new ones: a leader that knows none shares out nothing, and would have all join again.
        if not self._consumer.partitions_for_topic(topic):
            self.close()
            raise OSError(f"Kafka has no topic {topic} yet")

    def poll(self, records_max: int, timeout_s: float) -> list[Stored]:
        """The next records, in order within each partition; see ``LogReader.poll``.

        Those of several partitions come in the order in which they were put in the log, as far as
        that is seen. While the group shares out its partitions anew it may take some seconds
        longer.
        """
        deadline = time.monotonic() + timeout_s
        # The library forgets a joining that comes about between two polls and begins another,
        # which disturbs all members: so it is waited for.
        joined_by = max(deadline, time.monotonic() + JOIN_PATIENCE_S)
        in_time_by = time.monotonic() + IN_TIME_PATIENCE_S
        while True:
            if self._paused:
                self._consumer.pause(*self._consumer.assignment())
            else:
                self._place()
                self._hold_back(2 * records_max)
            until = joined_by if self._is_joining() else deadline
            until = max(until, in_time_by) if self._awaits_more() else until
            if self._poll_once(max(0.0, until - time.monotonic())):
                in_time_by = time.monotonic() + IN_TIME_PATIENCE_S
            self._forget_others()
            records = [] if self._paused else self._given(records_max, in_time_by)
            until = joined_by if self._is_joining() else deadline
            if records or (time.monotonic() >= until and not self._awaits_more()):
                return records

    def seek(self, partition: int, offset: int) -> None:
        """Go on from ``offset``; does nothing where the partition is no longer ours."""
        place = TopicPartition(self._topic, partition)
        if place in self._consumer.assignment():
            self._consumer.seek(place, offset)
            self._next[partition] = self._fetched[partition] = offset
            self._in_time.forget(partition)

    def pause(self) -> None:
        """Let :meth:`poll` return nothing and ask for no positions, yet keep our partitions."""
        self._paused = True

    def resume(self) -> None:
        """End of :meth:`pause`."""
        self._paused = False
        self._consumer.resume(*self._consumer.assignment())

    def lag(self) -> int:
        """How many records :meth:`poll` has still to return, as far as was heard."""
        total = 0
        for place in self._consumer.assignment():
            end, position = self._consumer.highwater(place), self._next.get(place.partition)
            if end is not None and position is not None:
                total += max(0, end - position)
        return total

    def close(self) -> None:
        """Leave the group, so that others take our partitions over at once."""
        self._consumer.close(autocommit=False, timeout_ms=CLOSE_TIMEOUT_MS)

    def _is_joining(self) -> bool:
        return bool(self._consumer.group_metadata().state == MemberState.REBALANCING)

    def _given(self, records_max: int, in_time_by: float) -> list[Stored]:
        """Those that come next; none yet where more that belongs among them is on its way."""
        behind = self._behind()
        sure = self._in_time.sure(behind)
        if behind and sure < records_max and time.monotonic() < in_time_by:
            return []
        records = self._in_time.take(records_max, behind if sure else ())
        for record in records:
            self._next[record.partition] = record.offset + 1
        return records

    def _awaits_more(self) -> bool:
        """Whether there are records at hand that others may belong before."""
        return not self._paused and bool(self._in_time.partitions() and self._behind())

    def _behind(self) -> list[int]:
        """Our partitions in which more stands than is at hand, or may: it was not heard yet."""
        found = []
        for place in self._consumer.assignment():
            end = self._consumer.highwater(place)
            if end is None or end > self._fetched.get(place.partition, 0):
                found.append(place.partition)
        return found

    def _hold_back(self, records_max: int) -> None:
        """Read on only where little is at hand, about ``records_max`` in all."""
        assigned = self._consumer.assignment()
        enough = max(AT_HAND_MIN, records_max // max(1, len(assigned)))
        ahead = {place for place in assigned if self._in_time.count(place.partition) >= enough}
        held = self._consumer.paused()
        self._consumer.pause(*(ahead - held))
        self._consumer.resume(*(held - ahead))

    def _forget_others(self) -> None:
        """What is at hand of partitions that are another's by now, or were just given to us."""
        ours = self._consumer.assignment() - self._unplaced
        for partition in self._in_time.partitions():
            if TopicPartition(self._topic, partition) not in ours:
                self._in_time.forget(partition)

    def _poll_once(self, timeout_s: float) -> bool:
        """Have more at hand; whether anything came."""
        if self._is_joining():
            # Where it was new partitions that it joins for, the library takes itself for joined
            # from the moment when it has shared them out; it would read nothing any more.
            self._consumer._coordinator.request_rejoin()  # noqa: SLF001
        try:
            found = self._consumer.poll(timeout_ms=timeout_s * 1000, max_records=_ALL)
        except NoOffsetForPartitionError as error:
            # Assigned during this poll; they get their place before the next one.
            self._unplaced.update(error.args[0])
            time.sleep(min(_UNPLACED_PAUSE_S, timeout_s) if self._paused else 0)
            return False
        except OffsetOutOfRangeError as error:
            place, position = next(iter(error.args[0].items()))
            if self._in_time.count(place.partition):  # which come before the gap
                return False
            raise self._gap(place, position) from error
        except LogTruncationError as error:
            place = next(iter(error.divergent_offsets))
            raise self._gap(place, self._next.get(place.partition, 0)) from error
        except KafkaError as error:
            raise OSError(f"Kafka cannot be read now: {error}") from error
        return self._taken(found)

    def _taken(self, found: dict[TopicPartition, list[Any]]) -> bool:
        came = False
        for place, batch in found.items():
            # Just assigned, and begun where nobody told it to (somebody stored an offset in the
            # group): not taken, as it is put in its place before the next poll.
            if place in self._unplaced or not batch:
                continue
            records = (Stored(r.partition, r.offset, r.key or b"", r.value) for r in batch)
            self._in_time.add(
                place.partition, zip((r.timestamp for r in batch), records, strict=True)
            )
            self._fetched[place.partition] = batch[-1].offset + 1
            came = True
        return came

    def _place(self) -> None:
        """Put newly assigned partitions where their position says."""
        for place in list(self._unplaced):
            if place in self._consumer.assignment():
                position = self._positions(self.log_id, place.partition)
                if position is None:
                    position = self._ends(place)[0]
                self.seek(place.partition, position)
            self._unplaced.discard(place)

    def _gap(self, place: TopicPartition, position: int) -> LogGapError:
        first, end = self._ends(place)
        return LogGapError(place.partition, position, first if position < first else end)

    def _ends(self, place: TopicPartition) -> tuple[int, int]:
        try:
            first = self._consumer.beginning_offsets([place], LOOKUP_TIMEOUT_MS)[place]
            end = self._consumer.end_offsets([place], LOOKUP_TIMEOUT_MS)[place]
        except KafkaError as error:
            raise OSError(f"Kafka cannot be asked now: {error}") from error
        return int(first), int(end)


class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc] # the library has no types
    """Notes what was assigned; called in the consumer's own thread, so it does no more."""

    def __init__(self, unplaced: set[TopicPartition]) -> None:
        self._unplaced = unplaced

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._unplaced.update(assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing: what was read of them is fenced by the position's compare-and-set."""
