"""A rule previewed: the same people as when it is saved, and why."""

import random
from typing import Any

import pytest
from httpx import Client

from services.api import previewing
from services.contract.event import Consent, Event, Identity
from services.model.rules import TYPES
from tests.contract.api.world import World

VIEWED = {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 30}
RULES: dict[str, dict[str, Any]] = {
    "viewed": VIEWED,
    "clicked": {"type": "events", "event": ["click"], "within_days": 90},
    "paged": {"type": "events", "event": ["page"], "at_least": 3, "within_days": 200},
    "anything": {"type": "events", "at_least": 4, "within_days": 60},
    "phase": {"type": "phase", "any_of": ["think", "do"]},
    "open": {"type": "probability", "of": "openness", "at_least": 0.15},
    "absent": {"type": "events", "event": ["page"], "at_most": 0, "within_days": 60},
    "first": {"type": "first_event", "event": ["page", "click"], "less_than_days_ago": 150},
    "software": {"type": "machine_share", "at_least": 0.2, "of_at_least": 2},
    "staying": {"type": "time_in_phase", "any_of": ["see", "think"], "at_least_days": 40},
    "agreed": {"type": "not", "rule": {"type": "consent", "purpose": "share", "answer": "yes"}},
    "north": {"type": "attribute", "name": "region", "op": "is", "value": "Noord"},
    "signal": {"type": "latency_state", "any_of": ["actively_latent", "active"]},
    "engaged": {"type": "engagement", "topic": "energy", "at_least": 1.5},
    "interest": {"type": "interest", "topic": ["energy"], "share_at_least": 0.4},
    "last": {"type": "last_event", "event": ["click"], "at_least_days_ago": 20},
    "landed": {"type": "last_event", "event": ["page"], "less_than_days_ago": 9},
    "birthday": {
        "type": "attribute_date",
        "name": "start",
        "every_year": True,
        "from_days": 0,
        "to_days": 120,
    },
    "mail": {"type": "identity", "namespace": "email"},
    "pressed": {"type": "pressure", "at_least": 2, "within_days": 90},
    "due": {"type": "cadence", "every_days": 30},
    "free": {"type": "availability", "within_days": 60},
    "other": {"type": "in_segment", "segment": "viewers"},
    "mixed": {
        "type": "any",
        "rules": [
            {"type": "all", "rules": [VIEWED, {"type": "phase", "any_of": ["see"]}]},
            {"type": "not", "rule": {"type": "events", "event": ["page"], "within_days": 100}},
        ],
    },
}


