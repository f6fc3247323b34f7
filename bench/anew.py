"""Everybody folded anew: by another version of the model, and to compare with what is stored.

The scorer reads a simulated year into SQLite; what is measured comes after, on one core: folding
by another version in the background, its coming into force, and a replay.
"""

import json
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Engine

from bench.figures import Figure, Target
from bench.scoring import StreamsClock, fill, prepare
from bench.stream import PEOPLE, stream
from services.contract.event import decode
from services.model.version import Model, load
from services.runtime.database import open_database, reading, writing
from services.runtime.migrations import migrate
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.scorer.consume import Scorer
from services.scorer.positions import positions
from services.scorer.replay import Comparison, compare_next
from services.scorer.shadow import exchange, fold_next, keep
from services.scorer.uncollected import uncollected
from services.scorer.versions import add, model_of

FOLDED_PER_S_MIN = 20_000


def measure(folder: Path) -> list[Figure]:
    """On SQLite, which works in this process: all processor time is in the figures."""
    url = f"sqlite:///{folder / 'kentering.db'}"
    now_ms = _score(url, folder / "spool")
    engine = open_database(url)
    told = json.loads(files("services.model").joinpath("day_one.json").read_bytes())
    with writing(engine).begin() as db:
        version_id = add(db, json.dumps(told | {"version": "other"}).encode(), now_ms).id
        model = model_of(db, version_id)
    events, folded_s = _timed(lambda: _fold(engine, version_id, model))
    persons, exchanged_s = _timed(lambda: _exchange(engine, version_id, model, now_ms))
    done = Comparison(1)
    replayed, replayed_s = _timed(lambda: _replay(engine, done, model))
    engine.dispose()
    assert done.is_equal, done.differing
    name = f"Folded anew on SQLite, {events:,} events of {PEOPLE:,} persons"
    target = Target(FOLDED_PER_S_MIN, at_least=True)
    return [
        Figure(name, "by another version, one core", events / folded_s, "events/s", target),
        Figure(name, "its coming into force", persons / exchanged_s, "persons/s"),
        Figure(name, "replay", replayed / replayed_s, "events/s"),
    ]


def _score(url: str, spool: Path) -> int:
    """The year scored; when it ends."""
    arrivals = stream()
    fill(spool, arrivals)
    migrate(url)
    engine = open_database(url)
    reader = SqliteLogReader(spool, positions(engine))
    clock = StreamsClock(reader)
    scorer = Scorer(engine, reader, load(), clock=clock.now_ms)
    prepare(engine, arrivals[0].received_ms)
    while reader.lag():
        scorer.step(0)
    reader.close()
    engine.dispose()
    return decode(arrivals[-1].record.value).received_ms


def _timed(work: Callable[[], int]) -> tuple[int, float]:
    """(what work counts, its processor seconds)."""
    with uncollected():  # as the commands do
        begin_s = time.process_time()
        return work(), time.process_time() - begin_s


def _fold(engine: Engine, version_id: int, model: Model) -> int:
    events = after_id = 0
    while True:
        with reading(engine).begin() as db:
            shadows = fold_next(db, version_id, 1, model, after_id)
        if not shadows.last_id:
            return events
        with writing(engine).begin() as db:
            keep(db, version_id, shadows)
        after_id, events = shadows.last_id, events + shadows.events


def _exchange(engine: Engine, version_id: int, model: Model, now_ms: int) -> int:
    with writing(engine).begin() as db:
        return sum(exchange(db, version_id, model, [1], now_ms))


def _replay(engine: Engine, done: Comparison, model: Model) -> int:
    while True:
        with reading(engine).begin() as db:
            if not compare_next(db, done, model):
                return done.events
