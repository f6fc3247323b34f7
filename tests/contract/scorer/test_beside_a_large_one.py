"""A workspace that is made beside a large one costs what it costs alone, however it grows.

PostgreSQL's statistics know of the large one alone until a good part of a table has changed.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from services.api.counts import count_at, trend
from services.api.people import identities_of, person_of_identity, states_of
from services.api.people_in import Asked, people_in
from services.api.phases import stretches
from services.api.record import history_of
from services.contract.phases import DAY_MS
from services.runtime.database import writing
from tests.contract.scorer.scene import NOW_MS, START_MS, Scene, user

PERSONS = 20_000
FEW, MANY = 200, 2_000
GROWN_MAX = 3
"""A statement may read so many times the pages: indexes get a level deeper."""
PAGES_MIN = 60
"""So many are always fine."""

LARGE = (
    """INSERT INTO person (id, workspace_id, public_id, first_ms, first_event_id, created_ms)
       SELECT n, 1, 'p_' || n, 0, int8send(n), 0 FROM generate_series(1, :persons) n""",
    """INSERT INTO identity (id, workspace_id, namespace, value, person_id, shared)
       SELECT n, 1, 'user_id', 'x' || n, n, false FROM generate_series(1, :persons) n""",
    """INSERT INTO identity_link (id, workspace_id, identity_id, person_id, known_from_ms)
       SELECT n, 1, n, n, 0 FROM generate_series(1, :persons) n""",
    """INSERT INTO event (workspace_id, event_id, identity_id, type, channel, occurred_ms,
                          received_ms, digest, payload)
       SELECT 1, int8send(n) || int8send(n), n, 'page', 'website', n, n, 'd', 'p'
       FROM generate_series(1, :persons) n""",
    """INSERT INTO person_state (person_id, workspace_id, state, model_version, version, last_ms,
                                 last_event_id, events, announced)
       SELECT n, 1, 's', 'v', 1, n, int8send(n), 1, '{}' FROM generate_series(1, :persons) n""",
    """INSERT INTO interval (workspace_id, kind, key, person_id, valid_from_ms, known_from_ms)
       SELECT 1, 'segment', key, n, n, 0
       FROM generate_series(1, :persons) n, generate_series(901, 905) key""",
    """INSERT INTO count_delta (workspace_id, kind, key, hour_ms, delta)
       SELECT 1, 'segment', key, n * 3600000::bigint, 1
       FROM generate_series(1, 2000) n, generate_series(901, 905) key""",
)
NUMBERED = ("person", "identity", "identity_link")


@pytest.fixture
def scene(postgres: str, tmp_path: Path) -> Iterator[Scene]:
    """The large one is 1, the new one 2."""
    scene = Scene(postgres, tmp_path)
    with writing(scene.engine).begin() as db:
        for statement in LARGE:
            db.execute(text(statement), {"persons": PERSONS})
        for table in NUMBERED:
            db.execute(text(f"SELECT setval('{table}_id_seq', {PERSONS})"))
    with writing(scene.engine).begin() as db:
        db.execute(text("ANALYZE"))
    scene.workspace(2)
    yield scene
    scene.close()


class Read:
    """Pages that each statement reads."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def of(self, work: Callable[[], object]) -> dict[str, int]:
        """By statement."""
        given: dict[str, Any] = {}

        def note(_connection, _cursor, statement, parameters, _context, _many) -> None:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                given[statement] = parameters

        event.listen(self._scene.engine, "before_cursor_execute", note)
        work()
        event.remove(self._scene.engine, "before_cursor_execute", note)
        return {one: self._pages(one, parameters) for one, parameters in given.items()}

    def _pages(self, statement: str, parameters: Any) -> int:
        with self._scene.engine.connect() as db:
            asked = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT TEXT) {statement}"
            told = "\n".join(row[0] for row in db.exec_driver_sql(asked, parameters))
            db.rollback()
        # The first line of buffers is of the whole statement.
        found = re.search(r"Buffers: shared (?:hit=(\d+))?(?: read=(\d+))?", told)
        return sum(int(one or 0) for one in found.groups()) if found else 0


def _come(scene: Scene, first: int, last: int) -> None:
    """New people, a few at a time as they come."""
    for begin in range(first, last, 500):
        some = range(begin, min(begin + 500, last))
        scene.score(*(scene.day("page", user(f"u{n}"), day=190, workspace_id=2) for n in some))


def _score_some(scene: Scene, day: float) -> None:
    for kind in ("vacancy_viewed", "page"):
        scene.score(*(scene.day(kind, user(f"u{n}"), day=day, workspace_id=2) for n in range(20)))


def _ask(scene: Scene, key: str) -> None:
    """What the API asks of somebody, and of a segment."""
    with scene.engine.connect() as db:
        row = person_of_identity(db, 2, "user_id", "u7")
        states_of(db, 2, [row.id])
        identities_of(db, 2, [row.id])
        [*history_of(db, 2, row.id, NOW_MS, None)]
        stretches(db, row, "phase", None, NOW_MS)
        people_in(db, 2, Asked("segment", key, NOW_MS, NOW_MS), 0, 10, events=True)
        count_at(db, 2, "segment", key, NOW_MS - DAY_MS)
        trend(db, 2, "segment", key, START_MS // DAY_MS * DAY_MS, DAY_MS, 10)


def test_what_is_read_of_somebody_does_not_grow_with_a_new_workspace(scene: Scene) -> None:
    rule = {"type": "events", "event": ["page"], "within_days": 300}
    key = scene.segment("s", rule, workspace_id=2)
    read = Read(scene)

    def grown_to(first: int, last: int, day: float) -> dict[str, int]:
        _come(scene, first, last)
        scene.build()
        scored = read.of(lambda: _score_some(scene, day))
        return scored | read.of(lambda: _ask(scene, key))

    few = grown_to(0, FEW, 191)
    many = grown_to(FEW, MANY, 192)
    grown = {
        statement: (few.get(statement, 0), pages)
        for statement, pages in many.items()
        if pages > max(PAGES_MIN, GROWN_MAX * few.get(statement, 0))
    }
    assert not grown
    assert len(many) > 30
