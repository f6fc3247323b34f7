"""Other mailers, by the very mappings that the document shows."""

import base64
import hashlib
import hmac
import json
import re
from urllib.parse import urlencode

import msgspec
import pytest

from services.contract.event import Identity
from services.contract.hook import HookEntry
from services.contract.mapping import Mapping
from services.tracker.request import Request
from tests.unit.tracker.mailers import AGREED, FILES, NOW_S, basic, directory, take
from tests.unit.tracker.scene import REQUEST_ID, with_tokens

DOCUMENT = (FILES.parents[2] / "docs" / "generic-webhook.md").read_text("utf-8")
SECRET = "sixteen-letters-or-more"
URL = "https://track.example/hooks/generic/hk_generic"
FORM = b"application/x-www-form-urlencoded; charset=utf-8"
ANNA = Identity("email", "anna@example.org")


def shown(mailer: str) -> dict:
    block = re.search(rf"## {mailer}\n.*?```json\n(.*?)```", DOCUMENT, re.DOTALL)
    assert block
    return json.loads(block[1])


def known(mapping: dict):
    read = msgspec.convert(mapping, Mapping)
    secrets = {"secret": SECRET}
    hook = HookEntry("hk_generic", 3, "generic", URL, secrets, AGREED, read)
    return directory((hook,))


def request_of(body, *, query: bytes = b"", **headers: str) -> Request:
    raw = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    if isinstance(body, dict) and not headers:
        raw[b"content-type"] = FORM
        body = urlencode(body).encode()
    if not isinstance(body, bytes):
        body = with_tokens(json.dumps(body)).encode()
    return Request("POST", "/hooks/generic/hk_generic", raw, REQUEST_ID, query, body)


def by_query(mailer: str, body: dict):
    right = request_of(body, query=f"secret={SECRET}".encode())
    wrong = request_of(body, query=b"secret=" + SECRET[::-1].encode())
    without = request_of(body)
    assert take(wrong, known(shown(mailer))).reply.status == 403
    assert take(without, known(shown(mailer))).reply.status == 401
    return take(right, known(shown(mailer)))


def summary(accepted) -> list[tuple]:
    assert accepted.reply.status == 200
    return [(e.type, e.identities, e.properties.get("kind")) for e in accepted.events]


MAILCHIMP = {
    "fired_at": "2026-03-01 11:55:00",
    "data[id]": "8a25ff1d98",
    "data[list_id]": "a6b5da1054",
    "data[email]": "Anna@example.org",
    "data[email_type]": "html",
    "data[merges][FNAME]": "Anna",
    "data[ip_opt]": "192.0.2.44",
    "data[campaign_id]": "cb398d21d2",
}


@pytest.mark.parametrize(
    ("kind", "reason", "meaning"),
    [
        ("unsubscribe", "manual", [("unsubscribe", (ANNA,), None)]),
        ("unsubscribe", "abuse", [("complaint", (ANNA,), None)]),
        ("cleaned", "hard", [("bounce", (ANNA,), "hard")]),
        ("subscribe", "", []),
        ("unheard_of", "", []),
    ],
)
def test_mailchimp_marketing(kind, reason, meaning):
    accepted = by_query("Mailchimp Marketing", {"type": kind, "data[reason]": reason, **MAILCHIMP})
    assert summary(accepted) == meaning
    if meaning:
        assert accepted.events[0].message_id == "cb398d21d2"
        assert accepted.events[0].occurred_ms == (NOW_S - 300) * 1000


ACTIVECAMPAIGN = {
    "date_time": "2026-03-01T05:55:00-06:00",
    "initiated_from": "public",
    "initiated_by": "contact",
    "list": "0",
    "contact[id]": "42",
    "contact[email]": "anna@example.org",
    "contact[fields][kt]": "x",
    "campaign[id]": "21",
    "campaign[name]": "Verhalen",
}


@pytest.mark.parametrize(
    ("more", "meaning"),
    [
        ({"type": "open"}, [("open", (ANNA,), None)]),
        ({"type": "click", "link[url]": "https://a.example/"}, [("click", (ANNA,), None)]),
        ({"type": "bounce", "bounce[type]": "hard"}, [("bounce", (ANNA,), "hard")]),
        ({"type": "bounce", "bounce[type]": "soft"}, [("bounce", (ANNA,), "soft")]),
        ({"type": "unsubscribe"}, [("unsubscribe", (ANNA,), None)]),
        ({"type": "subscribe"}, []),
    ],
)
def test_activecampaign(more, meaning):
    accepted = by_query("ActiveCampaign", {**ACTIVECAMPAIGN, **more})
    assert summary(accepted) == meaning
    for event in accepted.events:
        assert event.occurred_ms == (NOW_S - 300) * 1000
        assert event.message_id == "21"


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [("delivery", "delivered"), ("open", "open"), ("click", "click"), ("failure", "bounce")],
)
def test_copernica(kind, meaning):
    told = {
        "id": "d1b9c1f2e3",
        "type": kind,
        "timestamp": "2026-03-01 12:55:00",
        "time": str(NOW_S - 300),
        "recipient": "anna@example.org",
        "ip": "192.0.2.44",
        "useragent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "tags": "verhalen",
        "url": "https://werkenbij.example/verhalen/nacht",
    }
    (event,) = by_query("Copernica", told).events
    assert (event.type, event.identities, event.message_id) == (meaning, (ANNA,), "d1b9c1f2e3")
    assert event.occurred_ms == (NOW_S - 300) * 1000


