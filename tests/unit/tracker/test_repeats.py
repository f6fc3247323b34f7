"""One message is one event: over batches and keys, but not over sources."""

import json

from services.contract.event import Event
from services.contract.keys import digest_of
from services.contract.snapshot import KeyEntry, Snapshot
from services.tracker.accept import accept
from services.tracker.directory import Directory
from services.tracker.request import Request
from tests.unit.tracker.scene import NOW_MS, REQUEST_ID

DIRECTORY = Directory(
    Snapshot(
        version="1",
        keys=(
            KeyEntry(digest_of("ks_old"), 3, "server", 2),
            KeyEntry(digest_of("ks_new"), 3, "server", 2),  # takes the old one's place
            KeyEntry(digest_of("kw"), 3, "write", 1),
            KeyEntry(digest_of("ks_other"), 4, "server", 2),
        ),
        link_secrets=(),
    )
)


def told(key: str, *message_ids: object, later_ms: int = 0) -> list[Event]:
    calls = [{"type": "track", "event": "read", "messageId": id_} for id_ in message_ids]
    body = json.dumps({"batch": calls, "writeKey": key}).encode()
    request = Request("POST", "/v1/batch", {}, REQUEST_ID + str(later_ms), b"", body)
    return accept(request, DIRECTORY, NOW_MS + later_ms).events


def test_a_message_has_one_id_in_every_batch():
    first = told("ks_old", "a", "b")
    again = told("ks_old", "b", "c", "a", later_ms=86_400_000)
    assert {e.event_id for e in first} < {e.event_id for e in again}
    assert len({e.event_id for e in first + again}) == 3


def test_a_new_key_goes_on_where_the_old_one_stopped():
    assert told("ks_old", "a")[0].event_id == told("ks_new", "a")[0].event_id


def test_other_sources_and_workspaces_have_messages_of_their_own():
    ids = {told(key, "a")[0].event_id for key in ("ks_old", "kw", "ks_other")}
    assert len(ids) == 3


def test_without_an_id_each_arrival_is_another_event():
    events = told("ks_old", None, "") + told("ks_old", None, later_ms=1)
    assert len({e.event_id for e in events}) == 3
