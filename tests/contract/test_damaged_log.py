"""Damage to the files of a log in SQLite: noticed, counted, reported, and the rest is read.

The files are real ones, and what happens to them is what disks do: bytes turn into others, a file
ends too early, a whole page is zero.
"""

import os
import random
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from services.runtime.event_log import LogFullError, LogGapError, Record
from services.runtime.reader_position import save_reader_position
from services.runtime.sqlite_file import newest_file
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader

RECORDS = 1_000
PAGE = 4_096


@pytest.fixture
def rng() -> random.Random:
    """Another one each run; ``KENTERING_SEED`` repeats one."""
    seed = int(os.environ.get("KENTERING_SEED", random.randrange(10**6)))
    print(f"KENTERING_SEED={seed}")  # shown when the test fails
    return random.Random(seed)


def value(number: int) -> bytes:
    return b"%06d" % number * 60


def records(first: int, count: int) -> list[Record]:
    return [Record(b"key-%d" % (n % 7), value(n)) for n in range(first, first + count)]


def opened(directory: Path, **options) -> SqliteLog:
    return SqliteLog(directory, **{"keep_ms": -1, **options})


def filled(directory: Path) -> Path:
    """A closed log whose records are all in its main file; that file."""
    log = opened(directory)
    for first in range(1, RECORDS, 100):
        log.append(records(first, 100))
    log.close()
    return newest_file(directory)


def drained(directory: Path, start: int = 1) -> tuple[dict[int, bytes], int]:
    """(what can be read by position, how many were told to be gone)."""
    reader = SqliteLogReader(directory, lambda *_: start)
    found: dict[int, bytes] = {}
    gone = 0
    try:
        while True:
            try:
                batch = reader.poll(100, 0)
            except LogGapError as gap:
                gone += gap.found - gap.expected
                reader.seek(gap.partition, gap.found)
                continue
            if not batch:
                return found, gone
            found |= {record.offset: record.value for record in batch}
    finally:
        reader.close()


def assert_sound(found: dict[int, bytes], gone: int, last: int) -> None:
    """What was read is what was written; what was not read was told."""
    assert all(held == value(position) for position, held in found.items())
    assert len(found) + gone == last


def turn_bytes(file: Path, rng: random.Random, where: range, count: int) -> None:
    with file.open("r+b") as opened_file:
        for _ in range(count):
            place = rng.choice(where)
            opened_file.seek(place)
            was = opened_file.read(1)[0]
            opened_file.seek(place)
            opened_file.write(bytes([was ^ rng.randrange(1, 256)]))


def clear_page(file: Path, number: int) -> None:
    with file.open("r+b") as opened_file:
        opened_file.seek((number - 1) * PAGE)
        opened_file.write(bytes(PAGE))


@pytest.mark.parametrize("turn", range(8))
def test_bytes_turned_anywhere_behind_the_first_pages(
    tmp_path: Path, rng: random.Random, turn: int
) -> None:
    file = filled(tmp_path)
    turn_bytes(file, rng, range(5 * PAGE, file.stat().st_size), 1 + 3 * turn)
    found, gone = drained(tmp_path)
    assert_sound(found, gone, RECORDS)
    assert gone >= 0
    # The writer goes on behind, whatever it meets.
    log = opened(tmp_path)
    log.append(records(RECORDS + 1, 100))
    log.close()
    assert_sound(*drained(tmp_path), RECORDS + 100)


@pytest.mark.parametrize("page", range(1, 8))
def test_a_whole_page_that_is_zero(tmp_path: Path, page: int) -> None:
    """Page 1 names the tables, the next ones are their roots, then come the records."""
    file = filled(tmp_path)
    clear_page(file, page)
    log = opened(tmp_path)
    log.append(records(RECORDS + 1, 100))
    found, gone = drained(tmp_path)
    assert_sound(found, gone, RECORDS + 100)
    assert set(range(RECORDS + 1, RECORDS + 101)) <= set(found)
    assert gone < 20  # one page holds eight or nine
    log.close()


def test_records_that_run_over_several_pages_are_found_in_them(tmp_path: Path) -> None:
    log = opened(tmp_path)
    sizes = [1, 4_000, 4_040, 4_060, 4_100, 8_500, 30_000, 100_000]
    log.append([Record(b"key", bytes([65 + n]) * size) for n, size in enumerate(sizes)])
    log.close()
    clear_page(newest_file(tmp_path), 1)
    opened(tmp_path).close()
    found, gone = drained(tmp_path)
    assert ([len(held) for held in found.values()], gone) == (sizes, 0)


@pytest.mark.parametrize("limit_kb", [17, 40, 70, 111, 200])
def test_whichever_write_fails_what_was_acknowledged_stays(tmp_path: Path, limit_kb: int) -> None:
    log = opened(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_kb * 1024, limits[1]))
    stored = 0
    try:
        for _ in range(60):
            try:
                log.append(records(stored + 1, 10))
            except (OSError, LogFullError):
                continue
            stored += 10
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert stored < 600
    log.append(records(stored + 1, 10))
    found, gone = drained(tmp_path)
    assert (len(found), gone) == (stored + 10, 0)
    assert_sound(found, gone, stored + 10)
    log.close()


