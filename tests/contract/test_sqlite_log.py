"""What only the log in SQLite promises: positions, trimming, its bounds, one writer."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from services.runtime.event_log import LogFullError, LogGapError, Record
from services.runtime.reader_position import reader_position, save_reader_position
from services.runtime.sqlite_file import newest_file
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader


class Clock:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


def opened(directory: Path, **options) -> SqliteLog:
    return SqliteLog(directory, **{"keep_ms": -1, **options})


def filled(directory: Path, count: int, **options) -> SqliteLog:
    log = opened(directory, **options)
    log.append([Record(b"key", b"%d" % n) for n in range(1, count + 1)])
    return log


def reader(directory: Path, position: int | None = None) -> SqliteLogReader:
    return SqliteLogReader(directory, lambda _log_id, _partition: position)


def test_its_id_is_its_own_and_stays(tmp_path: Path) -> None:
    first, other = opened(tmp_path / "a"), opened(tmp_path / "b")
    assert first.log_id != other.log_id
    first.close()
    again = opened(tmp_path / "a")
    assert again.log_id == first.log_id == reader(tmp_path / "a").log_id


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    log = opened(tmp_path)
    with pytest.raises(OSError, match="one writer"):
        opened(tmp_path)
    log.close()
    opened(tmp_path).close()


def test_reading_before_there_is_a_log(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        reader(tmp_path)


def test_a_reader_position_is_kept_per_log(tmp_path: Path) -> None:
    save_reader_position(tmp_path, "relay", "log-1", 17)
    save_reader_position(tmp_path, "relay", "log-1", 18)
    assert reader_position(tmp_path, "relay", "log-1") == 18
    assert reader_position(tmp_path, "relay", "log-2") is None
    assert reader_position(tmp_path, "scorer", "log-1") is None
    (tmp_path / "readers" / "relay").write_bytes(b"")
    assert reader_position(tmp_path, "relay", "log-1") is None


def test_trimming_waits_for_every_registered_reader(tmp_path: Path) -> None:
    log = filled(tmp_path, 10, readers=["relay", "scorer"])
    save_reader_position(tmp_path, "relay", log.log_id, 8)
    assert log.trim() == 0
    save_reader_position(tmp_path, "scorer", "another log", 8)
    assert log.trim() == 0
    save_reader_position(tmp_path, "scorer", log.log_id, 4)
    assert log.trim(records_max=2) == 2
    assert log.trim(records_max=2) == 1
    assert log.trim() == 0
    assert [r.offset for r in reader(tmp_path).poll(100, 0)] == list(range(4, 11))


def test_trimming_keeps_what_is_young(tmp_path: Path) -> None:
    clock = Clock()
    log = filled(tmp_path, 3, readers=["relay"], clock=clock, keep_ms=60_000)
    clock.now += 60_000
    log.append([Record(b"key", b"young")])
    save_reader_position(tmp_path, "relay", log.log_id, 5)
    assert log.trim() == 0
    clock.now += 1
    assert log.trim() == 3
    assert [r.value for r in reader(tmp_path).poll(100, 0)] == [b"young"]


def test_positions_are_never_used_twice(tmp_path: Path) -> None:
    log = filled(tmp_path, 5, readers=["relay"])
    save_reader_position(tmp_path, "relay", log.log_id, 6)
    assert log.trim() == 5
    log.close()
    again = opened(tmp_path, readers=["relay"])
    again.append([Record(b"key", b"next")])
    assert [r.offset for r in reader(tmp_path, 6).poll(10, 0)] == [6]


def test_positions_go_on_after_what_a_reader_has_seen(tmp_path: Path) -> None:
    # As after damage that lost the log's tail: it ends at 5, the reader has seen 9.
    log = filled(tmp_path, 5, readers=["relay"])
    save_reader_position(tmp_path, "relay", log.log_id, 10)
    log.close()
    again = opened(tmp_path, readers=["relay"])
    again.append([Record(b"key", b"next")])
    assert [r.offset for r in reader(tmp_path, 10).poll(10, 0)] == [10]


def test_missing_positions_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    filled(tmp_path, 10).close()
    with sqlite3.connect(newest_file(tmp_path)) as connection:
        connection.execute("DELETE FROM record WHERE position IN (4, 5, 10)")
    connection.close()
    reading = reader(tmp_path)
    assert [r.offset for r in reading.poll(100, 0)] == [1, 2, 3]
    with pytest.raises(LogGapError) as gap:
        reading.poll(100, 0)
    assert (gap.value.expected, gap.value.found) == (4, 6)
    reading.seek(0, gap.value.found)
    assert [r.offset for r in reading.poll(100, 0)] == [6, 7, 8, 9]
    with pytest.raises(LogGapError) as gap:
        reading.poll(100, 0)
    assert (gap.value.expected, gap.value.found) == (10, 11)


def test_its_bound_is_told_and_trimming_makes_room(tmp_path: Path) -> None:
    log = opened(tmp_path, readers=["relay"], bytes_max=2_000_000)
    batch = [Record(b"key", b"x" * 10_000) for _ in range(50)]
    while log.why_full() is None:
        log.append(batch)
    with pytest.raises(LogFullError, match="2000000"):
        log.append(batch)
    stored = len(reader(tmp_path).poll(1000, 0))
    assert 100 <= stored <= 250
    assert stored % 50 == 0
    save_reader_position(tmp_path, "relay", log.log_id, stored + 1)
    assert log.trim() == stored
    assert log.why_full() is None
    log.append(batch)


def test_a_disk_nearly_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = shutil.disk_usage(tmp_path)
    found = room._replace(total=50 * 2**30, free=4 * 2**30)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: found)
    log = SqliteLog(tmp_path, free_share_min=0.1)
    with pytest.raises(LogFullError, match=r"4\.0 GB of the spool.s disk .* 5\.0 are to stay"):
        log.append([Record(b"key", b"value")])
    assert reader(tmp_path).poll(10, 0) == []
    found = room._replace(total=2**40, free=11 * 2**30)
    log.append([Record(b"key", b"value")])
    assert len(reader(tmp_path).poll(10, 0)) == 1


def test_an_error_of_the_disk_is_told_and_got_over(tmp_path: Path) -> None:
    log = filled(tmp_path, 3)
    with sqlite3.connect(newest_file(tmp_path), isolation_level=None) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    log._connection.execute(f"PRAGMA max_page_count={pages}")  # SQLite's own "disk full"
    with pytest.raises(LogFullError):
        log.append([Record(b"key", b"x" * 100_000), Record(b"key", b"x" * 100_000)])
    log._connection.execute("PRAGMA max_page_count=1000000")
    log.append([Record(b"key", b"4")])
    assert [r.value for r in reader(tmp_path).poll(10, 0)] == [b"1", b"2", b"3", b"4"]
