"""Mailers as they call: with real keys and real signatures, made here."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from services.contract.event import encode
from services.contract.hook import Esp, HookEntry
from services.tracker.accept import accept
from services.tracker.accepted import Accepted
from services.tracker.directory import Directory
from services.tracker.hooks.errands import certificate_of
from services.tracker.hooks.memory import Memory
from services.tracker.request import Request
from tests.unit.tracker.scene import NOW_MS, REQUEST_ID, SNAPSHOT, with_tokens, without_tokens

FILES = Path(__file__).parents[2] / "golden" / "hooks"
NOW_S = NOW_MS // 1000
AGREED = "Terms of May 2026"

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail-events"
CERTIFICATE_URL = (
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
)
PASSWORD = "sixteen letters or more"
SECRETS: dict[Esp, dict[str, str]] = {
    "sendgrid": {
        "public_key": base64.b64encode(
            EC_KEY.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        ).decode()
    },
    "postmark": {"username": "postmark", "password": PASSWORD},
    "mailgun": {"signing_key": "key-of-mailgun"},
    "ses": {"topic_arn": TOPIC},
    "brevo": {"username": "brevo", "password": PASSWORD},
    "mandrill": {"webhook_key": "key-of-mandrill"},
}
HOOKS = tuple(
    HookEntry(
        id=f"hk_{esp}",
        workspace_id=3,
        esp=esp,
        url=f"https://track.example/hooks/{esp}/hk_{esp}",
        secrets=secrets,
        asserted_consent=AGREED,
    )
    for esp, secrets in SECRETS.items()
)


def certificate_pem(
    key: rsa.RSAPrivateKey = RSA_KEY, now_ms: int = NOW_MS, days: int = 365
) -> bytes:
    """A certificate as SNS serves it, made at a moment ``days`` before its end."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def memory(*, with_certificate: bool = True) -> Memory:
    """What a tracker remembers."""
    made = Memory()
    if with_certificate:
        made.keep_certificate(CERTIFICATE_URL, certificate_of(certificate_pem()))
    return made


def directory(hooks: tuple[HookEntry, ...] = HOOKS, remembered: Memory | None = None) -> Directory:
    """The scene's snapshot with these hooks."""
    return Directory(msgspec.structs.replace(SNAPSHOT, hooks=hooks), remembered or memory())


def basic(user: str, password: str) -> bytes:
    """An Authorization header's value."""
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


def sns_message(message: str, kind: str = "Notification", **more: str) -> dict[str, str]:
    """An SNS message, not signed yet."""
    return {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": "2026-03-01T11:55:01.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
        **more,
    }


def sns_signed(message: dict[str, str], key: rsa.RSAPrivateKey = RSA_KEY) -> bytes:
    """The body of an SNS request."""
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn"]
    if message["Type"] == "Notification":
        names = [name for name in names if name not in {"SubscribeURL", "Token"}]
    text = "".join(f"{n}\n{message[n]}\n" for n in [*names, "Type"] if n in message)
    signature = key.sign(text.encode(), PKCS1v15(), hashes.SHA256())
    return json.dumps(message | {"Signature": base64.b64encode(signature).decode()}).encode()


def signed(esp: Esp, told: Any, hook: str = "", at_s: int = NOW_S) -> Request:
    """The request by which a mailer tells this; ``told`` is what the golden files hold."""
    body, headers = _SIGN[esp](told, at_s)
    path = f"/hooks/{esp}/{hook or f'hk_{esp}'}"
    return Request("POST", path, headers, REQUEST_ID, b"", body)


def _json(told: Any) -> bytes:
    return with_tokens(json.dumps(told)).encode()


def _sendgrid(told: Any, at_s: int) -> tuple[bytes, dict[bytes, bytes]]:
    body, moment = _json(told), str(at_s).encode()
    signature = EC_KEY.sign(moment + body, ec.ECDSA(hashes.SHA256()))
    return body, {
        b"content-type": b"application/json",
        b"x-twilio-email-event-webhook-signature": base64.b64encode(signature),
        b"x-twilio-email-event-webhook-timestamp": moment,
    }


def _mailgun(told: Any, at_s: int) -> tuple[bytes, dict[bytes, bytes]]:
    token = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:50]
    key = SECRETS["mailgun"]["signing_key"].encode()
    mac = hmac.new(key, f"{at_s}{token}".encode(), hashlib.sha256).hexdigest()
    proof = {"timestamp": str(at_s), "token": token, "signature": mac}
    return _json({**told, "signature": proof}), {b"content-type": b"application/json"}


def _ses(told: Any, at_s: int) -> tuple[bytes, dict[bytes, bytes]]:
    del at_s
    message = told if isinstance(told, str) else with_tokens(json.dumps(told))
    body = sns_signed(sns_message(message, Subject="Amazon SES Email Event Notification"))
    return body, {b"content-type": b"text/plain; charset=UTF-8"}


def _mandrill(told: Any, at_s: int) -> tuple[bytes, dict[bytes, bytes]]:
    del at_s
    fields = {"mandrill_events": _json(told).decode()}
    url = next(hook.url for hook in HOOKS if hook.esp == "mandrill")
    text = url + "".join(name + fields[name] for name in sorted(fields))
    key = SECRETS["mandrill"]["webhook_key"].encode()
    mac = hmac.new(key, text.encode(), hashlib.sha1).digest()
    return urlencode(fields).encode(), {b"x-mandrill-signature": base64.b64encode(mac)}


_SIGN: dict[str, Any] = {
    "sendgrid": _sendgrid,
    "postmark": lambda told, _: (_json(told), {b"authorization": basic("postmark", PASSWORD)}),
    "mailgun": _mailgun,
    "ses": _ses,
    "brevo": lambda told, _: (_json(told), {b"authorization": basic("brevo", PASSWORD)}),
    "mandrill": _mandrill,
}


def take(request: Request, known: Directory | None = None, now_ms: int = NOW_MS) -> Accepted:
    """What the tracker decides."""
    return accept(request, known or directory(), now_ms)


def outcome(accepted: Accepted) -> dict[str, Any]:
    """The same, as a golden file holds it."""
    results = json.loads(accepted.reply.body)["results"]
    return {
        "status": accepted.reply.status,
        "results": list(results.values()),
        "reasons": accepted.reasons,
        "events": [json.loads(without_tokens(encode(e).decode())) for e in accepted.events],
    }


def told_by(esp: str) -> dict[str, Any]:
    """A golden file: requests, and what came of each."""
    told: dict[str, Any] = json.loads((FILES / f"{esp}.json").read_text("utf-8"))
    return told


def code_of(accepted: Accepted) -> str:
    """What a refusal says, which events it has none of."""
    answer = json.loads(accepted.reply.body)
    assert answer["message"]
    assert not accepted.events
    assert answer["code"] == accepted.reasons[0]
    return f"{accepted.reply.status} {answer['code']}"


def changed(request: Request, **fields: Any) -> Request:
    """The request with other fields."""
    return msgspec.structs.replace(request, **fields)


def first(esp: str) -> Any:
    """The first of a mailer's golden requests."""
    return told_by(esp)["requests"][0]
