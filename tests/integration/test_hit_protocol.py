"""The hit protocol with clients as they are: slow, gone, greedy, and there when it ends."""

import contextlib
import socket
import struct
import time
from pathlib import Path

import msgspec
import pytest

from services.tracker import body, hit_protocol
from tests.integration.test_two_ways import CLICK, OPEN, get, post
from tests.integration.tracker_process import YES, call, stored
from tests.integration.two_ways import Reader, Way, run_way

SOON_S = 0.3


@pytest.fixture(scope="module")
def way(tmp_path_factory):
    with run_way(tmp_path_factory.mktemp("hits")) as running:
        yield running


def ids(data: Path) -> list[str]:
    return [event.properties["n"] for event in stored(data) if "n" in event.properties]


def wait_until_stored(way: Way, message_id: str) -> None:
    for _ in range(200):
        if message_id in ids(way.data):
            return
        time.sleep(0.05)
    raise AssertionError(f"{message_id} is not stored")


def test_bytes_that_come_one_by_one(way):
    with way.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = Reader(connection)
        for data in (post(call("drop by drop")), get(OPEN)):
            for byte in data:
                connection.sendall(bytes([byte]))
            assert reader.answer().startswith(b"HTTP/1.1 200 ")
    assert "drop by drop" in ids(way.data)


def test_a_body_in_parts_is_put_together(way):
    data = post(call("x" * 20_000))
    with way.connect() as connection:
        for start in range(0, len(data), 3_000):
            connection.sendall(data[start : start + 3_000])
            time.sleep(0.002)
        assert Reader(connection).answer().startswith(b"HTTP/1.1 200 ")


def test_one_connection_takes_many_kinds_in_turn(way):
    with way.connect() as connection:
        reader = Reader(connection)
        for number in range(50):
            for data in (get(OPEN), get(b"/healthz"), post(call(f"turn {number}")), get(CLICK)):
                connection.sendall(data)
                assert reader.answer().startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 302 "))


def test_a_long_row_of_requests_is_answered_in_order(way):
    calls = [call(f"row {number}") for number in range(200)]
    with way.connect() as connection:
        connection.sendall(b"".join(post(content) for content in calls))
        reader = Reader(connection)
        for number in range(200):
            assert f'"row {number}"'.encode() in reader.answer()
    assert {f"row {number}" for number in range(200)} <= {*ids(way.data)}


@pytest.mark.parametrize(
    "said",
    [post(call("said all")), get(OPEN), get(b"/healthz"), get(b"/healthz") + post(call("both"))],
)
def test_who_has_said_all_and_listens_is_answered(way, said):
    with way.connect() as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        reader = Reader(connection)
        for _ in range(said.count(b"HTTP/1.1")):
            assert reader.answer().startswith(b"HTTP/1.1 200 ")
        assert reader.is_at_end()


def test_who_leaves_before_the_commit_is_stored_all_the_same(way):
    with way.held_up():
        for number in range(30):
            connection = way.connect()
            connection.sendall(post(call(f"gone {number}")))
            if number % 2:  # cut off, not closed
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        time.sleep(SOON_S)
    wait_until_stored(way, "gone 29")
    assert {f"gone {number}" for number in range(30)} <= {*ids(way.data)}
    with way.connect() as connection:
        connection.sendall(get(OPEN))
        assert Reader(connection).answer().startswith(b"HTTP/1.1 200 ")


def test_who_leaves_in_the_middle_of_a_body_told_nothing(way):
    with way.connect() as connection:
        connection.sendall(post(call("half"))[:-5])
    time.sleep(SOON_S)
    assert "half" not in ids(way.data)


def test_nothing_is_answered_before_it_is_on_disk(way):
    with way.connect() as connection, way.held_up():
        connection.sendall(post(call("not yet")))
        connection.settimeout(SOON_S)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(20)
    wait_until_stored(way, "not yet")


def test_who_does_not_read_is_waited_for(way):
    """What waits for a client that does not read is bounded, and comes when it reads."""
    calls = [
        {"type": "track", "event": "read", "context": YES, "messageId": f"{n}" * 20}
        for n in range(2_000)
    ]
    batch = post(msgspec.json.encode({"batch": calls}), path=b"/v1/batch")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(1)
    with connection:
        connection.connect(("127.0.0.1", way.port))
        taken = 0
        with contextlib.suppress(TimeoutError):
            while taken < 500:
                connection.sendall(batch)
                taken += 1
        assert taken < 500
        with way.connect() as other:
            other.sendall(get(OPEN))
            assert Reader(other).answer().startswith(b"HTTP/1.1 200 ")
        connection.settimeout(20)
        reader = Reader(connection)
        for _ in range(taken):
            assert reader.answer().startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("answers_hits", [True, False])
