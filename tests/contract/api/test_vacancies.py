"""A feed of vacancies fills the catalogue, and what leaves the feed is over."""

import json
from typing import Any

import pytest
from httpx import Client
from sqlalchemy import select

from services.api.door import Door
from services.api.imports.run import Importing
from services.api.jobs.hold import Hold, LostError
from services.api.jobs.work import Worker
from services.contract.tables import content
from tests.contract.api.world import NOW_MS, World


class Feed:
    def __init__(self, client: Client, world: World) -> None:
        self.client, self.world = client, world
        importing = Importing(Door("http://tracker.test", ""))
        self.worker = Worker(world.engine, {"import": importing}, lambda: NOW_MS)

    def bring(self, file: str, **asked: Any) -> Any:
        body = {"kind": "vacancies", "feed": "ats", **asked}
        job = self.client.post("/v1/imports", json=body).json()["id"]
        self.client.put(f"/v1/imports/{job}/file", content=file.encode())
        assert self.worker.step()
        return self.client.get(f"/v1/jobs/{job}").json()

    def there(self) -> dict[str, Any]:
        with self.world.engine.connect() as db:
            return {row.content_id: row for row in db.execute(select(content))}


@pytest.fixture
def feed(client: Client, world: World) -> Feed:
    return Feed(client, world)


def posting(number: str, **more: Any) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "identifier": {"@type": "PropertyValue", "value": number},
        "title": f"Mechanic {number}",
        "url": f"https://jobs.example.org/{number}",
        "validThrough": "2026-12-01",
        "industry": "energy",
        **more,
    }


def test_a_feed_is_what_is_open(feed: Feed) -> None:
    job = feed.bring(json.dumps({"@graph": [posting("V1"), posting("V2", skills=["VCA"])]}))
    assert job["counts"] == {"new": 2, "repeated": 0, "closed": 0}
    there = feed.there()
    assert (there["V2"].kind, there["V2"].topics) == ("vacancy", ["energy", "VCA"])
    assert there["V1"].closes_ms == 1_796_169_600_000  # open to the end of the day
    again = feed.bring(json.dumps([posting("V1"), posting("V2", skills=["VCA"])]))
    assert again["counts"] == {"unchanged": 2, "repeated": 0, "closed": 0}
    only = json.dumps(posting("V1", title="Mechanic, nights"))
    dry = feed.bring(only, dry_run=True)
    assert dry["counts"] == {"would_change": 1, "repeated": 0, "closed": 1}
    assert feed.bring(only)["counts"] == {"changed": 1, "repeated": 0, "closed": 1}
    there = feed.there()
    assert there["V1"].title == "Mechanic, nights"
    assert there["V2"].closes_ms == NOW_MS


def test_what_is_not_of_the_feed_is_left_as_it_is(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"content_type": "story", "title": "A night", "url": "https://jobs.example.org/night"}
    feed.client.put("/v1/content/own", json=own)
    feed.bring(json.dumps([posting("V1"), posting("V2")]), feed="a")
    feed.bring(json.dumps([posting("V8")]), feed="b")
    before = feed.there()
    file = json.dumps([posting("V9"), posting("own"), posting("V1", title="Other")])
    texts = [
        f"The catalogue has an item '{content_id}' that is {whose}. It was left as it is: give the "
        "vacancy another id, or take that item out of the catalogue first."
        for content_id, whose in (
            ("own", "your own, of no feed"),
            ("V1", "of the feed 'a', and open"),
        )
    ]

    def told(job: Any) -> list[Any]:
        errors = feed.client.get(f"/v1/jobs/{job['id']}/errors").json()["errors"]
        assert job["errors"] == len(errors)
        return [(one["row"], one["column"], one["code"], one["message"]) for one in errors]

    taken = [(2, "id", "taken_id", texts[0]), (3, "id", "taken_id", texts[1])]
    dry = feed.bring(file, feed="b", dry_run=True)
    assert (dry["counts"], told(dry)) == ({"would_be_new": 1, "repeated": 0, "closed": 1}, taken)
    whole = feed.worker._runs["import"]

    def lost(*_told: Any, **_more: Any) -> None:
        raise LostError

    def cut_off(hold: Hold) -> None:
        """At its last step, and taken up again."""
        with monkeypatch.context() as patch:
            patch.setattr(Hold, "end", lost)
            with pytest.raises(LostError):
                whole(hold)
        whole(Hold(hold.engine, hold.row, hold.clock, hold.stop))

    feed.worker._runs["import"] = cut_off
    job = feed.bring(file, feed="b")
    feed.worker._runs["import"] = whole
    assert (job["counts"], told(job)) == ({"unchanged": 1, "repeated": 0, "closed": 0}, taken)
    there = feed.there()
    assert (there["own"], there["V1"]) == (before["own"], before["V1"])
    assert (there["V8"].closes_ms, there["V2"].closes_ms) == (NOW_MS, before["V2"].closes_ms)
    # What its feed has no more is free.
    feed.bring(json.dumps([posting("V2")]), feed="a")
    assert feed.bring(json.dumps([posting("V1")]), feed="b")["errors"] == 0
    assert feed.there()["V1"].feed == "b"


