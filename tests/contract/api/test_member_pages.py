"""Members page by page: while others write, at rare moments, and of what is to come."""

import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from httpx import Client
from sqlalchemy import select

from services.api import people_in as pages
from services.api.wire import rfc3339
from services.contract.phases import DAY_MS, HOUR_MS
from services.contract.tables import interval, segment_version
from services.runtime.bulk import insert_rows
from services.runtime.database import writing
from services.scorer.counts import Counts
from tests.contract.api.world import NOW_MS, World

SEEN = {"type": "events", "event": ["page"], "within_days": 30}


def _segment(client: Client, world: World, rule: dict[str, Any] = SEEN) -> None:
    client.post("/v1/segments", json={"key": "s", "name": "S", "rule": rule})
    world.build()


def _pages(client: Client, **asked: object) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        query = asked | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/segments/s/members", params=query).json()
        yield page
        cursor = page["next"]
        if cursor is None:
            return


def _members(client: Client, **asked: object) -> list[str]:
    return [m["person"] for page in _pages(client, **asked) for m in page["members"]]


def test_a_page_tells_how_many_and_by_what_each_came(client: Client, world: World) -> None:
    ids = [world.person(f"u{i}", [world.event(5, "page", f"u{i}")]) for i in range(3)]
    _segment(client, world)
    page = client.get("/v1/segments/s/members", params={"limit": 2}).json()
    assert (page["count"], [m["person"] for m in page["members"]]) == (3, ids[:2])
    first = page["members"][0]
    assert (first["because"], first["event"]["type"]) == ("event", "page")
    assert first["event"]["at"] == first["since"] == rfc3339(NOW_MS - 5 * DAY_MS)
    event = client.get(f"/v1/persons/{ids[0]}/timeline").json()["events"][0]
    assert event["id"] == first["event"]["id"]


def test_every_page_has_the_count_of_the_first(client: Client, world: World) -> None:
    for i in range(3):
        world.person(f"u{i}", [world.event(5, "page", f"u{i}")])
    _segment(client, world)
    counts = []
    for page in _pages(client, limit=1):
        counts.append(page["count"])
        world.person(f"late{len(counts)}", [world.event(5, "page", f"late{len(counts)}")])
        if len(counts) == 3:
            break
    assert counts == [3, 3, 3]
    assert client.get("/v1/segments/s/count").json()["count"] == 6


def test_a_cursor_is_of_one_segment(client: Client, world: World) -> None:
    for i in range(3):
        world.person(f"u{i}", [world.event(5, "page", f"u{i}")])
    _segment(client, world)
    cursor = client.get("/v1/segments/s/members", params={"limit": 2}).json()["next"]
    rule = {"rule": {"type": "phase", "any_of": ["do"]}, "name": "T"}
    assert client.put("/v1/segments/t", json=rule).status_code == 201
    other = client.get("/v1/segments/t/members", params={"cursor": cursor})
    assert (other.status_code, other.json()["code"]) == (400, "bad_cursor")


def test_a_cursor_is_of_one_moment(client: Client, world: World) -> None:
    for i in range(3):
        world.person(f"u{i}", [world.event(5, "page", f"u{i}")])
    _segment(client, world)
    path, asked = "/v1/segments/s/members", {"as_of": "2026-11-21T00:00:00Z", "limit": 1}
    first = client.get(path, params=asked).json()
    cursor = {"cursor": first["next"], "limit": 1}
    pages = [client.get(path, params=told | cursor).json()["members"] for told in ({}, asked)]
    assert pages[0] == pages[1] != first["members"]
    for other in ("as_of", "known_at"):
        answer = client.get(path, params=cursor | {other: "2026-11-20T00:00:00Z"})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), other


@pytest.mark.parametrize("ahead_days", [0, 20])
def test_who_stays_is_on_one_page_whatever_is_written(
    client: Client, world: World, ahead_days: int
) -> None:
    """Everybody's intervals are written anew between the pages, some of the past by late events."""
    staying = [world.person(f"u{i}", [world.event(5, "page", f"u{i}")]) for i in range(12)]
    going = [world.person(f"g{i}", [world.event(29.9, "page", f"g{i}")]) for i in range(3)]
    _segment(client, world)
    as_of = NOW_MS + ahead_days * DAY_MS
    found: list[str] = []
    for number, page in enumerate(_pages(client, as_of=rfc3339(as_of), limit=4)):
        found += [m["person"] for m in page["members"]]
        events = [world.event(4 - number / 10, "page", f"u{i}") for i in range(12)]
        late = [world.event(9 - number, "page", f"u{i}") for i in range(0, 12, 3)]
        world.score(events + late, NOW_MS + number + 1)
    assert len(found) == len(set(found))
    assert [p for p in found if p in staying] == staying
    assert ahead_days or set(going) <= set(found)


