"""Mailers call a tracker that is a process of its own; certificates come over real TLS."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.contract import snapshot as wire
from services.contract.snapshot import Snapshot
from tests.integration.tracker_process import Tracker, run_tracker, stored
from tests.unit.tracker.mailers import (
    HOOKS,
    TOPIC,
    certificate_pem,
    signed,
    sns_message,
    sns_signed,
    told_by,
)
from tests.unit.tracker.scene import SNAPSHOT

SECONDS_MAX = 20


def with_hooks() -> Snapshot:
    return Snapshot("hooks", SNAPSHOT.keys, SNAPSHOT.link_secrets, hooks=HOOKS)


@contextmanager
def tracker_with_hooks(data: Path) -> Iterator[Tracker]:
    data.mkdir(parents=True, exist_ok=True)
    (data / "snapshot.json").write_bytes(wire.encode(with_hooks()))
    with run_tracker(data, with_snapshot=False) as tracker:
        yield tracker


def post(client: httpx.Client, esp: str, told, *, spoilt: bool = False) -> httpx.Response:
    request = signed(esp, told, at_s=int(time.time()))
    headers = {k.decode(): v.decode() for k, v in request.headers.items()}
    body = request.body
    if spoilt and esp in {"postmark", "brevo"}:
        headers["authorization"] = "Basic bm9ib2R5Om5vdGhpbmc="
    elif spoilt and esp == "mailgun":
        body = body.replace(b'"timestamp": "1', b'"timestamp": "2')
    elif spoilt:
        body = body.replace(b"anna", b"otto")
    return client.post(request.path, headers=headers, content=body)


def told_events(esp: str) -> list[str]:
    return [event["type"] for o in told_by(esp)["outcomes"] for event in o["events"]]


def test_what_mailers_tell_is_in_the_log_and_what_others_tell_is_not(tmp_path):
    esps = ["sendgrid", "postmark", "mailgun", "brevo", "mandrill"]
    with tracker_with_hooks(tmp_path) as tracker, tracker.client() as client:
        for esp in esps:
            requests = told_by(esp)["requests"]
            assert client.head(f"/hooks/{esp}/hk_{esp}").status_code == 200
            refused = post(client, esp, requests[0], spoilt=True)
            assert refused.status_code == 403
            assert refused.json()["code"] == "bad_signature"
            answers = [post(client, esp, one) for one in requests]
            assert {answer.status_code for answer in answers} == {200}
            assert post(client, esp, requests[0]).json() == answers[0].json()
        metrics = client.get("/metrics").text
        assert tracker.end() == 0
    assert 'kentering_tracker_reasons_total{reason="bad_signature"} 5.0' in metrics
    events = stored(tmp_path)
    for esp in esps:
        told = told_events(esp)
        mine, events = events[: len(told)], events[len(told) :]
        assert [event.type for event in mine] == told
        repeated = len(told_by(esp)["outcomes"][0]["events"])
        again, events = events[:repeated], events[repeated:]
        assert [event.event_id for event in again] == [e.event_id for e in mine[:repeated]]
    assert events == []


# ── Amazon SNS, from a server of ours with a certificate of our own ─────────────────────────


class Sns:
    """Serves the signing certificate and takes confirmations, over TLS."""

    def __init__(self, folder: Path) -> None:
        self.visits: list[str] = []
        self.certificate = certificate_pem(now_ms=round(time.time() * 1000))
        self.fails = False
        visits, sns = self.visits, self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                visits.append(self.path)
                body = sns.certificate if self.path.endswith(".pem") else b"<Confirmed/>"
                self.send_response(500 if sns.fails else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.ca = folder / "ca.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_server_certificate(folder))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = f"localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"https://{self.host}{path}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _server_certificate(folder: Path) -> Path:
    """A certificate for localhost that is its own authority; its path, with the key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(public)
    whole = folder / "server.pem"
    whole.write_bytes(
        public
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return whole


@pytest.fixture
def sns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sns]:
    server = Sns(tmp_path)
    monkeypatch.setenv("KENTERING_SNS_HOST", server.host)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))
    yield server
    server.close()


def until_taken(client: httpx.Client, body: bytes) -> httpx.Response:
    """As SNS does it: again after a 503."""
    begun = time.monotonic()
    while True:
        answer = client.post("/hooks/ses/hk_ses", content=body)
        if answer.status_code != 503 or time.monotonic() - begun > SECONDS_MAX:
            return answer
        assert answer.json()["code"] == "certificate_awaited"
        assert answer.headers["retry-after"]
        time.sleep(0.05)


def test_ses_over_sns_from_subscription_to_event(tmp_path, sns):
    pem = sns.url("/SimpleNotificationService-0a1b.pem")
    query = f"/?Action=ConfirmSubscription&TopicArn={quote(TOPIC)}&Token=2336412f37fb"
    asked = {"SubscribeURL": sns.url(query), "Token": "2336412f37fb", "SigningCertURL": pem}
    confirmation = sns_signed(sns_message("You may", "SubscriptionConfirmation", **asked))
    inner = json.dumps(told_by("ses")["requests"][2])
    notification = sns_signed(sns_message(inner, SigningCertURL=pem))
    forged = notification.replace(b"anna", b"otto")
    with tracker_with_hooks(tmp_path / "data") as tracker, tracker.client() as client:
        # Before the certificate is there, nothing is believed and nothing is visited for it.
        assert client.post("/hooks/ses/hk_ses", content=confirmation).status_code == 503
        assert until_taken(client, confirmation).status_code == 200
        assert until_taken(client, notification).json()["position"]
        assert until_taken(client, notification).status_code == 200
        assert client.post("/hooks/ses/hk_ses", content=forged).json()["code"] == "bad_signature"
        begun = time.monotonic()
        while query not in sns.visits and time.monotonic() - begun < SECONDS_MAX:
            time.sleep(0.05)
        assert tracker.end() == 0
    assert sns.visits.count(query) == 1
    assert sns.visits.count("/SimpleNotificationService-0a1b.pem") == 1
    events = stored(tmp_path / "data")
    assert [event.type for event in events] == ["bounce", "bounce"]
    assert len({event.event_id for event in events}) == 1


def test_a_certificate_that_cannot_be_had_leaves_it_at_try_again(tmp_path, sns):
    sns.fails = True
    told = sns_signed(sns_message("{}", SigningCertURL=sns.url("/a.pem")))
    elsewhere = sns_signed(sns_message("{}", SigningCertURL="https://localhost:9/a.pem"))
    with tracker_with_hooks(tmp_path / "data") as tracker, tracker.client() as client:
        assert client.post("/hooks/ses/hk_ses", content=told).status_code == 503
        begun = time.monotonic()
        while not sns.visits and time.monotonic() - begun < SECONDS_MAX:
            time.sleep(0.05)
        assert client.post("/hooks/ses/hk_ses", content=told).status_code == 503
        assert client.post("/hooks/ses/hk_ses", content=elsewhere).status_code == 403
        sns.fails = False
        assert until_taken(client, told).status_code == 200
        assert tracker.end() == 0
    assert stored(tmp_path / "data") == []
