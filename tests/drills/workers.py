"""Workers that join, leave, freeze, die and are wrong about the time, while servers go away.

What they come to is compared, bit for bit, with what one plain function says of the same events.
"""

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

from sqlalchemy import func, insert, select

from services.contract import tables
from services.contract.event import Event, encode, record_key
from services.contract.phases import DAY_MS, HOUR_MS
from services.contract.topics import Topic
from services.model.rulebook import Rulebook
from services.runtime.clock import now_ms
from services.runtime.database import open_database, writing
from services.runtime.event_log import Record
from services.runtime.kafka_log import KafkaLog
from services.runtime.kafka_topics import ensure_topics
from services.runtime.migrations import migrate
from services.scorer.announce import prepare_feed
from tests.contract.scorer.pure import assert_sound, assert_told_once, said, stored
from tests.drills.outcome import Outcome, checked
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres
from tests.servers.process import start, wait_until
from tests.simulation.world import arrivals, people

PARTITIONS = 8
WORKERS_MIN, WORKERS_MAX = 2, 8
FROZEN_S = 8.0
"""Longer than a session of theirs."""
PATIENCE_S = 400
MOVES = ("join", "leave", "kill", "kill", "freeze", "thaw", "database", "clock")
STORM = ("join", "leave")
JUMPS_MS = (HOUR_MS, -HOUR_MS, DAY_MS, -DAY_MS, 0)
"""By so much all workers' clocks are wrong, from one moment to the next."""
DEATHS = ("kill", "kill", "kill", "kill", "join")

Worker = Popen[bytes]


class Team:
    """Between two and eight workers on one topic."""

    def __init__(self, kafka: Kafka, postgres: Postgres, url: str, topic: str, log: Path) -> None:
        self._clock = log.with_suffix(".clock")
        told = (url, kafka.bootstrap, topic, self._clock)
        command = [sys.executable, "-m", "tests.simulation.worker", *map(str, told)]
        self._start = lambda: start(command, log)
        self._postgres = postgres
        self._frozen: dict[Worker, float] = {}
        self.workers = [self._start() for _ in range(WORKERS_MIN)]
        self.did: Counter[str] = Counter()

    def move(self, what: str, rng: random.Random) -> None:
        """One change to the team, where it allows it."""
        awake = [worker for worker in self.workers if worker not in self._frozen]
        done = False
        if what == "join" and len(self.workers) < WORKERS_MAX:
            self.workers.append(self._start())
            done = True
        elif what in {"leave", "kill"} and len(awake) > 1:
            worker = rng.choice(awake)
            worker.send_signal(signal.SIGTERM if what == "leave" else signal.SIGKILL)
            worker.wait(60)
            self.workers.remove(worker)
            if what == "kill" or len(self.workers) < WORKERS_MIN:
                self.workers.append(self._start())
            done = True
        elif what == "freeze" and len(awake) > 1:
            worker = rng.choice(awake)
            worker.send_signal(signal.SIGSTOP)
            self._frozen[worker] = time.monotonic()
            done = True
        elif what == "thaw":
            done = self.thaw(FROZEN_S)
        elif what == "database":
            self._postgres.stop()
            time.sleep(rng.uniform(0.2, 3.0))
            self._postgres.start()
            done = True
        elif what == "clock":
            self.set_clock(rng.choice(JUMPS_MS))
            done = True
        self.did[what] += done

    def set_clock(self, wrong_ms: int) -> None:
        """From now on everybody's clock is wrong by so much."""
        made = self._clock.with_suffix(".new")
        made.write_text(str(wrong_ms))
        made.replace(self._clock)

    def thaw(self, after_s: float) -> bool:
        """Wake who was frozen for so long; whether anybody was."""
        woken = [w for w, at_s in self._frozen.items() if time.monotonic() - at_s >= after_s]
        for worker in woken:
            worker.send_signal(signal.SIGCONT)
            del self._frozen[worker]
        return bool(woken)

    def end(self) -> None:
        """Nobody is left."""
        for worker in self.workers:
            worker.kill()
            worker.wait()


