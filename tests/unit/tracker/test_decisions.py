"""Who is who is decided by the product itself: by no sender's key, and by no name of an event."""

import pytest

from services.tracker.accept import accept
from tests.unit.tracker.scene import DIRECTORY, NOW_MS, request_of

TWO = [
    {"type": "user_id", "id": "4711", "collection": "users"},
    {"type": "email", "id": "Anna@example.org", "collection": "users"},
]


def _accepted(key: str, call: dict):
    headers = {"authorization": f"Bearer {key}", "x-kentering-workspace": "3"}
    told = {"path": "/v1/batch", "headers": headers, "body": {"batch": [call]}}
    return accept(request_of(told), DIRECTORY, NOW_MS)


def _call(ids: list[dict]) -> dict:
    return {
        "type": "identity_decision",
        "messageId": "d1",
        "properties": {"decision": "two_people", "reason": "r", "by": None, "key": "key 1"},
        "context": {"externalIds": ids},
    }


def test_the_product_says_it_of_two_identities_and_needs_no_consent() -> None:
    (event,) = _accepted("inside", _call(TWO)).events
    assert event.type == "identity_decision"
    assert [(i.namespace, i.value) for i in event.identities] == [
        ("user_id", "4711"),
        ("email", "anna@example.org"),
    ]
    assert event.properties["decision"] == "two_people"


@pytest.mark.parametrize("key", ["kw_shop", "ks_ats", "ks_plain"])
def test_nobody_else_may(key: str) -> None:
    accepted = _accepted(key, _call(TWO))
    assert (accepted.events, accepted.reasons) == ([], ["unknown_call"])


@pytest.mark.parametrize("ids", [TWO[:1], [*TWO[:1], *TWO[:1]], [*TWO, {"type": "ats", "id": "1"}]])
def test_it_is_about_two(ids: list[dict]) -> None:
    accepted = _accepted("inside", _call(ids))
    assert (accepted.events, accepted.reasons) == ([], ["no_identity"])


def test_an_event_of_that_name_is_some_event() -> None:
    track = {"type": "track", "event": "identity_decision", "userId": "4711", "messageId": "t"}
    (event,) = _accepted("ks_ats", track).events
    assert event.type == "custom"
