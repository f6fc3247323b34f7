"""A real Chromium visits the sample site, reads a mail, and becomes somebody we can tell of."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from services.demo.catalogue import HACKATHON, STORIES
from services.demo.sample.app import create_sample_app
from services.demo.sample.mail import render_mail
from tests.integration.product import PATIENCE_S, Product
from tests.servers.process import free_port, wait_until

AGREED = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
EMAIL = "anna@post.example"


@pytest.fixture(scope="module")
def site(product: Product) -> Iterator[str]:
    """The sample site on an address of its own: the tracker is another origin, as in life."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    async def mail() -> str:
        return await asyncio.to_thread(_mail_to, "anna", product, url)

    app = create_sample_app(product.write_key, product.tracker_url, mail)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, "the sample site")
    yield url
    server.should_exit = True
    thread.join()


@dataclass
class Visitor:
    """A browser of one person, and what it said to the tracker."""

    context: BrowserContext
    page: Page
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def hear(self, request: Request) -> None:
        if "/v1/" in request.url and request.post_data:
            self.said.append((request.url.rsplit("/", 1)[1], json.loads(request.post_data)))

    def await_call(self, route: str, count: int = 1) -> list[dict[str, Any]]:
        """The calls of a route, once there are so many."""
        for _ in range(PATIENCE_S * 20):
            calls = [call for said, call in self.said if said == route]
            if len(calls) >= count:
                return calls
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{count} calls of {route} expected, there are: {self.said}")

    def cookies(self) -> dict[str, str]:
        return {c["name"]: c["value"] for c in self.context.cookies()}


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Visitor]:
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    visitor = Visitor(context, page)
    page.on("request", visitor.hear)
    page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    page.on("console", lambda m: visitor.errors.append(m.text) if m.type == "error" else None)
    yield visitor
    context.close()


def test_who_declines_is_counted_and_not_followed(
    product: Product, site: str, visitor: Visitor
) -> None:
    page = visitor.page
    page.goto(f"{site}/?utm_content=canary-in-the-query")
    visitor.await_call("page")
    page.get_by_role("button", name="Nee, liever niet").click()
    page.goto(site + HACKATHON.path)
    expect(page.locator("[data-consent]")).to_be_hidden()
    page.get_by_label("Naam").fill("Canary Name")
    page.get_by_label("E-mailadres").fill("canary@post.example")
    page.get_by_role("button", name="Meld me aan").click()
    expect(page.get_by_role("heading", name="Dank je wel")).to_be_visible()
    visitor.await_call("page", 3)
    visitor.await_call("track")

    assert visitor.cookies() == {}
    assert visitor.errors == []
    on_the_wire = json.dumps(visitor.said)
    assert "canary" not in on_the_wire.lower()
    assert "anonymousId" not in on_the_wire
    assert product.find("email", "canary@post.example") is None


def test_from_a_visit_and_a_mail_to_a_segment(
    product: Product, site: str, visitor: Visitor
) -> None:
    page = visitor.page
    phase_rule = {"type": "phase", "any_of": ["do"]}
    product.post("/v1/segments", {"key": "in-do", "name": "In Do", "rule": phase_rule})

    # Before consent: counted, no cookie, nothing personal on the wire.
    page.goto(f"{site}/?utm_content=canary")
    (counted,) = visitor.await_call("page")
    assert visitor.cookies() == {}
    assert "anonymousId" not in counted
    assert "canary" not in json.dumps(counted)

    # After it: the same view is told again, by somebody.
    page.get_by_role("button", name="Ja, dat mag").click()
    followed = visitor.await_call("page", 2)[1]
    cookie = followed["anonymousId"]
    assert visitor.cookies()["kentering"].startswith(cookie)

    # The employer knows Anna, and writes to her.
    traits = {"name": "Anna", "email": EMAIL, "region": "Noord"}
    call = {"type": "identify", "userId": "anna", "traits": traits, "context": AGREED}
    product.collect([call])
    product.await_events("user_id", "anna", 1)
    with page.expect_response(lambda answer: "/o/" in answer.url) as pixel:
        page.goto(f"{site}/mail")
    assert pixel.value.headers["content-type"] == "image/gif"
    page.get_by_role("link", name=STORIES[0].title).click()
    page.wait_for_url(f"{site}{STORIES[0].path}")  # without what the link brought along
    expect(page.get_by_role("heading", name=STORIES[0].title)).to_be_visible()
    landing = visitor.await_call("page", 3)[2]
    assert set(landing["context"]) >= {"kt_click", "kt_person"}

    _await_phase(product, "think")
    person = product.find("user_id", "anna")
    assert {"namespace": "anonymous_id", "value": cookie} in person["identities"]

    # A sign-up for something meant for Think is a step into Do.
    page.goto(site + HACKATHON.path)
    page.get_by_label("Naam").fill("Anna")
    page.get_by_label("E-mailadres").fill(EMAIL)
    page.get_by_role("button", name="Meld me aan").click()
    expect(page.get_by_role("heading", name="Dank je wel")).to_be_visible()
    _await_phase(product, "do")
    assert visitor.errors == []
    _assert_told(product, cookie)


