"""Segments in the dashboard: shown, previewed, made, changed and exported, on both databases."""

import re
from typing import Any

import pytest
from httpx import Client, Response
from sqlalchemy import select

from services.api.dashboard.audit_texts import DONE, SCOPES
from services.contract.roles import SCOPES as ALL_SCOPES
from services.contract.tables import job
from tests.contract.api.world import World


@pytest.fixture
def browser(client: Client, world: World) -> Client:
    """A browser that logged in."""
    del client.headers["Authorization"]
    assert client.post("/login", data={"key": world.made.api_key}).status_code == 303
    return client


OF_THE_FORM = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Tests of what the form does, whatever the database."""


def _own(browser: Client) -> dict[str, str]:
    found = re.search(r'name="csrf" value="(\w+)"', browser.get("/new-segment").text)
    assert found is not None
    return {"csrf": found[1]}


def _rule(browser: Client, world: World, key: str) -> Any:
    headers = {"Authorization": f"Bearer {world.made.api_key}"}
    return browser.get(f"/v1/segments/{key}", headers=headers).json()["rule"]


def _put(browser: Client, world: World, key: str, name: str, rule: Any) -> Response:
    headers = {"Authorization": f"Bearer {world.made.api_key}"}
    return browser.put(f"/v1/segments/{key}", json={"name": name, "rule": rule}, headers=headers)


DRAFT = {
    "r.type": "all",
    "r.0.type": "phase",
    "r.0.any_of": ["think", "do"],
    "r.1.type": "none",
    "r.1.0.type": "attribute",
    "r.1.0.name": "region",
    "r.1.0.op": "is",
    "r.1.0.value": "Groningen",
    "r.2.type": "events",
    "r.2.event": ["vacancy_viewed"],
    "r.2.at_least": "2",
    "r.2.within_days": "14",
}


def test_a_segment_is_made_without_json(
    browser: Client, world: World, people: dict[str, str]
) -> None:
    form = _own(browser) | DRAFT | {"name": "Bijna klaar!"}
    assert (
        '<option value="name">naam</option><option value="region">regio</option></datalist>'
        in browser.get("/new-segment?lang=nl").text
    )
    seen = browser.post("/new-segment?lang=nl", data=form | {"do": "preview"})
    assert seen.status_code == 200
    assert "1 van de 3 mensen zit erin." in seen.text
    assert "1 komt erin, 0 gaan eruit, 0 blijven." in seen.text
    assert re.search(
        r">Anna</a> .*>Do</span> .*openheid \d+%.*fase Think of Do; niet: reg", seen.text
    )
    assert "Niets hiervan:" in seen.text
    assert "heeft niemand een attribuut" not in seen.text
    slip = {"r.0.type": "attribute", "r.0.name": "regoin", "r.0.op": "is", "r.0.value": "Noord"}
    doubted = browser.post("/new-segment?lang=nl", data=form | slip | {"do": "preview"})
    assert "niemand een attribuut &#39;regoin&#39;. Bedoelt u &#39;region&#39;?" in doubted.text
    assert browser.get("/segments/bijna-klaar").status_code == 404  # nothing was kept

    saved = browser.post("/new-segment?lang=nl", data=form | {"do": "save"})
    assert saved.headers["location"] == "/segments/bijna-klaar?lang=nl"
    rule = _rule(browser, world, "bijna-klaar")
    assert [one["type"] for one in rule["rules"]] == ["phase", "not", "events"]
    again = browser.post("/new-segment?lang=nl", data=form | {"do": "save"})
    assert (again.status_code, "Kies een andere sleutel" in again.text) == (409, True)
    assert 'value="Bijna klaar!"' in again.text  # what was written is not lost
    world.build()
    page = browser.get("/segments/bijna-klaar?lang=en").text
    assert "vacancy viewed: at least 2 times in 14 days" in page
    assert "1 person<" in page


@OF_THE_FORM
def test_conditions_are_put_in_and_taken_out(browser: Client) -> None:
    form: dict[str, Any] = _own(browser) | DRAFT
    more = browser.post("/new-segment?lang=en", data=form | {"do": "add:r.1", "r.1.add": "consent"})
    assert 'name="r.1.1.purpose"' in more.text
    assert 'value="Groningen"' in more.text
    less = browser.post("/new-segment?lang=en", data=form | {"do": "drop:r.0"})
    assert 'name="r.1.event"' in less.text
    assert 'value="do" checked' not in less.text
    for odd in ("add:x", "drop:r", "drop:r.9", "add:r.0", "", "add:r.1.0.0.0"):
        answer = browser.post("/new-segment", data=form | {"do": odd, "r.0.add": "phase"})
        assert answer.status_code == 200, odd


@OF_THE_FORM
def test_what_is_unfinished_is_told_where_it_is(browser: Client) -> None:
    own = _own(browser) | {"name": "x", "do": "save", "r.type": "all"}
    for draft, told in (
        ({}, "Put at least one condition in it."),
        ({"r.0.type": "phase"}, "Not finished, or impossible: one of"),
        ({"r.0.type": "events", "r.0.within_days": "soon"}, "impossible: within days"),
        ({"r.0.type": "probability", "r.0.of": "openness"}, "Fill in either at least or below"),
        ({"r.0.type": "raw", "r.0.json": "[" * 5000}, "Not finished, or impossible"),
        ({"r.0.type": "raw", "r.0.json": '{"type": "age"}'}, "Not finished, or impossible"),
        ({"r.0.type": "nothing"}, "Not finished, or impossible"),
    ):
        answer = browser.post("/new-segment?lang=en", data=own | draft)
        assert answer.status_code == 400, draft
        assert told in answer.text, draft
    unnamed = browser.post("/new-segment?lang=en", data=own | DRAFT | {"name": ""})
    assert "Give the segment a name." in unnamed.text
    keyless = browser.post("/new-segment?lang=en", data=own | DRAFT | {"key": "-x"})
    assert "begins with a letter or digit" in keyless.text
    wrong = {"do": "json", "json": '{"type": "phase", "any_of": ["\\ud800"]}'}
    assert "This JSON is no rule." in browser.post("/new-segment?lang=en", data=own | wrong).text


RULES: list[Any] = [
    {"type": "any", "rules": [
        {"type": "probability", "of": "openness", "at_least": 0.55},
        {"type": "time_in_phase", "any_of": ["think"], "at_least_days": 30},
        {"type": "events", "event": ["open", "click"], "at_most": 0, "within_days": 90},
        {"type": "interest", "topic": ["energy", "2026"], "among_strongest": 3},
        {"type": "attribute", "name": "n", "op": "any_of", "values": [5, "5", True, "a b"]},
        {"type": "attribute_date", "name": "contract_start", "from_days": 0, "to_days": 60,
         "every_year": True},
        {"type": "engagement", "topic": "energy", "at_least": 4.5},
        {"type": "cadence", "every_days": 14, "channel": "email", "due": False},
        {"type": "identity", "namespace": "crm", "known": False},
        {"type": "availability", "within_days": 60},
        {"type": "machine_share", "below": 0.5},
        {"type": "events", "event": ["page"], "within_days": 9, "properties": [
            {"name": "language", "op": "is", "value": "nl"}]},
        {"type": "not", "rule": {"type": "all", "rules": [
            {"type": "phase", "any_of": ["care"]},
            {"type": "latency_state", "any_of": ["active"]}]}},
    ]},
    {"type": "phase", "any_of": ["do"]},
    {"type": "not", "rule": {"type": "in_segment", "segment": "seers"}},
]  # fmt: skip


@OF_THE_FORM
def test_a_rule_comes_back_from_the_form_as_it_was(browser: Client, world: World) -> None:
    _put(browser, world, "seers", "Kijkers", {"type": "phase", "any_of": ["see"]})
    for rule in RULES:
        _put(browser, world, "one", "One", rule)
        before = _rule(browser, world, "one")
        page = browser.get("/segments/one/edit?lang=en").text
        saved = browser.post("/segments/one/edit", data=_fields(page) | {"do": "save"})
        assert saved.headers.get("location") == "/segments/one", saved.text
        assert _rule(browser, world, "one") == before
        told = browser.get("/segments/one?lang=nl").text
        assert "machine_share" not in told
        assert "in segment seers" not in told


@OF_THE_FORM
def test_a_segment_is_deleted_when_it_is_confirmed(browser: Client, world: World) -> None:
    _put(browser, world, "doers", "Doers", RULES[1])
    _put(browser, world, "others", "Others", {"type": "in_segment", "segment": "doers"})
    form = _own(browser) | {"seen": "*"}
    assert browser.post("/segments/doers/delete", data=form).status_code == 400
    html = {"Accept": "text/html"}
    used = browser.post("/segments/doers/delete?lang=nl", data=form | {"sure": "yes"}, headers=html)
    assert (used.status_code, "Andere segmenten of triggers" in used.text) == (409, True)
    assert browser.post("/segments/others/delete", data=form | {"sure": "yes"}).status_code == 303
    assert browser.get("/segments/others").status_code == 404


def test_nobodys_work_is_overwritten(browser: Client, world: World) -> None:
    _put(browser, world, "doers", "Doers", RULES[1])
    form = _fields(browser.get("/segments/doers/edit?lang=nl").text) | {"do": "save"}
    _put(browser, world, "doers", "Doers, changed", RULES[1])
    late = browser.post("/segments/doers/edit?lang=nl", data=form)
    assert (late.status_code, "Er is niets overschreven" in late.text) == (412, True)
    assert browser.post("/segments/none/edit", data=form).status_code == 404


def test_who_came_and_who_went_is_told_with_reasons(
    browser: Client, world: World, people: dict[str, str]
) -> None:
    rule = {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 5}
    _put(browser, world, "lookers", "Lookers", rule)
    recent = {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 30}
    _put(browser, world, "still", "Still", recent)
    world.build()
    gone = browser.get("/segments/lookers?lang=en").text
    assert re.search(r"Left last</h2>.*Anna.*not: vacancy viewed", gone, re.DOTALL)
    assert "Nobody is in it." in gone
    there = browser.get("/segments/still?lang=en").text
    assert re.search(
        r"Came in last</h2>.*Looked at a vacancy: mechanic; vacancy viewed", there, re.DOTALL
    )
    assert browser.get("/segments/still/trend.svg").headers["content-type"] == "image/svg+xml"


def test_members_are_taken_out_as_a_file(browser: Client, world: World) -> None:
    _put(browser, world, "doers", "Doers", RULES[1])
    world.build()
    form = _own(browser) | {"use": "contact", "format": "csv"}
    asked = browser.post("/segments/doers/exports?lang=en", data=form)
    assert asked.status_code == 303
    shown = browser.get(asked.headers["location"]).text
    assert "Export: Doers, to mail them" in shown
    assert "waits for its turn" in shown
    with world.engine.connect() as connection:
        row = connection.execute(select(job)).one()
    assert row.asked["use"] == "contact"
    wrong = browser.post("/segments/doers/exports", data=form | {"use": "x"})
    assert wrong.status_code == 400


def test_every_scope_and_change_has_words() -> None:
    assert SCOPES.keys() == ALL_SCOPES.keys()
    assert all(one["nl"] and one["en"] for one in DONE.values())


def _fields(page: str) -> dict[str, Any]:
    """What a browser would send of the form as it stands."""
    found: dict[str, Any] = {}
    form = page[page.index('class="editor"') :]
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and ("checkbox" not in tag or " checked" in tag):
            found.setdefault(name[1], []).append(_text(value[1]))
    for name, body in re.findall(
        r'<select id="[^"]+" name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', body) or re.search(r'value="([^"]*)"', body)
        assert chosen is not None
        found[name] = [_text(chosen[1])]
    for name, text in re.findall(
        r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL
    ):
        found[name] = [_text(text)]
    return found


def _text(html: str) -> str:
    for written, meant in (("&#34;", '"'), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">")):
        html = html.replace(written, meant)
    return html.replace("&amp;", "&")