def test_what_is_past_its_closing_takes_nothing_over(feed: Feed) -> None:
    file = json.dumps(posting("V1", validThrough="2020-01-01"))
    assert feed.bring(file, feed="a")["counts"]["new"] == 1
    job = feed.bring(file, feed="b")
    (error,) = feed.client.get(f"/v1/jobs/{job['id']}/errors").json()["errors"]
    assert error["message"].startswith("The catalogue has an item 'V1' that is of the feed 'a'. ")
    assert feed.bring(file, feed="a")["counts"] == {"unchanged": 1, "repeated": 0, "closed": 0}
    assert feed.there()["V1"].feed == "a"


def test_what_somebody_put_over_a_feeds_item_is_their_own(feed: Feed) -> None:
    file = json.dumps([posting("V1"), posting("V2")])
    feed.bring(file)
    own = {"content_type": "vacancy", "title": "Mechanic, by hand"}
    assert feed.client.put("/v1/content/V1", json=own).status_code == 200
    assert feed.bring(file)["errors"] == 1
    assert feed.bring(json.dumps(posting("V2")))["counts"]["closed"] == 0
    row = feed.there()["V1"]
    assert (row.feed, row.title, row.closes_ms) == (None, "Mechanic, by hand", None)


XML = """<?xml version="1.0" encoding="utf-8"?>
<source><job><referencenumber>V1</referencenumber><title><![CDATA[Monteur & meer]]></title>
<url>https://jobs.example.org/V1</url><expirationdate>2026-12-01T12:00:00+01:00</expirationdate>
<category>energie</category></job>
<job><referencenumber/><title>Nameless</title></job>
<job><referencenumber>V2</referencenumber><title>Lasser</title>
<expirationdate>Tue, 01 Dec 2026 12:00:00 +0100</expirationdate></job>
<job><referencenumber>V3</referencenumber><title>Lasser</title>
<expirationdate>soon</expirationdate></job></source>"""


def test_xml_and_what_cannot_be_read_closes_nothing(feed: Feed) -> None:
    feed.bring(json.dumps([posting("V9")]))
    job = feed.bring(XML, format="xml")
    assert job["counts"] == {"new": 2, "repeated": 0}
    errors = feed.client.get(f"/v1/jobs/{job['id']}/errors").json()["errors"]
    assert [(one["row"], one["column"]) for one in errors] == [(2, "id"), (4, "closes")]
    there = feed.there()
    assert there["V1"].title == "Monteur & meer"
    assert there["V1"].topics == ["energie"]
    assert there["V1"].closes_ms == there["V2"].closes_ms == 1_796_122_800_000
    assert there["V9"].closes_ms == 1_796_169_600_000


def test_a_full_catalogue_leaves_what_was_wrong(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.api.content_store.CONTENT_MAX", 1)
    monkeypatch.setattr("services.api.imports.vacancies._AT_ONCE", 1)
    feed.client.put("/v1/content/own", json={"content_type": "story", "title": "A night"})
    file = json.dumps([posting("own"), posting("V1", title=""), posting("V2")])
    job = feed.bring(file)
    assert (job["status"], job["errors"]) == ("failed", 2)
    errors = feed.client.get(f"/v1/jobs/{job['id']}/errors").json()["errors"]
    assert [(one["row"], one["code"]) for one in errors] == [(2, "vacancy"), (1, "taken_id")]


OF_GOOGLE = """<rss xmlns="urn:rss" xmlns:g="http://base.google.com/ns/1.0"><channel>
<title>Jobs</title><item><title>Monteur</title><id>no</id><g:id>V1</g:id>
<g:expiration_date>2026-12-01</g:expiration_date><g:category>energie</g:category></item></channel>
</rss>"""


@pytest.mark.parametrize(
    ("id_", "found"),
    [("id", "no"), ("g:id", "no"), ("{http://base.google.com/ns/1.0}id", "V1")],
)
def test_namespaces_of_xml_need_not_be_said(feed: Feed, id_: str, found: str) -> None:
    names = {"item": "item", "id": id_, "closes": "g:expiration_date"}
    assert feed.bring(OF_GOOGLE, format="xml", xml=names)["counts"]["new"] == 1
    (row,) = feed.there().values()
    assert (row.content_id, row.title, row.topics) == (found, "Monteur", ["energie"])
    assert row.closes_ms == 1_796_169_600_000


def test_names_of_xml_are_no_paths(feed: Feed) -> None:
    file = (
        '<jobs xmlns:g="urn:g"><job><id>V1</id><title>Monteur</title><g:job>Mechanic</g:job>'
        "<in><category>energie</category></in></job></jobs>"
    )
    names = {"id": "id", "address": "@id", "closes": "a[", "topics": ["//x", "category"]}
    job = feed.bring(file, format="xml", xml=names)
    assert (job["status"], job["errors"], job["counts"]["new"]) == ("done", 0, 1)
    (row,) = feed.there().values()
    assert (row.title, row.address, row.topics) == ("Monteur", None, ["energie"])


@pytest.mark.parametrize(
    ("file", "format_", "problem"),
    [
        ("[]", "jsonld", "no vacancies"),
        ("{", "jsonld", "no JSON"),
        ("[" * 5_000, "jsonld", "no JSON"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "xml", "DOCTYPE"),
        ("<a>", "xml", "no XML"),
        ("<a/>", "xml", "no vacancies"),
    ],
)
def test_what_is_no_feed_changes_nothing(feed: Feed, file: str, format_: str, problem: str) -> None:
    job = feed.bring(file, format=format_)
    assert job["status"] == "failed"
    assert problem in job["problem"]
    assert feed.there() == {}
