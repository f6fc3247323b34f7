"""The sample site: every page is there, and says nothing that its own policy would not run."""

import asyncio
import re

import httpx
import pytest
from starlette.applications import Starlette

from services.demo.catalogue import ITEMS, Item
from services.demo.doors import RefusedError
from services.demo.sample.app import create_sample_app
from services.demo.sample.mail import render_mail

TRACKER = "https://tracker.example"
APP = create_sample_app("kw_key", TRACKER)


def _get(path: str, method: str = "GET", app: Starlette = APP) -> httpx.Response:
    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, root_path="/sample")
        async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
            return await client.request(method, path)

    return asyncio.run(answer())


PAGES = [
    "/",
    *(item.path for item in ITEMS.values()),
    "/vacatures/engineer-hoogspanning/solliciteren",
]


@pytest.mark.parametrize("path", PAGES)
def test_pages_carry_the_script_under_a_strict_policy(path: str) -> None:
    answer = _get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert f'<script src="{TRACKER}/k.js" data-key="kw_key" defer></script>' in answer.text
    assert not re.search(r"<style|\son\w+=|\sstyle=", answer.text)


def test_the_banner_names_what_a_yes_gives_and_asks_for_contact_apart() -> None:
    page = _get("/").text
    assert "berekenen we daaruit een schatting" in page
    box = re.search(r"<input[^>]*data-consent-contact[^>]*>", page)
    assert box is not None
    assert "checked" not in box[0]


def test_links_of_a_page_lead_to_pages() -> None:
    linked = set(re.findall(r'href="/sample(/[^"]*)"', _get("/").text))
    assert len(linked) >= 8
    for path in linked:
        assert _get(path).status_code == 200, path


@pytest.mark.parametrize("path", ["/hackathon", "/vacatures/engineer-hoogspanning/solliciteren"])
def test_forms_thank(path: str) -> None:
    assert "Dank je wel" in _get(path, "POST").text


def test_that_somebody_applied_is_told_by_the_site_and_not_by_its_page() -> None:
    path, told = "/vacatures/engineer-hoogspanning/solliciteren", []

    async def tell(item: Item, form: bytes) -> None:
        told.append((item.path, form))

    app = create_sample_app("kw_key", TRACKER, tell_application=tell)
    page = _get(path, app=app).text
    assert "<form" in page
    assert "data-kentering-track" not in page
    assert told == []
    _get(path, "POST", app)
    assert told == [("/vacatures/engineer-hoogspanning", b"")]


@pytest.mark.parametrize("path", ["/nergens", "/mail", "/vacatures/nergens/solliciteren"])
def test_what_is_not_there(path: str) -> None:
    assert _get(path).status_code == 404


def test_a_mail_to_nobody_yet_asks_to_come_back() -> None:
    async def refused() -> str:
        raise RefusedError("not known yet")

    answer = _get("/mail", app=create_sample_app("kw_key", TRACKER, refused))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "Probeer opnieuw" in answer.text
    assert 'href="/sample/mail"' in answer.text


def test_a_mail_is_escaped() -> None:
    html = render_mail(
        "<b>", "https://t/o/x.gif", [('"><script>', "https://t/c/x")], "https://t/u/x"
    )
    assert "<script>" not in html
    assert "&lt;b&gt;" in html
    assert 'src="https://t/o/x.gif"' in html
    assert 'href="https://t/u/x"' in html
