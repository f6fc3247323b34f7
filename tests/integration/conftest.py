"""One real Chromium, tracker, site and workspace for each file of tests that asks for them."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.integration.product import PATIENCE_S, Product, run_shared_up
from tests.integration.script_site import create_site
from tests.integration.script_visitor import Line, Visitor, visiting
from tests.integration.tracker_process import Tracker, run_tracker
from tests.integration.wire import Wire
from tests.servers.process import need
from tests.servers.web import run_app

# Chromium without a window says so in its user agent, and would be taken for a machine's.
_USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
_FLAGS = (
    f"--user-agent={_USER_AGENT}",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Keeps left pages for going back, as every browser does and automated ones do not."""
    expect.set_options(timeout=PATIENCE_S * 1000)
    program = shutil.which("chromium") or need("chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=list(_FLAGS),
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Product]]:
    """One running product, in which each file has a workspace of its own."""
    with run_shared_up(tmp_path_factory.mktemp("product")) as new_workspace:
        yield new_workspace


@pytest.fixture(scope="module")
def product(new_workspace: Callable[[], Product]) -> Product:
    """A product with an empty workspace; what other files did in theirs is not to be seen."""
    return new_workspace()


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    """A tracker that knows the keys of ``scene.py``."""
    with run_tracker(tmp_path_factory.mktemp("tracker")) as running:
        yield running


@pytest.fixture(scope="module")
def line(tracker: Tracker) -> Iterator[Line]:
    """A site whose pages reach the tracker on another host only."""
    wire = Wire(tracker.url)
    with run_app(wire.app) as url, run_app(create_site(url)) as site:
        yield Line(wire, url, site.replace("127.0.0.1", "localhost"), tracker.url)


@pytest.fixture
def visitor(chromium: Browser, line: Line) -> Iterator[Visitor]:
    """A browser with nothing kept."""
    yield from visiting(chromium.new_context(), line)
