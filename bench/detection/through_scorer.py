"""The same people through the real scorer, disordered and repeated: both say the same, bit by bit.

What the contests fold in memory is what the product would store. Here a few of the simulated
people's events are written to a log out of order, some twice, and scored into SQLite; every stored
state and interval is then compared with the fold's own.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sqlalchemy import select

from bench.detection.worlds import TEST_SEEDS, WORLDS
from services.api.workspaces import create_workspace
from services.contract import tables
from services.contract.event import Event, encode, record_key
from services.model.interval import Interval
from services.model.rulebook import Rulebook
from services.model.state import encode_state
from services.model.timeline import advance
from services.model.version import load
from services.runtime.database import open_database, writing
from services.runtime.event_log import Record
from services.runtime.migrations import migrate
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.scorer.announce import prepare_feed
from services.scorer.consume import Scorer
from services.scorer.positions import positions

WORLD = "outside, dense"
REPEATED = 0.1
_Said = tuple[bytes, frozenset[Interval]]


class Agreement(NamedTuple):
    """How far scorer and fold agree."""

    people: int
    records: int
    different: int
    """People of whom the two do not say the same."""


def agreement(folder: Path, people: int, told: Callable[[], object]) -> Agreement:
    """Score so many people for real, and compare."""
    events = WORLDS[WORLD].world(TEST_SEEDS[0], range(people)).events
    records = _disordered([event for own in events for event in own])
    log = SqliteLog(folder / "spool")
    log.append(records)
    log.close()
    stored = _stored(folder, max(own[-1].occurred_ms for own in events), told)
    folded = Counter(_said(own) for own in events)
    return Agreement(people, len(records), (folded - stored).total() + (stored - folded).total())


def _disordered(events: list[Event]) -> list[Record]:
    rng = np.random.default_rng(len(events))
    again = rng.choice(len(events), int(REPEATED * len(events)), replace=False)
    order = rng.permutation(np.concatenate([np.arange(len(events)), again]))
    return [Record(record_key(events[i]), encode(events[i])) for i in order]


def _said(events: list[Event]) -> _Said:
    state, intervals = advance(None, events, load(), Rulebook())
    return encode_state(state), frozenset(intervals)


def _stored(folder: Path, now_ms: int, told: Callable[[], object]) -> Counter[_Said]:
    url = f"sqlite:///{folder / 'kentering.db'}"
    migrate(url)
    engine = open_database(url)
    create_workspace(engine, "Bench", "Europe/Amsterdam", None, now_ms)
    with writing(engine).begin() as connection:
        prepare_feed(connection)
    reader = SqliteLogReader(folder / "spool", positions(engine))
    scorer = Scorer(engine, reader, load(), clock=lambda: now_ms)
    while reader.lag():
        scorer.step(0)
        told()
    reader.close()
    row, piece = tables.person_state.c, tables.interval.c
    held: dict[int, set[Interval]] = defaultdict(set)
    with engine.connect() as db:
        wanted = (piece.kind, piece.key, piece.valid_from_ms, piece.valid_to_ms, piece.event_id)
        now = select(piece.person_id, *wanted).where(piece.known_to_ms.is_(None))
        for person, kind, key, from_ms, to_ms, cause in db.execute(now):
            begun = None if cause is None else bytes(cause)
            held[person].add(Interval(kind, key, from_ms, to_ms, begun))
        found = Counter(
            (bytes(state), frozenset(held[person]))
            for person, state in db.execute(select(row.person_id, row.state))
        )
    engine.dispose()
    return found
