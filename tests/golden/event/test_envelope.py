"""Every envelope ever written is read as it was meant, and version 1 is written as it always was.

A file is one log record. The log keeps records for longer than any release: a changed file means
that old records no longer say what they said. A new version gets files of its own; these stay.
To write one for a new case: ``encode`` an event and save the bytes, with its value here.
"""

from pathlib import Path

import pytest

from services.contract.event import (
    Consent,
    Event,
    Identity,
    Machine,
    PoisonError,
    decode,
    encode,
    event_id_of,
    record_key,
)

V1 = Path(__file__).parent / "v1"

FULL = Event(
    v=1,
    workspace_id=7,
    event_id=event_id_of(7, 3, "msg-1"),
    source_id=3,
    type="click",
    identities=(Identity("anonymous_id", "a-1"), Identity("email", "jo@example.nl")),
    occurred_ms=1_768_212_000_123,
    received_ms=1_768_212_000_456,
    channel="email",
    content_id="story-1",
    content_type="story",
    message_id="calendar-2",
    click_id="c-1",
    server_only=True,
    machine=Machine(p=0.25, reasons=("fast",)),
    consent=Consent(measure=True, profile=False),
    properties={"title": "Kabels & spanning – één dag mee", "n": 1.5, "topics": ["techniek"]},
)
STRIPPED = Event(
    v=1,
    workspace_id=7,
    event_id=event_id_of(7, 3, "msg-2"),
    source_id=3,
    type="page",
    occurred_ms=1_768_212_000_123,
    received_ms=1_768_212_000_123,
    channel="website",
)
DECISION = Event(
    v=1,
    workspace_id=7,
    event_id=event_id_of(7, 0, "decision:1"),
    source_id=0,
    type="identity_decision",
    identities=(Identity("user_id", "4711"), Identity("anonymous_id", "a-1")),
    occurred_ms=1_768_212_000_123,
    received_ms=1_768_212_000_123,
    channel="website",
    server_only=True,
    properties={"decision": "two_people", "reason": "r", "by": None, "key": "key 1"},
)
CASES = {"full": FULL, "stripped": STRIPPED, "decision": DECISION}


@pytest.mark.parametrize("name", CASES)
def test_version_1_is_read_and_written_byte_for_byte(name):
    record = (V1 / f"{name}.json").read_bytes()
    assert decode(record) == CASES[name]
    assert encode(CASES[name]) == record


def test_fields_that_a_later_version_added_do_no_harm():
    record = (V1 / "stripped.json").read_bytes().replace(b'{"v":1', b'{"later":[1],"v":1')
    assert decode(record) == STRIPPED


def test_ids_and_keys_never_change():
    """Ids find copies of a message, keys find a partition: both for as long as the log exists."""
    assert FULL.event_id.hex() == "1ab2534e665abb709874668ab9eb2d6c"
    assert record_key(FULL).hex() == "8562530981a24f62"
    assert record_key(STRIPPED) == STRIPPED.event_id[:8]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "not an event"),
        (b"null", "not an event"),
        (b"{}", "not an event"),
        (b"\xff\xfe", "not an event"),
        (b"[" * 100_000, "not an event"),
        ((V1 / "stripped.json").read_bytes()[:-1], "not an event"),
        ((V1 / "stripped.json").read_bytes().replace(b'"v":1', b'"v":2'), "version 2"),
        ((V1 / "stripped.json").read_bytes().replace(b'"page"', b'"dance"'), "not an event"),
        ((V1 / "stripped.json").read_bytes().replace(b'"v":1', b'"v":true'), "not an event"),
    ],
)
def test_what_cannot_be_read_is_poison_with_a_reason(record, reason):
    with pytest.raises(PoisonError, match=reason):
        decode(record)


def test_an_id_of_another_length_is_poison():
    with pytest.raises(PoisonError, match="16 bytes"):
        decode(encode(Event(**{**_fields(STRIPPED), "event_id": b"short"})))


def _fields(event: Event) -> dict:
    return {name: getattr(event, name) for name in event.__struct_fields__}