def workers(
    folder: Path,
    kafka: Kafka,
    postgres: Postgres,
    rng: random.Random,
    *,
    part: str,
    persons: int,
    moves: int,
    every_s: float,
    kinds: tuple[str, ...] = MOVES,
) -> Outcome:
    """So many moves, one every ``every_s`` seconds, while events of ``persons`` people arrive."""
    name = f"{part}_{rng.randrange(10**9)}"
    postgres.execute(f"CREATE DATABASE {name}")
    url = postgres.url(name)
    migrate(url)
    _workspace(url)
    events = arrivals(rng, people(rng, persons, 20, workspace_id=1))
    values = _with_poison(rng, events)
    list(ensure_topics(kafka.bootstrap, [Topic(name, PARTITIONS)], timeout_s=60))
    log = KafkaLog(kafka.bootstrap, name)
    team = Team(kafka, postgres, url, name, folder / f"{name}.log")
    began_s = time.monotonic()
    share = -(-len(values) // (moves + 1))
    try:
        for number in range(moves + 1):
            log.append(values[number * share : (number + 1) * share])
            if number < moves:
                time.sleep(rng.uniform(0.5, 1.5) * every_s)
                team.move(rng.choice(kinds), rng)
        team.thaw(0)
        team.set_clock(max(JUMPS_MS))  # nobody was ever told of a later time
        with suppress(AssertionError):  # told below, as what was lost
            wait_until(lambda: _read(url) == len(values), "all to be read", timeout_s=PATIENCE_S)
            wait_until(lambda: not _due(url), "all that is due", timeout_s=PATIENCE_S)
    finally:
        team.end()
        log.close()
    lasted_s = time.monotonic() - began_s
    did = ", ".join(f"{what} {times}" for what, times in sorted(team.did.items()))
    outcome = _compared(part, f"{len(values)} records in {lasted_s:.0f} s: {did}", url, events)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
    return outcome


def _with_poison(rng: random.Random, events: list[Event]) -> list[Record]:
    """One in a thousand is no event."""
    records = [Record(record_key(event), encode(event)) for event in events]
    for number in range(max(2, len(records) // 1000)):
        bad = Record(b"%d" % number, b"poison %d" % number)
        records.insert(rng.randrange(len(records)), bad)
    return records


def _compared(part: str, did: str, url: str, events: list[Event]) -> Outcome:
    engine = open_database(url)
    wanted = said(events, Rulebook()).persons
    found = stored(engine).persons
    ids = {event.event_id for event in events}
    state = tables.person_state.c
    with engine.connect() as db:
        known = {bytes(one) for one in db.execute(select(tables.event.c.event_id)).scalars()}
        counted = int(db.execute(select(func.sum(state.events))).scalar_one() or 0)
        letters = db.execute(select(func.count()).select_from(tables.dead_letter)).scalar_one()
        last_ms = db.execute(select(func.max(tables.change.c.recorded_ms))).scalar_one() or 0
    sound = _holds(lambda: assert_sound(engine))
    told = _holds(lambda: assert_told_once(engine, last_ms))
    engine.dispose()
    poison = max(2, len(events) // 1000)
    return checked(
        part,
        did,
        {
            "events": len(ids),
            "lost": len(ids - known),
            "counted twice": counted - len(ids),
            "persons other than one worker's": sum((wanted - found).values()),
            "in the dead letter, of poison": f"{letters} of {poison}",
        },
        {
            "nothing is lost": ids == known,
            "nothing counts twice": counted == len(ids),
            "persons and intervals are one worker's, bit for bit": found == wanted,
            "poison alone is in the dead letter": letters == poison,
            "counts are those of the intervals": sound,
            "each change was told once": told,
        },
    )


def _due(url: str) -> int:
    """Persons of whom something is to be announced by the time that workers are told of."""
    state = tables.person_state.c
    query = select(func.count()).where(state.due_ms <= now_ms() + max(JUMPS_MS))
    engine = open_database(url)
    try:
        with engine.connect() as db:
            return int(db.execute(query).scalar_one())
    finally:
        engine.dispose()


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except AssertionError:
        return False
    return True


def _workspace(url: str) -> None:
    engine = open_database(url)
    space = {"id": 1, "public_id": "ws", "name": "W", "time_zone": "UTC", "created_ms": 0}
    with writing(engine).begin() as db:
        db.execute(insert(tables.workspace).values(space))
        prepare_feed(db)
    engine.dispose()


def _read(url: str) -> int:
    engine = open_database(url)
    try:
        with engine.connect() as db:
            return int(db.execute(select(func.sum(tables.log_position.c.next))).scalar_one() or 0)
    finally:
        engine.dispose()
