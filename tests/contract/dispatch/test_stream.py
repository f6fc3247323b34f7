"""The feed as server-sent events: in order, from where one was, and ended in a calm way."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from httpx import Client, Response
from sqlalchemy import update

from services.api import stream
from services.api.streams import STREAMS_PER_KEY_MAX
from services.contract.tables import api_key
from tests.contract.dispatch.feed import Feed


class Listener:
    """Reads a stream in a thread."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self.events: list[tuple[int, dict]] = []
        self.ended = threading.Event()
        self.last_id: int | None = None
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        data = None
        try:
            for line in self.response.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    self.last_id = int(value)
                elif name == "data":
                    data = json.loads(value)
                elif not line and data is not None:
                    assert self.last_id is not None
                    self.events.append((self.last_id, data))
                    data = None
        except Exception:  # noqa: BLE001  the connection was cut
            pass
        self.ended.set()

    def wait_for(self, count: int) -> list[int]:
        give_up_s = time.monotonic() + 15
        while len(self.events) < count and time.monotonic() < give_up_s:
            time.sleep(0.02)
        return [position for position, _ in self.events]


@contextmanager
def listening(client: Client, **more: object) -> Iterator[Listener]:
    with client.stream("GET", "/v1/changes/stream", timeout=30, **more) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        listener = Listener(response)
        try:
            yield listener
        finally:
            # Closing alone would wait for the thread that reads.
            with contextlib.suppress(OSError):
                raw = response.extensions["network_stream"].get_extra_info("socket")
                raw.shutdown(socket.SHUT_RDWR)
            listener.ended.wait(10)


def test_it_goes_on_from_where_one_was(feed: Feed, client: Client) -> None:
    feed.tell(0, 1)
    with listening(client) as now, listening(client, params={"after": 0}) as all_:
        assert all_.wait_for(2) == [1, 2]
        feed.tell(0, 2)
        feed.tell(1, workspace=2)
        feed.tell(0, kind="segment", key="in-do", before=None, after="member")
        assert now.wait_for(3) == [3, 4, 6], "only what came since"
        assert all_.wait_for(5) == [1, 2, 3, 4, 6]
        told = client.get("/v1/changes").json()["changes"]
        assert [data for _, data in all_.events] == told
    with listening(client, headers={"Last-Event-ID": "3"}, params={"types": "phase"}) as again:
        assert again.wait_for(1) == [4]
        feed.tell(2)
        assert again.wait_for(2) == [4, 7]


def test_heartbeats_carry_the_position_and_a_revoked_key_ends_it(
    feed: Feed, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.3)
    rule = {"type": "phase", "any_of": ["do"]}
    client.put("/v1/segments/nobody", json={"name": "Nobody", "rule": rule})
    with listening(client, params={"segment": "nobody"}) as listener:
        feed.tell(0, 1, 2)
        give_up_s = time.monotonic() + 10
        while listener.last_id != 3 and time.monotonic() < give_up_s:
            time.sleep(0.05)
        assert (listener.last_id, listener.events) == (3, [])
        feed.write(update(api_key).values(revoked_ms=1))
        assert listener.ended.wait(10)
    assert client.get("/v1/changes").status_code == 401


def test_places_are_bounded_and_given_back(feed: Feed, client: Client) -> None:
    feed.tell(0)
    open_ = [listening(client) for _ in range(STREAMS_PER_KEY_MAX)]
    for one in open_:
        one.__enter__()
    refused = client.get("/v1/changes/stream")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
    assert refused.headers["retry-after"]
    for one in open_:
        one.__exit__(None, None, None)
    give_up_s = time.monotonic() + 10
    while time.monotonic() < give_up_s:
        with client.stream("GET", "/v1/changes/stream") as answer:
            if answer.status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("places are not given back")


def test_what_is_refused(feed: Feed, client: Client) -> None:
    for headers in ({"Last-Event-ID": "x"}, {"Last-Event-ID": "-1"}):
        assert client.get("/v1/changes/stream", headers=headers).status_code == 400
    assert client.get("/v1/changes/stream", params={"limit": 3}).status_code == 400
    ahead = client.get("/v1/changes/stream", headers={"Last-Event-ID": "99"})
    assert (ahead.status_code, ahead.json()["code"]) == (400, "bad_position")
    assert client.get("/v1/changes/stream", headers={"Authorization": ""}).status_code == 401
