"""Consent at the door: answers, signals and withdrawals, in every form in which they come."""

from typing import Any

import pytest

from services.contract.event import Consent, Event, Identity
from services.contract.withdrawal import Withdrawal, mark_of
from services.tracker.accept import accept
from services.tracker.consent import has_privacy_signal
from services.tracker.directory import Directory
from services.tracker.request import headers_of
from services.tracker.withdrawals import Withdrawals
from tests.unit.tracker.scene import NOW_MS, SECRET, SNAPSHOT, request_of

COOKIE = Identity("anonymous_id", "c")
USER = Identity("user_id", "u")
YES = {"measure": True, "profile": True}
BEFORE = "2026-03-01T10:00:00Z"
AFTER = "2026-03-01T11:30:00Z"
WITHDRAWN_MS = NOW_MS - 3_600_000  # 11:00


def withdrawn(*entries: tuple[Identity, int | None, int | None]) -> Directory:
    book = Withdrawals()
    book.take([Withdrawal(3, mark_of(who, SECRET), m, p) for who, m, p in entries], 1)
    return Directory(SNAPSHOT, withdrawals=book)


def tell(
    consent: Any,
    directory: Directory | None = None,
    key: str = "kw_shop",
    headers: dict[str, str] | None = None,
    **call: Any,
) -> tuple[Event, list[str]]:
    body = {
        "messageId": "m", "event": "read", "anonymousId": "c", "userId": "u", "writeKey": key,
        "properties": {"content_id": "story", "title": "T"},
        "context": {"consent": consent}, **call,
    }  # fmt: skip
    told = {"path": "/v1/track", "headers": headers or {}, "body": body}
    accepted = accept(request_of(told), directory or withdrawn(), NOW_MS)
    (event,) = accepted.events
    return event, list(accepted.reasons)


def said(preferences: dict[str, bool], **more: Any) -> dict[str, Any]:
    return {"categoryPreferences": preferences, **more}


def answer(preferences: dict[str, bool], **more: Any) -> tuple[Event, list[str]]:
    consent = said(preferences, **more.pop("proof", {}))
    return tell(consent, event="consent_changed", **more)


def test_proof_and_further_purposes_are_kept_with_the_event():
    consent = said({**YES, "share": False, "contact_mail": True}, textVersion="3", givenAt=BEFORE)
    event, _ = tell(consent)
    assert event.agreement.text_version == "3"
    assert event.agreement.given_ms == NOW_MS - 2 * 3_600_000
    assert event.agreement.purposes == {"share": False, "contact_mail": True}
    assert tell(said(YES, givenAt="2099-01-01"))[0].agreement.given_ms == NOW_MS
    assert tell(said(YES, givenAt=["?"], textVersion={}))[0].agreement.given_ms is None


def test_only_the_product_itself_says_where_it_was_asked_or_that_it_is_an_objection():
    more = {"askedWhere": "by telephone", "objection": "why", "objectionBy": "piet"}
    for key in ("kw_shop", "ks_plain", "inside"):
        headers = {"authorization": f"Bearer {key}", "x-kentering-workspace": "3"}
        told = tell(said(YES, **more), key=key, headers=headers)[0].agreement
        kept = (told.asked_where, told.objection, told.objection_by)
        assert kept == (("by telephone", "why", "piet") if key == "inside" else (None,) * 3), key


def test_a_withdrawal_names_who_takes_back_and_nothing_else():
    event, _ = answer({"measure": False, "profile": True})
    assert event.type == "consent_changed"
    assert event.identities == (COOKIE,), "anybody can write a user id into a page's call"
    assert event.consent == Consent(measure=False, profile=False)
    assert (event.content_id, event.message_id, event.properties) == (None, None, {})
    by_server, _ = answer({"measure": False}, key="ks_plain")
    assert set(by_server.identities) == {COOKIE, USER}
    of_nobody, reasons = answer({"measure": False}, anonymousId=None)
    assert (of_nobody.identities, reasons) == ((), ["no_identity"])
    nothing, reasons = answer({})
    assert (nothing.identities, reasons) == ((), ["no_consent"])


@pytest.mark.parametrize("preferences", [{"measure": False}, {"measure": True, "profile": False}])
def test_a_browsers_no_takes_place_at_its_receipt_whatever_its_date(preferences):
    year_ago = "2025-03-01T12:00:00Z"
    for told in (
        answer(preferences, timestamp=year_ago),
        answer(preferences, timestamp=year_ago, proof={"givenAt": BEFORE}),
        tell(said({"measure": True, "profile": False}, givenAt=BEFORE), timestamp=year_ago),
    ):
        event, _ = told
        assert event.occurred_ms == event.received_ms == NOW_MS
        assert event.agreement.given_ms < NOW_MS, "the proof keeps when it was said"
    by_server, _ = answer(preferences, timestamp=year_ago, key="ks_plain")
    assert by_server.occurred_ms < NOW_MS
    page, _ = tell(said({"measure": True, "profile": False}), timestamp=year_ago)
    assert page.occurred_ms < NOW_MS, "a repetition is none"


