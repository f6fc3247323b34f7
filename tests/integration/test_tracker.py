"""The tracker as it runs: over real HTTP, with the real spool, with signals."""

import gzip
import json
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from services.contract.event import event_id_of
from tests.integration.tracker_process import (
    WRITE_KEY,
    YES,
    Tracker,
    call,
    run_tracker,
    stored,
)
from tests.unit.tracker.scene import TOKENS

LINK, PERSON = TOKENS["{LINK}"], TOKENS["{PERSON}"]


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    with run_tracker(tmp_path_factory.mktemp("tracker")) as running:
        yield running


@pytest.fixture
def client(tracker: Tracker):
    with tracker.client() as made:
        yield made


def test_it_works_from_the_kept_snapshot_when_the_api_is_away(client):
    assert client.get("/readyz").status_code == 200


def test_what_is_answered_is_on_disk(tracker, client):
    answer = client.post("/v1/track", auth=WRITE_KEY, content=call("on-disk"))
    assert answer.status_code == 200
    assert answer.json()["position"] == event_id_of(3, 11, "on-disk").hex()
    assert stored(tracker.data)[-1].properties == {"n": "on-disk"}
    assert client.get(f"/o/{LINK}.{PERSON}.gif").content[:6] == b"GIF89a"
    opened = stored(tracker.data)[-1]
    assert opened.type == "open"
    assert opened.identities[0].value == "0123456789abcdef"
    click = client.get(f"/c/{LINK}.{PERSON}")
    assert click.status_code == 302
    clicked = stored(tracker.data)[-1]
    assert f"kt_click={clicked.click_id}" in click.headers["location"]


def test_gzip_is_known_by_its_bytes(client):
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        answer = client.post(
            "/v1/track",
            auth=WRITE_KEY,
            content=gzip.compress(call("packed")),
            headers={"Content-Type": content_type},
        )
        assert answer.json()["results"] == {"packed": {"status": "stored"}}


def test_browsers_may_read_answers_and_errors(client):
    preflight = client.options(
        "/v1/page",
        headers={"Origin": "https://a.example", "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status_code == 204
    allowed = preflight.headers["access-control-allow-headers"]
    assert {"authorization", "content-type", "x-retry-count"} <= set(allowed.split(", "))
    assert client.options(f"{client.base_url}//v1/page").headers["access-control-allow-headers"]
    for answer in (
        client.post("/v1/page", content=b"{}"),
        client.post("/v1/page", auth=WRITE_KEY, content=b"{"),
        client.post("/v1/nothing", auth=WRITE_KEY, content=b"{}"),
        client.get("/v1/page"),
    ):
        assert 400 <= answer.status_code < 500
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == "Retry-After"
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "code", "message"} == set(answer.json())


def test_pixels_are_never_kept_by_caches(client):
    for path in (f"/o/{LINK}.gif", "/o/forged.gif", "/p.gif?key=kw_shop", "/p.gif"):
        for method in ("GET", "HEAD"):
            answer = client.request(method, path)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-store"


def test_a_forged_click_goes_nowhere(client):
    answer = client.get(f"/c/{LINK[:-2]}xx", follow_redirects=False)
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_the_script_is_small(client):
    answer = client.get("/k.js?key=kw_shop")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert len(gzip.compress(answer.content)) <= 3 * 1024


def raw(tracker: Tracker, data: bytes) -> bytes:
    """What comes back for these very bytes."""
    with socket.create_connection(("127.0.0.1", tracker.port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


HEAD = b"POST /v1/track HTTP/1.1\r\nHost: t\r\nAuthorization: Basic a3dfc2hvcDo=\r\n"


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Content-Length: 5000\r\n\r\n{}",
        HEAD + b"Content-Length: 99999999999999999999\r\n\r\n{}",
        HEAD + b"Content-Length: -1\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n",
        b"GET /o/\x00\xff.gif HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET /c/%00%ff%0d%0aLocation:x HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
        b"GET /p.gif?" + b"a=1&" * 5000 + b" HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
        b"GET /p.gif?key=kw_shop&key=%ff%fe&url=%00 HTTP/1.1\r\nHost: t\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
    ],
)
def test_odd_requests_never_break_anything(tracker, data):
    answer = raw(tracker, data)
    assert not answer.startswith(b"HTTP/1.1 5")
    assert httpx.get(f"{tracker.url}/readyz").status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"\x1f\x8b broken", 400),
        (gzip.compress(bytes(32 * 2**20)), 413),
        (b"x" * (5 * 2**20), 413),
        (b'{"event":' * 10_000, 400),
        (json.dumps({"event": "read", "x": "\ud800\x00", "context": YES}).encode(), 200),
        (b'{"event":"read","userId":' + b"9" * 5000 + b"}", 400),
        (b'{"batch":[{"type":"track"},null,7,[]]}', 200),
    ],
)
def test_odd_bodies_get_an_answer(client, content, status):
    path = "/v1/batch" if content.startswith(b'{"batch"') else "/v1/track"
    answer = client.post(path, auth=WRITE_KEY, content=content)
    assert answer.status_code == status


