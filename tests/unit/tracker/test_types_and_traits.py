"""What is written down of a call's content and traits: one spelling, and nothing too personal."""

from typing import Any

from services.contract.event import Event
from services.tracker.accept import accept
from tests.unit.tracker.scene import DIRECTORY, NOW_MS, request_of


def _event(call: dict[str, Any]) -> tuple[Event, Any]:
    headers = {"authorization": "Bearer ks_ats"}
    body = {"userId": "4711", "messageId": "m", **call}
    told = {"path": f"/v1/{call['type']}", "headers": headers, "body": body}
    accepted = accept(request_of(told), DIRECTORY, NOW_MS)
    (event,) = accepted.events
    return event, accepted.reasons


def test_a_type_of_content_is_the_same_however_it_is_written() -> None:
    said = {"content_id": "mechanic", "content_type": " Vacancy"}
    event, _ = _event({"type": "page", "properties": said})
    assert (event.type, event.content_type) == ("vacancy_viewed", "vacancy")


def test_traits_about_age_and_the_like_are_left_out() -> None:
    traits = {
        "region": "Utrecht",
        "home": {"nationality": 1},
        "age": 44,
        "birthday": "1982-01-01",
        "Gender": "f",
    }
    event, reasons = _event({"type": "identify", "traits": traits})
    assert event.properties == {"region": "Utrecht", "home": {}}
    assert reasons == ["special_category"]
    read = {"type": "track", "event": "read", "properties": {"topics": ["wind", "health", 3]}}
    event, reasons = _event(read)
    assert event.properties["topics"] == ["wind", 3]
    assert reasons == ["special_category"]
