"""Each mailer's requests: what they come to, and that only the mailer's own are taken."""

import json
import random
import re
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest

from services.contract.event import Consent, decode, encode
from services.contract.hook import PROOFS
from services.contract.token import Unsubscribe, person_token_of, sign_unsubscribe
from services.tracker.hooks import brevo, mailgun, mandrill, postmark, sendgrid, ses
from services.tracker.hooks.errand import ConfirmSubscription, FetchCertificate, RememberToken
from services.tracker.hooks.errands import certificate_of
from services.tracker.hooks.memory import TOKENS_MAX, Memory
from services.tracker.request import Request
from tests.unit.tracker.mailers import (
    CERTIFICATE_URL,
    FILES,
    HOOKS,
    NOW_S,
    PASSWORD,
    SECRETS,
    TOPIC,
    basic,
    certificate_pem,
    directory,
    memory,
    outcome,
    signed,
    sns_message,
    sns_signed,
    take,
    told_by,
)
from tests.unit.tracker.scene import NOW_MS, REQUEST_ID, SECRET, with_tokens

ESPS = sorted(SECRETS)
DAY_S = 86_400


def code_of(accepted) -> str:
    """What a refusal says, which events it has none of."""
    answer = json.loads(accepted.reply.body)
    assert answer["message"]
    assert not accepted.events
    assert answer["code"] == accepted.reasons[0]
    return f"{accepted.reply.status} {answer['code']}"


def changed(request: Request, **fields) -> Request:
    return msgspec.structs.replace(request, **fields)


def first(esp: str):
    return told_by(esp)["requests"][0]


@pytest.mark.parametrize("esp", ESPS)
def test_requests_become_exactly_these_events(esp):
    told = told_by(esp)
    assert [outcome(take(signed(esp, one))) for one in told["requests"]] == told["outcomes"]


@pytest.mark.parametrize("esp", ESPS)
def test_all_types_that_the_mailer_tells_of_are_in_its_golden_file(esp):
    events = [e for o in told_by(esp)["outcomes"] for e in o["events"]]
    types = {"sent", "delivered", "open", "click", "bounce", "unsubscribe", "complaint"}
    assert {e["type"] for e in events} == types - ({"sent"} if esp == "postmark" else set())
    bounces = {e["properties"]["kind"] for e in events if e["type"] == "bounce"}
    assert bounces == {"hard", "soft"}
    assert all(e["server_only"] and e["channel"] == "email" for e in events)


@pytest.mark.parametrize("esp", ESPS)
def test_a_repeat_has_the_same_event_ids(esp):
    for one in told_by(esp)["requests"]:
        again = take(signed(esp, one, at_s=NOW_S - 60))
        ids = [event.event_id for event in take(signed(esp, one)).events]
        assert [event.event_id for event in again.events] == ids


@pytest.mark.parametrize("esp", ESPS)
def test_the_order_of_fields_changes_nothing(esp):
    def shuffled(value):
        if isinstance(value, dict):
            items = list(value.items())
            random.Random(7).shuffle(items)
            return {name: shuffled(inner) for name, inner in items}
        return [shuffled(inner) for inner in value] if isinstance(value, list) else value

    for one in told_by(esp)["requests"]:
        events = take(signed(esp, one)).events
        assert take(signed(esp, shuffled(one))).events == events


@pytest.mark.parametrize(
    ("esp", "twice_told"),
    [
        ("sendgrid", 0),
        ("mailgun", 0),
        ("mandrill", 0),
        # A hard bounce and a complaint, each also as a change of subscription.
        ("postmark", 2),
        # Without ids: what means the same, of one mail at one moment, is one. A first open and an
        # open, also by proxy; three ways of being unreachable, two of failing for now; two names
        # of a complaint; the same sending with other custom data.
        ("brevo", 1 + 1 + 2 + 1 + 1 + 1),
    ],
)
def test_ids_differ_where_events_do(esp, twice_told):
    ids = [event["event_id"] for o in told_by(esp)["outcomes"] for event in o["events"]]
    assert len(ids) - len(set(ids)) == twice_told


