"""No statement goes through everybody for the sake of somebody: as the databases plan it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from services.runtime.database import open_database, writing
from tests.contract.scorer.scene import Scene, cookie, mail, user

LARGE = re.compile(r"SCAN (person|identity|event|interval|person_state|identity_link)\b")


@pytest.fixture
def scene(sqlite: str, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(sqlite, tmp_path)
    yield scene
    scene.close()


@contextmanager
def plans(scene: Scene) -> Iterator[dict[str, list[str]]]:
    """The plan of each statement that is executed."""
    given: dict[str, Any] = {}
    found: dict[str, list[str]] = {}

    def note(_connection, _cursor, statement, parameters, _context, many) -> None:
        given[statement] = parameters[0] if many else parameters

    event.listen(scene.engine, "before_cursor_execute", note)
    yield found
    event.remove(scene.engine, "before_cursor_execute", note)
    with scene.engine.connect() as db:
        for statement, parameters in given.items():
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                rows = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found[statement] = [row[3] for row in rows]


def test_people_are_joined_and_segments_filled_by_indexes(scene: Scene) -> None:
    anna, browser, address = user("anna"), cookie("c"), mail("anna@example.org")
    apart = [scene.day("page", one, day=day) for day, one in enumerate((anna, browser, address))]
    scene.score(*apart)
    with plans(scene) as found:
        scene.score(scene.day("identified", anna, browser, address, day=5, server_only=True))
        scene.segment("s", {"type": "events", "event": ["page"], "within_days": 30})
        scene.build()
    assert len({scene.person_of(one) for one in (anna, browser, address)}) == 1
    assert found
    all_of_many = {
        statement: plan for statement, plan in found.items() if any(map(LARGE.match, plan))
    }
    assert not all_of_many
    following = [plan for one, plan in found.items() if "ORDER BY person.id" in one]
    assert following
    assert not any("TEMP B-TREE" in step for plan in following for step in plan)


def test_people_of_a_version_that_statistics_know_nothing_of_are_found_by_their_ids(
    postgres: str,
) -> None:
    engine = open_database(postgres)
    with writing(engine).begin() as db:
        db.execute(text(WORKSPACE))
        db.execute(text(INTERVALS), {"first": 1, "last": 2})
    with writing(engine).begin() as db:
        db.execute(text("ANALYZE interval"))
        db.execute(text(INTERVALS), {"first": 3, "last": 3})
        ids = ", ".join(map(str, range(5000, 5010)))
        plan = db.execute(text(f"EXPLAIN {THEIRS} AND person_id = ANY (ARRAY[{ids}]::bigint[])"))
        told = "\n".join(plan.scalars())
    assert "members_by_person" in told
    engine.dispose()


WORKSPACE = """
INSERT INTO workspace (id, public_id, name, time_zone, created_ms)
VALUES (1, 'w', 'W', 'Europe/Amsterdam', 0)
"""
INTERVALS = """
INSERT INTO interval (workspace_id, kind, key, person_id, valid_from_ms, known_from_ms)
SELECT 1, 'segment', key, person, person * 1000, 0
FROM generate_series(CAST(:first AS INTEGER), CAST(:last AS INTEGER)) key,
     generate_series(1, 10000) person
"""
THEIRS = """
SELECT id, valid_from_ms FROM interval
WHERE workspace_id = 1 AND kind = 'segment' AND key = '3' AND known_to_ms IS NULL
"""


def test_to_end_an_interval_writes_to_no_index(postgres: str) -> None:
    engine = open_database(postgres)
    with writing(engine).begin() as db:
        db.execute(text(WORKSPACE))
        db.execute(text(INTERVALS), {"first": 1, "last": 1})
    with writing(engine).begin() as db:
        page = "SELECT id, (ctid::text::point)[0] FROM interval WHERE id % 20 = 0 ORDER BY id"
        before = db.execute(text(page)).all()
        db.execute(text("UPDATE interval SET known_to_ms = 1 WHERE id % 20 = 0"))
        after = db.execute(text(page)).all()
    assert before == after
    engine.dispose()