def test_a_reader_goes_over_to_the_repaired_file(tmp_path: Path) -> None:
    file = filled(tmp_path)
    reader = SqliteLogReader(tmp_path, lambda *_: 1)
    assert len(reader.poll(100, 0)) == 100
    clear_page(file, file.stat().st_size // PAGE)  # where the next record goes
    log = opened(tmp_path, readers=["relay"])
    log.append(records(RECORDS + 1, 5))
    assert newest_file(tmp_path) != file
    assert log.log_id == reader.log_id
    found: dict[int, bytes] = {}
    gone = 0
    while len(found) + gone < RECORDS - 100 + 5:
        try:
            found |= {record.offset: record.value for record in reader.poll(1_000, 0)}
        except LogGapError as gap:
            gone += gap.found - gap.expected
            reader.seek(gap.partition, gap.found)
    assert gone > 0
    assert set(range(RECORDS + 1, RECORDS + 6)) <= set(found)
    assert all(held == value(position) for position, held in found.items())
    # And what is done with can be trimmed.
    save_reader_position(tmp_path, "relay", log.log_id, RECORDS + 6)
    while log.trim():
        pass
    assert reader.poll(10, 0) == []
    reader.close()
    log.close()


def killed_with_a_write_ahead_log(directory: Path, ask: Callable[[], None]) -> Path:
    """As after a power cut: 60 records in the write-ahead log, none of them in the main file."""
    log = opened(directory)
    for first in range(1, 60, 10):
        log.append(records(first, 10))
    ask()
    # A copy of what lies on the disk at this moment is what a killed process leaves.
    left = directory.with_name("left")
    left.mkdir()
    for file in directory.iterdir():
        if not file.name.endswith("-shm") and file.is_file():
            (left / file.name).write_bytes(file.read_bytes())
    log.close()
    return left


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_write_ahead_log_cut_short_is_told_though_sqlite_says_nothing(
    tmp_path: Path, share: float
) -> None:
    left = killed_with_a_write_ahead_log(tmp_path / "log", lambda: None)
    ahead = next(left.glob("*-wal"))
    os.truncate(ahead, int(ahead.stat().st_size * share))
    log = opened(left)
    log.append(records(61, 5))
    found, gone = drained(left)
    assert gone > 0
    assert_sound(found, gone, 65)
    assert set(range(61, 66)) <= set(found)
    log.close()


def test_bytes_turned_in_the_write_ahead_log(tmp_path: Path, rng: random.Random) -> None:
    left = killed_with_a_write_ahead_log(tmp_path / "log", lambda: None)
    ahead = next(left.glob("*-wal"))
    turn_bytes(ahead, rng, range(ahead.stat().st_size), 3)
    log = opened(left)
    log.append(records(61, 5))
    assert_sound(*drained(left), 65)
    log.close()


def test_a_torn_end_that_was_never_committed_loses_nothing(
    tmp_path: Path, rng: random.Random
) -> None:
    left = killed_with_a_write_ahead_log(tmp_path / "log", lambda: None)
    ahead = next(left.glob("*-wal"))
    with ahead.open("ab") as file:
        file.write(rng.randbytes(10_000))
    log = opened(left)
    log.append(records(61, 5))
    found, gone = drained(left)
    assert (len(found), gone) == (65, 0)
    log.close()


def test_the_mark_itself_may_be_damaged_or_gone(tmp_path: Path) -> None:
    filled(tmp_path)
    for content in (b"", b"rubbish", b"spool-0123456789abcdef 00000000000000000007\n"):
        (tmp_path / "log.mark").write_bytes(content)
        log = opened(tmp_path)
        log.append(records(log._last + 1, 1))
        log.close()
    found, gone = drained(tmp_path)
    assert (len(found), gone) == (RECORDS + 3, 0)


def test_a_repair_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    file = filled(tmp_path)
    (tmp_path / "log.1.part").write_bytes(b"half")
    log = opened(tmp_path)
    assert newest_file(tmp_path) == file
    assert not (tmp_path / "log.1.part").exists()
    log.close()


def test_a_log_of_before_there_were_checksums_goes_on(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log._connection.execute("ALTER TABLE record DROP COLUMN checksum")
    log._connection.execute(
        "INSERT INTO record (appended_ms, key, value) VALUES (1, x'6b', ?)", (value(1),)
    )
    log.close()
    (tmp_path / "log.mark").unlink()
    log = opened(tmp_path)
    log.append(records(2, 2))
    found, gone = drained(tmp_path)
    assert (len(found), gone) == (3, 0)
    log.close()


def test_a_full_disk_while_repairing_is_told_and_tried_again(tmp_path: Path) -> None:
    file = filled(tmp_path)
    clear_page(file, file.stat().st_size // PAGE)  # where the next record goes
    log = opened(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        for _ in range(2):
            with pytest.raises((OSError, LogFullError)):
                log.append(records(RECORDS + 1, 5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    log.append(records(RECORDS + 1, 5))
    log.close()
    found, gone = drained(tmp_path)
    assert 0 < gone < 20
    assert_sound(found, gone, RECORDS + 5)
