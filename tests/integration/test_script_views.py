"""The script's views: the address cleaned, single pages, going back, what was seen of a page."""

from typing import Any

from tests.integration.script_visitor import (
    AGREED,
    NIGHT,
    NO,
    YES,
    Visitor,
    consent,
    told,
)
from tests.integration.tracker_process import Tracker, stored
from tests.unit.tracker.scene import TOKENS

MAIL = f"kt_click=c1c1&kt_person={TOKENS['{PERSON}']}"
ARRIVED = {"kt_click": "c1c1", "kt_person": TOKENS["{PERSON}"]}


def paths(views: list[dict[str, Any]], site: str) -> list[str]:
    return [view["properties"]["url"].removeprefix(site) for view in views]


def test_the_mails_token_is_gone_before_others_look(visitor: Visitor, tracker: Tracker) -> None:
    visitor.visit(f"/?a=%20b&{MAIL}&z=1#part")
    (page,) = visitor.hears("page")
    seen = visitor.page.get_attribute("html", "seen")
    assert seen == visitor.page.url == f"{visitor.site}/?a=%20b&z=1#part"
    assert told(page)["context"] == {**consent(), **ARRIVED}
    event = stored(tracker.data)[-1]
    assert [identity.namespace for identity in event.identities] == ["person_token"]
    visitor.tell("'consent'", YES)
    again = visitor.hears("page", count=2)[1]
    # With the cookie it is another word, which the common click makes count once.
    assert again["messageId"] != page["messageId"]
    assert told(again)["context"] == {**AGREED, **ARRIVED}
    visitor.page.click("#nav")
    landed = visitor.hears("page", count=3)[2]
    assert landed["properties"]["referrer"] == f"{visitor.site}/?a=%20b&z=1"
    assert "kt_person" not in landed["context"]


def test_only_a_token_in_the_address(visitor: Visitor) -> None:
    visitor.visit(f"/?{MAIL}")
    visitor.hears("page")
    assert visitor.page.url == f"{visitor.site}/"


def test_a_single_page_application(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure")
    visitor.hears("page")
    run = visitor.page.evaluate
    run("history.replaceState({}, '', '/?consent=measure&noted=1')")
    run("location.hash = 'part'")
    run("history.pushState({}, '', '/?consent=measure&noted=1#other')")
    visitor.page.wait_for_timeout(150)
    visitor.hears("page")
    run("history.pushState({}, '', '/b'); document.title = 'B'")
    visitor.hears("page", count=2)
    run("history.pushState({}, '', '/guard'); history.replaceState({}, '', '/c')")  # sent on
    visitor.hears("page", count=3)
    run("history.pushState({}, '', '/c?page=2')")
    visitor.hears("page", count=4)
    run("history.back()")
    visitor.hears("page", count=5)
    run("location.hash = '#/route/1'")
    visitor.hears("page", count=6)
    run("history.pushState({}, '', '/d'); kentering('page', 'D', {section: 's'})")  # a router's own
    views = visitor.hears("page", count=7)
    assert paths(views, visitor.site)[1:] == [
        "/b",
        "/c",
        "/c?page=2",
        "/c",
        "/c#/route/1",
        "/d",
    ]
    assert views[1]["properties"]["title"] == "B"
    assert views[2]["properties"]["referrer"] == f"{visitor.site}/b"
    assert views[6]["name"] == "D"
    assert views[6]["properties"]["section"] == "s"
    assert len({view["messageId"] for view in views}) == 7
    left = visitor.hears("track", "page_left", 6)
    assert [call["properties"]["view_id"] for call in left] == [
        view["messageId"] for view in views[:6]
    ]


def test_the_pages_own_first_view(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure&scripts=named")
    (page,) = visitor.hears("page")
    assert page["name"] == "Start"
    assert page["properties"]["section"] == "stories"


def test_going_back_to_a_kept_page(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure")
    visitor.hears("page")
    visitor.page.evaluate("document.title = 'as it was left'")
    visitor.visit("/two")
    visitor.hears("page", count=2)
    visitor.page.go_back(wait_until="commit")
    views = visitor.hears("page", count=3)
    assert visitor.page.title() == "as it was left"  # kept, not loaded again
    assert paths(views, visitor.site) == ["/?consent=measure", "/two", "/?consent=measure"]
    assert len({view["messageId"] for view in views}) == 3
    visitor.page.wait_for_timeout(300)
    visitor.visit("/three")
    left = visitor.hears("track", "page_left", 3)
    assert [call["properties"]["view_id"] for call in left] == [v["messageId"] for v in views]
    # The clock stood still while the page was kept.
    assert left[2]["properties"]["visible_ms"] >= 300
    # Taken back meanwhile, a kept page follows no longer.
    visitor.page.go_back(wait_until="commit")
    visitor.hears("page", count=5)
    visitor.tell("'consent'", NO)
    visitor.page.go_forward(wait_until="commit")
    last = visitor.hears("page", count=6)[5]
    assert told(last) == {"writeKey": "kw_shop", "properties": NIGHT, "context": consent()}


def test_a_page_that_says_it_was_kept(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure")
    visitor.hears("page")
    visitor.page.evaluate(
        "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: false}));"
        "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))"
    )
    visitor.hears("page", count=2)


def hide(visitor: Visitor, state: str) -> None:
    visitor.page.evaluate(
        "(state) => { Object.defineProperty(document, 'visibilityState',"
        " {value: state, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')) }",
        state,
    )


def test_what_was_seen_of_a_page(visitor: Visitor) -> None:
    visitor.context.add_init_script("window.now = 5; performance.now = () => now")
    visitor.visit()
    visitor.page.evaluate("now += 100000")
    visitor.tell("'consent'", YES)  # what was before is not told
    visitor.page.evaluate("scrollTo(0, 1000)")
    visitor.page.wait_for_timeout(200)
    deepest, height = visitor.page.evaluate(
        "[scrollY + innerHeight, document.documentElement.scrollHeight]"
    )
    visitor.page.evaluate("scrollTo(0, 0)")
    visitor.page.evaluate("now += 7000")
    hide(visitor, "hidden")
    visitor.page.evaluate("now += 60000")
    hide(visitor, "visible")
    visitor.page.evaluate("now += 2000")
    hide(visitor, "hidden")
    hide(visitor, "hidden")
    first, second = visitor.hears("track", "page_left", 2)
    view = visitor.hears("page", count=2)[1]
    assert first["properties"] == {
        **NIGHT,
        "channel": "website",
        "url": f"{visitor.site}/",
        "view_id": view["messageId"],
        "visible_ms": 7000,
        "scroll_percent": round(100 * deepest / height),
    }
    assert second["properties"]["visible_ms"] == 2000
