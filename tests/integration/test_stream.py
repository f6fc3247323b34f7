"""The stream as it is used: by a browser's EventSource, by curl, and over a restart."""

import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.contract.dispatch.feed import Feed
from tests.integration.product import PATIENCE_S, Product
from tests.servers.process import free_port, need, start, stop

KENTERING = Path(sys.executable).parent / "kentering"
APPLIED = {
    "type": "track",
    "event": "applied",
    "context": {"consent": {"categoryPreferences": {"measure": True, "profile": True}}},
}
_LISTEN = """() => {
  window.told = [];
  window.feed = new EventSource("/v1/changes/stream?after=0");
  window.feed.onmessage = (event) => window.told.push([event.lastEventId, JSON.parse(event.data)]);
}"""


def test_a_page_of_the_dashboard_listens(product: Product, chromium: Browser) -> None:
    """Through ``kentering up``, whose one port is the tracker's own HTTP."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{product.api_url}/login#{product.api_key}")
    page.wait_for_selector("#live")
    page.evaluate(_LISTEN)
    product.collect([{**APPLIED, "messageId": "s-1", "userId": "anna"}])
    _await_told(page, 2)
    product.collect([{**APPLIED, "messageId": "s-2", "userId": "ben"}])
    _await_told(page, 4)
    told = page.evaluate("window.told")
    changes = product.get("/v1/changes")["changes"]
    assert [change for _, change in told] == changes[: len(told)]
    assert [int(position) for position, _ in told] == [one["position"] for one in changes]
    assert {one["type"] for one in changes} == {"phase", "latency"}
    context.close()


def _await_told(page: Page, count: int) -> None:
    # The page's policy lets no text become a script, so waiting is done here.
    for _ in range(PATIENCE_S * 20):
        if page.evaluate("window.told.length") >= count:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{count} changes expected")


def test_curl_listens_and_a_restart_ends_it_calmly(sqlite: str, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "api.log"
    feed = Feed(sqlite)
    key = feed.key()
    told = {"KENTERING_DATABASE_URL": sqlite}
    process = start([KENTERING, "api", "--port", str(port)], log, env=told)
    url = f"http://127.0.0.1:{port}"
    curl = [need("curl", "curl"), "-sN", "--retry", "9", "--retry-connrefused", "-u", f"{key}:"]
    try:
        with subprocess.Popen(
            [*curl, f"{url}/v1/changes/stream?after=0"], stdout=subprocess.PIPE, text=True
        ) as listening:
            assert listening.stdout is not None
            assert listening.stdout.readline() == "retry: 2000\n"
            feed.tell(0, 1)
            lines = [listening.stdout.readline() for _ in range(7)]
            assert [line for line in lines if line.startswith("id")] == ["id: 1\n", "id: 2\n"]
            process.send_signal(signal.SIGTERM)
            listening.stdout.read()
            assert listening.wait(10) == 0, "to curl it is an end, and no fault"
        assert process.wait(10) in {0, -signal.SIGTERM}
    finally:
        feed.engine.dispose()
        stop(process, signal.SIGKILL, 5)