def spotler(topic: str, body: dict, *, secret: str = SECRET) -> Request:
    raw = json.dumps(body).encode()
    code = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return request_of(raw, x_mailpro_topic=topic, x_mailpro_signature=code)


def test_spotler():
    told = {"contact_id": 1, "mailing_id": 25, "email": "anna@example.org", "bounce_type": "hard"}
    mapping = shown("Spotler")
    for topic, meaning in [
        ("mailing.open", [("open", (ANNA,), None)]),
        ("mailing.bounce", [("bounce", (ANNA,), "hard")]),
        ("contact.optout", [("unsubscribe", (ANNA,), None)]),
        ("contact.created", []),
    ]:
        assert summary(take(spotler(topic, told), known(mapping))) == meaning
    forged = spotler("mailing.open", told, secret="another")
    assert take(forged, known(mapping)).reasons == ["bad_signature"]
    bare = request_of(told | {"x": 1}, content_type="application/json")
    assert take(bare, known(mapping)).reasons == ["no_signature"]
    unnamed = take(spotler("mailing.open", told | {"email": None}), known(mapping))
    assert unnamed.events[0].identities == (Identity("spotler", "1"),)


def hubspot(body: list, at_s: int = NOW_S) -> Request:
    raw, moment = json.dumps(body).encode(), str(at_s * 1000 + 5)
    text = b"POST" + URL.encode() + raw + moment.encode()
    code = base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
    return request_of(raw, x_hubspot_signature_v3=code, x_hubspot_request_timestamp=moment)


def test_hubspot():
    common = {
        "subscriptionId": 1,
        "portalId": 62515,
        "appId": 54321,
        "occurredAt": (NOW_S - 300) * 1000 + 945,
        "attemptNumber": 0,
        "objectId": 123,
        "changeSource": "CRM",
    }
    change = {**common, "subscriptionType": "contact.propertyChange"}
    told = [
        {**change, "eventId": 1, "propertyName": "hs_email_optout", "propertyValue": "true"},
        {**change, "eventId": 2, "propertyName": "hs_email_optout", "propertyValue": "false"},
        {**common, "eventId": 3, "subscriptionType": "contact.creation"},
        {**common, "eventId": 4, "subscriptionType": "deal.creation"},
    ]
    mapping = shown("HubSpot")
    accepted = take(hubspot(told), known(mapping))
    who = (Identity("hubspot", "123"),)
    assert summary(accepted) == [("unsubscribe", who, None)]
    assert accepted.reasons == ["unused_kind", "unused_kind", "unknown_kind"]
    assert accepted.events[0].occurred_ms == common["occurredAt"]
    again = [{**one, "attemptNumber": 3} for one in told]
    repeated = take(hubspot(again), known(mapping))
    assert repeated.events[0].event_id == accepted.events[0].event_id
    assert take(hubspot(told, NOW_S - 200_000), known(mapping)).reasons == ["stale_signature"]
    moved = msgspec.structs.replace(hubspot(told), query=b"x=1")
    assert take(moved, known(mapping)).reasons == ["bad_signature"]


PLAIN = {"signature": {"kind": "password"}, "rules": [{"type": "open"}], "fields": {}}


def test_password_events_and_our_own_token():
    fields = {"person": "vars.kt", "email": "to.0"}
    mapping = {**PLAIN, "events": "data.events", "fields": fields}
    body = {"data": {"events": [{"vars": {"kt": "{PERSON}"}}, {"to": ["anna@example.org"]}, 7]}}
    sent = request_of(body, authorization=basic("any", SECRET).decode())
    namespaces = [
        e.identities and e.identities[0].namespace for e in take(sent, known(mapping)).events
    ]
    assert namespaces == ["person_token", "email", ()]
    for header in ("Bearer x", basic("any", "x").decode()):
        assert take(request_of(body, authorization=header), known(mapping)).reply.status == 403


def test_without_an_id_the_order_of_fields_does_not_matter():
    header = basic("any", SECRET).decode()
    one, other = {"a": {"x": 1, "y": 2}, "b": 3}, {"b": 3, "a": {"y": 2, "x": 1}}
    ids = [
        take(request_of(body, authorization=header), known(PLAIN)).events[0].event_id
        for body in (one, other, {**one, "b": 4})
    ]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {**PLAIN, "more": 1},
        {**PLAIN, "rules": []},
        {**PLAIN, "rules": [{"type": "hired"}]},
        {**PLAIN, "rules": [{"type": "open"}] * 51},
        {**PLAIN, "rules": [{"type": "open", "when": {"a": "text"}}]},
        {**PLAIN, "fields": {"mail": "x"}},
        {**PLAIN, "namespace": "user_id"},
        {**PLAIN, "signature": {"kind": "none"}},
        {**PLAIN, "signature": {"kind": "hmac"}},
        {**PLAIN, "signature": {"kind": "hmac", "header": "x", "parts": ["timestamp"]}},
        {**PLAIN, "signature": {"kind": "hmac", "header": "x", "timestamp_header": "y"}},
        {**PLAIN, "signature": {"kind": "hmac", "header": "x", "algorithm": "md5"}},
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Mapping)


@pytest.mark.parametrize(
    "body", [b"", b"=", b"&" * 5000, b"a[b[c]]]=1&a=2", b"a=1&a[b]=2", b"%ff", b"\xff"]
)
def test_any_form_gets_an_answer(body):
    secret = f"secret={SECRET}".encode()
    request = request_of(body, query=secret, content_type=FORM.decode())
    assert take(request, known(shown("ActiveCampaign"))).reply.status in {200, 400}
