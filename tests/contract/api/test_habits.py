"""Interests, pressure, rhythm and what content tells over REST, on both databases."""

from datetime import UTC, datetime

import pytest
from httpx import Client

from services.api.wire import rfc3339
from services.contract.event import Consent
from services.contract.phases import DAY_MS
from tests.contract.api.world import NOW_MS, World

# A Tuesday evening in Amsterdam, as many days before now.
_TUESDAY = (NOW_MS - round(datetime(2026, 11, 17, 19, 10, tzinfo=UTC).timestamp() * 1000)) / DAY_MS


@pytest.fixture
def anna(world: World) -> str:
    """Comes on Tuesday evenings, reads of energy, got mails, told when she could begin."""
    sent = [world.event(20, "sent", "anna", channel="email", message_id="m1")]
    energy = {"topics": ["energy"], "title": "The grid"}
    visits = [
        world.event(_TUESDAY + 7 * week, "read", "anna", properties=energy) for week in range(5)
    ]
    said = world.event(5, "question", "anna", properties={"available_from": "2027-02-01"})
    issue = world.event(3, "sent", "anna", channel="magazine", message_id="i1")
    gone = world.event(2, "unsubscribe", "anna", channel="magazine", message_id="i1")
    return world.person("anna", [*sent, *visits, said, issue, gone])


def test_interests(client: Client, anna: str) -> None:
    body = client.get(f"/v1/persons/{anna}/interests").json()
    (energy,) = body["topics"]
    assert energy["topic"] == "energy"
    assert 0 < energy["share"] < 1
    assert 0 < energy["engaged"] < body["in_all"]["engaged"]
    assert body["in_all"]["against"] > 7  # the magazine, and a mail left unopened
    assert body["availability"]["source"] == "said"
    assert body["availability"]["from_day"] == "2027-02-01"
    early = client.get(
        f"/v1/persons/{anna}/interests", params={"as_of": rfc3339(NOW_MS - 15 * DAY_MS)}
    ).json()
    assert early["availability"] is None
    assert 0 < early["in_all"]["against"] < 1


def test_pressure(client: Client, anna: str) -> None:
    body = client.get(f"/v1/persons/{anna}/pressure").json()
    counts = {c["channel"]: (c["days_7"], c["days_30"]) for c in body["contacts"]}
    assert counts == {"email": (0, 1), "magazine": (1, 1)}
    assert (body["days_7"], body["days_30"]) == (1, 2)
    assert (body["mail_off"], body["magazine_off"]) == (False, True)
    assert body["rhythm"]["every_days"] == 7
    moment = body["best_moment"]
    assert (moment["weekday"], moment["hour"]) == (2, 20)
    assert moment["time_zone"] == "Europe/Amsterdam"


def test_of_who_is_not_followed_nothing_of_it_is_said(client: Client, world: World) -> None:
    public_id = world.person("x", [world.event(3, "page", "x", consent=Consent(measure=True))])
    interests = client.get(f"/v1/persons/{public_id}/interests").json()
    assert (interests["topics"], interests["availability"]) == ([], None)
    pressure = client.get(f"/v1/persons/{public_id}/pressure").json()
    assert (pressure["contacts"], pressure["rhythm"], pressure["best_moment"]) == ([], None, None)
    person = client.get(f"/v1/persons/{public_id}").json()
    assert person["next_mail"] is None
    assert person["latency_since"] is None


def test_what_mailings_and_content_tell(client: Client, world: World) -> None:
    """Those who go on to look at vacancies clicked the calendar; everybody opens the newsletter."""
    events = []
    for i in range(16):
        who, looking = f"user-{i}", i < 6
        for n in range(4):
            calendar, news = f"calendar-{n}", f"news-{n}"
            for mailing in (calendar, news):
                day = 60 - 12 * n - (6 if mailing == news else 0)
                mail = {"channel": "email", "message_id": mailing}
                events.append(world.event(day, "sent", who, **mail))
                if mailing == news or looking:
                    events.append(world.event(day - 1, "open", who, **mail))
                if mailing == calendar and looking:
                    click = mail | {"content_id": "project-calendar"}
                    events.append(world.event(day - 1.1, "click", who, **click))
            if looking:
                events.append(world.event(49 - 12 * n, "vacancy_viewed", who))
    world.score(events)
    body = client.get("/v1/telling").json()
    assert body["persons"] == 16
    told = {mailing["message_id"]: mailing for mailing in body["mailings"]}
    assert len(told) == 8
    assert [m["bits"] for m in body["mailings"]] == sorted(
        (m["bits"] for m in told.values()), reverse=True
    )
    assert told["calendar-3"]["bits"] > 1.5 * told["news-3"]["bits"]
    assert told["calendar-3"]["bits_active"] > told["news-3"]["bits_active"]
    assert (told["calendar-3"]["sent"], told["calendar-3"]["clicked"]) == (16, 6)
    (content,) = body["content"]
    assert content["content_id"] == "project-calendar"
    assert (content["sent"], content["clicked"]) == (64, 24)
    clicks = [content["answering"][s]["click"] for s in ("latent_latent", "active")]
    assert clicks[0] < clicks[1]
    rule = {"type": "events", "event": ["vacancy_viewed"], "within_days": 300}
    client.put("/v1/segments/lookers", json={"name": "Lookers", "rule": rule})
    assert client.get("/v1/telling", params={"segment": "lookers"}).json()["averaged"] == 0
    world.build()
    lookers = client.get("/v1/telling", params={"segment": "lookers"}).json()
    assert (lookers["persons"], lookers["averaged"]) == (16, 6)
    (same,) = lookers["content"]
    assert same["answering"] == content["answering"]
    assert same["bits"] != content["bits"]
    assert client.get("/v1/telling", params={"segment": "nobodys"}).status_code == 404
    person = client.get(f"/v1/persons/{world.id_of('user-0')}").json()
    assert 0 < person["next_mail"]["bits_active"] <= person["next_mail"]["bits"]


def test_without_anybody_nothing_is_told(client: Client) -> None:
    body = client.get("/v1/telling").json()
    assert (body["persons"], body["mailings"], body["content"]) == (0, [], [])
