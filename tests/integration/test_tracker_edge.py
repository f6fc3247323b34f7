"""The tracker as strangers meet it: limits, proxies, settings, and what it writes down of them."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.integration.tracker_process import Tracker, call, run_tracker, stored
from tests.unit.tracker.scene import TOKENS

PER_ADDRESS, PER_KEY, BURST = 2, 5, 10
LINK = TOKENS["{LINK}"]
SERVER = {"Authorization": "Bearer ks_plain"}
WRITE = {"Authorization": "Bearer kw_shop"}


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KENTERING_TRUSTED_PROXIES", "127.0.0.0/8")
        patch.setenv("KENTERING_REQUESTS_PER_ADDRESS", str(PER_ADDRESS))
        patch.setenv("KENTERING_EVENTS_PER_KEY", str(PER_KEY))
        patch.setenv("KENTERING_PUBLIC_URL", "https://track.example.org/k/")
        with run_tracker(tmp_path_factory.mktemp("edge") / "data") as running:
            yield running


@pytest.fixture
def client(tracker: Tracker) -> Iterator[httpx.Client]:
    with tracker.client() as client:
        yield client


def behind(address: str) -> dict[str, str]:
    """The header of our own proxy, which heard the address; whatever is before it is hearsay."""
    return {"X-Forwarded-For": f"1.1.1.1, {address}"}


def counted(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return float(next(line.rpartition(" ")[2] for line in lines if line.startswith(name)))


def limited_after(client: httpx.Client, address: str) -> tuple[int, httpx.Response]:
    for n in range(1000):
        answer = client.post("/v1/m", headers=behind(address))
        if answer.status_code != 200:
            return n, answer
    raise AssertionError("never limited")


def test_an_address_that_asks_too_much_is_told_to_wait(client: httpx.Client) -> None:
    n, answer = limited_after(client, "8.8.8.8")
    assert n >= PER_ADDRESS * BURST
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert answer.json()["code"] == "rate_limited"
    assert answer.json()["message"]
    # Others, and whoever claims to come from there, are not the same.
    assert client.post("/v1/m", headers=behind("9.9.9.9")).status_code == 200
    assert client.post("/v1/m", headers={"X-Forwarded-For": "8.8.8.8, 10.0.0.9"}).is_success
    # An inner address is never limited.
    assert all(client.post("/v1/m").is_success for _ in range(PER_ADDRESS * BURST + 5))


def test_over_the_limit_pixels_and_links_answer_and_the_loss_is_counted(
    client: httpx.Client,
) -> None:
    limited_after(client, "8.8.4.4")
    lost = counted(client, 'kentering_tracker_events_lost_total{reason="rate_limited"}')
    headers = behind("8.8.4.4")
    limited_after(client, "8.8.4.4")
    pixel = client.get(f"/o/{LINK}.gif", headers=headers)
    assert pixel.headers["content-type"] == "image/gif"
    limited_after(client, "8.8.4.4")
    click = client.get(f"/c/{LINK}", headers=headers)
    assert click.status_code == 302
    assert counted(client, 'kentering_tracker_events_lost_total{reason="rate_limited"}') == lost + 2


def test_a_key_that_sends_too_much_is_told_to_wait(client: httpx.Client, tracker: Tracker) -> None:
    calls = ",".join(call(f"many-{n}").decode() for n in range(200))
    answers = [
        client.post("/v1/batch", content=f'{{"batch":[{calls}]}}', headers=SERVER) for _ in "ab"
    ]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert int(answers[1].headers["retry-after"]) > BURST
    # Other keys go on. What was refused is not stored.
    assert client.post("/v1/track", content=call("one"), headers=WRITE).status_code == 200
    many = [event for event in stored(tracker.data) if event.source_id == 13]
    assert len(many) == 200


def test_a_click_is_marked_with_its_place(tracker: Tracker, client: httpx.Client) -> None:
    origins = []
    for address in ("9.9.9.9", "9.9.9.10", "149.112.112.112"):
        answer = client.get(f"/c/{LINK}.{TOKENS['{PERSON}']}", headers=behind(address))
        assert answer.status_code == 302
        origins.append(stored(tracker.data)[-1].machine.origin)
    assert origins[0] == origins[1] != origins[2]


def test_a_browser_sdk_gets_its_settings(client: httpx.Client) -> None:
    answer = client.get("/v1/projects/kw_shop/settings")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    segment = answer.json()["integrations"]["Segment.io"]
    assert segment["apiKey"] == "kw_shop"
    assert segment["apiHost"] == "track.example.org/k/v1"
    assert "protocol" not in segment
    for path in ("ks_plain", "inside", "nobody", "kw_shop%00", "é"):
        refused = client.get(f"/v1/projects/{path}/settings")
        assert (refused.status_code, refused.json()["code"]) == (401, "wrong_key")
        assert refused.headers["www-authenticate"] == 'Bearer realm="kentering"'
        assert refused.headers["access-control-allow-origin"] == "*"
    for path in ("", "kw_shop/x", "a/b"):
        assert client.get(f"/v1/projects/{path}/settings").status_code == 404


@pytest.mark.parametrize("path", ["t", "p", "s", "i", "g", "a", "b", "m", "track", "batch"])
def test_browsers_may_ask_beforehand(client: httpx.Client, path: str) -> None:
    asked = {
        "Origin": "https://werkenbij.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count,sentat",
    }
    answer = client.request("OPTIONS", f"/v1/{path}", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert set(allowed) >= {"authorization", "content-type", "x-retry-count", "*"}


CANARY = "canary-7f3a"
CANARIES = {
    "User-Agent": f"Mozilla/5.0 {CANARY}",
    "Cookie": f"kentering={CANARY}",
    "Referer": f"https://x.example/?{CANARY}",
    "X-Forwarded-For": "203.0.113.77",
}
BODIES = (
    f'{{"event":"read","userId":"{CANARY}","context":{{"traits":{{"email":"{CANARY}@x.nl"}}}}}}',
    f'{{"event":"{CANARY}"',
    f'{{"batch":[{{"type":"{CANARY}"}},{{"type":"track","event":1e999,"userId":"{CANARY}"}}]}}',
    f'{{"batch":"{CANARY}"}}',
    CANARY * 400_000,
)


def test_what_it_writes_down_names_nobody(client: httpx.Client, tracker: Tracker) -> None:
    for path in ("track", "page", "screen", "identify", "group", "alias", "batch", "t", "m", "x"):
        for body in BODIES:
            for key in (f"Bearer {CANARY}", "Bearer ks_plain", f"Basic {CANARY}"):
                headers = {**CANARIES, "Authorization": key}
                client.post(f"/v1/{path}", content=body, headers=headers)
    for path in (
        f"/o/{CANARY}.gif",
        f"/c/{CANARY}",
        f"/c/{LINK}.{CANARY}",
        f"/p.gif?key=kw_shop&userId={CANARY}",
        f"/p.gif?key={CANARY}",
        f"/hooks/sendgrid/{CANARY}",
        f"/v1/projects/{CANARY}/settings",
        f"/{CANARY}",
    ):
        for method in ("GET", "POST", "DELETE"):
            client.request(method, path, headers=CANARIES)
    for raw in (
        f"GET /{CANARY} HTTP/9.9\r\n\r\n",
        f"{CANARY}\r\n\r\n",
        f"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: {CANARY}\r\n\r\n",
        f"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{CANARY}",
    ):
        with socket.create_connection(("127.0.0.1", tracker.port), 5) as door:
            door.sendall(raw.encode())
    # A full disk is the worst that it has to tell of.
    tracker.limit_file_size(1)
    failing = client.post("/v1/track", content=BODIES[0], headers={**CANARIES, **WRITE})
    assert failing.status_code == 503
    tracker.end()
    written = (tracker.data / "tracker.log").read_text("utf-8")
    assert written
    for line in written.splitlines():
        assert json.loads(line)["service"] == "tracker"
    for personal in (CANARY, "203.0.113.77", "127.0.0.1", "kw_shop", LINK):
        assert personal not in written, personal
