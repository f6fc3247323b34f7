"""The log: append is durable when it returns, read goes on from an offset, in order.

Two logs keep this contract: :mod:`services.runtime.sqlite_log` (the tracker's spool, and the
whole log of the embedded default) and :mod:`services.runtime.kafka_log`. One test suite runs
against both.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

RECORD_BYTES_MAX = 1_000_000
"""Key and value together; what is larger no Kafka topic of ours would take."""


class Keyed(Protocol):
    """What can be appended: something new, or what was read from another log."""

    @property
    def key(self) -> bytes:
        """Decides the partition; records of one key stay in order."""

    @property
    def value(self) -> bytes:
        """What it holds."""


Positions = Callable[[str, int], int | None]
"""(log id, partition) to the next offset to read; ``None`` for the log's beginning."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record to append; see :class:`Keyed`."""

    key: bytes
    value: bytes


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A record as read: its place, and what it holds."""

    partition: int
    offset: int
    key: bytes
    value: bytes


class LogGapError(Exception):
    """Records between two offsets are gone: retention ran ahead of the reader, or damage."""

    def __init__(self, partition: int, expected: int, found: int) -> None:
        super().__init__(f"partition {partition}: expected offset {expected}, found {found}")
        self.partition, self.expected, self.found = partition, expected, found


class LogFullError(Exception):
    """The log takes no more: its bound or the disk's is reached. Nothing was appended."""


class EventLog(Protocol):
    """Something that events can be appended to."""

    def append(self, records: Sequence[Keyed]) -> None:
        """Store all records durably, in order within a key; returns when that is done.

        Raises:
            ValueError: a record is larger than ``RECORD_BYTES_MAX``; nothing was stored.
            LogFullError: there is no room; nothing was stored.
            OSError: it could not be stored now; some may have been, so appending again may
                store a record twice (readers deduplicate by event id).
        """

    def close(self) -> None:
        """Let go of files and connections."""


class LogReader(Protocol):
    """Reads the partitions that are this reader's.

    Positions live with the reader's own effects (in its database or position file), so the log
    is told where to go on: after every (re)assignment ``positions`` is asked for the next offset
    of each partition.
    """

    log_id: str
    """Names the log in stored positions: a Kafka cluster and topic, or a spool."""

    def poll(self, records_max: int, timeout_s: float) -> list[Stored]:
        """The next records, at most ``records_max``; empty when none came in time.

        Raises:
            LogGapError: the position asked for is no longer (or not yet) in the log. It is
                raised again until the reader is told where to go on, by :meth:`seek`.
            OSError: the log cannot be read now; the position is kept.
        """

    def seek(self, partition: int, offset: int) -> None:
        """Go on from ``offset`` in ``partition``: used after a failed or fenced transaction."""

    def pause(self) -> None:
        """Let :meth:`poll` return nothing, yet keep our partitions: the database is away."""

    def resume(self) -> None:
        """End of :meth:`pause`."""

    def lag(self) -> int:
        """How many records stand in our partitions that :meth:`poll` has not returned."""

    def close(self) -> None:
        """Leave; another reader may take over at once."""


def checked_bytes(records: Sequence[Keyed]) -> int:
    """The bytes of all records; refuses what could never reach every log.

    Raises:
        ValueError: a record is larger than ``RECORD_BYTES_MAX``.
    """
    whole = 0
    for record in records:
        size = len(record.key) + len(record.value)
        if size > RECORD_BYTES_MAX:
            raise ValueError(f"a record of {size} bytes: at most {RECORD_BYTES_MAX} are taken")
        whole += size
    return whole
