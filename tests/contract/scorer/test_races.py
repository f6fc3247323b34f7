"""Several workers at once, on PostgreSQL, each step of theirs held open where it hurts."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.event import Agreement, Event, encode, record_key
from services.contract.phases import DAY_MS
from services.model.rulebook import Rulebook
from services.runtime.database import writing
from services.runtime.event_log import Stored
from services.scorer import batch
from services.scorer.batch import MovedError, apply
from services.scorer.build import build_step
from services.scorer.due import announce_due
from services.scorer.folding import Forecast
from services.scorer.identities import Identified, identify
from services.scorer.newcomers import introduce
from services.scorer.record import sort_out
from tests.contract.scorer.erased import erasure
from tests.contract.scorer.pure import assert_sound, assert_told_once, said, stored
from tests.contract.scorer.scene import MODEL, START_MS, Scene, cookie, mail, user


@pytest.fixture
def shared(postgres: str, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(postgres, tmp_path)
    yield scene
    scene.close()


class Partition:
    """Records that come next in a partition of a log that nobody else scores."""

    def __init__(self, number: int) -> None:
        self.number, self.following = number, 0

    def records(self, *events: Event) -> Sequence[Stored]:
        first, self.following = self.following, self.following + len(events)
        return [
            Stored(self.number, first + i, record_key(event), encode(event))
            for i, event in enumerate(events)
        ]


def _score(scene: Scene, records: Sequence[Stored]) -> None:
    while True:
        try:
            with writing(scene.engine).begin() as db:
                apply(db, "races", sort_out(records), MODEL, scene.now_ms)
        except MovedError:
            continue
        return


@contextmanager
def _meanwhile(scene: Scene, work) -> Iterator[Connection]:
    """A transaction that is open while ``work`` runs in a thread, at least until it waits."""
    thread = threading.Thread(target=work)
    with writing(scene.engine).begin() as db:
        yield db
        thread.start()
        deadline = time.monotonic() + 2
        while thread.is_alive() and time.monotonic() < deadline:
            query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            with scene.engine.connect() as other:
                if other.exec_driver_sql(query).scalar_one():
                    break
            time.sleep(0.01)
    thread.join(20)
    assert not thread.is_alive()


def _assert_as_pure(scene: Scene, events: Sequence[Event]) -> None:
    expected, found = said(events, Rulebook()), stored(scene.engine)
    assert found.links == expected.links
    assert found.persons == expected.persons
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


@pytest.mark.parametrize("newcomer_first", [True, False])
def test_a_second_person_comes_to_a_browser_while_the_first_goes_on(
    shared: Scene, newcomer_first: bool
) -> None:
    one, other = Partition(0), Partition(1)
    anna, bert, browser = user("anna"), user("bert"), cookie("c")
    before = [shared.day("page", anna, browser, day=1), shared.day("page", bert, day=1)]
    _score(shared, one.records(*before))
    newcomer = shared.day("page", bert, browser, day=10)
    goes_on = shared.day("page", anna, browser, day=20)
    after = shared.day("page", browser, day=25)
    first, second = (newcomer, goes_on) if newcomer_first else (goes_on, newcomer)
    later = other.records(second)
    with _meanwhile(shared, lambda: _score(shared, later)) as db:
        apply(db, "races", sort_out(one.records(first)), MODEL, shared.now_ms)
    _score(shared, one.records(after))
    _assert_as_pure(shared, [*before, newcomer, goes_on, after])


@pytest.mark.parametrize("tie_first", [True, False])
def test_a_browser_is_joined_while_it_goes_on(shared: Scene, tie_first: bool) -> None:
    one, other = Partition(0), Partition(1)
    before = [shared.day("page", cookie("c"), day=5), shared.day("page", user("a"), day=1)]
    _score(shared, one.records(*before))
    ties = shared.day("identified", user("a"), cookie("c"), day=6)
    goes_on = shared.day("vacancy_viewed", cookie("c"), day=7)
    first, second = (ties, goes_on) if tie_first else (goes_on, ties)
    later = other.records(second)
    with _meanwhile(shared, lambda: _score(shared, later)) as db:
        apply(db, "races", sort_out(one.records(first)), MODEL, shared.now_ms)
    _assert_as_pure(shared, [*before, ties, goes_on])


@pytest.mark.parametrize("meanwhile", [True, False])
def test_what_was_seen_with_newcomers_holds_while_who_is_who_stands(
    shared: Scene, meanwhile: bool
) -> None:
    one, other = Partition(0), Partition(1)
    anna, bert, browser = user("anna"), user("bert"), cookie("c")
    before = [shared.day("page", anna, browser, day=1), shared.day("page", bert, day=1)]
    _score(shared, one.records(*before))
    events = [
        shared.day("page", anna, browser, day=20),
        shared.day("page", user("new"), day=21),
        shared.day("page", bert, day=22),
    ]
    batch = sort_out(one.records(*events))
    with writing(shared.engine).begin() as db:
        first = introduce(db, "races", batch, MODEL, shared.now_ms)
    (seen,) = first.seen.values()
    assert seen.done == {events[1].event_id}
    assert first.outcome.new == 1
    if meanwhile:
        comes = shared.day("page", bert, browser, day=10)
        _score(shared, other.records(comes))
        before.append(comes)
    with writing(shared.engine).begin() as db:
        stands = identify(db, 1, [], seen).events is seen.events
        assert stands is not meanwhile
        apply(db, "races", batch, MODEL, shared.now_ms, first.seen)
    _assert_as_pure(shared, [*before, *events])


def _tie_and_its_copy(scene: Scene) -> tuple[list[Event], Event, Event]:
    """What tied two identities; the copy that ties nobody and counts instead; another tie."""
    anna, address = user("anna"), mail("anna@example.org")
    tie = scene.day("identified", anna, address, day=1, server_only=True)
    copy = msgspec.structs.replace(
        tie, identities=(anna,), received_ms=tie.received_ms - 1, properties={}
    )
    again = scene.day("identified", anna, address, day=3, server_only=True)
    return [tie, scene.day("page", address, day=2)], copy, again


def test_what_was_told_before_is_taken_back_just_when_it_was_looked_up(
    shared: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = Partition(0), Partition(1)
    before, copy, again = _tie_and_its_copy(shared)
    _score(shared, one.records(*before))
    whose, copies = batch.share_out, iter([copy])

    def and_then(*arguments):
        for each in copies:
            _score(shared, other.records(each))
        return whose(*arguments)

    monkeypatch.setattr(batch, "share_out", and_then)
    _score(shared, one.records(again))
    _assert_as_pure(shared, [*before, copy, again])


@pytest.mark.parametrize("copy_first", [True, False])
def test_what_was_told_before_is_taken_back_while_it_is_told_again(
    shared: Scene, copy_first: bool
) -> None:
    one, other = Partition(0), Partition(1)
    before, copy, again = _tie_and_its_copy(shared)
    _score(shared, one.records(*before))
    first, second = (copy, again) if copy_first else (again, copy)
    later = other.records(second)
    with _meanwhile(shared, lambda: _score(shared, later)) as db:
        apply(db, "races", sort_out(one.records(first)), MODEL, shared.now_ms)
    _assert_as_pure(shared, [*before, copy, again])


@pytest.mark.parametrize("due_first", [True, False])
def test_a_boundary_is_announced_while_an_event_comes(shared: Scene, due_first: bool) -> None:
    one = Partition(0)
    events = [shared.day("applied", user("a"), day=day) for day in range(3)]
    shared.now_ms = events[-1].received_ms
    _score(shared, one.records(*events))
    shared.now_ms += 399 * DAY_MS  # whatever was predicted has come about
    events.append(shared.event("page", user("a"), at_ms=shared.now_ms - 1000))
    records = one.records(events[-1])

    def due(db: Connection) -> None:
        announce_due(db, shared.now_ms)

    def event(db: Connection) -> None:
        apply(db, "races", sort_out(records), MODEL, shared.now_ms)

    def run(work) -> None:
        with writing(shared.engine).begin() as db:
            work(db)

    first, second = (due, event) if due_first else (event, due)
    with _meanwhile(shared, lambda: run(second)) as db:
        first(db)
    run(due)
    _assert_as_pure(shared, events)


def test_somebody_is_erased_while_a_new_event_of_theirs_is_scored(
    shared: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.secret()
    shared.score(shared.day("page", user("anna"), day=1))
    forecast, erasures = batch._forecast, Partition(0)
    word = [erasure(shared, user("anna"), day=3)]

    def erased_before(db: Connection, workspace_id: int, identified: Identified) -> Forecast:
        if word and identified.events:
            _score(shared, erasures.records(word.pop()))
        return forecast(db, workspace_id, identified)

    monkeypatch.setattr(batch, "_forecast", erased_before)
    again = Agreement(given_ms=START_MS + 4 * DAY_MS)
    yes = shared.day("consent_changed", user("anna"), day=5, agreement=again, server_only=True)
    shared.score(yes)
    assert not word
    assert not shared.rows(select(tables.dead_letter))
    row = tables.event.c
    theirs = select(row.occurred_ms).where(row.identity_id.is_not(None))
    assert [one.occurred_ms for one in shared.rows(theirs)] == [START_MS + 5 * DAY_MS]


def test_an_event_comes_while_a_segment_is_put_in_force(shared: Scene) -> None:
    one = Partition(0)
    person = user("a")
    _score(shared, one.records(shared.day("vacancy_viewed", person, day=199)))
    shared.segment("s", {"type": "events", "at_least": 1, "within_days": 90})
    with writing(shared.engine).begin() as db:
        assert build_step(db, MODEL, shared.now_ms)  # filled, not yet in force
    shared.now_ms += 1000
    records = one.records(shared.day("vacancy_viewed", person, day=199.5))

    def put_in_force() -> None:
        with writing(shared.engine).begin() as db:
            build_step(db, MODEL, shared.now_ms)

    with _meanwhile(shared, put_in_force) as db:
        apply(db, "races", sort_out(records), MODEL, shared.now_ms)
    shared.build()
    with writing(shared.engine).begin() as db:
        announce_due(db, shared.now_ms)
    assert_told_once(shared.engine, shared.now_ms)
    assert [(c.key, c.after) for c in shared.changes("segment")] == [("s", "member")]


def test_workers_over_shared_persons_come_to_the_same(shared: Scene) -> None:
    """Deadlocks and moved persons are tried again, and readers of the feed miss nothing."""
    people = 6
    events = [
        shared.day(
            "vacancy_viewed" if n % 3 else "page",
            *(
                (user(f"u{n % people}"),)
                if n % 4
                else (user(f"u{n % people}"), cookie(f"c{n % 4}"))
            ),
            day=n % 50,
        )
        for n in range(160)
    ]
    events += [shared.day("page", cookie(f"c{n % 4}"), day=n) for n in range(40)]
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        row = tables.change.c.position
        while True:
            last = done.is_set()
            query = select(row).where(row > (seen[-1] if seen else 0)).order_by(row)
            seen.extend(position for (position,) in shared.rows(query))
            if last:
                return

    def work(number: int) -> None:
        worker, partition = Retrying(shared), Partition(number)
        mine = events[number::4]
        for begin in range(0, len(mine), 5):
            worker.score(partition.records(*mine[begin : begin + 5]))

    reader = threading.Thread(target=read)
    reader.start()
    workers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join(60)
    done.set()
    reader.join(10)
    assert seen == [c.position for c in shared.changes()]
    assert seen == list(range(1, len(seen) + 1))
    _assert_as_pure(shared, events)


class Retrying:
    """A worker whose batches are given to it: the scorer's own way through races."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._scorer = scene, scene.worker()

    def score(self, records: Sequence[Stored]) -> None:
        outcome = self._scorer._attempts.through(
            lambda db: apply(db, "races", sort_out(records), MODEL, self._scene.now_ms)
        )
        assert outcome is not None
