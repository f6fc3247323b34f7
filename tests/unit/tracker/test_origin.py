"""Where a click came from: the same mark for one place, and nothing that leads back to it."""

import msgspec
import pytest
from msgspec import UNSET

from services.contract.event import encode
from services.contract.phases import DAY_MS
from services.tracker.accept import accept
from services.tracker.origin import origin_of
from tests.unit.tracker.scene import DIRECTORY, NOW_MS, SECRET, request_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ADDRESS = "203.0.113.77"


def _mark(
    path: str, address: str | None = ADDRESS, headers: dict[str, str] | None = None
) -> object:
    told = {"method": "GET", "path": path, "headers": {"user-agent": FIREFOX, **(headers or {})}}
    request = msgspec.structs.replace(request_of(told), address=address)
    (event,) = accept(request, DIRECTORY, NOW_MS).events
    assert b"203.0" not in encode(event)
    assert b"Firefox" not in encode(event)
    return event.machine.origin


def test_a_persons_click_is_marked():
    assert _mark("/c/{LINK}.{PERSON}") == origin_of(ADDRESS, FIREFOX.encode(), SECRET, NOW_MS)


@pytest.mark.parametrize(
    ("path", "address", "headers"),
    [
        ("/c/{LINK}.{PERSON}", None, {}),
        ("/c/{LINK}", ADDRESS, {}),
        ("/c/{LINK}.{PERSON}", ADDRESS, {"sec-gpc": "1"}),
        ("/o/{LINK}.{PERSON}.gif", ADDRESS, {}),
    ],
    ids=["nobody_vouches", "nobody_named", "privacy_signal", "open"],
)
def test_nothing_else_is(path, address, headers):
    assert _mark(path, address, headers) is UNSET


def test_one_place_has_one_mark_a_day():
    mark = origin_of(ADDRESS, b"a", SECRET, NOW_MS)
    assert mark == origin_of("203.0.113.9", b"a", SECRET, NOW_MS + 1000)
    others = {
        origin_of("203.0.114.77", b"a", SECRET, NOW_MS),
        origin_of(ADDRESS, b"b", SECRET, NOW_MS),
        origin_of(ADDRESS, b"a", SECRET[::-1], NOW_MS),
        origin_of(ADDRESS, b"a", SECRET, NOW_MS + DAY_MS),
        origin_of("2001:db8:1::/64", b"a", SECRET, NOW_MS),
        origin_of("2001:db8:2::/64", b"a", SECRET, NOW_MS),
    }
    assert len(others | {mark}) == 7
