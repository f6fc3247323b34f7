"""Each mailer's requests: what they come to, and that only the mailer's own are taken."""

import json
import random
import re
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest

from services.contract.event import decode, encode
from services.contract.hook import PROOFS
from services.tracker.hooks import brevo, mailgun, mandrill, postmark, sendgrid, ses
from services.tracker.hooks.errand import RememberToken
from services.tracker.hooks.memory import TOKENS_MAX, Memory
from services.tracker.request import Request
from tests.unit.tracker.mailers import (
    FILES,
    HOOKS,
    NOW_S,
    PASSWORD,
    SECRETS,
    basic,
    changed,
    code_of,
    directory,
    first,
    outcome,
    signed,
    take,
    told_by,
)
from tests.unit.tracker.scene import REQUEST_ID

ESPS = sorted(SECRETS)
DAY_S = 86_400


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

    for one in told_by(esp)["requests"]:
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
    later = signed("mailgun", first("mailgun"), at_s=NOW_S + 1)
    assert take(later, known).events == accepted.events
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


def test_a_kind_that_is_no_text_is_told_so():
    accepted = take(signed("mandrill", [{"event": [], "type": "send", "msg": {"email": "a@b.nl"}}]))
    assert accepted.reply.status == 200


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


@pytest.mark.parametrize("module", [sendgrid, postmark, mailgun, ses, brevo, mandrill])
def test_the_document_names_every_kind_that_counts(module):
    document = (FILES.parents[2] / "docs" / "esp-webhooks.md").read_text("utf-8")
    for kind, means in module._KINDS.items():
        if means != "nothing":
            assert re.search(rf"[ |]{re.escape(kind)}\b", document), kind
