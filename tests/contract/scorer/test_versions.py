"""Folded anew, everybody is as stored; another version is folded beside, and changes places."""

import json
import random
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from services.api.in_force import InForce
from services.api.segment_store import delete_segment
from services.cli import replay
from services.cli.main import main
from services.contract import tables
from services.contract.event import Consent
from services.contract.phases import DAY_MS
from services.model import foretold as foretold_module
from services.model.parameters import VersionError
from services.runtime.database import writing
from services.scorer import anew, build, shadow
from services.scorer.versions import InForce as InForceForWorkers
from services.scorer.versions import add, find, in_force, keep_out, versions
from tests.contract.scorer.pure import assert_sound, assert_told_once, intervals
from tests.contract.scorer.scene import MODEL, NOW_MS, Scene, cookie, mail, user

PEOPLE = 8
EVENTS = 50
RULE = {"type": "phase", "any_of": ["think", "do"]}

Command = Callable[..., Result]


def other(**changes) -> bytes:
    """A version that takes somebody for active sooner."""
    told = json.loads(files("services.model").joinpath("day_one.json").read_bytes())
    told |= {"version": "eager", "start": [0.4, 0.3, 0.3]} | changes
    return json.dumps(told).encode()


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anew, "PERSONS_MAX", 5)
    monkeypatch.setattr(shadow, "PERSONS_MAX", 5)


