"""A new segment filled over a town's people: by a worker alone, and while a scorer goes on.

Alone, several kinds of rules are filled over some of them, for what each costs. While scoring goes
on all is as in production: ``kentering scorer`` runs twice, each a process that reads a log of its
own and fills between its batches. First they have a backlog, and their rate is taken without and
with a segment to fill; then 500 events come a second, of anybody, until another segment is in
force.
"""

import math
import time
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, select

from bench.figures import Figure, Target, percentile
from bench.processes import cpu_s
from bench.townsfolk import PACE_PER_S, Townsfolk, run_scorers
from services.api.segment_store import create_segment, delete_segment
from services.contract import tables
from services.model.version import load
from services.runtime.clock import now_ms
from services.runtime.database import open_database, writing
from services.scorer.build import build_step
from services.scorer.uncollected import uncollected
from tests.servers.postgres import Postgres
from tests.servers.process import wait_until

COUNTS: dict[str, Any] = {
    "type": "all",
    "rules": [
        {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 35},
        {"type": "events", "event": ["click"], "at_least": 1, "within_days": 71},
    ],
}
RULES: dict[str, dict[str, Any]] = {
    "an attribute": {"type": "attribute", "name": "region", "op": "is", "value": "Noord"},
    "two windowed counts": COUNTS,
    "a probability": {"type": "probability", "of": "openness", "at_least": 0.3},
    "engagement and pressure": {
        "type": "all",
        "rules": [
            {"type": "engagement", "at_least": 3},
            {"type": "pressure", "channel": "email", "at_most": 3, "within_days": 30},
        ],
    },
}
ALONE_PERSONS = 20_000
"""So many are filled with each rule."""
MINUTES_MAX = 3
LOST_MAX = 100 / 3
PATIENCE_S = 900
FILLED = "filled"
"""The key of the segment."""

_version = tables.segment_version.c


class Spans(NamedTuple):
    """For how long, in seconds, the scorer is watched."""

    warm: float = 20
    backlog: float = 60
    """Without a segment to fill, and with one."""
    paced: float = 300
    """At most."""


def fill_alone(engine: Engine, measure: str, server: Postgres, persons: int) -> list[Figure]:
    """Each of the rules, by one worker that does nothing else."""
    figures: list[Figure] = []
    for name, rule in RULES.items():
        _create(engine, rule)
        begun = time.perf_counter(), time.process_time(), cpu_s(server.pid)
        while (filled := _filled(engine, persons)) < min(persons, ALONE_PERSONS):
            _build(engine)
        ended = time.perf_counter(), time.process_time(), cpu_s(server.pid)
        wall_s, own_s, server_s = (b - a for a, b in zip(begun, ended, strict=True))
        _delete(engine)
        while _build(engine):
            pass
        figures += [
            Figure(measure, f"filled alone, {name}", filled / wall_s, "persons/s"),
            Figure(measure, "  the scorer's CPU per person", own_s / filled * 1e6, "µs"),
            Figure(measure, "  PostgreSQL's own CPU per person", server_s / filled * 1e6, "µs"),
        ]
    return figures


def fill_while_scoring(
    url: str, folder: Path, measure: str, persons: int, spans: Spans
) -> list[Figure]:
    """Two windowed counts, with a backlog and at a pace."""
    engine = open_database(url)
    folk = Townsfolk(engine, folder, persons)
    with run_scorers(url, folder):
        folk.keep_coming(spans.warm)
        alone = folk.keep_coming(spans.backlog)
        _create(engine, COUNTS)
        together = folk.keep_coming(spans.backlog)
        busy = _filled(engine, persons) / spans.backlog
        _delete(engine)
        folk.await_scored()
        wait_until(lambda: not _is_left(engine), "what was given up", timeout_s=PATIENCE_S)
        _create(engine, COUNTS)
        begun_s = time.perf_counter()
        late_s = folk.come_steadily(spans.paced, until=lambda: _filled(engine, persons) >= persons)
        paced = _filled(engine, persons) / (time.perf_counter() - begun_s)
    folk.leave()
    engine.dispose()
    return [
        Figure(measure, "scored from a backlog", alone, "events/s"),
        Figure(measure, "  while a segment is filled", together, "events/s"),
        Figure(measure, "  share lost to it", (1 - together / alone) * 100, "%", Target(LOST_MAX)),
        Figure(measure, "  filled meanwhile", busy, "persons/s"),
        Figure(measure, "  so 1,000,000 persons take", _minutes(busy), "min"),
        Figure(measure, f"filled while {PACE_PER_S} events a second come", paced, "persons/s"),
        Figure(measure, "  so 1,000,000 persons take", _minutes(paced), "min", Target(MINUTES_MAX)),
        Figure(measure, "  an event is scored within, p50", percentile(late_s, 0.5), "s"),
        Figure(measure, "  p99", percentile(late_s, 0.99), "s"),
    ]


def _minutes(persons_per_s: float) -> float:
    """What a million take."""
    return 1e6 / persons_per_s / 60 if persons_per_s else math.inf


def _create(engine: Engine, rule: dict[str, Any]) -> None:
    with writing(engine).begin() as db:
        create_segment(db, 1, FILLED, "Filled", rule, "bench", now_ms())


def _delete(engine: Engine) -> None:
    row = tables.segment.c
    with writing(engine).begin() as db:
        query = select(row.id).where(row.workspace_id == 1, row.key == FILLED)
        delete_segment(db, db.execute(query).scalar_one(), now_ms())


def _build(engine: Engine) -> bool:
    with uncollected(), writing(engine).begin() as db:  # as the scorer does
        return build_step(db, load(), now_ms())


def _filled(engine: Engine, persons: int) -> int:
    """How many of the town's persons, whose ids are 1 and so on."""
    query = select(_version.built_to).where(
        _version.workspace_id == 1, _version.status == "building"
    )
    with engine.connect() as db:
        built_to = db.execute(query).scalar()
    return persons if built_to is None else min(built_to, persons)


def _is_left(engine: Engine) -> bool:
    """Whether something of a version that went is still to be done."""
    query = select(_version.id).where(_version.workspace_id == 1, _version.told_to.is_not(None))
    with engine.connect() as db:
        return db.execute(query.limit(1)).first() is not None
