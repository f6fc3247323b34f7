"""Segment's own browser SDK in a real Chromium, from another origin, as any site loads it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.integration.product import Product
from tests.servers.web import run_app

SDK = Path(__file__).parents[1] / "node/node_modules/@segment/analytics-next/dist/umd"
METHODS = '["page", "track", "identify", "group", "alias", "ready", "on"]'


@pytest.fixture(scope="module")
def site(product: Product) -> Iterator[str]:
    page = f"""<!doctype html><title>Een nacht</title><link rel="icon" href="data:,"><script>
      window.analytics = [];
      analytics._writeKey = "{product.write_key}";
      analytics._cdn = "{product.tracker_url}";
      for (const method of {METHODS})
        analytics[method] = (...told) => analytics.push([method, ...told]);
      const context = {{consent: {{categoryPreferences: {{measure: true, profile: true}}}}}};
      analytics.page("Verhalen", "Nacht", {{content_id: "nacht"}}, {{context}});
    </script><script async src="/sdk/standalone.js"></script>"""
    routes = [
        Route("/", lambda _request: HTMLResponse(page)),
        Mount("/sdk", StaticFiles(directory=SDK)),
    ]
    with run_app(Starlette(routes=routes)) as url:
        yield url


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def test_what_a_page_tells_arrives(product: Product, site: str, page: Page) -> None:
    complaints: list[str] = []
    posted: list[str] = []
    page.on("console", lambda line: complaints.append(f"{line.text} {line.location['url']}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda r: posted.append(f"{r.method} {r.url}"))
    page.goto(f"{site}/?utm_source=mail")
    page.wait_for_function("window.analytics.initialized")
    page.evaluate(
        """async () => {
          await analytics.identify("sdk-1", {region: "Utrecht"}, {context});
          await analytics.track("Vacancy Viewed", {content_id: "monteur"}, {context});
          await analytics.group("bedrijf-9", {name: "Installatie BV"}, {context});
          await analytics.alias("sdk-1", analytics.user().anonymousId(), {context});
        }"""
    )
    person = product.await_events("user_id", "sdk-1", 5)
    assert {event["type"] for event in product.timeline(person)} == {
        "page",
        "identified",
        "vacancy_viewed",
    }
    assert person["attributes"] == {
        "region": "Utrecht",
        "group_id": "bedrijf-9",
        "group_name": "Installatie BV",
    }
    assert all(event["machine"]["p"] == 0 for event in product.timeline(person))
    paths = [re.sub(r"^(\w+) https?://[^/]+", r"\1 ", line) for line in posted]
    assert {f"POST /v1/{short}" for short in "pitga"} <= set(paths), paths
    assert complaints == []


def test_other_libraries_send_headers_of_their_own(product: Product, site: str, page: Page) -> None:
    page.goto(f"{site}/sdk/standalone.js")  # a page without a library
    status = page.evaluate(
        """async ([url, key]) => {
          const Authorization = `Basic ${btoa(key + ":")}`;
          const headers = {Authorization, SentAt: "now", AnonymousId: "x"};
          const body = JSON.stringify({event: "read"});
          return (await fetch(`${url}/v1/track`, {method: "POST", headers, body})).status;
        }""",
        [product.tracker_url, product.write_key],
    )
    assert status == 200


def test_a_wrong_key_is_told_once(product: Product, site: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/v1/" in r.url else None)
    page.route("**/v1/projects/**", lambda route: route.fulfill(json=_settings_of_nobody(product)))
    page.goto(site)
    page.wait_for_function("window.analytics.initialized")
    page.wait_for_timeout(3000)
    assert sum("/v1/p" in url and "projects" not in url for url in asked) == 1


def _settings_of_nobody(product: Product) -> object:
    host = product.tracker_url.partition("//")[2]
    segment = {"apiKey": "kw_nobody", "apiHost": f"{host}/v1", "protocol": "http"}
    return {"integrations": {"Segment.io": segment}}
