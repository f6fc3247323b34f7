"""What another system knows of a person."""

from collections.abc import Callable
from typing import Any

from httpx import Client

from services.contract.event import Event
from tests.contract.api.world import World
from tests.servers.process import wait_until

Api = tuple[Client, Callable[[], list[Event]]]
AGREED: dict[str, Any] = {
    "purposes": {"measure": True, "profile": True},
    "given_at": "2026-03-01T10:00:00Z",
    "text_version": "application form 2",
    "asked_where": "the application form",
}


def test_a_person_begins_is_changed_and_found(api: Api) -> None:
    client, arrive = api
    body = {
        "attributes": {"region": "Utrecht", "skills": ["VCA"]},
        "identities": [{"namespace": "email", "value": "Anna@Example.org"}],
        "at": "2026-05-01T00:00:00Z",
    }
    nobody = client.put("/v1/persons/carerix/C-1", json=body)
    assert (nobody.status_code, nobody.json()["code"]) == (409, "no_consent")
    taken = client.put("/v1/persons/carerix/C-1", json={**body, "consent": AGREED})
    assert taken.status_code == 202, taken.text
    arrive()
    later = {"attributes": {"region": "Zwolle", "skills": None}, "at": "2026-06-01T00:00:00Z"}
    assert client.put("/v1/persons/carerix/C-1", json=later).status_code == 202
    arrive()
    query = {"namespace": "email", "value": "anna@example.org"}
    person = client.get("/v1/persons/lookup", params=query).json()
    assert person["attributes"] == {"region": "Zwolle", "skills": None}
    assert person["consent"] == {"measure": True, "profile": True, "contact": None}
    now = client.get(f"/v1/persons/{person['id']}/consent").json()["now"]
    assert {one["asked_where"] for one in now.values()} == {"the application form"}
    level = {"attributes": {"level": 4}, "at": "2026-07-01T00:00:00Z"}
    patched = client.patch(f"/v1/persons/{person['id']}", json=level)
    assert patched.status_code == 202
    arrive()
    person = client.get(f"/v1/persons/{person['id']}").json()
    assert person["attributes"] == {"region": "Zwolle", "skills": None, "level": 4}


def test_an_id_may_have_a_slash(api: Api) -> None:
    client, arrive = api
    taken = client.put("/v1/persons/carerix/Q%2F1", json={"consent": AGREED})
    assert taken.status_code == 202, taken.text
    arrive()
    query = {"namespace": "carerix", "value": "Q/1"}
    person = client.get("/v1/persons/lookup", params=query).json()
    assert person["identities"] == [query]


def test_what_nobody_can_be_known_by_is_told(api: Api) -> None:
    client, arrive = api
    mails = ["no mail", "\u00a0", "Anna@Example.org"]
    named = [{"namespace": "email", "value": one} for one in mails]
    body = {"identities": named, "consent": AGREED}
    for path in ("carerix/%20", "email/no%20mail"):
        refused = client.put(f"/v1/persons/{path}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (400, "unusable_identity")
    told = client.put("/v1/persons/carerix/C-1", json=body).json()["left_out"]
    assert told == [
        {
            **named[0],
            "reason": "not_an_address",
            "detail": "This is no mail address: write it as anna@example.org.",
        },
        {**named[1], "reason": "empty", "detail": "There is nothing in it that could be kept."},
    ]
    (event,) = arrive()
    assert {one.value for one in event.identities} == {"C-1", "anna@example.org"}


def test_the_same_of_the_same_moment_is_one_event(api: Api) -> None:
    client, arrive = api
    body = {"attributes": {"a": 1}, "consent": AGREED, "at": "2026-05-01T00:00:00Z"}
    one = client.put("/v1/persons/carerix/C-1", json=body).json()
    assert client.put("/v1/persons/carerix/C-1", json=body).json() == one
    arrive()
    older = {"attributes": {"a": 0}, "at": "2026-04-01T00:00:00Z"}
    assert client.put("/v1/persons/carerix/C-1", json=older).status_code == 202
    arrive()
    query = {"namespace": "carerix", "value": "C-1"}
    assert client.get("/v1/persons/lookup", params=query).json()["attributes"] == {"a": 1}


def test_who_withdrew_stays_gone(api: Api, world: World) -> None:
    client, arrive = api
    client.put("/v1/persons/user_id/anna", json={"attributes": {"a": 1}, "consent": AGREED})
    arrive()
    no = {"namespace": "user_id", "value": "anna", "purposes": {"measure": False}}
    client.post("/v1/consent", json={**no, "given_at": "2026-11-15T00:00:00Z"})
    arrive()
    person = world.id_of("anna")
    for answer in (
        client.put("/v1/persons/user_id/anna", json={"attributes": {"a": 2}}),
        client.patch(f"/v1/persons/{person}", json={"attributes": {"a": 2}}),
        client.put(
            "/v1/persons/user_id/ben",
            json={"consent": {**AGREED, "purposes": {"measure": False}}},
        ),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "no_consent")

    def told_why() -> bool:  # once the tracker has heard of it
        answer = client.put("/v1/persons/user_id/anna", json={"consent": AGREED})
        return answer.status_code == 409 and "after `given_at`" in answer.json()["detail"]

    wait_until(told_why, "the withdrawal at the tracker")
    arrive()
    assert client.get(f"/v1/persons/{person}").json()["attributes"] == {}
