"""A town's people going on: events of anybody in a log, and the scorer that reads it."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, select

from bench.town import TYPES
from services.contract import tables
from services.contract.event import Consent, Event, Identity, encode, event_id_of, record_key
from services.runtime.clock import now_ms
from services.runtime.event_log import Record
from services.runtime.sqlite_log import SqliteLog
from tests.integration.product import KENTERING
from tests.servers.process import free_port, start, stop, wait_until

PACE_PER_S = 500
TICK_S = 0.02
BACKLOG = 30_000
"""So many events always wait while a rate is taken: some batches of the largest size."""
APPEND = 1_000
LOOK_EVERY_S = 0.05
PATIENCE_S = 900
SEED = 31


class Townsfolk:
    """Writes the log of a town's events.

    Args:
        engine: the town's database; it tells how far the log is scored.
        folder: of the log.
        persons: whose user ids are ``u1`` and so on.
    """

    def __init__(self, engine: Engine, folder: Path, persons: int) -> None:
        self._engine = engine
        self._log = SqliteLog(folder, free_share_min=0.0)
        self._persons = persons
        self._rng = random.Random(SEED)
        self._told = 0

    def leave(self) -> None:
        """Nothing more comes."""
        self._log.close()

    def keep_coming(self, seconds: float) -> float:
        """Let there be a backlog all the time; how many events a second were scored of it.

        From the end of one batch to that of another: a batch takes seconds.
        """
        end_s = time.perf_counter() + seconds
        marks: list[tuple[float, int]] = []
        while time.perf_counter() < end_s or len(marks) < 2:
            scored = self._scored()
            if not marks or marks[-1][1] != scored:
                marks.append((time.perf_counter(), scored))
            while self._told - scored < BACKLOG:
                self._tell(APPEND)
            time.sleep(LOOK_EVERY_S)
        (begun_s, before), (ended_s, after) = marks[min(1, len(marks) - 2)], marks[-1]
        return (after - before) / (ended_s - begun_s)

    def await_scored(self) -> None:
        """Until nothing waits."""
        wait_until(lambda: self._scored() == self._told, "the backlog", timeout_s=PATIENCE_S)

    def come_steadily(self, seconds: float, until: Callable[[], bool]) -> list[float]:
        """Some events a second at fixed moments; after how many seconds each tick's were scored."""
        late_s: list[float] = []
        waiting: deque[tuple[float, int]] = deque()
        begun_s = at_s = time.perf_counter()
        looked_s = begun_s
        while at_s - begun_s < seconds:
            time.sleep(max(0.0, at_s - time.perf_counter()))
            self._tell(round(PACE_PER_S * TICK_S))
            waiting.append((at_s, self._told))
            at_s += TICK_S
            if time.perf_counter() - looked_s < LOOK_EVERY_S:
                continue
            looked_s = time.perf_counter()
            scored = self._scored()
            while waiting and waiting[0][1] <= scored:
                late_s.append(looked_s - waiting.popleft()[0])
            if until():
                break
        return late_s + [looked_s - sent_s for sent_s, _ in waiting]

    def _tell(self, number: int) -> None:
        events = [self._event(self._told + i) for i in range(number)]
        self._log.append([Record(record_key(event), encode(event)) for event in events])
        self._told += number

    def _event(self, number: int) -> Event:
        at_ms, rng = now_ms(), self._rng
        kind = rng.choices([*TYPES], [*TYPES.values()])[0]
        mail = kind in {"sent", "open", "click"}
        return Event(
            v=1,
            workspace_id=1,
            event_id=event_id_of(1, 2, f"{self._log.log_id} {number}"),
            source_id=1,
            type=kind,  # type: ignore[arg-type]
            identities=(Identity("user_id", f"u{rng.randrange(1, self._persons + 1)}"),),
            occurred_ms=at_ms,
            received_ms=at_ms,
            channel="email" if mail else "website",
            content_id=f"c{rng.randrange(60)}",
            message_id="m-now" if mail else None,
            consent=Consent(measure=True, profile=True),
            properties={"topics": ["energy"]},
        )

    def _scored(self) -> int:
        """Records; the first one's offset is 1."""
        row = tables.log_position.c
        query = select(row.next).where(row.log_id == self._log.log_id)
        with self._engine.connect() as db:
            following = db.execute(query).scalar()
        return 0 if following is None else following - 1


@contextmanager
def run_scorer(url: str, folder: Path) -> Iterator[None]:
    """``kentering scorer`` on the spool in a folder."""
    told = {"KENTERING_DATA": str(folder), "KENTERING_DATABASE_URL": url}
    health = ["--health-host", "127.0.0.1", "--health-port", str(free_port())]
    log = folder / "scorer.log"
    process = start([KENTERING, "scorer", "--log", "spool", *health], log, env=told)
    try:
        yield
    finally:
        stop(process, 15, 30)
