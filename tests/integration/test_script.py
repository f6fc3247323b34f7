"""The script in a real Chromium, on a site of another origin, and what comes over the wire."""

import json

from tests.integration.script_visitor import AGREED, NIGHT, YES, Visitor, consent, told
from tests.integration.tracker_process import Tracker, stored


def test_before_consent_it_counts_and_names_nobody(visitor: Visitor, tracker: Tracker) -> None:
    visitor.visit("/?utm_content=canary&x=canary#canary")
    visitor.page.click("#play")
    visitor.tell("'identify'", "'canary'", "{email: 'canary@post.example'}")
    visitor.tell("'track'", "'Wish'", "{wish: 'canary', content_id: 'w'}")
    visitor.page.click("#outside")
    said = [*visitor.hears("page"), *visitor.hears("track", count=3)]
    assert [told(call) for call in said] == [
        {"writeKey": "kw_shop", "properties": NIGHT, "context": consent()},
        {
            "writeKey": "kw_shop",
            "event": "play",
            "properties": {"content_id": "pod", "content_type": "podcast", "channel": "podcast"},
            "context": consent(),
        },
        {
            "writeKey": "kw_shop",
            "event": "Wish",
            "properties": {"content_id": "w", "content_type": "story", "channel": "website"},
            "context": consent(),
        },
        {
            "writeKey": "kw_shop",
            "event": "click",
            "properties": {**NIGHT, "channel": "website"},
            "context": consent(),
        },
    ]
    assert visitor.wire.of("identify") == []
    assert visitor.cookie() is None
    assert visitor.page.evaluate("localStorage.length + sessionStorage.length") == 0
    headers = json.dumps([call.headers for call in visitor.wire.said])
    assert "canary" not in headers
    assert '"cookie"' not in headers
    assert all(not event.identities for event in stored(tracker.data))


def test_after_consent_it_tells_all_of_it(visitor: Visitor) -> None:
    visitor.visit("/?utm_source=mail&utm_campaign=maart&x=1")
    visitor.hears("page")
    visitor.tell("'identify'", "'u7'", "{name: 'Anna'}")
    visitor.tell("'consent'", YES, "{text_version: '3'}")
    (changed,) = visitor.hears("track", "consent_changed")
    counted, followed = visitor.hears("page", count=2)
    (known,) = visitor.hears("identify")
    assert counted["messageId"] == followed["messageId"]  # the same view, now somebody's
    somebody = {"writeKey": "kw_shop", "context": AGREED, "somebody": True}
    assert told(changed) == {
        **somebody,
        "event": "consent_changed",
        "properties": {"text_version": "3"},
    }
    assert told(followed) == {
        **somebody,
        "context": {**AGREED, "campaign": {"source": "mail", "name": "maart"}},
        "properties": {
            **NIGHT,
            "url": f"{visitor.site}/?utm_source=mail&utm_campaign=maart&x=1",
            "title": "Page /",
            "referrer": "",
        },
    }
    assert told(known) == {**somebody, "userId": "u7", "traits": {"name": "Anna"}}
    visitor.page.click("#outside")
    (click,) = visitor.hears("track", "click")
    assert click["properties"] == {
        **NIGHT,
        "channel": "website",
        "url": "http://elsewhere.example/jobs?x=1",
        "outbound": True,
    }
    visitor.page.click("#play b")
    (play,) = visitor.hears("track", "play")
    assert play["properties"] == {
        "content_id": "pod",
        "content_type": "podcast",
        "channel": "podcast",
    }
    ids = {call.call.get("anonymousId") for call in visitor.wire.said} - {None}
    assert len(ids) == 1


def test_clicks_that_say_something(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure")
    visitor.page.click("#inside", button="middle")  # in a new tab
    visitor.page.click("#inside", button="right")
    visitor.page.click("#mail", no_wait_after=True)
    click, mail = visitor.hears("track", "click", 2)
    assert click["properties"]["url"] == f"{visitor.site}/two"
    assert mail["properties"]["url"].startswith("mailto:")
    visitor.page.click("#nav")  # is about nothing, and the next page speaks for itself
    visitor.page.wait_for_url("**/two")
    visitor.visit()
    visitor.page.click("#form button")
    visitor.page.wait_for_url("**/two?who=")
    (sign_up,) = visitor.hears("track", "sign_up")
    assert sign_up["properties"] == {**NIGHT, "channel": "website", "content_phase": "think"}
    assert len(visitor.wire.of("track", "click")) == 2


def test_the_cookie(visitor: Visitor) -> None:
    visitor.visit()
    visitor.tell("'consent'", YES)
    visitor.hears("page", count=2)
    cookie = visitor.cookie()
    assert cookie is not None
    now_s = visitor.page.evaluate("Date.now() / 1000")
    assert cookie["domain"] == "localhost"
    assert cookie["sameSite"] == "Lax"
    assert cookie["path"] == "/"
    assert 394.9 < (cookie["expires"] - now_s) / 86_400 <= 395.0
    visitor.page.wait_for_timeout(1100)
    visitor.visit("/two")
    followed = visitor.hears("page", count=3)[2]
    again = visitor.cookie()
    assert again == cookie  # visiting does not lengthen its life
    assert followed["anonymousId"] == cookie["value"][:32]
    assert followed["context"] == AGREED