def test_without_any_snapshot_it_is_not_ready(tmp_path):
    with run_tracker(tmp_path, with_snapshot=False) as fresh, fresh.client() as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["reasons"] == ["no snapshot"]
        answer = client.post("/v1/track", auth=WRITE_KEY, content=call("early"))
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert client.get(f"/o/{LINK}.gif").status_code == 200


def test_a_full_disk_is_told_and_pixel_and_redirect_still_answer(tmp_path):
    with run_tracker(tmp_path) as full, full.client() as client:
        assert client.post("/v1/track", auth=WRITE_KEY, content=call("before")).is_success
        full.limit_file_size(1)
        answer = client.post("/v1/track", auth=WRITE_KEY, content=call("lost"))
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert answer.json()["code"] in {"log_full", "log_failed"}
        assert client.get(f"/o/{LINK}.{PERSON}.gif").status_code == 200
        assert client.get(f"/c/{LINK}.{PERSON}").status_code == 302
        assert lost_events(client) == 2
        full.limit_file_size(2**30)
        answer = client.post("/v1/track", auth=WRITE_KEY, content=call("after"))
        assert answer.status_code == 200
        full.end()
        assert [e.properties["n"] for e in stored(tmp_path) if e.type == "read"] == [
            "before",
            "after",
        ]


def lost_events(client: httpx.Client) -> float:
    lines = client.get("/metrics").text.splitlines()
    return sum(
        float(line.split()[-1])
        for line in lines
        if line.startswith("kentering_tracker_events_lost_total{")
    )


class Load:
    """Clients that post one event after the other and remember what was acknowledged."""

    def __init__(self, tracker: Tracker, name: str, clients: int = 8) -> None:
        self.acknowledged: list[str] = []
        self._tracker = tracker
        self._threads = [
            threading.Thread(target=self._send, args=(f"{name}-{number}",))
            for number in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def _send(self, name: str) -> None:
        with self._tracker.client() as client:
            for number in range(100_000):
                message_id = f"{name}-{number}"
                try:
                    answer = client.post("/v1/track", auth=WRITE_KEY, content=call(message_id))
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    self.acknowledged.append(message_id)

    def wait_for(self, count: int) -> None:
        for _ in range(600):
            if len(self.acknowledged) >= count:
                return
            time.sleep(0.05)
        raise AssertionError(f"only {len(self.acknowledged)} of {count} in time")

    def join(self) -> None:
        for thread in self._threads:
            thread.join(20)


def test_killed_under_load_nothing_acknowledged_is_lost(tmp_path: Path):
    acknowledged: list[str] = []
    for run in range(3):
        with run_tracker(tmp_path) as killed:
            load = Load(killed, f"run{run}")
            load.wait_for(200)
            killed.end(signal.SIGKILL)
            load.join()
            acknowledged += load.acknowledged
    kept = [event.properties["n"] for event in stored(tmp_path)]
    assert set(acknowledged) <= set(kept)
    assert len(kept) == len(set(kept))


def test_asked_to_end_it_says_not_ready_first_and_loses_nothing(tmp_path: Path):
    with run_tracker(tmp_path) as leaving, leaving.client() as client:
        assert client.get("/readyz").status_code == 200
        load = Load(leaving, "leaving")
        load.wait_for(100)
        leaving.process.send_signal(signal.SIGTERM)
        begun_s = time.monotonic()
        wait_until_not_ready(client)
        answer = client.post("/v1/track", auth=WRITE_KEY, content=call("while-leaving"))
        assert answer.status_code == 200
        client.close()
        assert leaving.process.wait(15) == 0
        assert time.monotonic() - begun_s < 10
        load.join()
    kept = {event.properties["n"] for event in stored(tmp_path)}
    assert {*load.acknowledged, "while-leaving"} <= kept


def wait_until_not_ready(client: httpx.Client) -> None:
    for _ in range(100):
        ready = client.get("/readyz")
        if ready.status_code == 503:
            assert "leaving" in ready.json()["reasons"]
            return
        time.sleep(0.005)
    raise AssertionError("ready all along")