def _parts(rule: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [*rule.get("rules", ()), *([rule["rule"]] if "rule" in rule else ())]
    return [rule, *(part for one in inner for part in _parts(one))]


def _trees(number: int) -> dict[str, dict[str, Any]]:
    """Rules put together from those above by chance, the same each time."""
    rng, found = random.Random(5), {}
    for n in range(number):
        parts = [RULES[name] for name in rng.sample(sorted(RULES), 3)]
        one, other = ({"type": "not", "rule": parts[0]}, {"type": "any", "rules": parts[1:]})
        found[f"tree {n}"] = {"type": rng.choice(["all", "any"]), "rules": [one, other]}
    return found


KINDS = (
    "page",
    "vacancy_viewed",
    "application_started",
    "identified",
    "click",
    "open",
    "hired",
    "sent",
)


def _live_through(world: World, persons: int) -> None:
    """All that may matter: clicks with the page they led to, scanners, people who take back."""
    rng = random.Random(11)
    for n in range(persons):
        events = []
        for _ in range(14):
            kind = rng.choices(KINDS, (6, 4, 1, 2, 4, 2, 0.1, 2))[0]
            days = rng.choice([rng.uniform(0, 199), rng.uniform(0, 40)])
            more = _told(rng, kind, f"u{n}")
            if kind == "click":
                events += _clicked(rng, world, days, f"u{n}", more)
            else:
                events.append(world.event(days, kind, f"u{n}", **more))
        if rng.random() < 0.2:
            both = (Identity("user_id", f"u{n}"),)
            no = Consent(measure=True, profile=False)
            events.append(world.event(rng.uniform(20, 60), "consent_changed", f"u{n}", consent=no))
            events.append(world.event(rng.uniform(1, 19), "page", f"u{n}", identities=both))
        world.score(events)


def _told(rng: random.Random, kind: str, user: str) -> dict[str, Any]:
    if kind in {"click", "open", "sent"}:
        return {"message_id": "m1", "channel": "email"}
    if kind == "page":
        return {"properties": {"topics": rng.choice([["energy"], ["grid"], []])}}
    if kind != "identified":
        return {}
    told = {"region": rng.choice(["noord", "Zuid"]), "start": f"2024-{rng.randint(1, 12):02}-11"}
    if rng.random() < 0.8:
        return {"properties": told}
    who = (Identity("user_id", user), Identity("email", f"{user}@example.org"))
    told["available_from"] = "2026-12-20"
    return {"properties": told, "identities": who, "server_only": True}


def _clicked(
    rng: random.Random, world: World, days: float, user: str, more: dict[str, Any]
) -> list[Event]:
    click = {"click_id": f"c{days}"}
    # By a clock that is a little slow the page comes before its click.
    lands = days + rng.choice([-2e-5, -2e-5, 2e-5])
    events = [
        world.event(days, "click", user, **more, **click),
        world.event(lands, "page", user, **click),
    ]
    if rng.random() < 0.3:  # follows every link at once, as scanners do
        for link in ("a", "b", "c"):
            at = days - rng.uniform(1e-6, 1e-5)
            events.append(world.event(at, "click", user, content_id=link, **more))
    return events


def _members(client: Client, key: str) -> set[str]:
    page = client.get(f"/v1/segments/{key}/members", params={"limit": 1000}).json()
    return {m["person"] for m in page["members"]}


def test_a_preview_says_what_saving_does(client: Client, world: World) -> None:
    _live_through(world, 20)
    client.post("/v1/segments", json={"key": "viewers", "name": "V", "rule": VIEWED})
    client.post("/v1/segments", json={"key": "s", "name": "S", "rule": RULES["phase"]})
    world.build()
    rules = RULES | _trees(3)
    assert {part["type"] for rule in rules.values() for part in _parts(rule)} == set(TYPES)
    given_up: tuple[dict[str, Any], set[str]] | None = None
    for name, rule in rules.items():
        before = _members(client, "s")
        ask = {"key": "s", "rule": rule, "samples": 50}
        told = client.post("/v1/segments/preview", json=ask).json()
        alone = client.post("/v1/segments/preview", json={"rule": rule, "samples": 50}).json()
        client.put("/v1/segments/s", json={"name": "S", "rule": rule})
        world.build()
        after = _members(client, "s")
        assert {one["person"] for one in told["entering"]} == after - before, name
        assert {one["person"] for one in told["leaving"]} == before - after, name
        assert {one["person"] for one in alone["entering"]} == after, name
        assert (told["exact"], told["looked_at"]) == (True, told["persons"])
        numbers = told["members"], told["enter"], told["leave"], told["stay"]
        assert numbers == (
            len(after),
            len(after - before),
            len(before - after),
            len(after & before),
        )
        if given_up is not None:  # what was kept for it is there still
            again = client.post(
                "/v1/segments/preview", json={"rule": given_up[0], "samples": 50}
            ).json()
            assert {one["person"] for one in again["entering"]} == given_up[1], name
        given_up = rule, after


def test_reasons_are_those_that_settle_it(client: Client, people: dict[str, str]) -> None:
    rule = {"type": "all", "rules": [VIEWED, {"type": "phase", "any_of": ["think", "do"]}]}
    ask = {"rule": {"type": "any", "rules": [rule, RULES["north"]]}}
    found = client.post("/v1/segments/preview", json=ask).json()["entering"]
    assert found == [
        {
            "person": people["turning"],
            "reasons": ["vacancy viewed: at least 2 times in 30 days", "phase Think or Do"],
        }
    ]
    ask = {"rule": {"type": "not", "rule": rule}}
    quiet = client.post("/v1/segments/preview", json=ask, params={"lang": "nl"}).json()["entering"]
    reasons = {one["person"]: one["reasons"] for one in quiet}
    assert reasons[people["quiet"]] == [
        "niet: vacature bekeken: minstens 2 keer in 30 dagen",
        "niet: fase Think of Do",
    ]
    assert people["turning"] not in reasons


def test_an_estimate_says_so(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(12):
        world.person(f"u{n}", [world.event(5, "page", f"u{n}")])
    monkeypatch.setattr(previewing, "PERSONS_AT_ONCE", 2)
    monkeypatch.setattr(previewing, "BUDGET_S", 0)
    ask = {"rule": {"type": "events", "event": ["page"], "within_days": 9}}
    told = client.post("/v1/segments/preview", json=ask).json()
    assert (told["exact"], told["looked_at"], told["persons"]) == (False, 2, 12)
    assert told["enter"] == 12


def test_an_attribute_that_nobody_has_is_perhaps_a_slip(
    client: Client, people: dict[str, str]
) -> None:
    del people
    rule = {"type": "not", "rule": {**RULES["north"], "name": "regoin"}}
    told = client.post("/v1/segments/preview", json={"rule": rule}).json()
    (warning,) = told["warnings"]
    assert warning.endswith("has an attribute 'regoin'. Did you mean 'region'?")
    assert not client.post("/v1/segments/preview", json={"rule": RULES["north"]}).json()["warnings"]


def test_an_attribute_compared_with_what_it_never_is_may_be_a_slip(
    client: Client, people: dict[str, str]
) -> None:
    del people

    def warnings(lang: str, **more: object) -> list[str]:
        rule = {"type": "attribute", "name": "region", **more}
        asked = {"rule": rule}
        answer = client.post("/v1/segments/preview", json=asked, params={"lang": lang})
        found: list[str] = answer.json()["warnings"]
        return found

    (warning,) = warnings("en", op="greater", value=5)
    assert "'region' is a text, and this is a number" in warning
    (warning,) = warnings("nl", op="any_of", values=["Noord", True])
    assert "is 'region' een tekst, en hier gaat het om ja of nee" in warning
    (warning,) = warnings("en", op="none_of", values=[*range(20)])
    assert "this is a number" in warning
    assert not warnings("en", op="known")


def test_a_topic_that_nobody_read_about_is_perhaps_a_slip(client: Client, world: World) -> None:
    world.person("t", [world.event(5, "read", "t", properties={"topics": ["energy"]})])

    def warnings(topic: str) -> list[str]:
        rule = {"type": "engagement", "topic": topic, "at_least": 1}
        found: list[str] = client.post("/v1/segments/preview", json={"rule": rule}).json()[
            "warnings"
        ]
        return found

    assert not warnings("energy")
    (warning,) = warnings("enrgy")
    assert warning.endswith("did anything about a topic 'enrgy'. Did you mean 'energy'?")


def _warnings(client: Client, rule: dict[str, object], lang: str = "en") -> list[str]:
    told = client.post("/v1/segments/preview", json={"rule": rule}, params={"lang": lang}).json()
    found: list[str] = told["warnings"]
    return found


def test_a_date_asked_of_what_is_none_may_be_a_slip(client: Client, world: World) -> None:
    told = {"contract_end": "2027-03-01T09:00:00Z", "region": "Noord", "years": 4, "free": [True]}
    world.person("d", [world.event(5, "identified", "d", properties=told)])
    warned = {
        name: _warnings(client, {"type": "attribute_date", "name": name, "to_days": 90})
        for name in told
    }
    assert not warned["contract_end"]
    assert "'region' is a text, and this is a date" in warned["region"][0]
    assert "'years' is a number, and this is a date" in warned["years"][0]
    assert "'free' is yes or no, and this is a date" in warned["free"][0]
    number = {"type": "attribute", "name": "contract_end", "op": "less", "value": 2027}
    assert "'contract_end' is a text, and this is a number" in _warnings(client, number)[0]
    in_dutch = _warnings(client, {"type": "attribute_date", "name": "region", "to_days": 1}, "nl")
    assert "is 'region' een tekst, en hier gaat het om een datum" in in_dutch[0]


def test_an_identity_that_nobody_is_known_by_may_be_a_slip(client: Client, world: World) -> None:
    world.person("i", [world.event(5, "page", "i")])
    assert not _warnings(client, {"type": "identity", "namespace": "user_id"})
    slip = {"type": "not", "rule": {"type": "identity", "namespace": "usr_id"}}
    assert _warnings(client, slip) == ["Nobody is known by any 'usr_id'. Did you mean 'user_id'?"]
    assert _warnings(client, slip, "nl") == [
        "Van niemand is een 'usr_id' bekend. Bedoelt u 'user_id'?"
    ]


def test_content_that_is_in_no_catalogue_may_be_a_slip(client: Client) -> None:
    slip = {"type": "events", "content_id": "stroy-1", "within_days": 9}
    assert not _warnings(client, slip), "no catalogue is kept"
    story = {"content_type": "story", "title": "A story"}
    assert client.put("/v1/content/story-1", json=story).status_code == 201
    assert _warnings(client, slip) == ["There is no content with id 'stroy-1' in the catalogue."]
    assert _warnings(client, {**slip, "content_id": ""}, "nl") == [
        "In de catalogus staat geen inhoud met id ''."
    ]
    assert not _warnings(client, {**slip, "content_id": "story-1"})


def test_what_another_workspace_has_is_no_answer_to_a_slip(client: Client, world: World) -> None:
    world.person("i", [world.event(5, "page", "i")])
    story = {"content_type": "story", "title": "A story"}
    assert client.put("/v1/content/story-1", json=story).status_code == 201
    client.headers["Authorization"] = f"Bearer {world.workspace('Another employer').api_key}"
    identity = {"type": "identity", "namespace": "user_id"}
    assert _warnings(client, identity) == ["Nobody is known by any 'user_id'."]
    read = {"type": "events", "content_id": "story-2", "within_days": 9}
    assert not _warnings(client, read), "they keep no catalogue"


def test_what_cannot_be_previewed(client: Client) -> None:
    rule = RULES["phase"]
    assert client.post("/v1/segments/preview", json={"rule": rule, "key": "no"}).status_code == 404
    assert client.post("/v1/segments/preview", json={"rule": {"type": "sql"}}).status_code == 400
    empty = client.post("/v1/segments/preview", json={"rule": rule}).json()
    assert (empty["persons"], empty["members"], empty["exact"]) == (0, 0, True)
