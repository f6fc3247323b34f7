"""Of whom a mailer may tell, who is heeded always, and which clicks are our own."""

import json
from urllib.parse import urlsplit

import msgspec
import pytest

from services.contract.event import Consent, encode
from services.contract.token import Unsubscribe, person_token_of, sign_unsubscribe
from services.tracker.request import Request
from tests.unit.tracker.mailers import (
    HOOKS,
    SECRETS,
    directory,
    first,
    signed,
    take,
    told_by,
)
from tests.unit.tracker.scene import NOW_MS, REQUEST_ID, SECRET, with_tokens

ESPS = sorted(SECRETS)
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
