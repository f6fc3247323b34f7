"""One place that follows the links of 100,000 people, beside the same people clicking themselves.

Everybody is known and was sent a mail. Then the clicks lie in the spool: once within twenty minutes
and all of one origin, as a scanner's, once over two days and each of an origin of its own. The
real scorer reads them into SQLite, which works in its process: all processor time, and all memory,
is in the figures. A segment of who clicked must be empty after the scanner, and hold everybody
after the people.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, Select, func, select

from bench.figures import Figure, Target
from bench.processes import resident_mb_max
from bench.scoring import APPEND, StreamsClock, prepare
from services.contract import tables
from services.contract.event import (
    LINK_SOURCE_ID,
    Consent,
    Event,
    Identity,
    Machine,
    encode,
    event_id_of,
    record_key,
)
from services.contract.phases import DAY_MS
from services.model.version import load
from services.runtime import telemetry
from services.runtime.database import open_database
from services.runtime.event_log import Record
from services.runtime.migrations import migrate
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.scorer.consume import Scorer
from services.scorer.positions import positions

RECIPIENTS = 100_000
SCANNER_MS = 20 * 60_000
PEOPLE_MS = 2 * DAY_MS
CPU_OF_PEOPLES_MAX = 1.5
MEMORY_MB_MAX = 250
SENT_MS = 1_780_000_000_000
CLICKS_MS = SENT_MS + 60_000
CLICKED = {"type": "events", "event": ["click"], "at_least": 1, "within_days": 400}


class Found(NamedTuple):
    """What the clicks cost, and what they came to."""

    click_us: float
    """The worker's processor time per click."""
    memory_mb: float
    frames: int
    """Rows that hold a sweep."""
    refolded: float
    members: int


def measure(folder: Path) -> list[Figure]:
    """Each in a process of its own, for its memory."""
    with ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        scanner = pool.submit(run, folder / "scanner", RECIPIENTS, one_place=True).result()
        people = pool.submit(run, folder / "people", RECIPIENTS, one_place=False).result()
    name = f"Clicks on the links of {RECIPIENTS:,} people, into SQLite"
    cost, memory = Target(CPU_OF_PEOPLES_MAX), Target(MEMORY_MB_MAX)
    wrong = abs(people.members - RECIPIENTS) + scanner.members
    return [
        Figure(name, "their own: CPU per click", people.click_us, "µs"),
        Figure(name, "one scanner's: CPU per click", scanner.click_us, "µs"),
        Figure(name, "as multiple of their own", scanner.click_us / people.click_us, "×", cost),
        Figure(name, "one scanner's: people folded again", scanner.refolded, ""),
        Figure(name, "one scanner's: frames kept", scanner.frames, ""),
        Figure(name, "taken for the wrong one", wrong, "", Target(0)),
        Figure("Memory", "scorer, most while one scanner clicks", scanner.memory_mb, "MB", memory),
        Figure("Memory", "scorer, most while people click", people.memory_mb, "MB", memory),
    ]


def run(folder: Path, recipients: int, *, one_place: bool) -> Found:
    """Score the clicks of so many people, or of one scanner on their links."""
    folder.mkdir()
    log = SqliteLog(folder / "spool")
    url = f"sqlite:///{folder / 'kentering.db'}"
    migrate(url)
    engine = open_database(url)
    reader = SqliteLogReader(folder / "spool", positions(engine))
    scorer = Scorer(engine, reader, load(), clock=StreamsClock(reader).now_ms)
    prepare(engine, SENT_MS, {"clicked": CLICKED})
    _score(log, scorer, _mailing(recipients))
    _append(log, _clicks(recipients, one_place=one_place))
    before, begin_s = _refolded(), time.process_time()
    while reader.lag():
        scorer.step(0)
    used_s = time.process_time() - begin_s
    found = Found(
        used_s / recipients * 1e6,
        resident_mb_max(os.getpid()),
        _count(engine, select(func.count()).where(tables.sweep.c.known_ms.is_not(None))),
        _refolded() - before,
        _count(
            engine,
            select(func.count()).where(
                tables.interval.c.kind == "segment", tables.interval.c.known_to_ms.is_(None)
            ),
        ),
    )
    reader.close()
    log.close()
    engine.dispose()
    return found


def _score(log: SqliteLog, scorer: Scorer, events: Iterator[Event]) -> None:
    _append(log, events)
    while scorer.step(0):
        pass


def _append(log: SqliteLog, events: Iterator[Event]) -> None:
    some: list[Record] = []
    for event in events:
        some.append(Record(record_key(event), encode(event)))
        if len(some) == APPEND:
            log.append(some)
            some = []
    if some:
        log.append(some)


def _mailing(recipients: int) -> Iterator[Event]:
    for n in range(recipients):
        yield _event("sent", n, SENT_MS, server_only=True, source_id=1)


def _clicks(recipients: int, *, one_place: bool) -> Iterator[Event]:
    for n in range(recipients):
        origin = "0a1b2" if one_place else f"{n:05x}"
        told = {"content_id": "story", "machine": Machine(origin=origin)}
        at_ms = CLICKS_MS + n * (SCANNER_MS if one_place else PEOPLE_MS) // recipients
        yield _event("click", n, at_ms, source_id=LINK_SOURCE_ID, **told)


def _event(type_: str, person: int, at_ms: int, **more: object) -> Event:
    told = {
        "v": 1,
        "workspace_id": 1,
        "event_id": event_id_of(1, 1, f"{type_}-{person}"),
        "type": type_,
        "identities": (Identity("person_token", f"{person:016x}"),),
        "occurred_ms": at_ms,
        "received_ms": at_ms,
        "channel": "email",
        "message_id": "newsletter",
        "consent": Consent(measure=True, profile=True),
    }
    return Event(**(told | more))  # type: ignore[arg-type]


def _refolded() -> float:
    return float(telemetry.SCORER_REFOLDED._value.get())  # noqa: SLF001


def _count(engine: Engine, query: Select[Any]) -> int:
    with engine.connect() as db:
        return int(db.execute(query).scalar_one())