def test_pages_beside_a_writer_that_does_not_stop(world: World, client: Client) -> None:
    rng = random.Random(3)
    staying = [world.person(f"u{i}", [world.event(9, "page", f"u{i}")]) for i in range(30)]
    _segment(client, world)
    stop, failed = threading.Event(), []

    def write() -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                users = [*(f"u{rng.randrange(30)}" for _ in range(3)), f"new{number}"]
                days = [rng.uniform(1, 8) for _ in users]
                events = [world.event(d, "page", u) for d, u in zip(days, users, strict=True)]
                world.score(events, NOW_MS + number)
        except Exception as error:  # noqa: BLE001  told by the test itself
            failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(2):
            at = rfc3339(NOW_MS + turn * 10 * DAY_MS)
            found = _members(client, as_of=at, limit=7)
            assert len(found) == len(set(found))
            assert [p for p in found if p in staying] == staying
    finally:
        stop.set()
        writer.join()
    assert not failed


@pytest.mark.parametrize("few", [300, 5])
def test_rare_moments_among_many_stays(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """With 40 passed over for a page, whoever holds is found at any moment, and the pages end."""
    persons = [world.person(f"u{i}", [world.event(5, "page", f"u{i}")]) for i in range(20)]
    _segment(client, world, {"type": "attribute", "name": "x", "op": "known"})
    stays = _many_stays(world, len(persons))
    _count(world, stays)
    monkeypatch.setattr(pages, "SAMPLED", 10)
    monkeypatch.setattr(pages, "PASSED_MAX", 40)
    monkeypatch.setattr(pages, "FOUND_BY_TIME_MAX", few)
    first_ms, last_ms = stays[0][1], stays[-1][2] - 1
    for at in (first_ms, first_ms + 19 * HOUR_MS, first_ms + (39 * 24 + 7) * HOUR_MS, last_ms):
        wanted = {person for person, begin, end in stays if begin <= at < end}
        for known in ({}, {"known_at": rfc3339(NOW_MS)}):
            found = _members(client, as_of=rfc3339(at), limit=10, **known)
            assert len(found) == len(set(found))
            assert {persons.index(p) + 1 for p in found} == wanted != set()


def _many_stays(world: World, persons: int) -> list[tuple[int, int, int]]:
    """Of everybody an hour a day, from 40 days ago on; one person's hours each follow another's."""
    whole_ms = NOW_MS - NOW_MS % HOUR_MS
    stays = [
        (person, whole_ms + (24 * day + person) * HOUR_MS, whole_ms + (24 * day + end) * HOUR_MS)
        for person in range(1, persons + 1)
        for day in range(-40, 60)
        for end in (person + 1,)
    ]
    with world.engine.connect() as db:
        key = str(db.execute(select(segment_version.c.id)).scalar_one())
    columns = ("workspace_id", "kind", "key", "person_id", "valid_from_ms", "valid_to_ms")
    rows = [(world.id, "segment", key, *stay, NOW_MS - 50 * DAY_MS) for stay in stays]
    with writing(world.engine).begin() as db:
        insert_rows(db, interval, (*columns, "known_from_ms"), rows)
    return stays


def _count(world: World, stays: list[tuple[int, int, int]]) -> None:
    with world.engine.connect() as db:
        key = str(db.execute(select(segment_version.c.id)).scalar_one())
    counts = Counts()
    counts.add((("segment", key, begin, end, None) for _, begin, end in stays), 1)
    with writing(world.engine).begin() as db:
        counts.write(db, world.id)


def test_whole_hours_are_counted_exactly(client: Client, world: World) -> None:
    """Who comes or goes on the stroke of an hour is counted so, and at the moments beside it."""
    persons = [world.person(f"u{i}", [world.event(5, "page", f"u{i}")]) for i in range(4)]
    _segment(client, world, {"type": "attribute", "name": "x", "op": "known"})
    stays = _many_stays(world, len(persons))
    _count(world, stays)
    begin = NOW_MS - 2 * DAY_MS
    asked = {"from": rfc3339(begin), "to": rfc3339(begin + DAY_MS), "step": "hour"}
    points = client.get("/v1/segments/s/trend", params=asked).json()["points"]
    first_ms = begin - begin % HOUR_MS
    for number, point in enumerate(points):
        at_ms = first_ms + number * HOUR_MS
        assert point["count"] == sum(since <= at_ms < until for _, since, until in stays)
        for near_ms in (at_ms - 1, at_ms, at_ms + 1):
            told = client.get("/v1/segments/s/count", params={"as_of": rfc3339(near_ms)}).json()
            assert told["count"] == sum(since <= near_ms < until for _, since, until in stays)
