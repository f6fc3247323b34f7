"""Persons over REST, on both databases."""

import math
import random

import pytest
from httpx import Client
from sqlalchemy import select

from services.api import record
from services.api.wire import rfc3339
from services.contract.event import Identity
from services.contract.phases import DAY_MS
from services.contract.tables import person
from tests.contract.api.world import NOW_MS, World


def test_a_person_now(client: Client, people: dict[str, str]) -> None:
    answer = client.get(f"/v1/persons/{people['turning']}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["identities"] == [{"namespace": "user_id", "value": "anna"}]
    assert body["attributes"] == {"name": "Anna", "region": "Utrecht"}
    assert math.isclose(sum(body["states"].values()), 1)
    assert math.isclose(body["latency"] + body["openness"], 1)
    assert body["phase"]["name"] == "do"
    assert body["phase"]["inferred"] is False  # she applied
    assert body["as_of"] == rfc3339(NOW_MS)


def test_the_past_is_folded_from_the_events_up_to_then(
    client: Client, people: dict[str, str]
) -> None:
    then = rfc3339(NOW_MS - 10 * DAY_MS)
    body = client.get(f"/v1/persons/{people['turning']}", params={"as_of": then}).json()
    now = client.get(f"/v1/persons/{people['turning']}").json()
    assert body["openness"] < now["openness"]
    assert body["phase"]["name"] == "see"
    assert body["phase"]["until"] is not None
    assert body["last_seen"] == rfc3339(NOW_MS - 20 * DAY_MS)


def test_before_the_first_event_nothing_is_said(client: Client, people: dict[str, str]) -> None:
    body = client.get(
        f"/v1/persons/{people['quiet']}", params={"as_of": "2020-01-01T00:00:00Z"}
    ).json()
    assert body["states"] is None
    assert body["phase"] is None


def test_as_it_was_believed(client: Client, world: World) -> None:
    public_id = world.person("late", [world.event(50, "page", "late")], NOW_MS - 50 * DAY_MS)
    late = world.event(5, "applied", "late", received_ms=NOW_MS - DAY_MS)
    world.score([late], NOW_MS - DAY_MS)
    moment = rfc3339(NOW_MS - 2 * DAY_MS)
    known = client.get(f"/v1/persons/{public_id}", params={"as_of": moment}).json()
    believed = client.get(
        f"/v1/persons/{public_id}", params={"as_of": moment, "known_at": moment}
    ).json()
    assert believed["openness"] < known["openness"]
    assert (believed["phase"]["name"], known["phase"]["name"]) == ("see", "do")


def test_list_is_paged_and_filtered(client: Client, people: dict[str, str]) -> None:
    seen, cursor = [], None
    while True:
        page = client.get(
            "/v1/persons", params={"limit": 1} | ({"cursor": cursor} if cursor else {})
        ).json()
        seen += [person["id"] for person in page["persons"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [people["quiet"], people["turning"], people["third"]]
    doing = client.get("/v1/persons", params={"phase": "do"}).json()["persons"]
    assert [person["id"] for person in doing] == [people["turning"]]
    named = client.get("/v1/persons", params={"q": "quiet"}).json()["persons"]
    assert [person["id"] for person in named] == [people["quiet"]]


def test_who_did_something_since_the_first_page_is_told_as_of_that(
    client: Client, world: World
) -> None:
    for user in ("u1", "u2"):
        world.person(user, [world.event(5, "page", user)])
    first = client.get("/v1/persons", params={"limit": 1}).json()
    applied = world.event(-1 / 1440, "applied", "u2")
    moved = world.person("u2", [applied], now_ms=NOW_MS + 60_000)
    cursor = {"limit": 1, "cursor": first["next"]}
    (second,) = client.get("/v1/persons", params=cursor).json()["persons"]
    then = client.get(f"/v1/persons/{moved}", params={"as_of": second["as_of"]}).json()
    assert second["phase"]["name"] == "do"
    assert {**second, "latency_since": None} == {**then, "latency_since": None}


def test_lookup(client: Client, people: dict[str, str]) -> None:
    query = {"namespace": "user_id", "value": "anna"}
    assert client.get("/v1/persons/lookup", params=query).json()["id"] == people["turning"]
    nobody = client.get("/v1/persons/lookup", params={"namespace": "email", "value": "x@y.z"})
    assert nobody.status_code == 404
    assert nobody.json()["code"] == "not_found"
    slip = client.get("/v1/persons/lookup", params={"namespace": "userid", "value": "4711"})
    assert slip.json()["detail"].endswith("known by this identity. Did you mean 'user_id'?")


def test_a_merged_person_moves(client: Client, world: World) -> None:
    cookie = (Identity("anonymous_id", "cookie-1"),)
    world.score([world.event(9, "page", "", identities=cookie)])
    before = world.id_of("cookie-1", "anonymous_id")
    survivor = world.person("piet", [world.event(20, "page", "piet")])
    both = (*cookie, Identity("user_id", "piet"))
    world.score([world.event(1, "identified", "", identities=both)])
    answer = client.get(f"/v1/persons/{before}/timeline?limit=2")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"/v1/persons/{survivor}/timeline?limit=2"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["code"] == "merged"
    followed = client.get(answer.headers["location"]).json()
    assert [e["type"] for e in followed["events"]] == ["identified", "page"]


def test_timeline_newest_first(client: Client, people: dict[str, str]) -> None:
    first = client.get(f"/v1/persons/{people['turning']}/timeline", params={"limit": 4}).json()
    assert [e["type"] for e in first["events"]] == [
        "applied",
        "application_started",
        "vacancy_viewed",
        "vacancy_viewed",
    ]
    rest = client.get(
        f"/v1/persons/{people['turning']}/timeline", params={"cursor": first["next"]}
    ).json()
    assert [e["type"] for e in rest["events"]] == ["page", "identified"]
    assert rest["next"] is None


def test_phases_reach_ahead(client: Client, people: dict[str, str]) -> None:
    body = client.get(f"/v1/persons/{people['turning']}/phases").json()
    assert body["phases"][0]["phase"] == "see"
    assert body["phases"][-1]["since"] > rfc3339(NOW_MS)
    for earlier, later in zip(body["phases"], body["phases"][1:], strict=False):
        assert earlier["until"] == later["since"]


@pytest.mark.parametrize("days", [-15, 0, 30])
def test_the_explanation_sums_to_the_score(
    client: Client, people: dict[str, str], days: int
) -> None:
    moment = rfc3339(NOW_MS + days * DAY_MS)
    person = client.get(f"/v1/persons/{people['turning']}", params={"as_of": moment}).json()
    body = client.get(
        f"/v1/persons/{people['turning']}/explain", params={"at": moment, "lang": "nl"}
    ).json()
    total = body["active"]["prior"] + sum(c["active"] for c in body["contributions"])
    assert abs(total - body["active"]["score"]) < 1e-9
    p = person["states"]["active"]
    assert abs(math.log(p / (1 - p)) - body["active"]["score"]) < 1e-9
    assert all(c["what"] and c["strength"] for c in body["contributions"])
    assert body["summary"].startswith("Schatting: ")
    told = client.get(
        f"/v1/persons/{people['turning']}/explain", params={"at": moment, "audience": "person"}
    ).json()
    assert told["summary"].startswith("We estimate that you are ")
    assert all(c["what"].startswith("you ") for c in told["contributions"])
    assert body["latency_state"] == person["latency_state"]
    assert body["since"] <= body["latency_since"] == person["latency_since"] <= moment


def test_an_explanation_in_pieces(
    client: Client, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is told of who has more than fits in memory at once: every contribution is there."""
    path, params = f"/v1/persons/{people['turning']}/explain", {"at": rfc3339(NOW_MS)}
    whole = client.get(path, params=params).json()
    monkeypatch.setattr(record, "EVENTS_FOLDED_MAX", 2)
    told, page = [], client.get(path, params={**params, "limit": 3}).json()
    assert page["active"]["score"] == whole["active"]["score"]
    while True:
        total = page["active"]["prior"] + sum(c["active"] for c in page["contributions"])
        assert abs(total - page["active"]["score"]) < 1e-9
        told = page["contributions"] + told
        if page["next"] is None:
            break
        before = page
        page = client.get(path, params={"cursor": page["next"], "limit": 3}).json()
        assert page["active"]["score"] == before["active"]["prior"]
    assert told == whole["contributions"]
    assert page["active"]["prior"] == whole["active"]["prior"]
    assert client.get(path, params={"cursor": "x"}).status_code == 400


def test_however_many_are_read_at_once_hits_are_taken_for_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(5)
    hits = [
        world.event(30 - n / 20_000, rng.choice(["click", "click", "page"]), "anna",
                    message_id="m", content_id=f"l{rng.randrange(4)}", channel="email")
        for n in range(120)
    ]  # fmt: skip
    world.person("anna", hits)
    with world.engine.connect() as connection:
        who = connection.execute(select(person.c.id)).scalar_one()
        wanted = record.events_of(connection, world.id, who)
        assert any(event.machine.reasons for event in wanted)
        for at_once in (3, 8, 31, 120):
            monkeypatch.setattr(record, "EVENTS_FOLDED_MAX", at_once)
            assert list(record.history_of(connection, world.id, who)) == wanted
            at_ms = NOW_MS - 30 * DAY_MS + 100_000
            begun = [event for event in wanted if event.occurred_ms <= at_ms]
            assert list(record.history_of(connection, world.id, who, at_ms)) == begun