def test_a_body_that_does_not_come_is_not_waited_for(tmp_path, monkeypatch, answers_hits):
    for module in (body, hit_protocol):
        monkeypatch.setattr(module, "BODY_SECONDS_MAX", SOON_S)
    with (
        run_way(tmp_path, answers_hits=answers_hits) as way,
        way.connect() as connection,
    ):
        connection.sendall(post(call("slow"))[:-5])
        reader = Reader(connection)
        answer = reader.answer()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"\r\nconnection: close\r\n" in answer
        assert reader.is_at_end()


def test_who_says_nothing_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(hit_protocol, "HEAD_SECONDS_MAX", SOON_S)
    with run_way(tmp_path) as way:
        way.server.config.timeout_keep_alive = 2
        with way.connect() as silent, way.connect() as hesitant, way.connect() as done:
            hesitant.sendall(get(OPEN)[:20])
            done.sendall(get(OPEN))
            reader = Reader(done)
            reader.answer()
            for _ in range(5):
                time.sleep(0.5)
                done.sendall(get(OPEN))
                assert reader.answer().startswith(b"HTTP/1.1 200 ")
            assert Reader(silent).is_at_end()
            assert Reader(hesitant).is_at_end()
            assert reader.is_at_end()


@pytest.mark.parametrize("endless", [b"a: b\r\n", b"a" * 60_000])
def test_headers_without_end_are_not_kept(way, endless):
    with way.connect() as connection:
        connection.sendall(get(OPEN)[:-2] + b"x: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(0, 2**24, len(endless) * 1000):
                connection.sendall(endless * 1000)
            pytest.fail("sixteen megabytes of headers were taken")


def test_headers_up_to_the_bound_are_read(way):
    with way.connect() as connection:
        reader = Reader(connection)
        for _ in range(3):
            connection.sendall(get(OPEN)[:-2] + b"x: ")
            time.sleep(0.05)
            connection.sendall(b"y" * (hit_protocol.HEAD_BYTES_MAX - 4) + b"\r\n\r\n")
            assert reader.answer().startswith(b"HTTP/1.1 200 ")


def test_what_stands_behind_a_body_in_chunks_is_passed_over(way):
    content = call("chunked")
    head = b"POST /v1/track?key=kw_shop HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    behind = b"x: y\r\n" * 100_000
    with way.connect() as connection:
        connection.sendall(head + b"%x\r\n%b\r\n0\r\n" % (len(content), content))
        connection.sendall(behind + b"\r\n" + get(OPEN))
        reader = Reader(connection)
        for _ in range(2):
            assert reader.answer().startswith(b"HTTP/1.1 200 ")
    assert "chunked" in ids(way.data)


def test_asked_to_stop_it_answers_what_it_took(tmp_path):
    connections = []
    with run_way(tmp_path) as way, contextlib.ExitStack() as stack:
        idle = stack.enter_context(way.connect())
        idle.sendall(get(OPEN))
        Reader(idle).answer()
        connections = [stack.enter_context(way.connect()) for _ in range(20)]
        with way.held_up():
            for number, connection in enumerate(connections):
                connection.sendall(post(call(f"last {number}")))
            time.sleep(SOON_S)
            way.ask_to_stop()
            assert Reader(idle).is_at_end()
        for connection in connections:
            reader = Reader(connection)
            answer = reader.answer()
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"\r\nconnection: close\r\n" in answer
            assert reader.is_at_end()
    assert {f"last {number}" for number in range(20)} <= {*ids(tmp_path)}


def test_asked_to_stop_it_does_not_wait_for_half_a_body(tmp_path):
    with contextlib.ExitStack() as stack:
        with run_way(tmp_path) as way:
            connection = stack.enter_context(way.connect())
            connection.sendall(post(call("half"))[:-5])
            time.sleep(SOON_S)
            begun_s = time.monotonic()
        assert time.monotonic() - begun_s < 10
