"""The example of ``docs/time.md``, played: a late event, and what is answered before and after."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from httpx import Client

from services.api.app import create_app
from services.api.wire import rfc3339
from services.contract.event import Event
from services.contract.phases import DAY_MS
from tests.contract.api.world import NOW_MS, World
from tests.servers.web import LOCAL, run_app

DOCUMENT = Path(__file__).parents[3] / "docs" / "time.md"
LOOKED = {"type": "events", "event": ["vacancy_viewed"], "within_days": 14}


def _ms(day: int, hour: int) -> int:
    return int(datetime(2026, 11, day, hour, tzinfo=UTC).timestamp() * 1000)


class Clock:
    """The API's, moved by the test."""

    now_ms = _ms(1, 9)

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def november(world: World, clock: Clock) -> Iterator[Client]:
    app = create_app(world.engine, "key", "http://track.test", clock=clock)
    headers = {"Authorization": f"Bearer {world.made.api_key}"}
    with run_app(app) as url, Client(base_url=url, headers=headers, timeout=30, **LOCAL) as client:
        yield client


def _questions() -> list[list[str]]:
    """The rows of the example's table, without their ticks."""
    rows = re.findall(r"^\| ([A-D]) \|(.+)\|$", DOCUMENT.read_text(), re.MULTILINE)
    return [
        [letter, *(cell.strip().strip("`") for cell in rest.split("|"))] for letter, rest in rows
    ]


def _told(world: World, kind: str, at_ms: int, told_ms: int) -> Event:
    return world.event((NOW_MS - at_ms) / DAY_MS, kind, "anna", received_ms=told_ms)


def test_the_example_of_the_document(november: Client, world: World, clock: Clock) -> None:
    november.post("/v1/segments", json={"key": "looked", "name": "Looked", "rule": LOOKED})
    world.build(clock.now_ms)
    early = rfc3339(_ms(12, 9))
    clock.now_ms = _ms(12, 9)
    given = november.get("/v1/segments/looked/members").json()
    assert (given["as_of"], given["members"]) == (early, [])

    world.score([_told(world, "vacancy_viewed", _ms(10, 14), _ms(18, 9))], _ms(18, 9))
    clock.now_ms = _ms(19, 9)
    foretold = november.get("/v1/segments/looked/members").json()["members"]
    assert [(m["since"], m["until"]) for m in foretold] == [
        ("2026-11-10T14:00:00.000Z", "2026-11-24T14:00:00.000Z")
    ]
    world.score([_told(world, "vacancy_viewed", _ms(20, 15), _ms(20, 15))], _ms(20, 15))
    clock.now_ms = _ms(21, 12)

    anna, questions = world.id_of("anna"), _questions()
    assert [letter for letter, *_ in questions] == ["A", "B", "C", "D"]
    for letter, as_of, known_at, is_in, since, until in questions:
        asked = {"as_of": as_of} | ({"known_at": known_at} if known_at else {})
        page = november.get("/v1/segments/looked/members", params=asked).json()
        found = [(m["person"], m["since"], m["until"]) for m in page["members"]]
        wanted = [(anna, _shown(since), _shown(until))] if is_in == "yes" else []
        assert found == wanted, letter
        counted = november.get("/v1/segments/looked/count", params=asked).json()
        assert counted["count"] == len(wanted), letter
        theirs = november.get(f"/v1/persons/{anna}/segments", params=asked).json()["segments"]
        assert [(s["since"], s["until"]) for s in theirs] == [found[1:] for found in wanted], letter


def _shown(moment: str) -> str:
    return moment.replace("Z", ".000Z")


def test_phases_at_a_moment_and_as_once_believed(
    november: Client, world: World, clock: Clock
) -> None:
    anna = world.person("anna", [_told(world, "page", _ms(3, 10), _ms(3, 10))], _ms(3, 10))
    world.score([_told(world, "applied", _ms(8, 9), _ms(15, 9))], _ms(15, 9))
    clock.now_ms = _ms(21, 12)

    def phases(**asked: str) -> list[str]:
        answer = november.get(f"/v1/persons/{anna}/phases", params=asked).json()
        assert len(answer["latency_states"]) == len(answer["phases"]) or not asked
        return [one["phase"] for one in answer["phases"]]

    tenth, second = rfc3339(_ms(10, 9)), rfc3339(_ms(2, 9))
    assert phases(as_of=tenth) == ["do"]
    assert phases(as_of=tenth, known_at=tenth) == ["see"]
    assert phases(as_of=second) == []
    assert phases()[:2] == ["see", "do"]
    person = november.get(f"/v1/persons/{anna}", params={"as_of": tenth, "known_at": tenth}).json()
    assert (person["phase"]["name"], person["last_seen"]) == ("see", "2026-11-03T10:00:00.000Z")
