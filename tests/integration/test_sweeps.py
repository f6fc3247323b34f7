"""A scanner that follows many people's links: from real requests to the feed, and back again."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.integration.product import PATIENCE_S, Product
from tests.servers.process import wait_until
from tests.servers.web import LOCAL

AGREED = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
# The product's own host is the proxy that tells where a request came from.
SCANNER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept-Language": "nl",
    "X-Forwarded-For": "185.60.216.35",
}
SOMEBODY = SCANNER | {"X-Forwarded-For": "185.60.217.8"}
RECIPIENTS = [f"recipient-{n}" for n in range(12)]
CLICKED = {"type": "events", "event": ["click"], "at_least": 1, "within_days": 30}


def test_what_a_scanner_did_is_taken_back_from_everybody(product: Product) -> None:
    people = [*RECIPIENTS, "human", "nobody"]
    links = _links(product, people)
    for name in RECIPIENTS[:9]:
        _follow(links[name], SCANNER)
    _follow(links["human"], SOMEBODY)
    _await(lambda: [c["after"] for c in _told(product)] == ["member"] * 10, "ten to be members")
    landing = _follow(links["recipient-9"], SCANNER)
    _land(product, landing)
    for name in RECIPIENTS[10:]:
        _follow(links[name], SCANNER)
    for name in RECIPIENTS:
        product.await_events("user_id", name, 3 + (name == "recipient-9"))
    _await(lambda: len(_told(product)) == 19, "nine to be members no more")
    taken_back = _told(product)[10:]
    assert {(c["before"], c["after"], c["reason"]) for c in taken_back} == {
        ("member", None, "reclassified")
    }
    persons = {name: product.find("user_id", name) for name in people}
    assert {c["person"] for c in taken_back} == {persons[name]["id"] for name in RECIPIENTS[:9]}
    members = product.get("/v1/segments/clicked/members")["members"]
    assert [one["person"] for one in members] == [persons["human"]["id"]]
    _assert_nobody_turned(product, persons)


def _assert_nobody_turned(product: Product, persons: dict[str, Any]) -> None:
    for name in RECIPIENTS:
        told = product.get(f"/v1/persons/{persons[name]['id']}/explain")
        assert {one["kind"] for one in told["contributions"]} == {"silence"}, name
        assert persons[name]["phase"]["name"] == "see"
        (click,) = [e for e in product.timeline(persons[name]) if e["type"] == "click"]
        assert click["machine"]["reasons"] == ["many_recipients"]
    human = product.get(f"/v1/persons/{persons['human']['id']}/explain")
    assert "vacancy_click" in {one["kind"] for one in human["contributions"]}


def _links(product: Product, people: list[str]) -> dict[str, str]:
    """A link to a vacancy for each, whom the product knows, and the segment of who followed it."""
    product.collect(
        [
            {"type": "identify", "messageId": name, "userId": name, "context": AGREED, "traits": {}}
            for name in people
        ]
    )
    for name in people:
        product.await_events("user_id", name, 1)
    product.post("/v1/segments", {"key": "clicked", "name": "Clicked", "rule": CLICKED})
    _await(lambda: product.get("/v1/segments/clicked/count")["status"] == "live", "the segment")
    body = {
        "target": f"{product.api_url}/healthz",
        "channel": "social",
        "content_id": "monteur",
        "content_type": "vacancy",
        "recipients": [{"namespace": "user_id", "value": name} for name in people],
    }
    made = product.post("/v1/links", body)
    return {one["value"]: one["url"] for one in made["recipients"]}


def _follow(url: str, headers: dict[str, str]) -> str:
    answer = httpx.get(url, headers=headers, **LOCAL)
    assert answer.status_code == 302
    return str(answer.headers["location"])


def _land(product: Product, location: str) -> None:
    """The page that the click led to, as a site without script tells of it."""
    said = dict(parse_qsl(urlsplit(location).query))
    assert said.keys() == {"kt_click", "kt_person"}
    params = {
        "key": product.write_key,
        "content_type": "vacancy",
        "consent": "measure,profile",
        **said,
    }
    answer = httpx.get(f"{product.tracker_url}/p.gif", params=params, headers=SCANNER, **LOCAL)
    assert answer.status_code == 200


def _told(product: Product) -> list[Any]:
    changes: list[Any] = product.get("/v1/changes", types="segment", segment="clicked")["changes"]
    return changes


def _await(condition: Any, what: str) -> None:
    wait_until(condition, what, timeout_s=PATIENCE_S)