def test_the_scripts_proof_comes_along():
    event, _ = answer(YES, properties={"text_version": "7"})
    assert (event.agreement.text_version, event.properties) == ("7", {})


@pytest.mark.parametrize(
    "signal", [{"sec-gpc": "1"}, {"dnt": "1"}, {"sec-gpc": "1 "}, {"dnt": "1\t"}]
)
def test_only_an_answer_on_this_very_site_comes_before_a_signal(signal):
    event, reasons = tell(said(YES), headers=signal)
    assert (event.identities, reasons) == ((), ["privacy_signal"])
    event, reasons = tell(said(YES, specific=True), headers=signal)
    assert event.identities
    assert "privacy_signal" not in reasons
    event, _ = tell(said(YES, specific="yes"), headers=signal)
    assert event.identities == ()
    event, _ = answer({"measure": False}, headers=signal)
    assert event.identities == (COOKIE,), "taking back is always heard"
    event, _ = answer(YES, headers=signal)
    assert event.identities == ()


def test_one_signal_among_repeated_headers_holds():
    for values in (b"10", b"01", b"11"):
        pairs = [(b"sec-gpc", bytes([value])) for value in values]
        assert has_privacy_signal(headers_of([(b"a", b"b"), *pairs]))
        joined = b", ".join(bytes([value]) for value in values)
        assert has_privacy_signal({b"sec-gpc": joined})
    headers = headers_of([(b"sec-gpc", b"0"), (b"x", b"1"), (b"x", b"2")])
    assert headers[b"x"] == b"2"
    assert not has_privacy_signal(headers)


def test_withdrawn_comes_before_what_pages_tokens_and_declarations_say():
    gone = withdrawn((COOKIE, WITHDRAWN_MS, None))
    for key, consent in (("kw_shop", said(YES)), ("ks_plain", said(YES)), ("ks_ats", {})):
        event, reasons = tell(consent, gone, key=key)
        assert (event.identities, event.properties) == ((), {})
        assert "withdrawn" in reasons
    assert tell(said(YES, givenAt=BEFORE), gone)[0].identities == ()
    assert tell(said(YES, givenAt=AFTER), gone)[0].identities
    of_user = withdrawn((USER, WITHDRAWN_MS, None))
    by_anybody, reasons = tell(said(YES, givenAt=AFTER), of_user, anonymousId=None)
    assert (by_anybody.identities, by_anybody.properties) == ((), {})
    assert reasons == ["withdrawn"], "anybody can write a user id and a date into a page's call"
    assert tell(said(YES, givenAt=AFTER), of_user, key="ks_plain", anonymousId=None)[0].identities
    token = Identity("person_token", "0123456789abcdef")
    gone = withdrawn((token, WITHDRAWN_MS, None))
    for path in ("/o/{LINK}.{PERSON}.gif", "/c/{LINK}.{PERSON}"):
        accepted = accept(request_of({"path": path, "method": "GET"}), gone, NOW_MS)
        assert accepted.events[0].identities == ()
        assert "withdrawn" in accepted.reasons
        assert not any(b"kt_person" in value for _, value in accepted.reply.headers)


def test_withdrawn_profile_is_measured_and_no_longer_scored():
    event, reasons = tell(said(YES), withdrawn((USER, None, WITHDRAWN_MS)))
    assert event.identities
    assert event.consent == Consent(measure=True, profile=None)
    assert "withdrawn" not in reasons
    renewed, _ = tell(said(YES, givenAt=AFTER), withdrawn((USER, None, WITHDRAWN_MS)))
    assert renewed.consent.profile


@pytest.mark.parametrize(
    ("content_id", "kept"),
    [
        ("story-7/night.shift", "story-7/night.shift"),
        ("https://a.example/story?mail=x", "https://a.example/story"),
        ("anna@example.org", None),
        ("anna%40example.org", None),
        ("Anna Jansen", None),
        ("story-of-customer-9", None),
        ("x" * 201, None),
    ],
)
def test_what_a_count_is_about_names_nobody(content_id, kept):
    event, _ = tell(said({}), userId="customer-9", properties={"content_id": content_id})
    assert event.identities == ()
    assert event.content_id == kept


def test_marks_are_taken_in_and_forgotten_again():
    book = Withdrawals()
    marks = [bytes(7) + bytes([i]) for i in range(3)]
    book.take([Withdrawal(3, mark, 5, 5) for mark in marks], 3)
    assert book.concern(3)
    assert not book.concern(4)
    assert book.of(3, marks[:1]) == (5, None)
    book.take([Withdrawal(3, marks[0], None, 7)], 4)
    assert book.of(3, marks[:1]) == (None, 7)
    assert sorted((one.mark, one.measure_ms, one.profile_ms) for one in book) == [
        (marks[0], None, 7), (marks[1], 5, None), (marks[2], 5, None),
    ]  # fmt: skip
    book.take([Withdrawal(3, mark, None, None) for mark in marks], 7)
    assert not book.concern(3)
    assert book.reached == 7
