"""The dashboard: who may see it, and what it shows, on both databases."""

import re
from itertools import product
from xml.etree import ElementTree as ET

import pytest
from httpx import Client

from services.api.dashboard.people_page import PAGE
from services.api.dashboard.session import COOKIE
from services.contract.event import Agreement, Consent, Identity
from tests.contract.api.world import World


@pytest.fixture
def browser(client: Client, world: World) -> Client:
    """A browser that logged in, and has no key of its own."""
    del client.headers["Authorization"]
    answer = client.post("/login", data={"key": world.made.api_key})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert world.made.api_key not in cookie
    return client


def test_nothing_without_a_session(client: Client, people: dict[str, str]) -> None:
    del client.headers["Authorization"]
    paths = ("/", "/part", "/charts/see.svg", f"/people/{people['turning']}")
    paths += ("/phases/do", "/segments/doers")
    for path, cookie in product(paths, (None, "", "x", "AAAA" * 11, "é")):
        headers = {} if cookie is None else {"Cookie": f"{COOKIE}={cookie}".encode()}
        answer = client.get(path, headers=headers)
        assert answer.status_code == (401 if path == "/part" else 303), (path, cookie)
        assert "Anna" not in answer.text


def test_only_an_api_key_opens_it(client: Client, world: World) -> None:
    known = {world.made.write_key, world.made.server_key}
    for key in ("", "ka_wrong", *known, "\x00"):
        answer = client.post("/login?lang=en", data={"key": key})
        assert answer.status_code == 403
        assert ("We do not know this key." in answer.text) is (key not in known)
        assert ("This key may not see the dashboard." in answer.text) is (key in known)
        assert "set-cookie" not in answer.headers
    cross = client.post(
        "/login", data={"key": world.made.api_key}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert cross.status_code == 403


def test_the_first_page(browser: Client, people: dict[str, str]) -> None:
    dutch = browser.get("/?lang=nl")
    assert "Wie beweegt er, en waarom?" in dutch.text
    assert '<html lang="nl">' in dutch.text
    english = browser.get("/", headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert "Who is moving, and why?" in english.text
    assert "Anna" in english.text  # she moved
    assert "looked at a vacancy" in english.text
    assert browser.get("/part?lang=nl").text in dutch.text or "Bijgewerkt om" in dutch.text
    for text in (dutch.text, english.text):
        assert not re.search(r"<script(?![^>]*src=)|style=| on[a-z]+=\"|https?://", text)


@pytest.mark.parametrize("no", [Consent(profile=False), Consent(measure=False)])
def test_who_says_no_is_no_mover(
    browser: Client, world: World, people: dict[str, str], no: Consent
) -> None:
    link = f"/people/{people['turning']}?"
    assert link in browser.get("/").text
    world.score([world.event(0.01, "consent_changed", "anna", consent=no, server_only=True)])
    assert link not in browser.get("/").text


def test_a_phase_leads_to_its_people(browser: Client, people: dict[str, str]) -> None:
    assert 'href="/phases/do?lang=en"' in browser.get("/?lang=en").text
    page = browser.get("/phases/do?lang=en").text
    assert "1 person<" in page
    assert f'href="/people/{people["turning"]}?lang=en">Anna</a>' in page
    assert people["quiet"] not in page
    assert "Nu niemand." in browser.get("/phases/care?lang=nl").text
    assert browser.get("/phases/x").status_code == 400
    assert browser.get("/phases/do?cursor=x").status_code == 400


def test_a_segment_leads_to_its_people_page_by_page(browser: Client, world: World) -> None:
    world.score([world.event(1, "page", f"u{i}") for i in range(PAGE + 2)])
    rule = {"type": "phase", "any_of": ["see"]}
    headers = {"Authorization": f"Bearer {world.made.api_key}"}
    made = {"key": "seers", "name": "Seers", "rule": rule}
    assert browser.post("/v1/segments", json=made, headers=headers).status_code == 201
    filling = browser.get("/segments/seers?lang=en").text
    assert "Being filled, 0%. Load the page again in a while." in filling
    assert "Nobody" not in filling
    assert "in four weeks" not in filling
    world.build()
    assert 'href="/segments/seers?lang=en">Seers</a>' in browser.get("/?lang=en").text
    first = browser.get("/segments/seers?lang=en").text
    further = re.search(r'rel="next" href="([^"]+)"', first)
    assert further is not None
    second = browser.get(further[1].replace("&amp;", "&")).text
    assert 'rel="next"' not in second
    assert f"{PAGE + 2} people" in second
    row = re.compile(r'<th scope="row"><a href="/people/(p_[\w-]+)')
    shown = [set(row.findall(page)) for page in (first, second)]
    assert [len(ids) for ids in shown] == [PAGE, 2]
    assert not shown[0] & shown[1]
    assert browser.get("/segments/none").status_code == 404


def test_people_are_sorted_and_found(browser: Client, world: World, people: dict[str, str]) -> None:
    world.score([world.event(3, "identified", f"u{i}") for i in range(PAGE + 3)])
    row = re.compile(r'<th scope="row"><a href="/people/(p_[\w-]+)')
    share = re.compile(r'<td class="number">(\d+)%</td>')
    for order in ("latest", "openness", "engagement"):
        path, seen, shares = f"/phases/see?lang=en&order={order}", [], []
        while path:
            page = browser.get(path).text
            seen += row.findall(page)
            shares += [int(one) for one in share.findall(page)]
            further = re.search(r'rel="next" href="([^"]+)"', page)
            path = further[1].replace("&amp;", "&") if further else ""
        assert len(seen) == len(set(seen)) == PAGE + 4, order
        if order == "openness":
            assert shares == sorted(shares, reverse=True)
        if order == "latest":
            assert seen[-1] == people["quiet"]
    assert 'aria-sort="descending"' in page
    found = browser.get("/phases/see?lang=en&q=u3").text
    assert row.findall(found) == [world.id_of("u3")]
    elsewhere = browser.get("/phases/see?lang=en&q=anna").text
    assert "Nobody in this list is known as anna." in elsewhere
    assert browser.get("/people?q=anna").headers["location"] == f"/people/{people['turning']}"
    assert "Niemand is bekend als &lt;x&gt;." in browser.get("/people?lang=nl&q=<x>").text
    assert browser.get("/phases/see?order=name").status_code == 400


def test_only_who_came_last_is_ranked_where_they_are_many(
    browser: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.api.dashboard.people_page.RANKED_MAX", 2)
    world.score([world.event(3 + i, "page", f"u{i}") for i in range(4)])
    page = browser.get("/phases/see?lang=en&order=openness").text
    assert "The order is that of the 2 people who came here last" in page
    assert world.id_of("u0") in page
    assert world.id_of("u3") not in page
    assert world.id_of("u3") in browser.get("/phases/see?lang=en").text


def test_errors_are_pages_in_the_visitors_language(
    browser: Client, world: World, people: dict[str, str]
) -> None:
    page = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": "nl"}
    for path, status, told in (
        ("/segments/none", 404, "Dat is hier niet"),
        ("/nowhere", 404, "Dat is hier niet"),
        ("/phases/x", 400, "Zo kan het niet"),
        ("/phases/see?cursor=x", 400, "Begin de lijst opnieuw."),
        ("/people/nobody/erasure", 404, "Dat is hier niet"),
        ("/people/%00", 400, "Zo kan het niet"),
    ):
        answer = browser.get(path, headers=page)
        assert (answer.status_code, told in answer.text) == (status, True), path
        assert '<html lang="nl">' in answer.text
        assert answer.headers["content-type"].startswith("text/html")
    english = browser.get("/segments/none?lang=en", headers=page)
    assert "It is not here" in english.text
    forged = browser.post("/access/keys?lang=en", data={"csrf": "x"}, headers=page)
    assert (forged.status_code, "Load the page again" in forged.text) == (403, True)
    assert browser.get("/segments/none").headers["content-type"] == "application/problem+json"
    assert browser.get("/v1/segments", headers=page).json()["code"] == "unauthorized"


def test_a_chart_is_a_picture_of_its_own(browser: Client, people: dict[str, str]) -> None:
    answer = browser.get("/charts/do.svg?lang=en")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert ET.fromstring(answer.content).tag == "{http://www.w3.org/2000/svg}svg"
    assert browser.get("/charts/x.svg").status_code == 404


def test_a_persons_page(browser: Client, world: World, people: dict[str, str]) -> None:
    page = browser.get(f"/people/{people['turning']}?lang=en").text
    assert "Anna" in page
    assert "looked at a vacancy: Mechanic" in page
    assert "Starting point" in page
    unscored = browser.get(f"/people/{people['third']}?lang=en").text
    assert "We make no estimate of this person" in unscored
    unknown = browser.get("/people/nobody?lang=en")
    assert unknown.status_code == 404
    assert unknown.headers["content-type"].startswith("text/html")
    assert "We do not know this person" in unknown.text


def test_a_persons_page_says_what_was_agreed_to(browser: Client, world: World) -> None:
    no, cookie = Consent(profile=False), Identity("anonymous_id", "c1")
    asked = Agreement(asked_where="the open day")
    person = world.person(
        "kim",
        [
            world.event(40, "page", "kim", identities=(cookie,)),
            world.event(9, "page", "kim"),
            world.event(8, "page", "kim", identities=(cookie, Identity("user_id", "kim"))),
            world.event(2, "consent_changed", "kim", consent=no, server_only=True, agreement=asked),
        ],
    )
    page = browser.get(f"/people/{person}?lang=en").text
    since = "so reported since 9 Oct 2026, last on 9 Nov 2026"
    assert re.search(rf"To be measured</span><span>yes<.*{since}", page)
    assert re.search(r"An estimate</span><span>no<.*said on 16 Nov 2026 \(the open day\)", page)
    assert "To be contacted</span><span>never said</span>" in page
    assert "no estimate of this person: there is no consent to it." in page
    employed = world.person("lee", [world.event(9, "page", "lee"), world.event(2, "hired", "lee")])
    assert "er is een dienstverband." in browser.get(f"/people/{employed}?lang=nl").text


def test_a_persons_page_says_what_was_told_and_what_was_left_out(
    browser: Client, world: World
) -> None:
    told = {"name": "Bo", "profession": "welder", "night_shift": True, "list": ["not a line"]}
    person = world.person(
        "bo",
        [
            world.event(60, "identified", "bo", properties=told),
            *(world.event(50 - day / 2, "page", "bo") for day in range(50)),
            world.event(2, "applied", "bo"),
        ],
    )
    page = browser.get(f"/people/{person}?lang=en").text
    assert '<span class="hint">profession</span> welder' in page
    assert '<span class="hint">night shift</span> yes' in page
    assert "not a line" not in page
    assert "Ready to talk, since 16 Nov 2026" in page
    assert "On that day this person signed up or applied." in page
    assert "The latest 40 of 52." in page
    dutch = browser.get(f"/people/{person}?lang=nl").text
    assert '<span class="hint">beroep</span> welder' in dutch


def test_a_persons_page_tells_of_habits(browser: Client, world: World) -> None:
    energy = {"topics": ["energy"]}
    visits = [world.event(7 * n + 1, "read", "eva", properties=energy) for n in range(5)]
    sent = world.event(3, "sent", "eva", channel="email", message_id="m")
    said = world.event(2, "question", "eva", properties={"available_from": "2027-02-01"})
    person = world.person("eva", [*visits, sent, said])
    page = browser.get(f"/people/{person}?lang=en").text
    for told in (
        "energy",
        "from 1 Feb 2027 (said so)",
        "about every 7 days",
        "1 in 7 days, 1 in 30 days",
    ):
        assert told in page, told
    dutch = browser.get(f"/people/{person}?lang=nl").text
    assert "vanaf 1 feb 2027 (gezegd)" in dutch
    assert "ongeveer om de 7 dagen" in dutch


def test_what_people_sent_stays_text(browser: Client, world: World) -> None:
    evil = '"><script>alert(1)</script>'
    told = {"name": evil}
    person = world.person(
        "evil",
        [
            world.event(9, "identified", "evil", properties=told),
            world.event(2, "applied", "evil", properties={"title": evil}),
        ],
    )
    for path in ("/", f"/people/{person}"):
        text = browser.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text


def test_another_workspace_sees_nothing(
    client: Client, world: World, people: dict[str, str]
) -> None:
    stranger = world.workspace("Another employer")
    client.post("/login", data={"key": stranger.api_key})
    assert "Anna" not in client.get("/").text
    assert client.get(f"/people/{people['turning']}").status_code == 404


def test_log_out(browser: Client) -> None:
    assert browser.get("/").status_code == 200
    assert browser.post("/logout").status_code == 303
    assert browser.get("/").status_code == 303


def test_the_docs_need_no_other_host(client: Client) -> None:
    page = client.get("/docs").text
    assert not re.search(r"https?://", page)
    for name in re.findall(r'"/docs/([^"]+)"', page):
        assert client.get(f"/docs/{name}").status_code == 200
    assert client.get("/docs/..%2fapp.py").status_code == 404
