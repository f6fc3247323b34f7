"""A town's people going on: events of anybody in logs, and the workers that read them.

As from the partitions of a topic: each worker has a log of its own, and a person's events are all
in one of them.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Engine, func, select

from bench.town import TYPES
from services.contract import tables
from services.contract.event import Consent, Event, Identity, encode, event_id_of, record_key
from services.runtime.clock import now_ms
from services.runtime.event_log import Record
from services.runtime.sqlite_log import SqliteLog
from tests.integration.product import KENTERING
from tests.servers.process import free_port, start, stop, wait_until

WORKERS = 2
PACE_PER_S = 500
TICK_S = 0.02
BACKLOG = 30_000
"""So many events always wait while a rate is taken: some batches of the largest size."""
APPEND = 1_000
LOOK_EVERY_S = 0.05
PATIENCE_S = 900
SEED = 31


_Reached = tuple[int, ...]
"""How many records of each log."""


class Townsfolk:
    """Writes the logs of a town's events.

    Args:
        engine: the town's database; it tells how far the logs are scored.
        folder: in which each worker has one.
        persons: whose user ids are ``u1`` and so on.
    """

    def __init__(self, engine: Engine, folder: Path, persons: int) -> None:
        self._engine = engine
        self._logs = [SqliteLog(one / "spool") for one in _places(folder)]
        self._persons = persons
        self._rng = random.Random(SEED + _logs_before(engine))
        self._told = [0] * WORKERS
        self._number = 0

    def leave(self) -> None:
        """Nothing more comes."""
        for log in self._logs:
            log.close()

    def keep_coming(self, seconds: float) -> float:
        """Let there be a backlog all the time; how many events a second were scored of it.

        From the end of one batch to that of another: a batch takes seconds.
        """
        end_s = time.perf_counter() + seconds
        marks: list[tuple[float, int]] = []
        while time.perf_counter() < end_s or len(marks) < 2:
            reached = self._reached()
            scored = sum(reached)
            if not marks or marks[-1][1] != scored:
                marks.append((time.perf_counter(), scored))
            while self._is_any_short(reached):
                self._tell(APPEND)
            time.sleep(LOOK_EVERY_S)
        (begun_s, before), (ended_s, after) = marks[min(1, len(marks) - 2)], marks[-1]
        return (after - before) / (ended_s - begun_s)

    def await_scored(self) -> None:
        """Until nothing waits."""
        wait_until(lambda: self._is_scored(self._told), "the backlog", timeout_s=PATIENCE_S)

    def come_steadily(self, seconds: float, until: Callable[[], bool]) -> list[float]:
        """Some events a second at fixed moments; after how many seconds each tick's were scored."""
        late_s: list[float] = []
        waiting: deque[tuple[float, _Reached]] = deque()
        begun_s = at_s = time.perf_counter()
        looked_s = begun_s
        while at_s - begun_s < seconds:
            time.sleep(max(0.0, at_s - time.perf_counter()))
            self._tell(round(PACE_PER_S * TICK_S))
            waiting.append((at_s, tuple(self._told)))
            at_s += TICK_S
            if time.perf_counter() - looked_s < LOOK_EVERY_S:
                continue
            looked_s = time.perf_counter()
            reached = self._reached()
            while waiting and _is_past(reached, waiting[0][1]):
                late_s.append(looked_s - waiting.popleft()[0])
            if until():
                break
        return late_s + [looked_s - sent_s for sent_s, _ in waiting]

    def _tell(self, number: int) -> None:
        told: list[list[Record]] = [[] for _ in self._logs]
        for i in range(number):
            event = self._event(self._number + i)
            record = Record(record_key(event), encode(event))
            told[record.key[0] % WORKERS].append(record)
        for which, records in enumerate(told):
            self._logs[which].append(records)
            self._told[which] += len(records)
        self._number += number

    def _is_any_short(self, reached: _Reached) -> bool:
        """Whether a worker may soon have nothing to do."""
        return any(
            told - done < BACKLOG / WORKERS for told, done in zip(self._told, reached, strict=True)
        )

    def _is_scored(self, told: Sequence[int]) -> bool:
        return _is_past(self._reached(), told)

    def _event(self, number: int) -> Event:
        at_ms, rng = now_ms(), self._rng
        kind = rng.choices([*TYPES], [*TYPES.values()])[0]
        mail = kind in {"sent", "open", "click"}
        return Event(
            v=1,
            workspace_id=1,
            event_id=event_id_of(1, 2, f"{self._logs[0].log_id} {number}"),
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

    def _reached(self) -> _Reached:
        """How far each log is scored; the first record's offset is 1."""
        row = tables.log_position.c
        ids = [log.log_id for log in self._logs]
        query = select(row.log_id, row.next).where(row.log_id.in_(ids))
        with self._engine.connect() as db:
            following = {row.log_id: row.next for row in db.execute(query)}
        return tuple(following.get(log_id, 1) - 1 for log_id in ids)


def _logs_before(engine: Engine) -> int:
    """In a kept town other people are active in each run: what was just written is at hand."""
    with engine.connect() as db:
        return db.execute(select(func.count()).select_from(tables.log_position)).scalar_one()


def _is_past(reached: Sequence[int], told: Sequence[int]) -> bool:
    return all(done >= wanted for done, wanted in zip(reached, told, strict=True))


def _places(folder: Path) -> list[Path]:
    return [folder / f"worker-{number}" for number in range(WORKERS)]


@contextmanager
def run_scorers(url: str, folder: Path) -> Iterator[None]:
    """``kentering scorer`` for each of the logs in a folder."""
    with ExitStack() as running:
        for place in _places(folder):
            told = {"KENTERING_DATA": str(place), "KENTERING_DATABASE_URL": url}
            health = ["--health-host", "127.0.0.1", "--health-port", str(free_port())]
            command = [KENTERING, "scorer", "--log", "spool", *health]
            process = start(command, place / "scorer.log", env=told)
            running.callback(stop, process, 15, 30)
        yield
