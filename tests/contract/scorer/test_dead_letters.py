"""Dead letters are scored after all by command, each event once; they are kept within limits."""

import random
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from prometheus_client import REGISTRY
from sqlalchemy import select, update

from services.cli.main import main
from services.contract import tables
from services.contract.event import Consent, Event, encode, record_key
from services.contract.phases import DAY_MS
from services.model.timeline import Rulebook
from services.runtime.database import writing
from services.runtime.event_log import Record
from services.scorer import dead_letters
from services.scorer.dead_letters import keep_within_limits
from tests.contract.scorer.erased import erasure, everything
from tests.contract.scorer.pure import assert_sound, said, stored
from tests.contract.scorer.scene import NOW_MS, Scene, user

Command = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("KENTERING_DATABASE_URL", database_url)

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["dead-letters", *arguments])

    return command


def _letters(scene: Scene) -> list[str]:
    row = tables.dead_letter.c
    return [reason for (reason,) in scene.rows(select(row.reason).order_by(row.id))]


def test_what_can_be_scored_by_now_leaves_the_dead_letter(
    scene: Scene, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.cli.dead_letters.TAKEN", 4)
    early = [scene.day("page", user(f"u{n % 3}"), day=n, workspace_id=2) for n in range(9)]
    random.Random(1).shuffle(early)
    scene.append([*early, early[0]])
    scene.log.append([Record(b"k", b"no event")])
    scene.drain()
    assert len(_letters(scene)) == 11
    assert "10" in run("list", "--reason", "no such workspace").output

    assert run("redrive").stdout.strip() == "0 scored, 0 had been already, 11 left"
    scene.workspace(2)
    late = scene.day("page", user("u1"), day=20, workspace_id=2)
    scene.score(late)
    told = run("redrive", "--reason", "no such workspace")
    assert told.stdout.strip() == "9 scored, 1 had been already, 0 left"
    assert [reason.split(":")[0] for reason in _letters(scene)] == ["not an event"]
    assert run("redrive").stdout.strip() == "0 scored, 0 had been already, 1 left"
    assert stored(scene.engine, 2) == said([*early, late], Rulebook())
    assert_sound(scene.engine, 2)


def test_one_that_still_breaks_is_left_alone(scene: Scene, run: Command) -> None:
    scene.score(scene.day("page", user("broken"), day=1))
    state = tables.person_state
    whole = scene.rows(select(state.c.state))[0][0]
    scene.write(update(state).values(state=b"?"))
    scene.score(*(scene.day("page", user("broken"), day=day) for day in (2, 3)))
    assert len(_letters(scene)) == 2
    letters = [(scene.day("page", user(f"u{n}"), day=1, workspace_id=2)) for n in range(3)]
    scene.score(*letters)
    scene.workspace(2)
    assert run("redrive").stdout.strip() == "3 scored, 0 had been already, 2 left"
    assert all("while scoring" in reason for reason in _letters(scene))
    scene.write(update(state).values(state=whole))
    assert run("redrive").stdout.strip() == "2 scored, 0 had been already, 0 left"
    assert run("list").stdout.strip() == "none"


def test_a_dead_letter_has_limits(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.log.append([Record(b"k", b"%d" % n) for n in range(8)])
    scene.drain()
    monkeypatch.setattr(dead_letters, "LETTERS_MAX", 5)
    row = tables.dead_letter.c
    scene.write(
        update(tables.dead_letter)
        .where(row.value == b"7")
        .values(recorded_ms=NOW_MS - dead_letters.KEPT_DAYS * DAY_MS - 1)
    )
    name = "kentering_dead_letters_dropped_total"
    before = REGISTRY.get_sample_value(name) or 0
    with writing(scene.engine).begin() as db:
        keep_within_limits(db, NOW_MS)
    kept = sorted(bytes(value) for (value,) in scene.rows(select(row.value)))
    assert kept == [b"2", b"3", b"4", b"5", b"6"]
    assert REGISTRY.get_sample_value(name) == before + 3
    assert REGISTRY.get_sample_value("kentering_dead_letters") == 5


def test_the_age_of_what_waits_is_told(scene: Scene) -> None:
    def waiting_s() -> float | None:
        return REGISTRY.get_sample_value("kentering_scorer_unscored_seconds")

    event = scene.day("page", user("a"), day=1)
    scene.now_ms = event.received_ms + 5_000
    scene.append([event])
    seen = []
    whole = scene.scorer._attempts.through

    def look(work):
        seen.append(waiting_s())
        return whole(work)

    scene.scorer._attempts.through = look
    scene.drain()
    assert 5.0 in seen
    assert waiting_s() == 0.0


@pytest.mark.usefixtures("secret")
def test_poison_of_somebody_erased_goes_from_the_dead_letter(scene: Scene) -> None:
    good = scene.day("page", user("anna-1"), day=1)
    other = scene.day("page", user("bob"), day=1, properties={"n": "anna-12"})
    for event in (good, other):
        bad = encode(event).replace(b'"v":1', b'"v":99')
        scene.log.append([_record_of(event, bad)])
    scene.log.append([_record_of(good, b"no json of anna-1")])
    scene.drain()
    assert scene.count(tables.dead_letter) == 3
    scene.score(erasure(scene, user("anna-1"), day=10))
    (kept,) = scene.rows(select(tables.dead_letter.c.value))
    assert b"anna-12" in bytes(kept[0])
    scene.log.append([_record_of(good, encode(good).replace(b'"v":1', b'"v":99'))])
    scene.drain()
    assert 'anna-1"' not in everything(scene)


@pytest.mark.usefixtures("secret")
def test_a_withdrawal_takes_dead_letters_along(scene: Scene) -> None:
    good = scene.day("page", user("anna-1"), day=1)
    scene.log.append([_record_of(good, encode(good).replace(b'"v":1', b'"v":99'))])
    scene.score(scene.day("page", user("anna-1"), day=2))
    assert scene.count(tables.dead_letter) == 1
    no = Consent(measure=False, profile=False)
    scene.score(scene.day("consent_changed", user("anna-1"), day=3, consent=no, server_only=True))
    assert scene.count(tables.dead_letter) == 0


def _record_of(event: Event, value: bytes) -> Record:
    return Record(record_key(event), value)
