"""The town's server: made for one run, or kept in a folder from one run to the next.

``KENTERING_BENCH_TOWN`` names the folder; in it each number of persons has a folder of its own.
What stands there is used again if it was made from the same seed by the same version of the model,
and its tables are brought up to date as any database of ours; else it is made anew. Runs leave
there what they did to it: some events more, and no segment of theirs.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, func, select, text

from bench.exporting import SEGMENT
from bench.filling import FILLED
from bench.town import KINDS, SEED, found_town
from services.api.segment_store import delete_segment
from services.contract import tables
from services.model.version import load
from services.runtime.clock import now_ms
from services.runtime.database import open_database, writing
from services.runtime.migrations import migrate
from services.scorer.build import build_step
from services.scorer.due import announce_due
from tests.servers.postgres import NOT_DURABLE, Postgres, run_postgres

KEPT = os.environ.get("KENTERING_BENCH_TOWN")
LOADING = {
    **NOT_DURABLE,
    "max_wal_size": "8GB",
    "maintenance_work_mem": "1GB",
    "max_parallel_maintenance_workers": "0",
    "shared_buffers": "1GB",
}
"""Of the server while the town is made."""
BUFFERS_KB_PER_PERSON = 14
"""Of the server afterwards: what scoring an event touches of a person, and the API of members."""
TOUCHED = (
    *("members_by_person", "intervals_of_person", "entries_at_time", "exits_at_time"),
    *("person_state", "person_state_pk", "boundaries_due", "persons_of_workspace"),
    *("event_pk", "events_of_identity", "count_delta", "counts_until"),
    *("person", "person_pk", "identity", "identity_pk", "links_of_identity", "links_of_person"),
    *("identity_workspace_id_namespace_value_key", "identity_link"),
)
"""The same by name. Of the rest, rows of intervals and events above all, nothing is in memory."""
SERVING = {
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "lz4",
    "effective_io_concurrency": "64",
}
"""As docs/running.md advises for many people; all else is as it comes, and durable."""
_DATABASE = "bench"


class Town(NamedTuple):
    """A town's database."""

    server: Postgres
    url: str
    key: str
    """Of its workspace's API."""


@contextmanager
def inhabited(persons: int) -> Iterator[Town]:
    """A server with a town of so many persons; stopped afterwards, and gone if it is not kept."""
    folder = Path(KEPT or tempfile.mkdtemp(prefix="kentering-town-")) / str(persons)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.parent.chmod(0o755)  # the server may be another user's process
        key = _kept_key(folder, persons) or _make(folder, persons)
        with run_postgres(_serving(persons), kept=folder) as server:
            url = server.url(_DATABASE)
            migrate(url)
            _warm(url)
            yield Town(server, url, key)
    finally:
        if KEPT is None:
            shutil.rmtree(folder.parent, ignore_errors=True)


def leave_alone(engine: Engine) -> None:
    """End what an earlier run, or one that was killed, began; and announce what came due since."""
    row = tables.segment.c
    mine = row.workspace_id == 1, row.key.in_((FILLED, SEGMENT)), row.deleted_ms.is_(None)
    with writing(engine).begin() as db:
        for segment_id in db.execute(select(row.id).where(*mine)).scalars().all():
            delete_segment(db, segment_id, now_ms())
    for step in (
        lambda db: build_step(db, load(), now_ms()),
        lambda db: announce_due(db, now_ms()),
    ):
        more = True
        while more:
            with writing(engine).begin() as db:
                more = bool(step(db))


def _warm(url: str) -> None:
    """Read into the server's memory what it has there once it has run for some hours."""
    engine = open_database(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("CREATE EXTENSION IF NOT EXISTS pg_prewarm"))
        for name in TOUCHED:
            db.execute(select(func.pg_prewarm(name)))
    engine.dispose()


def _serving(persons: int) -> dict[str, str]:
    buffers_mb = max(128, persons * BUFFERS_KB_PER_PERSON // 1024)
    return {**SERVING, "shared_buffers": f"{buffers_mb}MB"}


def _made_of(persons: int) -> dict[str, Any]:
    return {"persons": persons, "seed": SEED, "kinds": KINDS, "model": load().version}


def _kept_key(folder: Path, persons: int) -> str | None:
    told = _told(folder)
    if not told.exists():
        return None
    found: dict[str, Any] = json.loads(told.read_text())
    key: str = found.pop("key")
    return key if found == _made_of(persons) else None


def _make(folder: Path, persons: int) -> str:
    shutil.rmtree(folder)
    folder.mkdir()
    with run_postgres(LOADING, kept=folder) as server:
        server.execute(f"CREATE DATABASE {_DATABASE}")
        url = server.url(_DATABASE)
        migrate(url)
        engine = open_database(url)
        key = found_town(engine, persons, now_ms())
        engine.dispose()
        server.execute("CHECKPOINT")
    os.sync()  # what was written without it
    _told(folder).write_text(json.dumps({**_made_of(persons), "key": key}))
    return key


def _told(folder: Path) -> Path:
    return folder / "town.json"
