"""Consent in the script: given, taken back, remembered, and the browser's own no."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.integration.script_visitor import (
    AGREED,
    NO,
    YES,
    Line,
    Visitor,
    consent,
    told,
    visiting,
)
from tests.integration.tracker_process import Tracker, stored
from tests.unit.tracker.scene import TOKENS


@pytest.fixture
def careful(chromium: Browser, line: Line) -> Iterator[Visitor]:
    """Whose browser asks not to be tracked."""
    context = chromium.new_context(extra_http_headers={"Sec-GPC": "1"})
    context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"
    )
    yield from visiting(context, line)


def test_taking_back_is_told_forgotten_and_stays_so(visitor: Visitor) -> None:
    visitor.visit()
    visitor.tell("'consent'", YES)
    followed = visitor.hears("page", count=2)[1]
    visitor.tell("'consent'", "{measure: false, profile: false}")
    assert visitor.cookie() is None  # at once, whatever the network does
    given, taken = visitor.hears("track", "consent_changed", 2)
    assert told(given)["context"] == AGREED
    assert told(taken) == {
        "writeKey": "kw_shop",
        "event": "consent_changed",
        "context": consent(measure=False, profile=False, contact=False),
        "somebody": True,
    }
    assert taken["anonymousId"] == followed["anonymousId"]
    visitor.tell("'track'", "'read'")
    (read,) = visitor.hears("track", "read")
    assert "anonymousId" not in read
    visitor.visit("/two")
    page = visitor.hears("page", count=3)[2]
    assert told(page) == {"writeKey": "kw_shop", "properties": NIGHT_ONLY, "context": consent()}
    visitor.tell("'consent'", YES)  # later, again: somebody new
    again = visitor.hears("page", count=4)[3]
    assert again["anonymousId"] != followed["anonymousId"]
    assert visitor.wire.of("track", "page_left") == []


NIGHT_ONLY = {"content_id": "night", "content_type": "story"}


def test_a_part_taken_back_survives_a_reload(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure,profile")  # as the page itself says of this visitor
    first = visitor.hears("page")[0]
    visitor.tell("'consent'", "{profile: false}")
    changed = visitor.hears("track", "consent_changed", 2)[1]
    said = consent(measure=True, profile=False)
    assert changed["context"] == said
    visitor.page.reload()
    page = visitor.hears("page", count=2)[1]
    assert page["context"] == said
    assert page["anonymousId"] == first["anonymousId"]
    visitor.tell("'consent'", "{measure: true, profile: false}")  # a banner says it on each page
    visitor.tell("'consent'", "{measure: 'yes', 'a-b': true}")  # is no answer
    visitor.page.wait_for_timeout(150)
    visitor.hears("track", "consent_changed", 2)
    visitor.hears("page", count=2)


def test_a_banner_that_is_there_first(visitor: Visitor) -> None:
    visitor.visit("/?scripts=early")
    (page,) = visitor.hears("page")  # told once, at once by somebody
    assert page["context"] == consent(measure=True, profile=False)
    assert "anonymousId" in page


def test_who_declined_is_counted(visitor: Visitor) -> None:
    visitor.visit()
    visitor.tell("'identify'", "'canary'")
    visitor.tell("'consent'", NO)
    visitor.tell("'track'", "'read'")
    (read,) = visitor.hears("track", "read")
    assert told(read)["context"] == consent(measure=False)
    assert visitor.cookie() is None
    assert visitor.wire.of("track", "consent_changed") == []  # there is nobody to tell it of
    visitor.tell("'consent'", YES)
    visitor.hears("page", count=2)
    assert visitor.wire.of("identify") == []


def test_another_tab_took_it_back(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure")
    visitor.hears("page")
    other = visitor.context.new_page()
    other.goto(visitor.site + "/two")
    visitor.hears("page", count=2)
    other.evaluate(f"() => kentering('consent', {NO})")
    visitor.hears("track", "consent_changed", 2)
    visitor.tell("'track'", "'read'")
    (read,) = visitor.hears("track", "read")
    assert told(read)["context"] == consent()
    assert "somebody" not in told(read)
    assert visitor.cookie() is None


def test_where_no_cookie_is_kept_nobody_is_followed(visitor: Visitor) -> None:
    visitor.context.add_init_script(
        "Object.defineProperty(Document.prototype, 'cookie', {get: () => '', set: () => {}})"
    )
    visitor.visit()
    visitor.tell("'consent'", YES)
    visitor.tell("'track'", "'read'")
    visitor.hears("track", "read")
    assert all("anonymousId" not in said.call for said in visitor.wire.said)


def test_the_browsers_no_needs_a_hand_to_be_undone(careful: Visitor, tracker: Tracker) -> None:
    begun = len(stored(tracker.data))
    person = f"kt_click=c2&kt_person={TOKENS['{PERSON}']}"
    # What is said without a hand is from before, or of everybody.
    careful.visit(f"/?consent=measure,profile&scripts=early&{person}")
    (page,) = careful.hears("page")
    assert told(page) == {
        "writeKey": "kw_shop",
        "properties": NIGHT_ONLY,
        "context": consent(measure=False),
    }
    assert careful.cookie() is None
    careful.page.evaluate(
        "document.querySelector('#form').addEventListener('submit', (event) => {"
        f" event.preventDefault(); kentering('consent', {YES}) }})"
    )
    careful.page.click("#form button")
    followed = careful.hears("page", count=2)[1]
    assert followed["context"]["consent"] == {**AGREED["consent"], "specific": True}
    cookie = careful.cookie()
    assert cookie is not None
    careful.visit("/two")
    again = careful.hears("page", count=3)[2]
    assert again["context"]["consent"] == followed["context"]["consent"]
    assert again["anonymousId"] == cookie["value"][:32]
    careful.tell("'consent'", NO)
    taken = careful.hears("track", "consent_changed", 2)[1]
    assert taken["anonymousId"] == cookie["value"][:32]
    assert taken["context"]["consent"]["categoryPreferences"]["measure"] is False
    assert careful.cookie() is None
    assert begun < len(stored(tracker.data))


def test_a_later_no_of_the_browser_ends_an_earlier_yes(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure")
    visitor.hears("page")
    visitor.context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'doNotTrack', {value: '1'})"
    )
    visitor.visit("/two")
    page: dict[str, Any] = visitor.hears("page", count=2)[1]
    assert told(page)["context"] == consent(measure=False)
    assert visitor.cookie() is None
