"""Labels on hits as they come: over real HTTP, from a real browser, onto the real spool."""

from urllib.parse import quote

import httpx
import pytest

from tests.integration.tracker_process import Tracker, stored
from tests.servers.web import LOCAL
from tests.unit.tracker.scene import TOKENS

PIXEL = f"/o/{TOKENS['{LINK}']}.{TOKENS['{PERSON}']}.gif"
CLICK = f"/c/{TOKENS['{LINK}']}.{TOKENS['{PERSON}']}"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def _reasons(tracker: Tracker) -> tuple[str, ...]:
    return stored(tracker.data)[-1].machine.reasons


@pytest.mark.parametrize(
    ("method", "headers", "reasons"),
    [
        ("GET", {"User-Agent": FIREFOX, "Accept-Language": "nl"}, ()),
        ("GET", {"User-Agent": FIREFOX}, ("no_language",)),
        ("HEAD", {"User-Agent": FIREFOX, "Accept-Language": "nl"}, ("head",)),
        (
            "GET",
            {"User-Agent": FIREFOX, "Accept-Language": "nl", "X-MOZ": "Prefetch"},
            ("prefetch",),
        ),
        ("GET", {"User-Agent": "curl/8.5.0"}, ("client_library",)),
        ("GET", {"User-Agent": "Mozilla/5.0"}, ("bare_mozilla",)),
        ("GET", {"User-Agent": f"Mimecast {'x' * 30_000}"}, ("mail_scanner",)),
    ],
)
@pytest.mark.parametrize("path", [PIXEL, CLICK], ids=["open", "click"])
def test_a_hit_is_kept_with_its_reasons(tracker, path, method, headers, reasons):
    with httpx.Client(
        base_url=tracker.url, headers={"User-Agent": ""}, timeout=10, **LOCAL
    ) as client:
        answer = client.request(method, path, headers=headers)
    assert answer.status_code in {200, 302}
    assert _reasons(tracker) == reasons


def test_a_browser_that_prefetches_says_so(tracker, chromium):
    page = chromium.new_page(extra_http_headers={"Accept-Language": "nl"})
    # A page of the tracker's own host, so that the prefetch needs no leave from another.
    page.goto(f"{tracker.url}/healthz")
    with page.expect_request_finished(lambda request: CLICK in request.url):
        page.evaluate(
            """(url) => {
                const link = document.createElement("link");
                link.rel = "prefetch";
                link.href = url;
                document.head.append(link);
            }""",
            CLICK,
        )
    page.close()
    assert _reasons(tracker) == ("prefetch",)


def test_a_browser_that_hides_nothing_is_known_for_headless(tracker, chromium):
    own_name = FIREFOX.replace("Firefox", "HeadlessChrome")
    page = chromium.new_page(user_agent=own_name, locale="nl-NL")
    page.set_content(f'<img src="{tracker.url}{quote(PIXEL)}">', wait_until="load")
    page.close()
    assert _reasons(tracker) == ("headless",)
