"""The API on a port of its own, with clients as they are: slow, endless, and half closed."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from services.api.app import create_app
from services.cli.serve import Server
from services.runtime import bounded_http
from services.runtime.bounded_http import BoundedHttp

SOON_S = 0.3
ALIVE = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"

Connect = Callable[[], socket.socket]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    app = create_app(create_engine(f"sqlite:///{tmp_path / 'api.db'}"), "k", "http://track.test")
    server = Server(app, linger_s=0, protocol=BoundedHttp)
    door = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([door],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield lambda: socket.create_connection(door.getsockname(), timeout=10)
    server.should_exit = True
    thread.join(15)
    door.close()


def answer(connection: socket.socket) -> bytes:
    """All up to the connection's end."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(65_536):
            found += data
    return found


def test_who_has_said_all_and_listens_is_answered(connect: Connect) -> None:
    with connect() as connection:
        connection.sendall(ALIVE)
        connection.shutdown(socket.SHUT_WR)
        assert answer(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("endless", [b"a: b\r\n", b"a" * 60_000])
def test_headers_without_end_are_not_kept(connect: Connect, endless: bytes) -> None:
    with connect() as connection:
        connection.sendall(ALIVE[:-2] + b"x: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(0, 2**24, len(endless) * 1000):
                connection.sendall(endless * 1000)
            pytest.fail("sixteen megabytes of headers were taken")


def test_half_a_request_is_not_waited_for(connect: Connect, monkeypatch) -> None:
    monkeypatch.setattr(bounded_http, "REQUEST_SECONDS_MAX", SOON_S)
    posting = b"POST /v1/consent HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"
    with contextlib.ExitStack() as stack:
        asking = [stack.enter_context(connect()) for _ in range(4)]
        for connection, said in zip(asking, (b"", b"\r\n", ALIVE[:20], posting), strict=True):
            connection.sendall(said)
        for connection in asking:
            answer(connection)


def test_whoever_goes_on_asking_is_answered(connect: Connect, monkeypatch) -> None:
    monkeypatch.setattr(bounded_http, "REQUEST_SECONDS_MAX", SOON_S)
    with connect() as connection:
        for _ in range(4):
            connection.sendall(ALIVE)
            told = b""
            while not told.endswith(b"}"):  # head and body may come one after the other
                told += (data := connection.recv(65_536))
                assert data, told
            assert told.startswith(b"HTTP/1.1 200 ")
            time.sleep(SOON_S / 2)
