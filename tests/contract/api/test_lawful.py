"""Nobody is known or chosen by age, health, origin and the like."""

from typing import Any

import pytest
from httpx import Client

from tests.contract.api.test_audit_of_routes import IMPORT
from tests.contract.api.world import World

OF_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""It is decided before any database is asked."""

RULES: list[dict[str, Any]] = [
    {"type": "attribute", "name": "age", "op": "less", "value": 30},
    {"type": "attribute_date", "name": "geboortedatum", "to_days": -16_000},
    {"type": "events", "topic": ["wind", "health"], "within_days": 30},
    {"type": "last_event", "properties": [{"name": "nationality", "op": "known"}],
     "less_than_days_ago": 9},
    {"type": "engagement", "topic": "55+", "at_least": 1},
    {"type": "interest", "topic": ["trade union"], "among_strongest": 3},
]  # fmt: skip


@OF_ONE
def test_a_rule_is_refused_when_it_is_saved_or_previewed(client: Client) -> None:
    fine = {"name": "S", "rule": {"type": "attribute", "name": "region", "op": "known"}}
    assert client.put("/v1/segments/s", json=fine).status_code == 201
    for rule in RULES:
        deep = {"type": "not", "rule": {"type": "any", "rules": [fine["rule"], rule]}}
        for answer in (
            client.post("/v1/segments", json={"key": "x", "name": "X", "rule": deep}),
            client.put("/v1/segments/s", json={"name": "S", "rule": rule}),
            client.post("/v1/segments/preview", json={"rule": deep}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (400, "special_category"), rule
    assert "`nationality` is about origin" in client.put(
        "/v1/segments/s", json={"name": "S", "rule": RULES[3]}
    ).json()["detail"]  # fmt: skip
    assert client.get("/v1/segments/s").json()["version"] == 1


@OF_ONE
def test_so_are_attributes_and_topics(client: Client, people: dict[str, str]) -> None:
    person, told = people["turning"], {"attributes": {"Gender": "x"}}
    item = {"content_type": "story", "title": "X", "topics": ["wind", "health"]}
    age = {"attributes": {"age": {"column": "Age"}}}
    for answer in (
        client.patch(f"/v1/persons/{person}", json=told),
        client.put("/v1/content/x", json=item),
        client.post("/v1/imports", json=IMPORT | age),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "special_category")


@OF_ONE
def test_the_page_says_so_in_both_languages(client: Client, world: World) -> None:
    del client.headers["Authorization"]
    assert client.post("/login", data={"key": world.made.api_key}).status_code == 303
    csrf = client.get("/new-segment").text.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": csrf, "name": "x", "do": "save", "r.type": "all", "r.0.type": "attribute",
            "r.0.name": "leeftijd", "r.0.op": "less", "r.0.value": "30"}  # fmt: skip
    for language, told in (("en", "Nobody is chosen by that here"), ("nl", "niemand op gekozen")):
        answer = client.post(f"/new-segment?lang={language}", data=form)
        assert answer.status_code == 400
        assert told in answer.text