@pytest.fixture
def run(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    monkeypatch.setenv("KENTERING_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments))

    return command


def _play(scene: Scene, begin: int = 0) -> None:
    """Some weeks of some people, in no order, with a segment in force."""
    rng = random.Random(begin)
    kinds = ["page", "vacancy_viewed", "sent", "open", "application_started", "identified"]
    events = []
    for number in range(begin, begin + EVENTS):
        name = f"u{rng.randrange(PEOPLE)}"
        who = rng.choice([(user(name),), (user(name), cookie(f"c{name}")), (cookie(f"c{name}"),)])
        if rng.random() < 0.1:
            who = (user(name), mail(f"{name}@example.org"))
        kind = rng.choice(kinds)
        message = f"m{number % 3}" if kind in {"sent", "open"} else None
        day = rng.uniform(0, 199)
        events.append(scene.day(kind, *who, day=day, message_id=message))
    scene.score(*events)


def _stored(scene: Scene) -> tuple:
    state = tables.person_state.c
    states = scene.rows(select(state.person_id, state.state, state.settled))
    checkpoint = tables.checkpoint.c
    checkpoints = scene.rows(select(checkpoint.person_id, checkpoint.event_id, checkpoint.state))
    held = {person: frozenset(rows) for person, rows in intervals(scene.engine).items()}
    return (
        {(one[0], bytes(one[1]), one[2] and bytes(one[2])) for one in states},
        {(one[0], bytes(one[1]), bytes(one[2])) for one in checkpoints},
        held,
    )


def test_replay_finds_everybody_as_stored(scene: Scene, run: Command) -> None:
    scene.segment("s", RULE)
    _play(scene)
    scene.build()
    told = run("replay", "--workspace", "ws_1")
    assert told.exit_code == 0, told.output
    assert "equal" in told.output
    stored, again = told.stdout.splitlines()[1:3]
    assert stored.split()[1] == again.split()[1]
    assert not Path("kentering-replay.json").exists()


def test_replay_names_who_differs_and_how(scene: Scene, run: Command) -> None:
    scene.segment("s", RULE)
    _play(scene)
    scene.build()
    person, interval, delta = tables.person.c, tables.interval.c, tables.count_delta.c
    victim, another, broken = scene.rows(
        select(person.id, person.public_id).where(person.merged_into.is_(None)).limit(3)
    )
    state = tables.person_state.c
    scene.write(
        update(tables.person_state)
        .where(state.person_id == victim.id)
        .values(state=select(state.state).where(state.person_id == another.id).scalar_subquery())
    )
    scene.write(update(tables.person_state).where(state.person_id == broken.id).values(state=b"?"))
    scene.write(
        update(tables.interval)
        .where(interval.person_id == another.id, interval.kind == "latency")
        .values(valid_from_ms=interval.valid_from_ms + 1)
    )
    scene.write(update(tables.count_delta).where(delta.kind == "phase").values(delta=7))
    told = run("replay")
    assert told.exit_code == 1
    assert "3 differ" in told.output
    assert f"{broken.public_id}: state that cannot be read" in told.output
    assert f"{victim.public_id}: state" in told.output
    assert f"{another.public_id}: latency" in told.output
    assert "counts of phase" in told.output


@pytest.mark.parametrize("what", ["link", "tie"])
def test_replay_notices_who_is_not_who(scene: Scene, run: Command, what: str) -> None:
    scene.score(
        scene.day("page", user("a"), cookie("ca"), day=1), scene.day("page", user("b"), day=2)
    )
    assert run("replay").exit_code == 0
    link, edge = tables.identity_link.c, tables.identity_edge.c
    if what == "link":
        one, other = scene.person_of(user("a")), scene.person_of(user("b"))
        scene.write(
            update(tables.identity_link)
            .where(link.person_id == one)
            .where(link.identity_id == select(func.max(edge.b_id)).scalar_subquery())
            .values(person_id=other)
        )
    else:
        scene.write(update(tables.identity_edge).values(told_ms=edge.told_ms + 1))
    told = run("replay")
    assert told.exit_code == 1
    assert "identity differs" in told.output


def test_an_interrupted_replay_goes_on(
    scene: Scene, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    _play(scene)
    whole, steps = replay.compare_next, []

    def fail_later(*arguments) -> int:
        steps.append(arguments[1].after_id)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(replay, "compare_next", fail_later)
    assert run("replay").exit_code != 0
    assert Path("kentering-replay.json").exists()
    told = run("replay")
    assert told.exit_code == 0, told.output
    assert steps[3] == steps[2] > 0, "it went on where it was"


def test_a_version_comes_into_force_in_one_step_and_is_taken_back(
    scene: Scene, run: Command
) -> None:
    scene.segment("s", RULE)
    _play(scene)
    scene.build()
    before = _stored(scene)
    Path("eager.json").write_bytes(other())
    assert run("versions", "add", "eager.json").exit_code == 0
    assert run("versions", "fold", "eager").exit_code == 0
    assert _stored(scene) == before, "folding touches nothing that is live"
    _play(scene, begin=1000)  # some are stale now
    live = _stored(scene)

    told = run("versions", "activate", "eager")
    assert told.exit_code == 0, told.output
    done = re.search(r"putting in force\D+(\d+)/(\d+)", told.output)
    assert done is not None, told.output
    persons = scene.rows(select(func.count()).select_from(tables.person))[0][0]
    assert done[1] == done[2], "who was merged into somebody else is not waited for"
    assert int(done[2]) < persons
    assert _stored(scene)[0] != live[0]
    assert any(change.reason == "model" for change in scene.changes())
    _sound(scene)
    after = scene.rows(select(tables.person_state.c.model_version).distinct())
    assert [name for (name,) in after] == ["eager"]
    assert InForce(scene.engine, MODEL).model().version == "eager", "the API goes by it too"

    noted = scene.rows(select(tables.audit.c.what, tables.audit.c.before, tables.audit.c.after))
    assert noted == [("model.activated", {"name": "day-one"}, {"name": "eager"})]
    _play(scene, begin=2000)  # the scorer took notice
    assert run("replay").exit_code == 0
    assert run("versions", "activate", "day-one").exit_code == 0
    assert run("replay").exit_code == 0
    _sound(scene)
    listed = run("versions", "list").output
    assert "* day-one" in listed


def test_taken_back_at_once_everything_is_as_it_was(scene: Scene, run: Command) -> None:
    _play(scene)
    before = _stored(scene)
    Path("eager.json").write_bytes(other())
    run("versions", "add", "eager.json")
    assert run("versions", "activate", "eager").exit_code == 0
    assert _stored(scene) != before
    assert run("versions", "activate", "day-one").exit_code == 0
    assert _stored(scene) == before
    _sound(scene)


def _sound(scene: Scene) -> None:
    scene.scorer.step(0)
    assert_sound(scene.engine)
    assert_told_once(scene.engine, scene.now_ms)


def test_versions_are_compared(scene: Scene, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _play(scene)
    monkeypatch.setattr("services.cli.versions.now_ms", lambda: NOW_MS)
    Path("eager.json").write_bytes(other())
    run("versions", "add", "eager.json")
    run("versions", "fold", "eager")
    told = run("versions", "compare", "eager")
    assert told.exit_code == 0, told.output
    assert f"{scene.count(tables.person_state)} persons compared; 0 stale" in told.output
    assert "would change phase" in told.output
    assert "eager" in told.output.split("Applications within")[1]


def test_nobody_who_withdraws_stays_folded_by_another_version(scene: Scene, run: Command) -> None:
    _play(scene)
    Path("eager.json").write_bytes(other())
    run("versions", "add", "eager.json")
    run("versions", "fold", "eager")
    person = scene.person_of(user("u1"))
    row = tables.model_fold.c.person_id
    assert scene.rows(select(row).where(row == person))
    no = Consent(measure=True, profile=False)
    scene.score(scene.day("consent_changed", user("u1"), day=199.5, consent=no, server_only=True))
    assert not scene.rows(select(row).where(row == person))


def test_whoever_is_again_is_not_what_another_version_said_before(
    scene: Scene, run: Command
) -> None:
    event = scene.day("page", user("a"), day=5)
    scene.score(event)
    Path("eager.json").write_bytes(other())
    run("versions", "add", "eager.json")
    run("versions", "fold", "eager")
    scene.score(replace(event, identities=(user("b"),), received_ms=event.received_ms - 1))
    scene.score(scene.day("applied", user("a"), day=50))
    assert run("versions", "activate", "eager").exit_code == 0
    told = run("replay", "--workspace", "ws_1")
    assert told.exit_code == 0, told.output


def test_of_a_segment_given_up_nothing_is_written_again(
    scene: Scene, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "PERSONS_PER_STEP", 3)
    monkeypatch.setattr(build, "PERSONS_PER_QUICK_STEP", 3)
    scene.score(*(scene.day("page", user(f"u{n}"), day=n) for n in range(5)))
    key = scene.segment("s", {"type": "events", "within_days": 400})
    with writing(scene.engine).begin() as db:
        build.build_step(db, MODEL, NOW_MS)
    Path("eager.json").write_bytes(other())
    run("versions", "add", "eager.json")
    run("versions", "fold", "eager")
    segment = scene.rows(select(tables.segment.c.id))[0][0]
    with writing(scene.engine).begin() as db:
        delete_segment(db, segment, NOW_MS)
    rows = select(tables.interval.c.id).where(tables.interval.c.key == key)
    before = scene.rows(rows)
    assert run("versions", "activate", "eager").exit_code == 0
    assert scene.rows(rows) == before


def test_whom_a_segment_being_filled_reached_is_folded_again(
    scene: Scene, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "PERSONS_PER_STEP", 3)
    monkeypatch.setattr(build, "PERSONS_PER_QUICK_STEP", 3)
    scene.score(*(scene.day("page", user(f"u{n}"), day=n) for n in range(5)))
    scene.segment("s", {"type": "phase", "any_of": ["see"]})

    def fill_further() -> None:
        with writing(scene.engine).begin() as db:
            build.build_step(db, MODEL, NOW_MS)

    fill_further()
    Path("eager.json").write_bytes(other())
    run("versions", "add", "eager.json")
    run("versions", "fold", "eager")
    fill_further()
    told = run("versions", "compare", "eager").output
    assert "3 persons compared; 2 stale" in told, "those whom it reached since"
    scene.build()
    assert run("versions", "activate", "eager").exit_code == 0
    told = run("replay", "--workspace", "ws_1")
    assert told.exit_code == 0, told.output


def test_a_version_never_changes_and_must_be_one(scene: Scene) -> None:
    with writing(scene.engine).begin() as db:
        made = add(db, other(), NOW_MS)
        assert add(db, other(), NOW_MS) == made
        with pytest.raises(ValueError, match="other numbers"):
            add(db, other(start=[0.5, 0.3, 0.2]), NOW_MS)
        with pytest.raises(VersionError):
            add(db, b"{}", NOW_MS)
        assert in_force(db).name == "day-one"
        assert find(db, "nobody's") is None


def test_chances_are_those_of_the_states(scene: Scene) -> None:
    surely_active = [0.0] * 15
    surely_active[2] = 1.0
    rates = MODEL.parameters.rates_per_day
    z = MODEL.parameters.frailty.points[0]
    per_day = z * (rates["application_start"][2] + rates["application"][2])
    chance = foretold_module.chance(surely_active, MODEL)
    assert chance == pytest.approx(1 - 2.718281828459045 ** (-28 * per_day))
    events = [scene.day("page", user("a"), day=0), scene.day("applied", user("a"), day=30)]
    moments = [events[0].occurred_ms + day * DAY_MS for day in (0, 10, 31)]
    told = list(foretold_module.foretold(events, MODEL, moments))
    assert [came for _, came in told] == [False, True, False]


def test_nobody_scores_while_versions_change_places(postgres: str, tmp_path: Path) -> None:
    scene = Scene(postgres, tmp_path)
    held = InForceForWorkers(MODEL)
    with scene.engine.begin() as worker, scene.engine.begin() as other:
        held.hold(worker)
        other.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(OperationalError), other.begin_nested():
            keep_out(other)
        worker.rollback()
        keep_out(other)
        with scene.engine.begin() as another:
            another.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(OperationalError), another.begin_nested():
                held.hold(another)
            assert [one.name for one in versions(another)] == ["day-one"], "reading goes on"
    scene.close()