def test_of_ses_every_recipient_has_an_id():
    _, delivered, *_ = told_by("ses")["outcomes"]
    assert len({event["event_id"] for event in delivered["events"]}) == 2


@pytest.mark.parametrize("esp", ESPS)
def test_without_any_proof_it_is_refused(esp):
    request = signed(esp, first(esp))
    body = request.body
    if esp == "mailgun":
        body = json.dumps({**json.loads(body), "signature": {}}).encode()
    if esp == "ses":
        body = json.dumps({**json.loads(body), "Signature": None}).encode()
    assert code_of(take(changed(request, headers={}, body=body))) == "401 no_signature"


@pytest.mark.parametrize("esp", ["sendgrid", "ses", "mandrill"])
def test_a_changed_body_is_refused(esp):
    request = signed(esp, first(esp))
    where = request.body.index(b"anna")
    body = request.body[:where] + b"otto" + request.body[where + 4 :]
    assert code_of(take(changed(request, body=body))) == "403 bad_signature"


@pytest.mark.parametrize("esp", ESPS)
def test_anothers_proof_is_refused(esp):
    others = {
        "sendgrid": {b"x-twilio-email-event-webhook-signature": b"AAAA"},
        "mandrill": {b"x-mandrill-signature": b"x" * 28},
        "postmark": {b"authorization": basic("postmark", PASSWORD[:-1])},
        "brevo": {b"authorization": b"Bearer " + PASSWORD.encode() + b"!"},
    }
    request = signed(esp, first(esp))
    body = request.body
    if esp == "mailgun":
        proof = json.loads(body)["signature"] | {"signature": "0" * 64}
        body = json.dumps({**json.loads(body), "signature": proof}).encode()
    if esp == "ses":
        body = json.dumps({**json.loads(body), "Signature": "bm90IGEgc2lnbmF0dXJl"}).encode()
    headers = {**request.headers, **others.get(esp, {})}
    refused = take(changed(request, headers=headers, body=body))
    assert code_of(refused) == "403 bad_signature"


@pytest.mark.parametrize("esp", ESPS)
@pytest.mark.parametrize("part", [0.0, 0.3, 0.999])
def test_a_truncated_body_is_refused(esp, part):
    request = signed(esp, first(esp))
    refused = take(changed(request, body=request.body[: int(len(request.body) * part)]))
    assert refused.reply.status in {400, 401, 403}
    assert code_of(refused)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b"null", b"7", b'"x"', b"[" * 10_000, b"\xff\xfe", b"[7,[],null]"],
)
@pytest.mark.parametrize("esp", ESPS)
def test_any_body_gets_an_answer(esp, body):
    request = signed(esp, first(esp))
    assert take(changed(request, body=body)).reply.status in {200, 400, 401, 403}


@pytest.mark.parametrize(
    "value", [None, 7, "x", [], {}, [None], {"a": [1e308]}, "\ud83d", "x" * 9000]
)
@pytest.mark.parametrize("esp", ESPS)
def test_any_value_in_a_genuine_request_gets_an_answer(esp, value):
    def replaced(told, name):
        if isinstance(told, dict):
            return {k: value if k == name else replaced(v, name) for k, v in told.items()}
        return [replaced(one, name) for one in told] if isinstance(told, list) else told

    def names(told):
        if isinstance(told, dict):
            return set(told) | {n for inner in told.values() for n in names(inner)}
        return {n for one in told for n in names(one)} if isinstance(told, list) else set()

    one = next(r for r in told_by(esp)["requests"] if "lick" in json.dumps(r))
    for name in sorted(names(one)):
        accepted = take(signed(esp, replaced(one, name)))
        assert accepted.reply.status in {200, 400}
        for event in accepted.events:
            assert decode(encode(event)) == event


