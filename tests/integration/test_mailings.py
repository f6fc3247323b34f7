"""A mailing from its HTML to the reader's click, through the merge fields of three mailers."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from playwright.sync_api import Browser

from tests.integration.mailers import MAILERS
from tests.integration.product import PATIENCE_S, Product
from tests.servers.process import need, wait_until

AGREED = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
MAILS = Path(__file__).parents[1] / "golden" / "mails"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}

_LINKS = "Array.from(document.querySelectorAll('a[href],area[href]'), a => a.href)"


def known(product: Product, user: str) -> None:
    """Somebody who agreed to be followed, and whom the API knows."""
    product.collect(
        [{"type": "identify", "messageId": user, "userId": user, "context": AGREED, "traits": {}}]
    )
    product.await_events("user_id", user, 1)


def recipients_of(made: Any) -> list[dict[str, str]]:
    return [{"ktoken": r["token"], "kunsub": r["unsubscribe"]} for r in made["recipients"]]


@pytest.mark.parametrize("mailer", MAILERS)
def test_from_html_to_click(product: Product, chromium: Browser, mailer: str) -> None:
    reader = f"reader-{mailer}"
    known(product, reader)
    people = [
        {"namespace": "user_id", "value": reader},
        {"namespace": "email", "value": "shy@example.org", "consent": {"measure": False}},
    ]
    message = product.post("/v1/messages", {"name": mailer, "recipients": people})
    target = f"{product.api_url}/healthz?van=mail#boven"
    html = (
        f'<html><body><a id=go href="{target}" data-content-id=nacht data-content-type=story>'
        f"Nacht</a> <a href='mailto:x@example.org'>mail</a></body></html>"
    )
    body = {"html": html, "mailer": mailer, "message_id": message["id"]}
    made = product.post("/v1/rewrite", body)
    assert [link["target"] for link in made["links"]] == [target]
    assert made["warnings"] == []
    followed, shy = recipients_of(message)
    send = MAILERS[mailer]

    # Who did not agree: no pixel, and links that carry nobody.
    mail = send(made["html"], shy)
    assert "<img" not in mail
    assert f'href="{made["links"][0]["url"]}."' in mail
    click = httpx.get(made["links"][0]["url"] + ".", headers=BROWSER)
    assert (click.status_code, click.headers["location"]) == (302, target)

    page = chromium.new_page()
    with page.expect_response(lambda answer: "/o/" in answer.url) as pixel:
        page.set_content(send(made["html"], followed))
    assert pixel.value.status == 200
    with page.expect_navigation():
        page.click("#go")
    assert page.url.startswith(f"{product.api_url}/healthz?van=mail&kt_click=")
    assert page.url.endswith("#boven")
    page.close()
    person = product.await_events("user_id", reader, 4)
    events = [event for event in product.timeline(person) if event["type"] in {"open", "click"}]
    assert {event["type"] for event in events} == {"open", "click"}
    assert {event["message_id"] for event in events} == {message["id"]}
    assert [event["content_id"] for event in events if event["type"] == "click"] == ["nacht"]

    header = send(made["headers"]["List-Unsubscribe"], followed)
    assert header == message["recipients"][0]["list_unsubscribe"]
    assert made["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_browser_finds_every_link_tracked(product: Product, chromium: Browser) -> None:
    """What Chromium takes for a link is what was rewritten, in ugly mails."""
    page = chromium.new_page()
    page.route("**/*", lambda route: route.abort())
    for file in sorted(MAILS.glob("*.html")):
        html = file.read_text("utf-8")
        merge = {"token": "K", "pixel_if": " "}
        made = product.post("/v1/rewrite", {"html": html, "merge": merge, "pixel": False})
        page.set_content(html, wait_until="commit")
        before = page.evaluate(_LINKS)
        page.set_content(made["html"], wait_until="commit")
        after = page.evaluate(_LINKS)
        assert len(after) == len(before)
        urls = {link["url"] + ".K": link["target"] for link in made["links"]}
        targets = [(was, urls[now]) for was, now in zip(before, after, strict=True) if now in urls]
        assert targets
        assert all(was == target for was, target in targets)
        same = [was for was, now in zip(before, after, strict=True) if now not in urls]
        left = {one["url"] for one in made["left"]}
        assert {unquote(url) for url in same if url.startswith("http")} <= left
    page.close()


def test_unsubscribing(product: Product, chromium: Browser) -> None:
    known(product, "leaver")
    people = [
        {"namespace": "user_id", "value": "leaver"},
        {"namespace": "email", "value": "stranger@example.org"},
    ]
    message = product.post("/v1/messages", {"name": "November", "recipients": people})
    one, other = (r["unsubscribe_url"] for r in message["recipients"])
    for url in (one, other):
        assert httpx.get(url, headers=BROWSER).status_code == 200
        assert httpx.head(url).status_code == 200
    # A person clicks; the other's mail program does it, in the encoding that RFC 8058 prefers.
    page = chromium.new_page(locale="nl-NL")
    page.goto(one)
    assert page.inner_text("h1") == "Afmelden"
    with page.expect_navigation():
        page.click("button")
    assert page.inner_text("h1") == "Afgemeld"
    page.close()
    part = {name: (None, value) for name, value in ONE_CLICK.items()}
    assert httpx.post(other, files=part).status_code == 200  # type: ignore[arg-type]

    def both_told() -> bool:
        path = f"/v1/messages/{message['id']}/recipients"
        told = product.post(path, {"recipients": people})["recipients"]
        return all(r["unsubscribed_at"] for r in told)

    wait_until(both_told, "both to be on the list", timeout_s=PATIENCE_S)
    person = product.find("user_id", "leaver")
    types = [event["type"] for event in product.timeline(person)]
    assert types.count("unsubscribe") == 1
    assert product.find("email", "stranger@example.org") is None
    ledger = f"/v1/persons/{person['id']}/consent"
    assert product.get(ledger)["now"]["contact_mail"]["granted"] is False
    bad = httpx.post(one[:-3] + "AAA", data=ONE_CLICK)
    assert (bad.status_code, bad.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_a_code_at_the_door_of_a_meeting(product: Product) -> None:
    known(product, "guest")
    body = {
        "target": f"{product.api_url}/healthz",
        "channel": "meeting",
        "content_id": "open-dag",
        "content_type": "meeting",
        "recipients": [{"namespace": "user_id", "value": "guest"}],
        "qr": True,
    }
    made = product.post("/v1/links", body)
    assert made["qr"].count("<svg") == 1
    for url in (made["url"], made["recipients"][0]["url"]):
        assert httpx.get(url, headers=BROWSER).status_code == 302
    person = product.await_events("user_id", "guest", 3)
    attended = [event for event in product.timeline(person) if event["type"] == "attend"]
    assert [(e["channel"], e["content_id"]) for e in attended] == [("meeting", "open-dag")]


def test_the_examples_of_the_document(product: Product) -> None:
    """Each block for a shell in docs/mailers.md, in order, as somebody would try them."""
    known(product, "4711")
    document = Path(__file__).parents[2] / "docs" / "mailers.md"
    told = {**os.environ, "U": product.api_url, "API": product.api_key}
    answers = []
    for block in re.findall(r"```sh\n(.*?)```", document.read_text("utf-8"), re.DOTALL):
        command = [need("bash", "bash"), "-euc", block]
        done = subprocess.run(command, env=told, check=True, capture_output=True, timeout=30)
        answers.append(json.loads(done.stdout))
        told.setdefault("MESSAGE", answers[0]["id"])
    assert [answer for answer in answers if "problem" in str(answer.get("type"))] == []
    message, rewritten, sent, came, other, link, secrets = answers
    assert [bool(r["token"]) for r in message["recipients"]] == [True, True, False]
    assert "{{#if ktoken}}<img" in rewritten["html"]
    assert rewritten["warnings"] == []
    assert sent["recipients"][0]["token"] == message["recipients"][0]["token"]
    assert all(mailing["opened"] == 0 for mailing in came["mailings"]), "nobody has answered"
    assert [warning["code"] for warning in other["warnings"]] == ["pixel_for_all"]
    assert "<svg" in link["qr"]
    assert len(secrets["link_secrets"]) == 2
