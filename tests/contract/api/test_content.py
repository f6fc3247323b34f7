"""The catalogue, what comes next for whom, and links that know it, on both databases."""

from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import Client
from sqlalchemy import update

from services.api.wire import rfc3339
from services.contract.event import Consent, Identity
from services.contract.phases import DAY_MS
from services.contract.tables import content
from services.contract.token import Recipient, sign_recipient
from services.contract.token_wire import seal
from services.runtime.database import writing
from tests.contract.api.world import NOW_MS, World

SITE = "https://werkenbij.example.org"


def put(client: Client, content_id: str, content_type: str, **more: object) -> None:
    body = {"content_type": content_type, "title": content_id, "url": f"{SITE}/{content_id}"} | more
    answer = client.put(f"/v1/content/{content_id}", json=body)
    assert answer.status_code in {200, 201}, answer.text


@pytest.fixture
def catalogue(client: Client) -> None:
    put(client, "wind", "story", phase="see", topics=["wind"])
    put(client, "hacking", "story", phase="see", topics=["security"])
    put(client, "evening", "meeting", phase="think", topics=["security"])
    put(client, "mechanic", "Vacancy ", topics=["security"])
    put(client, "closed", "story", phase="see", closes_at=rfc3339(NOW_MS - DAY_MS))
    put(client, "later", "story", phase="see", published_at=rfc3339(NOW_MS + DAY_MS))
    put(client, "no-address", "story", phase="see", url=None)
    put(client, "for-all", "podcast")


@pytest.fixture
def reader(world: World) -> str:
    """In See, reads of security; known by a mail's token and a cookie too."""
    names = (Identity("user_id", "r"), Identity("anonymous_id", "cookie-r"))
    token = (Identity("user_id", "r"), Identity("person_token", "00112233aabbccdd"))
    return world.person(
        "r",
        [
            world.event(30, "identified", "r", identities=names),
            world.event(29, "identified", "r", identities=token, server_only=True),
            world.event(20, "read", "r", content_id="hacking", properties={"topics": ["security"]}),
        ],
    )


def next_of(client: Client, person: str, **more: object) -> dict:
    answer = client.get(f"/v1/persons/{person}/next-content", params=more)
    assert answer.status_code == 200, answer.text
    (known_as, *_) = client.get(f"/v1/persons/{person}").json()["identities"]
    by_identity = client.get("/v1/persons/lookup/next-content", params=known_as | more)
    assert by_identity.json() == answer.json()
    return dict(answer.json())


def test_the_catalogue(client: Client, catalogue: None) -> None:
    first = client.put("/v1/content/x", json={"content_type": "story", "title": "X"})
    assert first.status_code == 201
    again = client.put("/v1/content/x", json={"content_type": "story", "title": "X"})
    assert (again.status_code, again.headers["etag"]) == (200, first.headers["etag"])
    stale = {"If-Match": '"other"'}
    edit = {"content_type": "story", "title": "Y"}
    assert client.put("/v1/content/x", json=edit, headers=stale).status_code == 412
    assert client.delete("/v1/content/x", headers=stale).status_code == 412
    fresh = {"If-Match": first.headers["etag"]}
    assert client.put("/v1/content/x", json=edit, headers=fresh).json()["title"] == "Y"
    assert client.delete("/v1/content/x").status_code == 204
    assert client.get("/v1/content/x").status_code == 404
    stories = client.get("/v1/content", params={"content_type": "story", "limit": 2}).json()
    assert [one["content_id"] for one in stories["content"]] == ["no-address", "later"]
    rest = client.get("/v1/content", params={"content_type": "story", "cursor": stories["next"]})
    assert [one["content_id"] for one in rest.json()["content"]] == ["closed", "hacking", "wind"]
    unsafe = {"content_type": "story", "title": "X", "url": "javascript:alert(1)"}
    assert client.put("/v1/content/x", json=unsafe).status_code == 400


def test_what_comes_next_has_its_reasons(client: Client, catalogue: None, reader: str) -> None:
    body = next_of(client, reader)
    assert (body["phase"], body["hold"]) == ("see", None)
    assert [one["content_id"] for one in body["next"]] == ["evening", "wind", "for-all"]
    assert [(r["kind"], r["of"]) for r in body["next"][0]["reasons"]] == [
        ("next_phase", "think"),
        ("topic", "security"),
    ]
    dutch = next_of(client, reader, lang="nl")["next"][0]["reasons"]
    assert [r["text"] for r in dutch] == ["leidt naar de fase Think", "gaat over security"]
    seen = client.get(f"/v1/persons/{reader}/content").json()["content"]
    assert [(one["content_id"], one["title"], one["times"]) for one in seen] == [
        ("hacking", "hacking", 1)
    ]