@pytest.mark.parametrize(("esp", "age_max_s"), [("sendgrid", 2 * DAY_S), ("mailgun", DAY_S // 2)])
def test_an_old_signature_is_refused(esp, age_max_s):
    for at_s in (NOW_S - age_max_s - 1, NOW_S + 601):
        assert code_of(take(signed(esp, first(esp), at_s=at_s))) == "403 stale_signature"
    for at_s in (NOW_S - age_max_s, NOW_S + 600):
        assert take(signed(esp, first(esp), at_s=at_s)).reply.status == 200


def test_mailguns_signature_is_good_for_one_body():
    known = directory()
    request = signed("mailgun", first("mailgun"))
    accepted = take(request, known)
    (errand,) = accepted.errands
    assert isinstance(errand, RememberToken)
    known.memory.keep_token(errand.token, errand.digest)
    again = take(request, known)
    assert again.reply.status == 200
    assert again.events == accepted.events
    other = json.loads(request.body)
    other["event-data"]["recipient"] = "otto@example.org"
    forged = changed(request, body=json.dumps(other).encode())
    assert code_of(take(forged, known)) == "403 used_signature"


def test_remembered_tokens_are_bounded():
    remembered = Memory()
    for number in range(TOKENS_MAX + 10):
        remembered.keep_token(str(number), b"")
    assert remembered.body_of_token("9") is None
    assert remembered.body_of_token(str(TOKENS_MAX)) == b""


@pytest.mark.parametrize("esp", ["postmark", "brevo"])
def test_the_password_may_come_as_a_bearer_token(esp):
    request = signed(esp, first(esp))
    bearer = {b"authorization": b"Bearer " + PASSWORD.encode()}
    assert take(changed(request, headers=bearer)).reply.status == 200
    for header in (b"", b"Basic", b"Basic !!!", b"Digest x", basic("", "")):
        refused = take(changed(request, headers={b"authorization": header}))
        assert refused.reply.status in {401, 403}


def test_mandrill_signs_every_field_and_the_address():
    request = signed("mandrill", first("mandrill"))
    fields = dict(parse_qsl(request.body.decode()))
    more = changed(request, body=urlencode({**fields, "extra": "1"}).encode())
    assert code_of(take(more)) == "403 bad_signature"
    moved = tuple(msgspec.structs.replace(hook, url=hook.url + "/") for hook in HOOKS)
    assert code_of(take(request, directory(moved))) == "403 bad_signature"


@pytest.mark.parametrize("esp", ESPS)
def test_head_says_whether_there_is_such_a_hook(esp):
    there = Request("HEAD", f"/hooks/{esp}/hk_{esp}", {}, REQUEST_ID)
    assert take(there).reply.status == 200
    assert take(changed(there, path=f"/hooks/{esp}/hk_other")).reply.status == 404


def test_a_hook_is_for_its_own_mailer():
    request = signed("postmark", first("postmark"))
    for path in ("/hooks/brevo/hk_postmark", "/hooks/postmark/", "/hooks/", "/hooks/a/b/c"):
        assert code_of(take(changed(request, path=path))) == "404 no_hook"


@pytest.mark.parametrize("esp", ESPS)
def test_a_hook_without_its_secrets_takes_nothing(esp):
    assert set(SECRETS[esp]) == set(PROOFS[esp])
    bare = tuple(msgspec.structs.replace(hook, secrets={}) for hook in HOOKS)
    assert code_of(take(signed(esp, first(esp)), directory(bare))) == "403 hook_unfinished"


# ── Amazon SNS ──────────────────────────────────────────────────────────────────────────────


def sns_request(message, **more) -> Request:
    return Request("POST", "/hooks/ses/hk_ses", {}, REQUEST_ID, b"", sns_signed(message, **more))


SUBSCRIBE_URL = (
    "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
    f"&TopicArn={TOPIC}&Token=2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"
)


def confirmation(**changes):
    told = {"SubscribeURL": SUBSCRIBE_URL, "Token": "2336412f37fb", **changes}
    text = "You have chosen to subscribe to the topic. To confirm, visit the SubscribeURL."
    return sns_message(text, "SubscriptionConfirmation", **told)


def test_an_unknown_certificate_is_asked_for_and_the_message_comes_again():
    known = directory(remembered=memory(with_certificate=False))
    request = signed("ses", first("ses"))
    awaited = take(request, known)
    assert code_of(awaited) == "503 certificate_awaited"
    assert (b"retry-after", b"5") in awaited.reply.headers
    assert awaited.errands == (FetchCertificate(CERTIFICATE_URL),)
    known.memory.keep_certificate(CERTIFICATE_URL, certificate_of(certificate_pem()))
    assert take(request, known).events


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
        "https://user@sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
        "https://bucket.s3.amazonaws.com/x.pem",
        "https://sns.a/b.amazonaws.com/x.pem",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1/x.pem",
        "https:// sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com/" + "x" * 3000,
        "file:///etc/passwd",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_never_asked_for(url):
    refused = take(sns_request(sns_message("{}", SigningCertURL=url)))
    assert code_of(refused) == "403 bad_signature"
    assert refused.errands == ()


def test_other_partitions_and_a_named_host_speak_for_sns():
    assert Memory().speaks_for_sns("https://sns.cn-north-1.amazonaws.com.cn/x.pem")
    assert Memory().speaks_for_sns("https://sns.us-gov-west-1.amazonaws.com/x.pem")
    assert not Memory().speaks_for_sns("https:///x.pem")
    assert Memory("localhost:4566").speaks_for_sns("https://localhost:4566/x.pem")
    assert not Memory("localhost:4566").speaks_for_sns("http://localhost:4566/x.pem")
    assert not Memory("localhost:4566").speaks_for_sns("https://localhost:4567/x.pem")


def test_another_topic_and_another_version_are_refused():
    other = sns_message("{}", TopicArn=TOPIC + "-of-somebody-else")
    assert code_of(take(sns_request(other))) == "403 bad_signature"
    assert code_of(take(sns_request(sns_message("{}", SignatureVersion="1")))) == (
        "403 old_signature"
    )
    assert code_of(take(sns_request(sns_message("{}") | {"Type": "Greeting"}))) == (
        "403 bad_signature"
    )


def test_an_expired_certificate_proves_nothing():
    known = directory(remembered=memory(with_certificate=False))
    old = certificate_of(certificate_pem(days=-1))
    known.memory.keep_certificate(CERTIFICATE_URL, old)
    assert code_of(take(signed("ses", first("ses")), known)) == "403 bad_signature"


def test_a_subscription_is_confirmed_only_when_sns_signed_it():
    accepted = take(sns_request(confirmation()))
    assert accepted.reply.status == 200
    assert accepted.errands == (ConfirmSubscription(SUBSCRIBE_URL),)
    forged = json.loads(sns_signed(confirmation())) | {"SubscribeURL": SUBSCRIBE_URL + "x"}
    request = sns_request(confirmation())
    refused = take(changed(request, body=json.dumps(forged).encode()))
    assert code_of(refused) == "403 bad_signature"
    assert refused.errands == ()
    awaited = take(request, directory(remembered=memory(with_certificate=False)))
    assert awaited.errands == (FetchCertificate(CERTIFICATE_URL),)


@pytest.mark.parametrize(
    "url",
    [
        SUBSCRIBE_URL.replace("sns.eu-west-1.amazonaws.com", "evil.example"),
        SUBSCRIBE_URL.replace("ConfirmSubscription", "DeleteTopic"),
        SUBSCRIBE_URL.replace("mail-events", "other"),
        SUBSCRIBE_URL.replace("https:", "http:"),
    ],
)
def test_only_this_topics_confirmation_is_visited(url):
    refused = take(sns_request(confirmation(SubscribeURL=url)))
    assert code_of(refused) == "403 bad_signature"
    assert refused.errands == ()


def test_being_unsubscribed_from_the_topic_is_taken_note_of_and_not_undone():
    told = {"SubscribeURL": SUBSCRIBE_URL, "Token": "2336412f37fb"}
    accepted = take(sns_request(sns_message("Bye", "UnsubscribeConfirmation", **told)))
    assert accepted.reply.status == 200
    assert accepted.errands == ()


# ── consent ─────────────────────────────────────────────────────────────────────────────────

UNDECLARED = tuple(msgspec.structs.replace(hook, asserted_consent=None) for hook in HOOKS)


@pytest.mark.parametrize("esp", ESPS)
def test_without_declared_consent_only_our_own_token_names_anybody(esp):
    known = directory(UNDECLARED)
    for one in told_by(esp)["requests"]:
        for event in take(signed(esp, one), known).events:
            named = [identity.namespace for identity in event.identities]
            assert named == (["person_token"] if event.type == "click" and named else [])
            is_wish = event.type in {"unsubscribe", "complaint"}
            assert named or set(event.properties) == ({"mark"} if is_wish else set())
            assert b"anna" not in encode(event)
    click = next(r for r in told_by(esp)["requests"] if "{PERSON}" in json.dumps(r))
    assert any(e.identities for e in take(signed(esp, click), known).events)


def test_a_wish_is_heeded_by_the_mark_that_the_address_has_everywhere():
    told = [r for r in told_by("mailgun")["requests"] if r["event-data"]["event"] == "unsubscribed"]
    (event,) = take(signed("mailgun", told[0]), directory(UNDECLARED)).events
    assert event.properties == {"mark": person_token_of("email", "anna@example.org", SECRET)}
    assert (event.identities, event.message_id) == ((), None)
    told[0]["event-data"]["user-variables"]["kt_person"] = "{UNMEASURED}"
    (event,) = take(signed("mailgun", told[0]), directory(UNDECLARED)).events
    assert event.properties == {"mark": "fedcba9876543210"}


def test_who_is_followed_takes_back_consent_to_be_mailed_and_gives_none():
    told = [r for r in told_by("mailgun")["requests"] if r["event-data"]["event"] == "complained"]
    (event,) = take(signed("mailgun", told[0])).events
    assert [identity.namespace for identity in event.identities] == ["email"]
    assert event.consent == Consent()
    assert event.agreement.purposes == {"contact_mail": False}
    assert event.agreement.given_ms == event.occurred_ms


def test_a_declaration_is_not_an_answer_of_the_person():
    (event,) = take(signed("postmark", first("postmark"))).events
    assert event.consent.measure
    assert event.consent.profile
    assert event.agreement.asserted


def test_what_is_known_of_consent_by_the_token_comes_before_the_declaration():
    told = first("postmark") | {"Metadata": {"kt_person": "{UNMEASURED}"}}
    (event,) = take(signed("postmark", told)).events
    assert event.identities == ()
    assert event.properties == {}


def test_a_click_on_a_link_of_another_workspace_is_no_click_on_ours():
    others = tuple(msgspec.structs.replace(hook, workspace_id=4) for hook in HOOKS)
    told = next(r for r in told_by("postmark")["requests"] if "{LINK}" in json.dumps(r))
    assert len(take(signed("postmark", told), directory(others)).events) == 1
    assert take(signed("postmark", told)).events == []


def test_a_click_through_the_mailers_redirect_and_our_own_link_counts_once():
    known = directory()
    told = next(r for r in told_by("postmark")["requests"] if "{LINK}" in json.dumps(r))
    path = urlsplit(with_tokens(told["OriginalLink"])).path
    at_our_door = take(Request("GET", path, {}, REQUEST_ID), known).events
    by_the_mailer = take(signed("postmark", told), known).events
    assert [event.type for event in at_our_door + by_the_mailer] == ["click"]


def test_a_click_on_our_link_for_unsubscribing_is_no_interest():
    wish = sign_unsubscribe(Unsubscribe("0123456789abcdef", True, "maart"), 3, 1, SECRET)
    told = next(r for r in told_by("postmark")["requests"] if "{LINK}" in json.dumps(r))
    told["OriginalLink"] = f"https://track.example/u/{wish}"
    assert take(signed("postmark", told)).reasons == ["own_link"]
    told["OriginalLink"] = f"https://track.example/u/{wish[:-1]}x"
    assert [event.type for event in take(signed("postmark", told)).events] == ["click"]


def test_occurred_is_never_ahead_of_now():
    told = first("postmark") | {"DeliveredAt": "2030-01-01T00:00:00Z"}
    (event,) = take(signed("postmark", told)).events
    assert event.occurred_ms == NOW_MS


@pytest.mark.parametrize("module", [sendgrid, postmark, mailgun, ses, brevo, mandrill])
def test_the_document_names_every_kind_that_counts(module):
    document = (FILES.parents[2] / "docs" / "esp-webhooks.md").read_text("utf-8")
    for kind, means in module._KINDS.items():
        if means != "nothing":
            assert re.search(rf"[ |]{re.escape(kind)}\b", document), kind
