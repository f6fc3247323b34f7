"""The recipes of docs/recipes hand over what the other tool's documents ask for.

Their servers here only record what they got, and answer as those documents say; no account of
theirs was used.
"""

import csv
import hashlib
import io
import re
import runpy

import duckdb
import pytest

from tests.contract.api.kitchen import RECIPES, Kitchen, Receiver


@pytest.fixture
def database_url(sqlite: str) -> str:
    """One database is enough: nothing of the recipes knows which it is."""
    return sqlite


def test_mailers_get_who_came_and_lose_who_went(kitchen: Kitchen, receiver: Receiver) -> None:
    kitchen.person("anna")
    kitchen.person("ben")
    receiver.answers["/v3/marketing/contacts/search/emails"] = {
        "result": {"ben@example.org": {"contact": {"id": "c-2"}}}
    }
    for name, audience in (("mailchimp", "a1"), ("sendgrid", "l1"), ("brevo", "7")):
        told = kitchen.run("mailer.py", name, "readers", audience)
        assert told == "2 added, 0 removed, 2 in all\n"
    assert receiver.got[0][2]["authorization"].startswith("Basic ")
    assert receiver.got[-2][2]["authorization"] == "Bearer secret"
    assert receiver.got[-1][2]["api-key"] == "secret"
    anna, ben = (hashlib.md5(f"{one}@example.org".encode()).hexdigest() for one in ("anna", "ben"))
    active = {"tags": [{"name": "kentering readers", "status": "active"}]}
    members = "/3.0/lists/a1/members"
    new = {"status_if_new": "subscribed"}
    both = [{"email": "anna@example.org"}, {"email": "ben@example.org"}]
    assert receiver.calls() == [
        ("PUT", f"{members}/{anna}", {"email_address": "anna@example.org", **new}),
        ("POST", f"{members}/{anna}/tags", active),
        ("PUT", f"{members}/{ben}", {"email_address": "ben@example.org", **new}),
        ("POST", f"{members}/{ben}/tags", active),
        ("PUT", "/v3/marketing/contacts", {"list_ids": ["l1"], "contacts": both}),
        (
            "POST",
            "/v3/contacts/import",
            {
                "jsonBody": both,
                "listIds": [7],
                "updateExistingContacts": True,
                "disableNotification": True,
            },
        ),
    ]
    kitchen.leaves("ben")
    for name, audience in (("mailchimp", "a1"), ("sendgrid", "l1"), ("brevo", "7")):
        told = kitchen.run("mailer.py", name, "readers", audience)
        assert told == "0 added, 1 removed, 1 in all\n"
    off = {"tags": [{"name": "kentering readers", "status": "inactive"}]}
    only = {"emails": ["ben@example.org"]}
    assert receiver.calls() == [
        ("POST", f"{members}/{ben}/tags", off),
        ("POST", "/v3/marketing/contacts/search/emails", only),
        ("DELETE", "/v3/marketing/lists/l1/contacts?contact_ids=c-2", ""),
        ("POST", "/v3/contacts/lists/7/contacts/remove", only),
    ]


def test_a_segment_goes_to_several_lists(kitchen: Kitchen, receiver: Receiver) -> None:
    kitchen.person("anna")
    for name in ("7", "8"):
        assert (
            kitchen.run("mailer.py", "brevo", "readers", name) == "1 added, 0 removed, 1 in all\n"
        )
    assert [body["listIds"] for _, _, body in receiver.calls()] == [[7], [8]]
    receiver.refusals = {"/v3/contacts/import": 401}
    with pytest.raises(SystemExit, match=r"/v3/contacts/import: 401 "):
        kitchen.run("mailer.py", "brevo", "readers", "9")


def test_a_wrong_command_is_told_the_right_one(kitchen: Kitchen) -> None:
    for command in (
        ["mailer.py"],
        ["mailer.py", "brevo", "readers", "LIST"],
        ["mailer.py", "other", "readers", "7"],
        ["audience.py", "meta"],
        ["audience.py", "linkedin", "readers"],
        ["ats.py", "merged", "x"],
    ):
        with pytest.raises(SystemExit, match=f"python {command[0]} "):
            kitchen.run(*command)


