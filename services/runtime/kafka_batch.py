"""Kafka's record batch, format 2: how records go over the wire and stand on the broker's disk.

The client library builds them record by record at 10 µs and more each; the relay hands over
thousands at a time, which makes it a matter of joining bytes. The format is Kafka's public one
(https://kafka.apache.org/documentation/#recordbatch); the library's own reader and a real broker
check it in the tests.
"""

import struct
from collections.abc import Sequence

import crc32c
import zstandard

from services.runtime.event_log import Keyed

HEADER = struct.Struct(">qiibIhiqqqhii")
RECORD_OVERHEAD_BYTES = 20
"""A record takes at most so much more than its key and value, before compression."""

_MAGIC = 2
_ZSTD = 4
_LEVEL = 1  # half the time of the library's 3, a tenth more bytes
_NO_PRODUCER = (-1, -1, -1)  # id, epoch, sequence: no idempotence
_AFTER_LENGTH = 12
_AFTER_CHECKSUM = 21
_NO_KEY = b"\1"  # a length of −1
_NO_HEADERS = b"\0"
_SHORT_MAX = 16_384


def encode_batch(records: Sequence[Keyed], now_ms: int) -> bytes:
    """The records as one compressed batch; offsets are the broker's to give.

    Args:
        records: at least one, in order.
        now_ms: UTC milliseconds; where the topic says so, the broker puts its own clock's.
    """
    parts: list[bytes] = []
    for index, record in enumerate(records):
        key = _length(len(record.key)) + record.key if record.key else _NO_KEY
        # Attributes and the time since the batch's are zero.
        head = b"\0\0" + _length(index) + key + _length(len(record.value))
        parts += (_length(len(head) + len(record.value) + 1), head, record.value, _NO_HEADERS)
    # A compressor belongs to one thread, and costs little to make.
    body = zstandard.ZstdCompressor(level=_LEVEL).compress(b"".join(parts))
    last = len(records) - 1
    batch = bytearray(HEADER.size + len(body))
    length = len(batch) - _AFTER_LENGTH
    HEADER.pack_into(
        batch,
        0,
        *(0, length, -1, _MAGIC, 0, _ZSTD, last, now_ms, now_ms, *_NO_PRODUCER, len(records)),
    )
    batch[HEADER.size :] = body
    struct.pack_into(">I", batch, 17, crc32c.crc32c(memoryview(batch)[_AFTER_CHECKSUM:]))
    return bytes(batch)


def _varint(number: int) -> bytes:
    """A number ≥ 0 in zigzag and groups of seven bits, the lowest first."""
    left = number << 1
    groups = bytearray()
    while left > 127:
        groups.append(left & 127 | 128)
        left >>= 7
    groups.append(left)
    return bytes(groups)


_SHORT = tuple(_varint(number) for number in range(_SHORT_MAX))


def _length(number: int) -> bytes:
    return _SHORT[number] if number < _SHORT_MAX else _varint(number)
