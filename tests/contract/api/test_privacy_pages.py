"""What a privacy officer does in the dashboard, through a real tracker, on both databases."""

import json
import re
from collections.abc import Callable

import pytest
from httpx import Client

from services.contract.event import Consent, Event, Identity
from tests.contract.api.world import World

Api = tuple[Client, Callable[[], list[Event]]]


@pytest.fixture
def browser(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A browser that logged in; nobody waits for the scorer, which is the test itself."""
    monkeypatch.setattr("services.api.waiting.WAIT_S_MAX", 0.01)
    client = api[0]
    del client.headers["Authorization"]
    assert client.post("/login", data={"key": world.made.api_key}).status_code == 303
    return client


@pytest.fixture
def anna(world: World) -> str:
    """The public id of somebody with an address."""
    both = (Identity("user_id", "anna"), Identity("email", "anna@x.test"))
    agreed = Consent(measure=True, profile=True, contact=True)
    return world.person(
        "anna",
        [
            world.event(20, "identified", "anna", identities=both, consent=agreed, source_id=2),
            world.event(4, "vacancy_viewed", "anna", properties={"title": "Mechanic"}),
        ],
    )


def _own(browser: Client, path: str = "/privacy") -> dict[str, str]:
    found = re.search(r'name="csrf" value="(\w+)"', browser.get(path).text)
    assert found is not None
    return {"csrf": found[1]}


def test_all_that_is_known_is_handed_out(browser: Client, anna: str) -> None:
    answer = browser.get(f"/people/{anna}/known.json?lang=nl")
    assert answer.headers["content-disposition"].startswith("attachment")
    known = json.loads(answer.text)
    assert known["person"]["id"] == anna
    assert [one["type"] for one in known["events"]] == ["identified", "vacancy_viewed"]
    assert {one["value"] for one in known["identities"]["identities"]} >= {"anna@x.test"}
    assert known["consent"]["now"]["profile"]["granted"] is True
    assert "Naar onze schatting bent u " in known["explanation"]["summary"]
    assert browser.get("/people/nobody/known.json").status_code == 404


def test_somebody_is_looked_up_and_objects(api: Api, browser: Client, anna: str) -> None:
    own = _own(browser)
    found = browser.post(
        "/privacy?lang=en", data=own | {"namespace": "email", "value": "Anna@X.test"}
    )
    assert f"/people/{anna}/objection" in found.text
    path = f"/people/{anna}/objection?lang=en"
    asked = browser.get(path).text
    assert "leaves every segment and phase at once" in asked
    day = re.search(r'type="date" value="([\d-]+)"', asked)
    assert day is not None
    late = browser.post(path, data=own | {"reason": "by phone", "day": "2999-01-01"})
    assert late.json()["code"] == "in_the_future"
    for wrong in ({"reason": "", "day": day[1]}, {"reason": "x", "day": "no"}):
        assert browser.post(path, data=own | wrong).json()["code"] == "invalid"
    done = browser.post(path, data=own | {"reason": "by phone", "day": day[1]})
    assert "The objection is recorded." in done.text
    assert "within seconds" in done.text  # it waits for the scorer, which is this test
    assert {event.type for event in api[1]()} == {"consent_changed"}
    page = browser.get(f"/people/{anna}?lang=en").text
    assert "We make no estimate of this person" in page


def test_somebody_is_erased_when_it_is_confirmed(api: Api, browser: Client, anna: str) -> None:
    own, path = _own(browser), f"/people/{anna}/erasure?lang=en"
    asked = browser.get(path).text
    assert "It cannot be undone." in asked
    assert "anna@x.test" in asked
    assert "Nothing was erased" in browser.post(path, data=own).text
    assert browser.get(f"/people/{anna}").status_code == 200
    assert browser.post(path, data={"sure": "yes"}).status_code == 403  # of no session
    done = browser.post(path, data=own | {"sure": "yes"})
    assert "anna is erased." in done.text
    assert "erased" in {event.type for event in api[1]()}
    assert browser.get(f"/people/{anna}").status_code == 404
    gone = browser.post(
        "/privacy?lang=en", data=own | {"namespace": "email", "value": "anna@x.test"}
    ).text
    assert "(on request)." in gone
    assert "Proof of earlier consent" in gone


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_of_somebody_unknown_it_is_recorded_too(api: Api, browser: Client) -> None:
    own = _own(browser) | {"namespace": "email", "value": "b@x.test"}
    looked = browser.post("/privacy?lang=nl", data=own).text
    assert "Niemand is hieraan bekend." in looked
    assert "Nothing was erased" in browser.post("/privacy/erasure?lang=en", data=own).text
    objected = own | {"reason": "brief", "day": "2026-11-01"}
    assert (
        "Het bezwaar is vastgelegd."
        in browser.post("/privacy/objection?lang=nl", data=objected).text
    )
    erased = browser.post("/privacy/erasure?lang=nl", data=own | {"sure": "yes"}).text
    assert "Er was niemand zo bekend" in erased
    assert {event.type for event in api[1]()} == {"consent_changed", "erased"}
    odd = browser.post("/privacy", data=own | {"namespace": "É"})
    assert odd.json()["code"] == "invalid"
