"""The dashboard's pages about webhooks, triggers, files and keeping."""

import re

import pytest
from httpx import Client, Response
from sqlalchemy import insert, select, update

from services.api.idempotency import Once
from services.api.jobs.store import add_job
from services.api.suggest import Slip
from services.contract.tables import delivery, firing, job, job_error, person, trigger
from services.runtime.database import writing
from services.scorer.files import WHY
from tests.contract.api.asked import export_of
from tests.contract.api.world import NOW_MS, World

URL = "https://93.184.216.34/kentering"
HOUR_MS = 3_600_000


OF_THE_FORM = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Tests of what the form does, whatever the database."""


@pytest.fixture
def browser(client: Client, world: World) -> Client:
    """A browser that logged in as somebody who may do everything."""
    client.headers["X-Key"] = client.headers.pop("Authorization")
    assert client.post("/login", data={"key": world.made.api_key}).status_code == 303
    return client


def _api(browser: Client, method: str, path: str, body: object = None) -> Response:
    headers = {"Authorization": browser.headers["X-Key"]}
    return browser.request(method, f"/v1{path}", json=body, headers=headers)


def _send(browser: Client, path: str, **fields: object) -> Response:
    page = browser.get("/webhooks").text
    csrf = re.search(r'name="csrf" value="(\w+)"', page)
    assert csrf is not None
    return browser.post(f"{path}?lang=nl", data={"csrf": csrf[1], **fields})


def _secret(page: str) -> str:
    found = re.search(r"whsec_[\w+/=]+", page)
    assert found is not None
    return found[0]


def _seen(page: str) -> str:
    """The tag of what a form was made of."""
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found is not None
    return found[1].replace("&#34;", '"')


def test_a_webhook_is_made_tested_paused_and_given_another_secret(
    browser: Client, world: World
) -> None:
    assert "Er zijn nog geen webhooks." in browser.get("/webhooks?lang=nl").text
    inside = _send(browser, "/webhooks", url="https://127.0.0.1/x", type="person")
    assert (inside.status_code, "Niet gedaan: Daarheen" in inside.text) == (400, True)
    assert 'value="https://127.0.0.1/x"' in inside.text
    assert 'value="person" checked' in inside.text
    made = _send(browser, "/webhooks", url=URL, description="Ons CRM", type=["person", "segment"])
    secret = _secret(made.text)
    shown = _api(browser, "GET", "/webhooks").json()["webhooks"][0]
    assert shown["types"] == ["person", "segment"]
    at = f"/webhooks/{shown['id']}"
    assert _send(browser, f"{at}/test").headers["location"] == f"{at}?lang=nl"
    page = browser.get(f"{at}?lang=nl").text
    assert secret not in page
    assert "Ons CRM" in browser.get("/webhooks").text
    for told in ("wie gewist is, segmenten", "0 aangekomen, 1 nog te sturen", ">Test</td>"):
        assert told in page, told
    with writing(world.engine).begin() as connection:
        sent = {"status": "delivered", "http_status": 204, "took_ms": 35, "last_ms": NOW_MS}
        connection.execute(update(delivery).values(sent | {"attempts": 1, "asked": False}))
        message = connection.execute(select(delivery.c.public_id)).scalar_one()
    assert "204, 35 ms" in browser.get(f"{at}?status=delivered").text
    assert "There are none of this kind." in browser.get(f"{at}?lang=en&status=failed").text
    assert _send(browser, f"{at}/deliveries/{message}").status_code == 303
    assert _api(browser, "GET", at).json()["waiting"] == 1
    _send(browser, f"{at}/status", status="paused")
    assert "gepauzeerd" in browser.get(f"{at}?lang=nl").text
    _send(browser, f"{at}/status", status="active")
    rotated = _send(browser, f"{at}/secret", overlap_hours="24")
    assert _secret(rotated.text) != secret
    assert _send(browser, f"{at}/secret", overlap_hours="x").status_code == 400
    assert len(_api(browser, "GET", at).json()["secrets"]) == 2
    late = _send(browser, f"{at}/change", url=URL, description="x", seen='"old"')
    assert (late.status_code, "Er is niets overschreven" in late.text) == (412, True)
    seen = _seen(browser.get(at).text)
    assert _send(browser, f"{at}/change", url=URL, description="CRM", seen=seen).status_code == 303
    assert _api(browser, "GET", at).json()["types"] == []
    assert _send(browser, f"{at}/delete").status_code == 400
    assert _send(browser, f"{at}/delete", sure="yes").status_code == 303
    assert browser.get(at).status_code == 404


def test_a_trigger_is_made_and_tells_who_came_in(
    browser: Client, world: World, people: dict[str, str]
) -> None:
    item = {"content_type": "meeting", "title": "Open dag"}
    assert _api(browser, "PUT", "/content/open-day", item).status_code == 201
    form = {"name": "Nodig uit", "place": "phase:think", "content": "open-day", "when": "after",
            "number": "7", "unit": "days", "channel": "email", "per_week": "2"}  # fmt: skip
    for wrong in ({"number": "x"}, {"number": "99"}, {"place": "phase:care"}, {"name": ""}):
        answer = _send(browser, "/triggers", **(form | wrong))
        assert (answer.status_code, 'value="open-day" selected' in answer.text) == (400, True)
    at = _send(browser, "/triggers", **form).headers["location"].partition("?")[0]
    assert _api(browser, "GET", at).json()["when"] == {"type": "after", "minutes": 10_080}
    assert "Think → Open dag, na 7 dagen" in browser.get("/triggers?lang=nl").text
    assert "moment</span> <ins>na 7 dagen" in browser.get("/audit?lang=nl").text
    page = browser.get(f"{at}?lang=nl").text
    assert "Er kwam nog niemand binnen" in page
    assert "Gemaakt door sleutel api key" in page
    with writing(world.engine).begin() as connection:
        row = connection.execute(select(trigger)).one()
        mine = select(person.c.id).where(person.c.public_id == people["turning"])
        anna = connection.execute(mine).scalar_one()
        fired = {
            "workspace_id": world.id, "trigger_id": row.id, "status": "withheld", "why": "pressure",
            "person_id": anna, "entered_ms": NOW_MS - HOUR_MS,
            "due_ms": NOW_MS, "reason": "event", "decided_ms": NOW_MS,
        }  # fmt: skip
        connection.execute(insert(firing).values(fired))
    page = browser.get(f"{at}?lang=nl").text
    assert re.search(
        r">Anna</a>.*niet overgedragen</span>.*kreeg al genoeg van ons", page, re.DOTALL
    )
    assert "Anna" not in browser.get(f"{at}?status=fired").text
    assert '<option value="open-day" selected>' in page
    new = form | {"name": "Nodig later uit", "number": "36", "unit": "hours", "seen": _seen(page)}
    wrong = _send(browser, f"{at}/change", **(new | {"number": "veel"}))
    assert (wrong.status_code, 'value="veel"' in wrong.text) == (400, True)
    assert _send(browser, f"{at}/change", **new).status_code == 303
    changed = _api(browser, "GET", at).json()
    assert (changed["name"], changed["phase"]) == ("Nodig later uit", "think")
    assert changed["when"] == {"type": "after", "minutes": 2160}
    assert _send(browser, f"{at}/change", **new).status_code == 412
    page = browser.get(at).text
    assert re.search(r'value="36".*<option value="hours" selected', page, re.DOTALL)
    _send(browser, f"{at}/status", status="paused")
    assert _api(browser, "GET", at).json()["status"] == "paused"
    assert _send(browser, f"{at}/status", status="dead").status_code == 400
    assert _send(browser, f"{at}/delete", sure="yes").status_code == 303
    assert browser.get(at).status_code == 404


@OF_THE_FORM
def test_files_are_shown_with_what_was_wrong(browser: Client, world: World) -> None:
    consent = {"purposes": {"measure": {"value": True}}, "given_at": {"column": "On"},
               "text_version": {"value": "1"}, "source": "a form"}  # fmt: skip
    body = {"kind": "people", "as_of": "2026-01-01T00:00:00Z", "identities": {"email": "E"},
            "consent": consent, "dry_run": True}  # fmt: skip
    made = _api(browser, "POST", "/imports", body).json()["id"]
    waits = browser.get(f"/jobs/{made}?lang=nl").text
    assert "Het bestand is nog niet gestuurd." in waits
    with writing(world.engine).begin() as connection:
        row = connection.execute(select(job)).one()
        half = {"status": "running", "done": 300, "total": 1200, "errors": 1}
        connection.execute(update(job).values(half | {"counts": {"would_be_told": 299}}))
        wrong = {"workspace_id": world.id, "job_id": row.id, "number": 0, "row": 17}
        wrong |= {"column": "On", "code": "not_a_date", "text": "This is no date."}
        connection.execute(insert(job_error).values(wrong))
        left_out = {"number": 1, "code": "withdrawn", "text": "They took it back."}
        connection.execute(insert(job_error).values(wrong | left_out))
    page = browser.get(f"/jobs/{made}?lang=nl").text
    for told in ("300 van 1.200", "25%", "Zouden ingelezen worden", "Dit is geen datum", "refresh",
                 ">fout</span>", ">melding</span>"):  # fmt: skip
        assert told in page, told
    assert "Import: mensen" in browser.get("/jobs?lang=nl").text
    assert _send(browser, f"/jobs/{made}/cancel").status_code == 303
    assert "afgebroken" in browser.get(f"/jobs/{made}?lang=nl").text
    assert browser.get("/jobs/none").status_code == 404


@OF_THE_FORM
def test_an_export_says_why_it_has_no_file_any_more(browser: Client, world: World) -> None:
    asked = export_of("doers", Slip("attribute", "regoin", "region"))
    with writing(world.engine).begin() as connection:
        once = Once(None, b"")
        made = add_job(connection, world.id, "export", asked, "key x", NOW_MS, once).public_id
        gone = {"status": "done", "file_until_ms": None}
        connection.execute(update(job).values(gone))
    page = browser.get(f"/jobs/{made}?lang=nl").text
    assert "het wordt een dag bewaard" in page
    assert "niemand een attribuut &#39;regoin&#39;. Bedoelt u &#39;region&#39;?" in page
    with writing(world.engine).begin() as connection:
        connection.execute(update(job).values(problem=WHY))
    page = browser.get(f"/jobs/{made}?lang=nl").text
    assert "iemand die erin kan staan is gewist" in page
    for other in ("het wordt een dag bewaard", "Waarom het niet lukte", WHY):
        assert other not in page
    assert WHY in browser.get(f"/jobs/{made}?lang=en").text


@OF_THE_FORM
def test_how_long_people_are_kept_is_set(browser: Client) -> None:
    page = browser.get("/keeping?lang=nl").text
    for told in ("24 maanden nadat", "28 dagen na de afwijzing", "5 jaar na", "400 dagen"):
        assert told in page, told
    shorter = {"months": "1", "applicant_days": ""}
    unsure = _send(browser, "/keeping", **shorter)
    assert (unsure.status_code, "Zet het vinkje" in unsure.text) == (400, True)
    done = _send(browser, "/keeping", **shorter, sure="yes")
    assert "1 maand nadat" in done.text
    assert "als ieder ander" in done.text
    kept = {"months": 1, "applicant_days": None}
    assert _api(browser, "GET", "/workspace/retention").json() == kept
    for wrong in ("0", "x", "1.5", "121"):
        assert _send(browser, "/keeping", months=wrong, sure="yes").status_code == 400
    assert _api(browser, "GET", "/workspace/retention").json() == kept
    declared = {"text_version": "T1", "source": "het formulier", "since": "2026-01-01"}
    for day in ("x", "0001-01-01", "9999-12-31", "2100-01-01"):
        refused = _send(browser, "/keeping/declaration", **(declared | {"since": day}))
        assert refused.status_code == 400, day
    told = _send(browser, "/keeping/declaration", **declared).text
    assert "De verklaring is vastgelegd." in told
    assert "1 jan 2026" in told
    assert "Er is geen verklaring." in _send(browser, "/keeping/declaration/end").text


@OF_THE_FORM
def test_people_are_brought_in_by_file(browser: Client, world: World) -> None:
    csrf = re.search(r'name="csrf" value="(\w+)"', browser.get("/webhooks").text)
    assert csrf is not None
    own = {"X-CSRF": csrf[1]}
    assert "Mensen inlezen" in browser.get("/jobs?lang=nl").text
    assert browser.get("/new-import").status_code == 200
    sample = b"E-mail;Regio;Akkoord op\nanna@post.example;Noord;2025-05-03\n"
    assert browser.post("/new-import/columns", content=sample).status_code == 403
    wrong = browser.post("/new-import/columns?lang=nl", content=b"PK\x03\x04", headers=own)
    assert (wrong.status_code, "rekenblad" in wrong.text) == (400, True)
    large = browser.post("/new-import/columns", content=b"x" * 70_000, headers=own)
    assert large.status_code == 413
    form = browser.post("/new-import/columns", content=sample, headers=own).text
    assert '<option value="id:email" selected>' in form
    assert '<option value="given_at" selected>' in form
    odd = b"E-mail;Geboortedatum;Ervaring\na@b.example;x;5\nc@d.example;y;7\n;z;veel\n"
    form = browser.post("/new-import/columns?lang=nl", content=odd, headers=own).text
    assert "dat wordt hier van niemand bewaard." in form
    assert "Past er niet bij: veel." in form
    filled = {
        "column_0": "E-mail", "means_0": "id:email", "column_1": "Regio", "means_1": "as:text",
        "name_1": "region", "column_2": "Akkoord op", "means_2": "given_at", "dates": "iso",
        "decimal": ",", "as_of": "2025-06-01", "agreed": ["measure", "profile"],
        "source": "een formulier", "text_version": "3", "file_name": "lijst.csv",
        "dry_run": "yes", "format": "csv",
    }  # fmt: skip
    for missing, why in (
        ({"means_0": ""}, "minstens één kolom"),
        ({"means_1": "id:email"}, "hetzelfde"),
        ({"name_1": ""}, "eigen naam"),
        ({"name_1": "leeftijd"}, "afkomst"),
        ({"agreed": ""}, "instemde met meten"),
        ({"means_2": ""}, "wanneer mensen instemden"),
        ({"as_of": "x"}, "welke dag"),
        ({"as_of": "1999-12-31"}, "van voor 2000"),
        ({"dates": "x"}, "klopt niet"),
    ):
        answer = _send(browser, "/new-import", **(filled | missing))
        assert (answer.status_code, why in answer.text) == (400, True), answer.text
    made = _send(browser, "/new-import", **filled)
    assert made.status_code == 201
    at = f"/jobs/{made.json()['job']}"
    asked = _api(browser, "GET", at).json()["asked"]
    assert (asked["dry_run"], asked["identities"]) == (True, {"email": "E-mail"})
    assert asked["consent"]["given_at"] == {"column": "Akkoord op"}
    assert asked["attributes"] == {"region": {"column": "Regio", "type": "text"}}
    assert browser.put(f"{at}/file", content=sample).status_code == 403
    assert browser.put(f"{at}/file", content=b"", headers=own).status_code == 400
    assert browser.put(f"{at}/file", content=sample, headers=own).status_code == 204
    again = browser.put(f"{at}/file?lang=nl", content=sample, headers=own)
    assert (again.status_code, "Begin opnieuw" in again.text) == (409, True)
    part = browser.get(f"{at}/part").text
    assert ('data-status="waiting"' in part, "<h1" in part) == (True, False)
    for told in ("lijst.csv", "proef"):
        assert told in browser.get("/jobs?lang=nl").text
