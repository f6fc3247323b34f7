"""Who unsubscribes, by what, and that looking never does."""

import pytest

from services.tracker.accept import accept
from services.tracker.request import Request
from services.tracker.unsubscribe import ASK, DONE, language_of
from tests.unit.tracker.scene import DIRECTORY, NOW_MS, REQUEST_ID, TOKENS

PATH = f"/u/{TOKENS['{WISH}']}"
FORM = {b"content-type": b"application/x-www-form-urlencoded"}
PARTS = {b"content-type": b'multipart/form-data; boundary="x y"'}


def decide(method, path=PATH, headers=FORM, body=b"", now_ms=NOW_MS):
    return accept(Request(method, path, headers, REQUEST_ID, b"", body), DIRECTORY, now_ms)


def part(name, value):
    head = f'--x y\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    return head.encode()


ONE_CLICK = b"List-Unsubscribe=One-Click"
IN_PARTS = part("List-Unsubscribe", "One-Click") + b"--x y--\r\n"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_asks(method):
    accepted = decide(method, body=ONE_CLICK)
    assert accepted.events == []
    assert accepted.reply == ASK["en"]
    assert b"<form method=post>" in accepted.reply.body


@pytest.mark.parametrize(
    ("headers", "body"),
    [(FORM, ONE_CLICK), (FORM, ONE_CLICK + b"\r\n"), ({}, ONE_CLICK), (PARTS, IN_PARTS)],
)
def test_one_click_unsubscribes(headers, body):
    accepted = decide("POST", headers=headers, body=body)
    assert [event.type for event in accepted.events] == ["unsubscribe"]
    assert accepted.reply == DONE["en"]
    assert not accepted.answers_anyway


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (FORM, b""),
        (FORM, b"List-Unsubscribe"),
        (FORM, b"List-Unsubscribe=no"),
        (FORM, b"list-unsubscribe=one-click"),
        (FORM, ONE_CLICK + b"&a=b"),
        (FORM, ONE_CLICK + b"&" * 5000),
        (FORM, b"\xff\xfe" * 100),
        (PARTS, ONE_CLICK),
        (PARTS, part("List-Unsubscribe", "no") + b"--x y--"),
        (PARTS, part("a", "b") + IN_PARTS),
        ({b"content-type": b"multipart/form-data; boundary="}, IN_PARTS),
        ({b"content-type": b"multipart/form-data\xff; boundary=\x00"}, b"--\x00" * 500),
    ],
)
def test_any_other_body_asks(headers, body):
    accepted = decide("POST", headers=headers, body=body)
    assert accepted.events == []
    assert accepted.reply.status == 200
    assert b"<form" in accepted.reply.body


@pytest.mark.parametrize(
    "token", ["{PERSON}", "{LINK}", "{FOREIGN}", "x", "", "\ud800", "../x", "{LINK}.{WISH}"]
)
def test_other_tokens_find_nothing(token):
    for name, real in TOKENS.items():
        token = token.replace(name, real)
    accepted = decide("POST", f"/u/{token}", body=ONE_CLICK)
    assert (accepted.reply.status, accepted.events) == (404, [])


def test_said_again_at_once_it_counts_once():
    def id_at(now_ms):
        return decide("POST", body=ONE_CLICK, now_ms=now_ms).events[0].event_id

    minute_ms = NOW_MS // 60_000 * 60_000
    assert id_at(minute_ms) == id_at(minute_ms + 59_000)
    assert id_at(minute_ms) != id_at(minute_ms + 60_000)


@pytest.mark.parametrize("more", ["a*", "boundary=a; name*", "boundary=a; =", "boundary*0*=x"])
def test_a_header_that_breaks_off_is_no_wish(more):
    headers = {b"content-type": f"multipart/form-data; {more}".encode()}
    accepted = decide("POST", headers=headers, body=IN_PARTS)
    assert (accepted.reply.status, accepted.events) == (200, [])


def test_the_page_holds_nothing_that_runs():
    headers = dict(ASK["nl"].headers)
    policy = headers[b"content-security-policy"].decode()
    assert policy.startswith("default-src 'none'; form-action 'self';")
    assert "unsafe" not in policy
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"referrer-policy"] == b"no-referrer"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("nl-NL,nl;q=0.9,en;q=0.8", "nl"), ("en-US,nl", "en"), ("fr,nl", "nl"), ("", "en")],
)
def test_its_language(accepted, language):
    assert language_of(accepted) == language
