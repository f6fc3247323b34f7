"""Who fills beside who scores and who edits: they wait for each other, and never in a circle."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, text

from services.api.segment_links import come_together, hold_segments
from services.api.segment_store import add_version, create_segment, find_segment
from services.contract import tables
from services.runtime.database import writing
from services.scorer import build
from services.scorer.aftermath import aftermath_step
from services.scorer.build import build_step
from services.scorer.filler import Filler
from services.scorer.owners import hold_persons
from services.scorer.segments import load_segments
from tests.contract.scorer.pure import assert_sound, intervals
from tests.contract.scorer.scene import MODEL, Scene, user
from tests.servers.process import wait_until

PAGED = {"type": "events", "event": ["page"], "within_days": 300}
VIEWED = {"type": "events", "event": ["vacancy_viewed"], "within_days": 300}
WITHIN_A = {"type": "in_segment", "segment": "a"}
PEOPLE = 10
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

_person, _version = tables.person.c, tables.segment_version.c
_link_table = tables.identity_link


@pytest.fixture
def busy(postgres: str, tmp_path: Path) -> Iterator[Scene]:
    """Some people who did something, where several work at once."""
    scene = Scene(postgres, tmp_path)
    _people(scene)
    yield scene
    scene.close()


def _people(scene: Scene) -> None:
    kinds = ("page", "vacancy_viewed")
    scene.score(*(scene.day(kinds[n % 2], user(f"u{n}"), day=190) for n in range(PEOPLE)))


def _ids(scene: Scene) -> list[int]:
    return [row.id for row in scene.rows(select(_person.id).order_by(_person.id))]


def _fill(scene: Scene) -> None:
    with writing(scene.engine).begin() as db:
        build_step(db, MODEL, scene.now_ms)


def _make(scene: Scene, key: str, rule: dict[str, Any]) -> None:
    with writing(scene.engine).begin() as db:
        hold_segments(db, 1)
        create_segment(db, 1, key, key, rule, "test", scene.now_ms)
        come_together(db, 1, key, "test", scene.now_ms)


def _edit(scene: Scene, key: str, rule: dict[str, Any]) -> None:
    with writing(scene.engine).begin() as db:
        hold_segments(db, 1)
        segment_id = find_segment(db, 1, key).newest.segment_id
        add_version(db, 1, segment_id, rule, "test", scene.now_ms)
        come_together(db, 1, key, "test", scene.now_ms)


def _nothing(_batch: Connection) -> None:
    pass


def _beside_a_batch(
    scene: Scene,
    begins: Callable[[Connection], Any],
    *works: Callable[[], None],
    goes_on: Callable[[Connection], Any] = _nothing,
) -> None:
    """A batch that goes on, and ends, when each of ``works`` waits for a lock; then they end."""
    failed: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  told to the test
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    with writing(scene.engine).begin() as batch:
        begins(batch)
        for number, thread in enumerate(threads, 1):
            thread.start()
            wait_until(lambda n=number: scene.rows(text(WAITING))[0][0] >= n, "a lock")
        goes_on(batch)
    for thread in threads:
        thread.join()
    assert not failed


def _members(scene: Scene) -> dict[int, set[int]]:
    """By segment, whom its live version holds."""
    live = scene.rows(select(_version.segment_id, _version.id).where(_version.status == "live"))
    by_person = {
        person: {one.key for one in held if one.kind == "segment"}
        for person, held in intervals(scene.engine).items()
    }
    return {
        row.segment_id: {person for person, keys in by_person.items() if str(row.id) in keys}
        for row in live
    }


def _passing_by(scene: Scene, persons: Sequence[int]) -> None:
    """A step of filling while others have these at hand."""
    with scene.engine.connect() as batch:
        hold_persons(batch, persons)
        _fill(scene)
    assert scene.rows(select(_version.passed_by))[0].passed_by == [*persons]


def test_whom_another_has_at_hand_is_passed_by_and_filled_later(
    busy: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _ids(busy)
    busy.segment("s", PAGED)
    _passing_by(busy, ids[1:3])
    # Their events go on meanwhile, and are folded without the segment.
    with monkeypatch.context() as scoring_alone:
        scoring_alone.setattr(Filler, "step", _nothing)
        busy.score(*(busy.day("page", user(f"u{n}"), day=195) for n in range(PEOPLE)))
    assert_sound(busy.engine)
    _passing_by(busy, ids[2:3])
    busy.build()
    assert_sound(busy.engine)
    (members,) = _members(busy).values()
    assert members == set(ids)


def test_filling_holds_nobody_while_it_waits_for_the_first_of_those_left(busy: Scene) -> None:
    ids = _ids(busy)
    busy.segment("s", PAGED)
    _passing_by(busy, ids[:2])
    _beside_a_batch(
        busy,
        lambda batch: hold_persons(batch, ids[:1]),
        lambda: _fill(busy),
        goes_on=lambda batch: hold_persons(batch, ids[1:2]),
    )
    assert busy.rows(select(_version.passed_by))[0].passed_by == []


def test_not_too_many_are_passed_by(busy: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "WAITS_FROM", 2)
    monkeypatch.setattr(build, "PERSONS_PER_QUICK_STEP", 3)
    ids = _ids(busy)
    busy.segment("s", PAGED)
    _passing_by(busy, ids[:2])
    _beside_a_batch(busy, lambda batch: hold_persons(batch, ids[:1]), lambda: _fill(busy))
    assert busy.rows(select(_version.passed_by))[0].passed_by == []


def test_a_step_of_long_histories_keeps_who_is_still_passed_by(
    busy: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "PERSONS_PER_QUICK_STEP", 5)
    ids = _ids(busy)
    busy.segment("s", PAGED)
    _passing_by(busy, ids[:3])
    monkeypatch.setattr(build, "EVENTS_MAX", 1)
    with busy.engine.connect() as batch:
        hold_persons(batch, ids[:1])
        _fill(busy)
    assert busy.rows(select(_version.passed_by))[0].passed_by == [ids[0], ids[2]]
    busy.build()
    assert_sound(busy.engine)


def test_who_was_passed_by_and_is_erased_is_waited_for_no_more(busy: Scene) -> None:
    ids = _ids(busy)
    busy.segment("s", PAGED)
    _passing_by(busy, ids[:1])
    busy.write(delete(tables.person_state).where(tables.person_state.c.person_id == ids[0]))
    busy.write(delete(_link_table).where(_link_table.c.person_id == ids[0]))
    busy.write(delete(tables.identity).where(tables.identity.c.person_id == ids[0]))
    busy.write(delete(tables.person).where(_person.id == ids[0]))
    _fill(busy)
    assert busy.rows(select(_version.passed_by))[0].passed_by == []


def test_what_comes_into_force_waits_for_nobody_at_hand(busy: Scene) -> None:
    busy.segment("s", PAGED)
    while not busy.rows(select(_version.id).where(_version.status == "live")):
        _fill(busy)

    def tell() -> None:
        with writing(busy.engine).begin() as db:
            aftermath_step(db, busy.now_ms)

    _beside_a_batch(
        busy,
        lambda batch: hold_persons(batch, _ids(busy)),
        tell,
        goes_on=lambda batch: load_segments(batch, 1, hold=True),
    )


def test_an_edit_while_what_refers_to_it_comes_into_force(busy: Scene) -> None:
    _make(busy, "a", PAGED)
    busy.build()
    _make(busy, "b", WITHIN_A)
    last = _ids(busy)[-1]
    building = select(_version.built_to).where(_version.status == "building")
    while busy.rows(building)[0].built_to < last:
        _fill(busy)
    _beside_a_batch(
        busy,
        lambda batch: load_segments(batch, 1, hold=True),
        lambda: _fill(busy),
        lambda: _edit(busy, "a", VIEWED),
    )
    busy.build()
    of_a, of_b = _members(busy).values()
    assert of_a == of_b != set()


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_what_was_filled_in_part_is_not_filled_twice(
    database: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build, "PERSONS_PER_QUICK_STEP", 3)
    scene = Scene(request.getfixturevalue(database), tmp_path)
    _people(scene)
    _make(scene, "a", PAGED)
    _fill(scene)
    _make(scene, "b", WITHIN_A)
    scene.build()
    assert_sound(scene.engine)
    scene.close()
