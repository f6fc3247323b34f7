import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.contract.event import EVENT_TYPES, Event, decode, encode, record_key
from services.tracker.accept import accept
from services.tracker.project_settings import key_in, settings_reply
from services.tracker.reasons import RefusedRequestError
from services.tracker.request import BATCH_EVENTS_MAX, EVENT_BYTES_MAX, Request
from tests.unit.tracker.scene import DIRECTORY, NOW_MS, REQUEST_ID, TOKENS

HEADERS = {b"authorization": b"Basic a3dfc2hvcDo=", b"user-agent": b"Mozilla/5.0 (X11)"}
YES = '"context":{"consent":{"categoryPreferences":{"measure":true}}}'


def send(body, path="/v1/track", headers=HEADERS):
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return accept(Request("POST", path, headers, REQUEST_ID, b"", body), DIRECTORY, NOW_MS)


def only_event(body) -> Event:
    (event,) = send(body).events
    return decode(encode(event))


def track(properties: str) -> str:
    return f'{{"event":"read","messageId":"m","userId":"u",{YES},"properties":{properties}}}'


SINGLE = ("track", "page", "screen", "identify", "group", "alias", *"tpsiga")


@pytest.mark.parametrize("route", SINGLE)
@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        '"text"',
        '{"event": 1e400}',
        '{"event": ' + "9" * 5000 + "}",
        '{"event": ' + "[" * 10_000 + "]" * 10_000 + "}",
        b'{"event": "\xff"}',
        b'{"event": "\xed\xa0\x80"}',
        '{"event": "read"',
    ],
)
def test_what_is_no_json_object_is_refused(body, route):
    accepted = send(body, f"/v1/{route}")
    assert accepted.reply.status == 400
    answer = json.loads(accepted.reply.body)
    assert answer["code"] == "malformed"
    assert answer["message"]
    assert not accepted.events


def test_nul_and_control_characters_are_left_out():
    event = only_event(track('{"a\\u0000b": "x\\u0000y\\u0007z", "t": "tab\\tline\\n"}'))
    assert event.properties == {"ab": "xyz", "t": "tab\tline\n"}


@pytest.mark.parametrize("text", ["\\ud83d", "\\udc00", "a\\ud83db", "\\ud83d\\u0041", "\\ud83d\\"])
def test_half_an_emoji_costs_only_itself(text):
    if text.endswith("\\") and not text.endswith("\\\\"):
        text += "\\"
    event = only_event(track(f'{{"title": "{text}", "whole": "\\ud83d\\ude00"}}'))
    assert "�" in event.properties["title"]
    assert event.properties["whole"] == "😀"


def test_an_escaped_backslash_before_u_is_no_surrogate():
    event = only_event(track('{"path": "c:\\\\ud83d", "half": "\\ud83d"}'))
    assert event.properties == {"path": "c:\\ud83d", "half": "�"}


def test_of_a_name_given_twice_the_last_counts():
    assert only_event(track('{"a": 1, "a": 2}')).properties == {"a": 2}


def test_depth_is_bounded():
    event = only_event(track('{"a":' * 100 + "1" + "}" * 100))
    assert len(encode(event)) < 1000


def test_many_fields_are_one_event_too_large():
    many = ",".join(f'"f{i}":{i}' for i in range(100_000))
    accepted = send(f'{{"messageId":"m","event":"read","properties":{{{many}}}}}')
    assert json.loads(accepted.reply.body)["results"] == {
        "m": {"status": "refused", "reason": "event_too_large"}
    }


def test_one_bad_event_leaves_its_neighbours():
    large = "x" * EVENT_BYTES_MAX
    good = f'{{"type":"track","event":"read","messageId":"good","userId":"u",{YES}}}'
    batch = ",".join(
        [
            f'{{"type":"track","event":"read","messageId":"large","x":"{large}"}}',
            '{"type":"track","event":"read","messageId":"range","properties":{"x":1e400}}',
            "[]",
            '{"type":"alias","messageId":"alias"}',
            '{"type":"unalias","messageId":"other"}',
            good,
        ]
    )
    accepted = send(f'{{"batch":[{batch}]}}', "/v1/batch")
    results = json.loads(accepted.reply.body)["results"]
    assert results == {
        "large": {"status": "refused", "reason": "event_too_large"},
        "range": {"status": "refused", "reason": "event_malformed"},
        f"{REQUEST_ID}-2": {"status": "refused", "reason": "event_malformed"},
        "alias": {"status": "refused", "reason": "field_missing"},
        "other": {"status": "refused", "reason": "unknown_call"},
        "good": {"status": "stored"},
    }
    assert len(accepted.events) == 1