def test_a_type_is_the_same_however_it_is_written(client: Client, world: World) -> None:
    put(client, "new", " Vacancy")
    assert client.get("/v1/content/new").json()["content_type"] == "vacancy"
    assert client.put("/v1/content/x", json={"content_type": " ", "title": "X"}).status_code == 400
    with writing(world.engine).begin() as db:  # as it was once stored
        db.execute(update(content).values(kind="VACANCY"))
    found = client.get("/v1/content", params={"content_type": "Vacancy"}).json()["content"]
    assert [(one["content_id"], one["content_type"]) for one in found] == [("new", "vacancy")]


def test_a_vacancy_is_offered_to_nobody_before_do(
    client: Client, world: World, catalogue: None, people: dict[str, str], reader: str
) -> None:
    offered = {one["content_id"] for one in next_of(client, reader, limit=50)["next"]}
    assert "mechanic" not in offered
    looking = world.person(
        "looking",
        [world.event(day, "application_started", "looking") for day in (3, 2, 1)],
    )
    body = next_of(client, looking)
    assert (body["phase"], body["in_procedure"]) == ("do", False)
    assert body["next"][0]["content_id"] == "mechanic"


def test_who_is_in_a_procedure_is_offered_no_other_vacancy(
    client: Client, world: World, catalogue: None
) -> None:
    applied = [world.event(day, "applied", "a", content_id=f"job {day}") for day in (40, 2)]
    person = world.person("a", applied)
    token = (Identity("user_id", "a"), Identity("person_token", "00112233aabbccdd"))
    world.score([world.event(1.5, "identified", "a", identities=token, server_only=True)])

    def came() -> tuple[bool, bool, str]:
        body = next_of(client, person, limit=50)
        assert body["phase"] == "do"
        asked = {"kt_person": _token(world)}
        to = client.get(f"/n/{world.made.workspace}/hacking", params=asked)
        offered = {one["content_id"] for one in body["next"]}
        return body["in_procedure"], "mechanic" in offered, urlsplit(to.headers["location"]).path

    assert came() == (True, False, "/for-all")
    world.score([world.event(1, "rejected", "a", content_id="job 40")])
    assert came() == (True, False, "/for-all")
    world.score([world.event(0.5, "rejected", "a", content_id="job 2")])
    assert came() == (False, True, "/mechanic")
    before = next_of(client, person, as_of=rfc3339(NOW_MS - DAY_MS * 3 // 2))
    assert before["in_procedure"]


def test_a_procedure_is_read_as_the_dashboard_reads_it(client: Client, world: World) -> None:
    """What a rejection ends may be older than what counts."""
    told = [
        world.event(110, "applied", "a", content_id="old"),
        world.event(20, "applied", "a"),
        world.event(10, "rejected", "a", content_id="old"),
    ]
    assert next_of(client, world.person("a", told))["in_procedure"]


def test_who_is_not_followed_gets_no_item_of_their_own(
    client: Client, catalogue: None, people: dict[str, str]
) -> None:
    body = next_of(client, people["third"])
    assert (body["phase"], body["next"]) == (None, [])
    assert body["hold"]["reason"] == "not_followed"


def test_pressure_and_unsubscribing_hold_an_approach_back(
    client: Client, world: World, catalogue: None
) -> None:
    mails = [
        world.event(day, "sent", "m", channel="email", message_id=f"m{day}") for day in (3, 2, 1)
    ]
    person = world.person("m", [world.event(9, "page", "m"), *mails])
    assert next_of(client, person)["hold"] is None
    held = next_of(client, person, channel="email")["hold"]
    assert held == {"reason": "pressure", "contacts_7_days": 3}
    assert next_of(client, person, channel="email", per_week=4)["hold"] is None
    world.score([world.event(0.5, "unsubscribe", "m", channel="email", message_id="m1")])
    assert next_of(client, person, channel="email", per_week=9)["hold"]["reason"] == "unsubscribed"


def test_by_what_an_answer_tells(client: Client, world: World, catalogue: None) -> None:
    events = []
    for i in range(12):
        mail = {"channel": "email", "message_id": "news"}
        events.append(world.event(20, "sent", f"t{i}", **mail))
        if i < 5:
            events.append(world.event(19.9, "open", f"t{i}", **mail))
            events.append(world.event(19.8, "click", f"t{i}", content_id="wind", **mail))
    world.score(events)
    body = next_of(client, world.id_of("t11"), by="telling")
    assert [one["content_id"] for one in body["next"]] == ["wind"]
    assert body["next"][0]["score"] > 0
    assert body["next"][0]["reasons"][0]["kind"] == "tells"


def test_a_smart_link_that_is_none_tells_of_no_other(client: Client, world: World) -> None:
    item = {"content_type": "story", "title": "Not yet", "published_at": "2030-01-01T00:00:00Z"}
    assert client.put("/v1/content/merger-2030", json=item).status_code == 201
    path, page = f"/n/{world.made.workspace}/merger-203", {"Accept": "text/html"}
    del client.headers["Authorization"]
    for headers in ({}, page):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 404
        assert "merger" not in answer.text
    assert 'href="/?' not in answer.text


def _made_up(world: World, number: int) -> str:
    """A token that we did not sign, by a secret of any number."""
    return seal(4, bytes(8), world.id, number, b"somebody's own")


def test_a_smart_link_leads_each_to_their_own(
    client: Client, world: World, catalogue: None, reader: str
) -> None:
    smart = client.get("/v1/content/wind").json()["smart_url"]
    path = urlsplit(smart).path

    def goes_to(**parameters: str) -> str:
        answer = client.get(path, params=parameters)
        assert answer.status_code == 302
        assert answer.headers["cache-control"] == "no-store"
        return str(answer.headers["location"])

    assert goes_to() == f"{SITE}/wind"
    token = _token(world)
    went = urlsplit(goes_to(kt_person=token, kt_click="c1", utm_source="news", evil="x"))
    assert went.path == "/evening"
    assert parse_qs(went.query) == {
        "kt_person": [token],
        "kt_click": ["c1"],
        "utm_source": ["news"],
    }
    forged = urlsplit(goes_to(kt_person=token[:-2] + "zz"))
    assert forged.path == "/wind"
    for number in (1, 32_767, 32_768, 2**34):
        assert urlsplit(goes_to(kt_person=_made_up(world, number))).path == "/wind"
    assert client.get(path.replace("wind", "unknown")).status_code == 404
    made = client.post("/v1/links", json={"target": smart})
    assert made.status_code == 201


def test_a_click_on_a_smart_link_counts_as_seeing_nothing(client: Client, catalogue: None) -> None:
    smart = client.get("/v1/content/wind").json()["smart_url"]
    refused = client.post("/v1/links", json={"target": f"{smart}?a=1", "content_id": "wind"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    assert refused.json()["detail"].startswith("content_id: leave it out of a smart link.")
    body = {"html": f'<a href="{smart}" data-content-id="wind">Next</a>', "mailer": "brevo"}
    rewritten = client.post("/v1/rewrite", json=body).json()
    assert [one["content_id"] for one in rewritten["links"]] == [None]
    assert [one["code"] for one in rewritten["warnings"]] == ["smart_link_content"]


def test_a_place_on_a_website(client: Client, world: World, catalogue: None, reader: str) -> None:
    def offered(**more: str) -> object:
        answer = client.get(
            "/v1/site/next-content", params={"writeKey": world.made.write_key, **more}
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["access-control-allow-origin"] == "*"
        return answer.json()["next"]

    evening = {
        "content_id": "evening",
        "content_type": "meeting",
        "title": "evening",
        "url": f"{SITE}/evening",
    }
    # Anybody can tie a cookie to somebody whose name they know: it tells nothing of them.
    assert offered(anonymousId="cookie-r") is None
    lone = (Identity("anonymous_id", "lone"),)
    world.score([world.event(5, "read", "", identities=lone, content_id="hacking",
                             properties={"topics": ["security"]})])  # fmt: skip
    assert offered(anonymousId="lone") == evening
    assert offered(kt_person=_token(world)) == evening
    assert offered(anonymousId="nobody") is None
    assert offered() is None
    assert offered(kt_person=_made_up(world, 2**34)) is None
    slip = client.get("/v1/site/next-content", params={"writekey": world.made.write_key}).json()
    assert slip["detail"].endswith("Did you mean 'writeKey'?")
    world.score([world.event(3, "page", "q", identities=(Identity("anonymous_id", "q"),),
                             consent=Consent(measure=True))])  # fmt: skip
    assert offered(anonymousId="q") is None
    for key in (world.made.api_key, world.made.server_key, "nobody"):
        answer = client.get("/v1/site/next-content", params={"writeKey": key})
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("", 400),
        ("?writekey=x", 400),
        (f"?writeKey={'x' * 101}", 400),
        ("?writeKey=%00", 400),
        ("?writeKey=x", 401),
    ],
)
def test_a_page_can_read_what_was_wrong(client: Client, asked: str, status: int) -> None:
    answer = client.get(f"/v1/site/next-content{asked}")
    assert answer.status_code == status
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert "access-control-allow-origin" not in client.get("/v1/content").headers


def _token(world: World) -> str:
    number, secret = world.link_secret()
    recipient = Recipient("00112233aabbccdd", measure=True, profile=True)
    return sign_recipient(recipient, world.id, number, secret)
