"""Requests go to the addresses that were checked, whatever a name or a number leads to."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from services.contract.target import check_addresses, networks_of, target_of
from services.runtime import outbound
from services.runtime.outbound import Answer, Outbound
from tests.servers.receiver import Receiver, Reply, run_receiver

LOOPBACK = networks_of("127.0.0.0/8")
INSIDE = (
    "The host is inside a network that webhooks may not go to. If it is your own, name that "
    "network in the setting KENTERING_WEBHOOK_NETWORKS, of `api` and `dispatch` alike."
)
NAME = "hooks.example.org"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as receiver:
        yield receiver


def _send(url: str, times: int = 1, own: tuple = LOOPBACK) -> list[Answer]:
    """Post some times over one pool; the check is that of the dispatcher."""

    async def send() -> list[Answer]:
        target = target_of(f"http://{NAME}/")
        pool = Outbound(partial(check_addresses, target, allowed=own), 4)
        try:
            return [await pool.post(url, {"webhook-id": str(n)}, b"{}") for n in range(times)]
        finally:
            await pool.close()

    return asyncio.run(send())


def _leads_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """What the name stands for, each time that it is asked; whether it was."""
    asked: list[str] = []
    left = list(answers)

    def found(host: str, _port: int) -> list[str]:
        asked.append(host)
        return left.pop(0)

    monkeypatch.setattr(outbound, "addresses_of", found)
    return asked


def test_connections_are_kept(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    asked = _leads_to(monkeypatch, ["127.0.0.1"])
    answers = _send(f"http://{NAME}:{receiver.port}/x?y=%41", 3)
    assert [one.status for one in answers] == [204] * 3
    assert asked == [NAME], "looked up for each connection, and there was one"
    assert len({one.port for one in receiver.got}) == 1
    (got, *_) = receiver.got
    assert got.path == "/x?y=%41", "as its owner wrote it"
    assert {name.lower() for name in got.headers} == {
        "host", "user-agent", "content-length", "content-type", "webhook-id",
    }  # fmt: skip
    assert got.headers["Host"] == f"{NAME}:{receiver.port}"


def test_a_name_that_is_bound_anew_is_checked_anew(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    receiver.answer = lambda _got: Reply(headers={"Connection": "close"})
    _leads_to(monkeypatch, ["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1", "169.254.169.254"], [])
    answers = _send(f"http://{NAME}:{receiver.port}/", 4)
    assert [one.status for one in answers] == [204, None, None, None]
    assert [one.error for one in answers[1:]] == [INSIDE, INSIDE, "The host has no address."]
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost", "0.0.0.0",
        "[::ffff:127.0.0.1]", "[::1]", "[::]", "0", "127.0.0.1.",
    ],
)  # fmt: skip
def test_no_way_to_write_it_leads_inside(host: str, receiver: Receiver) -> None:
    (answer,) = _send(f"http://{host}:{receiver.port}/", own=())
    assert answer.status is None
    assert answer.error in {INSIDE, "no connection", "not HTTP"}
    assert receiver.got == []


def test_an_address_that_stands_in_the_url_is_checked_too(receiver: Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.port}/"
    assert [_send(url)[0].status, _send(url, own=())[0].error] == [204, INSIDE]


def test_no_proxy_stands_between(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert _send(receiver.url)[0].status == 204


def test_what_is_no_http_is_told_so() -> None:
    async def send() -> Answer:
        async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"SSH-2.0-nothing\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(garbage, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            check = partial(check_addresses, target_of(f"http://{NAME}/"), allowed=LOOPBACK)
            pool = Outbound(check, 4)
            try:
                return await pool.post(f"http://127.0.0.1:{port}/", {}, b"{}")
            finally:
                await pool.close()

    assert asyncio.run(send()).error == "not HTTP"


def _certificate(folder: Path, name: str) -> SSLContext:
    """A server's side of TLS under a name, trusted by whoever trusts the file beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    made = (
        builder.not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, SHA256())
    )
    encoded = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "trusted.pem").write_bytes(made.public_bytes(encoded))
    (folder / "key.pem").write_bytes(key.private_bytes(encoded, *private))
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "trusted.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize(("name", "is_sent"), [(NAME, True), ("other.example.org", False)])
def test_the_name_is_verified_though_an_address_is_connected_to(
    name: str, is_sent: bool, monkeypatch: pytest.MonkeyPatch, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.secure(_certificate(tmp_path, name))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    outbound._tls.cache_clear()
    _leads_to(monkeypatch, ["127.0.0.1"])
    (answer,) = _send(f"https://{NAME}:{receiver.port}/")
    outbound._tls.cache_clear()
    assert (answer.status == 204, len(receiver.got)) == (is_sent, int(is_sent))