def test_a_batch_is_bounded():
    body = '{"batch":[' + ",".join(["{}"] * (BATCH_EVENTS_MAX + 1)) + "]}"
    assert send(body, "/v1/batch").reply.status == 413


def test_a_browser_cannot_claim_a_mail_recipient():
    claimed = '"externalIds":[{"type":"person_token","id":"0123456789abcdef"}]'
    consent = '"consent":{"categoryPreferences":{"measure":true}}'
    body = f'{{"event":"read","userId":"u","context":{{{consent},{claimed}}}}}'
    assert [i.namespace for i in only_event(body).identities] == ["user_id"]


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token[:20] + ("A" if token[20] != "A" else "B") + token[21:],
        lambda token: token + "A",
        lambda token: token[:-4],
        lambda _: "",
        lambda _: ".",
        lambda _: "//evil.example",
        lambda _: "https://evil.example",
        lambda _: "x" * 5000,
        lambda _: "é" * 10,
        lambda token: token + "%0d%0aLocation:%20https://evil.example",
        lambda _: TOKENS["{PERSON}"],
    ],
)
def test_a_token_that_we_did_not_sign_leads_nowhere(change):
    token = change(TOKENS["{LINK}"])
    click = accept(Request("GET", f"/c/{token}", {}, REQUEST_ID), DIRECTORY, NOW_MS)
    assert click.reply.status == 404
    assert not click.events
    assert all(name != b"location" for name, _ in click.reply.headers)
    pixel = accept(Request("GET", f"/o/{token}.gif", {}, REQUEST_ID), DIRECTORY, NOW_MS)
    assert pixel.reply.status == 200
    assert not pixel.events


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
consents = st.just({"consent": {"categoryPreferences": {"measure": True}}})
OTHER_FIELDS = (
    "name",
    "category",
    "groupId",
    "previousId",
    "messageId",
    "userId",
    "anonymousId",
    "properties",
    "traits",
    "timestamp",
    "originalTimestamp",
    "sentAt",
)
calls = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "page", "screen", "identify", "group", "alias"])
        | json_values,
        "event": st.sampled_from(sorted(EVENT_TYPES)) | json_values,
        "context": consents | json_values,
        **dict.fromkeys(OTHER_FIELDS, json_values),
    },
)


# A slow machine is no fault of the input.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("odd", ["NaN", "-Infinity", '"\x01"', '"\\ud83d"', '"two\nlines"'])
def test_what_is_not_strictly_json_costs_the_others_nothing(odd):
    calls = ",".join(
        f'{{"type":"track","event":"read","messageId":"{i}","userId":"u",{YES},"properties":{told}}}'
        for i, told in enumerate(["{}", f'{{"score":{odd}}}', '{"score":1}'])
    )
    accepted = send(f'{{"batch":[{calls}]}}', "/v1/batch")
    assert accepted.reply.status == 200
    assert [event.properties.get("score") for event in accepted.events][::2] == [None, 1]
    assert len(accepted.events) == 3


@unhurried
@given(st.lists(calls, max_size=3), st.sampled_from([b"kw_shop", b"ks_ats"]))
def test_any_json_gets_an_answer_and_only_readable_events(batch, key):
    body = json.dumps({"batch": batch})  # with NaN, Infinity and lone surrogates as they come
    accepted = send(body, "/v1/batch", {b"authorization": b"Bearer " + key})
    assert accepted.reply.status in {200, 400}
    for event in accepted.events:
        assert decode(encode(event)) == event
        assert len(record_key(event)) == 8
        assert 0 < event.occurred_ms <= event.received_ms == NOW_MS
        if event.consent.measure is not True:
            assert event.identities == ()
            assert event.properties == {}


@unhurried
@given(calls, st.sampled_from(SINGLE))
def test_any_json_gets_an_answer_at_every_route(call, route):
    accepted = send(json.dumps(call), f"/v1/{route}")
    assert accepted.reply.status in {200, 400}
    assert json.loads(accepted.reply.body)


@unhurried
@given(st.binary(max_size=200), st.sampled_from([*SINGLE, "batch", "b", "m"]))
def test_any_bytes_get_an_answer(body, route):
    assert send(body, f"/v1/{route}").reply.status in {200, 400}


@pytest.mark.parametrize(
    "path", ["", "x", "//", "%00", "é", "kw_shop/../ks_ats", "a" * 70_000, "\r\nX: y"]
)
def test_odd_keys_get_no_settings(path):
    key = key_in(f"/v1/projects/{path}/settings")
    if key is not None:
        with pytest.raises(RefusedRequestError, match="wrong_key"):
            settings_reply(key, DIRECTORY, "https://track.example")