def _mail_to(user_id: str, product: Product, site: str) -> str:
    story = STORIES[0]
    link = {
        "target": site + story.path,
        "campaign_id": "mailing-1",
        "content_id": story.content_id,
        "content_type": story.content_type,
        "recipients": [{"namespace": "user_id", "value": user_id}],
    }
    (recipient,) = product.post("/v1/links", link)["recipients"]
    message = {"name": "Voor jou", "recipients": link["recipients"]}
    (addressed,) = product.post("/v1/messages", message)["recipients"]
    links = [(story.title, recipient["url"])]
    return render_mail("Voor jou", recipient["pixel"], links, addressed["unsubscribe_url"])


def _await_phase(product: Product, name: str) -> None:
    def reached() -> bool:
        phase = product.find("user_id", "anna")["phase"]
        return phase is not None and phase["name"] == name

    wait_until(reached, f"Anna in {name}", timeout_s=PATIENCE_S)


def _assert_told(product: Product, cookie: str) -> None:
    """Everything that REST tells of Anna in the end."""
    person = product.find("email", EMAIL)
    assert person["id"] == product.find("anonymous_id", cookie)["id"]
    assert person["phase"]["name"] == "do"
    assert not person["phase"]["inferred"]

    events = product.timeline(person)
    types = [event["type"] for event in events]
    assert types[0] == "page"  # the view that was told again after consent
    assert {"page", "open", "click", "sign_up", "identified"} <= set(types)
    judged = [(event["type"], event["machine"]) for event in events]
    assert all(machine["p"] < 0.5 for _, machine in judged), judged
    sign_up = next(event for event in events if event["type"] == "sign_up")
    assert sign_up["content_id"] == HACKATHON.content_id

    why = product.get(f"/v1/persons/{person['id']}/explain", lang="nl")
    total = why["turning"]["prior"] + sum(c["turning"] for c in why["contributions"])
    assert total == pytest.approx(why["turning"]["score"], abs=1e-9)
    assert {"mail_open", "mail_click", "sign_up"} <= {c["kind"] for c in why["contributions"]}
    assert all(c["what"] for c in why["contributions"])

    history = product.get(f"/v1/persons/{person['id']}/phases")["phases"]
    begun = [stretch["phase"] for stretch in history]
    assert begun.index("see") < begun.index("think") < begun.index("do")

    _await_membership(product, person["id"])
    changes = product.get("/v1/changes", limit=1000)["changes"]
    moves = [(c["before"], c["after"]) for c in changes if c["type"] == "phase"]
    assert ("think", "do") in moves
    assert any(c["segment"] == "in-do" and c["person"] == person["id"] for c in changes)


def _await_membership(product: Product, person_id: str) -> None:
    def member() -> bool:
        members = product.get("/v1/segments/in-do/members")["members"]
        return [m["person"] for m in members] == [person_id]

    wait_until(member, "Anna among the members of the segment", timeout_s=PATIENCE_S)
    assert product.get("/v1/segments/in-do/count")["count"] == 1
    of_person = product.get(f"/v1/persons/{person_id}/segments")["segments"]
    assert [membership["segment"] for membership in of_person] == ["in-do"]