def test_missing_settings_are_named(kitchen: Kitchen) -> None:
    api = "KENTERING_URL, KENTERING_API_KEY"
    for command, missing, needed in (
        ("mailer.py brevo readers 7", "MAILER_KEY", f"MAILER_KEY, {api}"),
        ("ats.py scores readers", "ATS_KEY", f"ATS_URL, ATS_USER, ATS_KEY, {api}"),
        ("audience.py meta readers", "KENTERING_URL", api),
    ):
        said = f"This needs the settings {needed} in the environment. Missing: {missing}."
        with pytest.raises(SystemExit, match=f"^{re.escape(said)}$"):
            kitchen.run(*command.split(), **{missing: ""})


def test_what_a_mailer_refuses_stops_nobody_else(kitchen: Kitchen, receiver: Receiver) -> None:
    kitchen.person("anna")
    kitchen.person("ben")
    anna = hashlib.md5(b"anna@example.org").hexdigest()
    receiver.refusals = {f"/3.0/lists/a1/members/{anna}": 400}  # deleted there for good
    told = kitchen.run("mailer.py", "mailchimp", "readers", "a1")
    assert told == "1 added, 0 removed, 1 in all, 1 refused\n"
    receiver.refusals = {}
    told = kitchen.run("mailer.py", "mailchimp", "readers", "a1")
    assert told == "1 added, 0 removed, 2 in all\n"
    kitchen.run("mailer.py", "sendgrid", "readers", "l1")
    kitchen.leaves("ben")
    receiver.refusals = {"/v3/marketing/contacts/search/emails": 404}  # it knows none of them
    told = kitchen.run("mailer.py", "sendgrid", "readers", "l1")
    assert told == "0 added, 1 removed, 1 in all\n"


def test_audiences_are_hashed_as_each_asks(kitchen: Kitchen) -> None:
    kitchen.person(
        "anna", phone="+31 (0)6-12 34 56 78", first_name="Ánna ", last_name="'t Hart-Smit"
    )

    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    meta = list(csv.DictReader(io.StringIO(kitchen.run("audience.py", "meta", "readers"))))
    assert meta == [
        {
            "email": sha("anna@example.org"),
            "phone": sha("31612345678"),
            "fn": sha("ánna"),
            "ln": sha("t hartsmit"),
            "country": "",
        }
    ]
    template = kitchen.folder / "template.csv"
    template.write_text("email,firstname,country\n,,\n")
    other = kitchen.folder / "other.csv"
    other.write_text("mail\n")
    with pytest.raises(SystemExit, match="has no column email"):
        kitchen.run("audience.py", "linkedin", "readers", str(other))
    linkedin = kitchen.call("audience.py", "linkedin", "readers", str(template))
    assert linkedin.split() == ["email,firstname,country", f"{sha('anna@example.org')},,"]


def test_one_number_has_one_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(RECIPES))
    audience = runpy.run_path(str(RECIPES / "audience.py"))
    written = ("+31 6 12345678", "0031612345678", "06-12345678", "612345678", "31612345678")
    assert {audience["phone"](one) for one in written} == {"31612345678"}
    assert audience["phone"]("+44 (0)20 7946 0000") == "442079460000"
    assert audience["phone"]("0316-123456") == audience["phone"]("316123456") == "31316123456"
    assert audience["phone"]("none") == ""
    assert audience["name"]("A\u0301nna") == "\u00e1nna"
    assert audience["name"](" - Jan.") == "jan"
    assert [audience["country"](one) for one in (" NL", "Nederland")] == ["nl", ""]


def test_a_bi_tool_reads_the_parquet(kitchen: Kitchen) -> None:
    for name, region in (("anna", "Utrecht"), ("ben", "Utrecht"), ("carla", "Delft")):
        kitchen.person(name, region=region)
    client = kitchen.client
    asked = {"use": "insight", "format": "parquet", "attributes": ["region"]}
    job = client.post("/v1/segments/readers/exports", json=asked).json()
    while job["status"] in {"waiting", "running"}:
        job = client.get(f"/v1/jobs/{job['id']}").json()
    file = kitchen.folder / "export.parquet"
    file.write_bytes(client.get(job["file"]["url"]).content)
    query = (RECIPES / "bi.sql").read_text().replace("'export.parquet'", f"'{file}'")
    found = duckdb.sql(query).fetchall()
    assert [row[:2] for row in found] == [("Utrecht", 2), ("Delft", 1)]
