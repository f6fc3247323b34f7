"""Batches as we make them, read by the library's own reader."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatch

from services.runtime.event_log import Record
from services.runtime.kafka_batch import encode_batch

NOW_MS = 1_780_000_000_000

records = st.builds(Record, st.binary(max_size=40), st.binary(max_size=300))


def read(batch: bytes) -> list[tuple[int, int, bytes | None, bytes]]:
    found = DefaultRecordBatch(batch)
    assert found.size_in_bytes == len(batch)
    assert found.validate_crc()
    assert not found.has_producer_id()
    return [(r.offset, r.timestamp, r.key, r.value) for r in found]


@given(st.lists(records, min_size=1, max_size=50))
def test_what_goes_in_comes_out(batch: list[Record]) -> None:
    expected = [(n, NOW_MS, r.key or None, r.value) for n, r in enumerate(batch)]
    assert read(encode_batch(batch, NOW_MS)) == expected


def test_lengths_of_every_width() -> None:
    sizes = [0, 1, 63, 64, 8_191, 8_192, 16_383, 16_384, 20_000, 999_999]
    batch = [Record(b"key", b"x" * size) for size in sizes]
    assert [len(value) for *_, value in read(encode_batch(batch, NOW_MS))] == sizes


def test_more_records_than_one_byte_counts() -> None:
    batch = [Record(b"k%d" % n, b"%d" % n) for n in range(20_000)]
    assert [value for *_, value in read(encode_batch(batch, NOW_MS))] == [r.value for r in batch]
