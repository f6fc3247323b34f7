"""How the script's calls get there: beacons, keepalive, tries; and how its file is served."""

import gzip
from pathlib import Path

import httpx
import minify
import pytest
from starlette.responses import Response

from tests.integration.script_visitor import Line, Visitor

STATIC = Path(__file__).parents[2] / "services/tracker/static"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
NO_BEACON = {
    "refused": "navigator.sendBeacon = () => false",
    "missing": "delete Navigator.prototype.sendBeacon",
}


def beacons(visitor: Visitor, change: str) -> None:
    visitor.context.add_init_script(
        "window.beacons = []; const real = navigator.sendBeacon.bind(navigator);"
        "navigator.sendBeacon = (url, body) => (beacons.push(body), real(url, body));" + change
    )


def hide(visitor: Visitor) -> None:
    visitor.page.evaluate(
        "Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )


def test_what_leaves_with_the_page_goes_by_beacon(visitor: Visitor) -> None:
    beacons(visitor, "")
    visitor.visit("/?consent=measure")
    visitor.hears("page")
    hide(visitor)
    visitor.hears("track", "page_left")
    assert visitor.page.evaluate("beacons.length") == 1
    visitor.visit("/two")  # an unload, not only a hidden page
    visitor.hears("page", count=2)
    visitor.visit("/three")
    visitor.hears("track", "page_left", 2)


@pytest.mark.parametrize("how", NO_BEACON)
def test_without_beacons_a_request_outlives_the_page(visitor: Visitor, how: str) -> None:
    beacons(visitor, NO_BEACON[how])
    visitor.visit("/?consent=measure")
    visitor.hears("page")
    visitor.visit("/two")
    visitor.hears("page", count=2)
    visitor.hears("track", "page_left")


def test_what_fails_is_sent_again_and_counts_once(visitor: Visitor) -> None:
    visitor.wire.answers += [
        Response(status_code=503, headers={**CORS, "Retry-After": "1"}),
        Response(status_code=429, headers=CORS),
        Response(status_code=500),  # without these headers a browser sees a broken network
    ]
    visitor.visit()
    (page,) = visitor.hears("page")
    tries = [said for said in visitor.wire.said if said.route == "page"]
    assert [said.status for said in tries] == [503, 429, 500, 200]
    assert {said.call["messageId"] for said in tries} == {page["messageId"]}
    assert {said.call["timestamp"] for said in tries} == {page["timestamp"]}
    assert len({said.call["sentAt"] for said in tries}) == 4  # the clock is put right by it


def test_what_is_refused_for_good_is_not_sent_again(visitor: Visitor) -> None:
    visitor.wire.answers.append(Response(status_code=400, headers=CORS))
    visitor.visit()
    visitor.until(lambda: bool(visitor.wire.said), "the refused call")
    visitor.tell("'track'", "'read'")
    visitor.hears("track", "read")
    visitor.page.wait_for_timeout(300)
    assert [said.status for said in visitor.wire.said] == [400, 200]
    assert visitor.errors.pop().startswith("Failed to load resource")


def test_what_waits_goes_when_the_page_does(visitor: Visitor) -> None:
    visitor.wire.answers.append(
        Response(status_code=503, headers={**CORS, "Retry-After": "300"}),
    )
    visitor.visit("/?scripts=early")
    visitor.until(lambda: len(visitor.wire.said) >= 2, "the first calls")
    visitor.visit("/two")
    visitor.hears("page", count=2)
    visitor.hears("track", "consent_changed")


def test_taking_consent_back_drops_what_still_waits(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure")
    visitor.hears("page")
    visitor.wire.answers.append(Response(status_code=503, headers={**CORS, "Retry-After": "1"}))
    visitor.tell("'track'", "'read'")
    visitor.until(lambda: not visitor.wire.answers, "the failed call")
    visitor.tell("'consent'", "{measure: false}")
    visitor.hears("track", "consent_changed", 2)
    visitor.page.wait_for_timeout(1500)
    assert visitor.wire.of("track", "read") == []


def test_more_than_a_keepalive_carries_still_arrives(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure")
    visitor.hears("page")
    visitor.page.evaluate(
        "for (let i = 0; i < 4; i++) kentering('track', 'read', {x: 'x'.repeat(3e4)})"
    )
    visitor.hears("track", "read", 4)


@pytest.fixture(autouse=True)
def forgiven(visitor: Visitor) -> object:
    """The console tells of failed requests, which is what is tried here."""
    yield
    visitor.errors[:] = [
        error
        for error in visitor.errors
        if not error.startswith("Failed to load resource") and "CORS policy" not in error
    ]


def test_calls_that_cannot_be_told_break_nothing(visitor: Visitor) -> None:
    visitor.visit("/?consent=measure")
    visitor.tell("'track'", "'read'", "(() => { const a = {}; a.a = a; return a })()")
    visitor.tell("'nonsense'")
    visitor.tell()
    visitor.tell("'track'", "'read'")
    visitor.hears("track", "read")
    visitor.hears("page")


def test_the_file_is_small_and_kept(line: Line) -> None:
    url = f"{line.tracker_url}/k.js"
    packed = httpx.get(url, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) <= 3 * 1024
    plain = httpx.get(url, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content
    assert len(gzip.compress(plain.content, 9)) <= 3 * 1024
    etag = packed.headers["etag"]
    assert plain.headers["etag"] == etag
    assert "max-age" in plain.headers["cache-control"]
    again = httpx.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert httpx.head(url).content == b""
    assert httpx.post(url).status_code == 405


def test_the_file_is_made_of_its_source() -> None:
    source = (STATIC / "k.js").read_text("utf-8")
    made = minify.string("application/javascript", source) + "\n"
    assert (STATIC / "k.min.js").read_text("utf-8") == made
