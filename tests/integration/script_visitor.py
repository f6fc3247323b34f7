"""Somebody in a real Chromium, on a site that carries the script, and what is heard of them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.integration.wire import Wire
from tests.unit.tracker.scene import TOKENS

PATIENCE_MS = 20_000
YES = "{measure: true, profile: true, contact: false}"
NO = "{measure: false}"
MAIL = f"kt_click=c1c1&kt_person={TOKENS['{PERSON}']}"
NIGHT = {"content_id": "night", "content_type": "story"}
HEX = re.compile(r"[0-9a-f]{32}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass
class Line:
    """Between the browser and the tracker, and the site on another host."""

    wire: Wire
    url: str
    site: str
    tracker_url: str


@dataclass
class Visitor:
    """A browser with nothing kept, on the sample page."""

    context: BrowserContext
    page: Page
    wire: Wire
    site: str
    errors: list[str] = field(default_factory=list)

    def visit(self, path: str = "/") -> None:
        self.page.goto(self.site + path)

    def tell(self, *words: str) -> None:
        """Call the script as the page's own code does."""
        self.page.evaluate(f"() => kentering({', '.join(words)})")

    def hears(self, route: str, event: str | None = None, count: int = 1) -> list[dict[str, Any]]:
        """The calls of a route, once there are so many; more fail."""
        self.until(lambda: len(self.wire.of(route, event)) >= count, (route, event, count))
        self.page.wait_for_timeout(60)
        calls = self.wire.of(route, event)
        assert len(calls) == count, calls
        return calls

    def until(self, ready: Callable[[], bool], what: object) -> None:
        for _ in range(PATIENCE_MS // 20):
            if ready():
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"waited for {what}, heard {self.wire.said}")

    def cookie(self) -> dict[str, Any] | None:
        kept = self.context.cookies()
        assert [cookie["name"] for cookie in kept] in ([], ["kentering"])
        return dict(kept[0]) if kept else None


def visiting(context: BrowserContext, line: Line) -> Iterator[Visitor]:
    line.wire.said.clear()
    line.wire.answers.clear()
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    visitor = Visitor(context, page, line.wire, line.site)
    page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    page.on("console", lambda m: visitor.errors.append(m.text) if m.type == "error" else None)
    yield visitor
    # What leaving tells is still this visitor's, and nothing that the next one is to hear.
    for left in context.pages:
        left.goto("about:blank")
    page.wait_for_timeout(300)
    context.close()
    assert visitor.errors == []


def told(call: dict[str, Any]) -> dict[str, Any]:
    """The call without what differs each time, once that is seen to be of the right shape."""
    rest = dict(call)
    assert HEX.fullmatch(rest.pop("messageId"))
    assert MOMENT.fullmatch(rest.pop("timestamp"))
    assert MOMENT.fullmatch(rest.pop("sentAt"))
    if "anonymousId" in rest:
        assert HEX.fullmatch(rest.pop("anonymousId"))
        rest["somebody"] = True
    return rest


def consent(**purposes: bool) -> dict[str, Any]:
    return {"consent": {"categoryPreferences": purposes}}


AGREED = consent(measure=True, profile=True, contact=False)
