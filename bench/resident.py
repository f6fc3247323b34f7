"""The most memory that one worker ever holds: ``kentering scorer`` as a process of its own.

The database is made before. In the worker's spool waits an event each of many persons, so that
every batch is of as many persons as of records, the dearest kind there is for memory.
"""

import time
from pathlib import Path

from sqlalchemy import Engine, select

from bench.hits import run_server
from bench.known import name_of
from bench.processes import resident_mb_max
from bench.scoring import APPEND
from services.contract import tables
from services.contract.event import Consent, Event, Identity, encode, event_id_of, record_key
from services.runtime.clock import now_ms
from services.runtime.database import open_database
from services.runtime.event_log import Record
from services.runtime.reader_position import reader_position
from services.runtime.sqlite_log import SqliteLog
from services.scorer.consume import READER
from tests.integration.product import KENTERING
from tests.servers.process import free_port, wait_until

PATIENCE_S = 900
_TYPES = ("page", "vacancy_viewed", "read", "page", "site_search")


def resident(url: str, folder: Path, persons: range) -> float:
    """Let a worker score an event of each person and announce all that is due; its peak in MB."""
    log = SqliteLog(folder / "spool")
    for begin in range(0, len(persons), APPEND):
        log.append([_record(person) for person in persons[begin : begin + APPEND]])
    log_id = log.log_id
    log.close()
    port = free_port()
    told = {"KENTERING_DATABASE_URL": url, "KENTERING_DATA": str(folder)}
    command = [KENTERING, "scorer", "--log", "spool", "--health-port", str(port)]
    engine = open_database(url)

    def is_done() -> bool:
        time.sleep(1.0)
        position = reader_position(folder / "spool", READER, log_id)
        return position == len(persons) + 1 and not _is_due(engine)

    with run_server(command, folder / "scorer.log", port, told) as worker:
        wait_until(is_done, "all to be scored and announced", timeout_s=PATIENCE_S)
        peak_mb = resident_mb_max(worker.pid)
    engine.dispose()
    return peak_mb


def _record(person: int) -> Record:
    at_ms = now_ms()
    event = Event(
        v=1,
        workspace_id=1,
        event_id=event_id_of(1, 1, f"visit-{person}"),
        source_id=1,
        type=_TYPES[person % len(_TYPES)],  # type: ignore[arg-type]
        identities=(Identity("user_id", name_of(person)),),
        occurred_ms=at_ms,
        received_ms=at_ms,
        channel="website",
        content_id=f"story-{person % 97}",
        consent=Consent(measure=True, profile=True),
        properties={"topics": ["energy", "grid"]},
    )
    return Record(record_key(event), encode(event))


def _is_due(engine: Engine) -> bool:
    row = tables.person_state.c
    with engine.connect() as db:
        query = select(row.person_id).where(row.due_ms <= now_ms()).limit(1)
        return db.execute(query).first() is not None
