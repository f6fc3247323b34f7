"""The same request many times at once, and many edits of one thing at once."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from httpx import Client, Response

RULE = {"type": "phase", "any_of": ["do"]}
TIMES = 6
TRIGGER = {"name": "T", "phase": "think", "when": {"type": "at_once"}}
SEGMENT = {"key": "s", "name": "S", "rule": RULE}
PEOPLE = {
    "kind": "people",
    "as_of": "2026-11-01T09:00:00Z",
    "identities": {"user_id": "Number"},
    "consent": {
        "purposes": {"measure": {"value": True}},
        "given_at": {"value": "2026-01-01"},
        "text_version": {"value": "1"},
        "source": "a form",
    },
}


def at_once(client: Client, method: str, path: str, sent: Sequence[Any], **headers: str) -> Any:
    """The answers to requests that set out in the same moment, in their order."""
    begin = Barrier(len(sent))

    def ask(body: Any) -> Response:
        begin.wait()
        return client.request(method, path, json=body, headers=headers)

    with ThreadPoolExecutor(len(sent)) as asking:
        return list(asking.map(ask, sent))


def statuses(answers: Sequence[Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


MADE = (
    ("/v1/segments", SEGMENT, "key"),
    ("/v1/keys", {"name": "K", "kind": "server", "scopes": []}, "id"),
    ("/v1/accounts", {"email": "anna@example.org", "role": "reader"}, "id"),
    ("/v1/triggers", TRIGGER, "id"),
    ("/v1/imports", PEOPLE, "id"),
)


def test_the_same_request_many_times_at_once(client: Client) -> None:
    for path, body, name in MADE:
        mark = {"Idempotency-Key": "one"}
        answers = at_once(client, "POST", path, [body] * TIMES, **mark)
        assert statuses(answers) == {201: TIMES}, path
        assert len({answer.json()[name] for answer in answers}) == 1
        once = {"/v1/keys": "key", "/v1/accounts": "invitation"}.get(path)
        if once is not None:
            assert sum(answer.json()[once] is not None for answer in answers) == 1


def test_of_two_different_requests_with_one_key_one_is_answered(client: Client) -> None:
    bodies = [{"name": f"C{i % 2}", "channel": "email"} for i in range(TIMES)]
    answers = at_once(client, "POST", "/v1/campaigns", bodies, **{"Idempotency-Key": "one"})
    assert statuses(answers) == {201: TIMES // 2, 409: TIMES // 2}
    assert len(client.get("/v1/campaigns").json()["campaigns"]) == 1


def test_what_failed_is_not_remembered(client: Client) -> None:
    lacking = {**SEGMENT, "rule": {"type": "in_segment", "segment": "none"}}
    mark = {"Idempotency-Key": "one"}
    assert statuses(at_once(client, "POST", "/v1/segments", [lacking] * 3, **mark)) == {400: 3}
    assert client.post("/v1/segments", json=SEGMENT, headers=mark).status_code == 201


def test_of_many_edits_of_what_was_seen_one_is_made(client: Client) -> None:
    edits: list[tuple[str, str, dict[str, Any], str, list[Any]]] = [
        ("POST", "/v1/segments", SEGMENT, "PUT", [{"name": f"{i}", "rule": RULE} for i in range(6)])
    ]
    key = {"name": "K", "kind": "server", "scopes": []}
    story = {"content_type": "story", "title": "A", "url": "https://example.org/a", "phase": "see"}
    names = [{"name": f"{i}"} for i in range(6)]
    edits += [
        ("POST", "/v1/keys", key, "PATCH", names),
        ("POST", "/v1/triggers", TRIGGER, "PATCH", names),
        ("PUT", "/v1/content/a", story, "PUT", [{**story, "title": f"{i}"} for i in range(6)]),
    ]
    for method, path, body, edit, sent in edits:
        made = client.request(method, path, json=body)
        assert made.status_code == 201, made.text
        told = made.json()
        named = told["key"] if path == "/v1/segments" else told.get("id")
        where = f"{path}/{named}" if method == "POST" else path
        answers = at_once(client, edit, where, sent, **{"If-Match": made.headers["etag"]})
        assert statuses(answers) == {200: 1, 412: 5}, where
        (won,) = [answer for answer in answers if answer.status_code == 200]
        assert client.get(where).headers["etag"] == won.headers["etag"]


def test_what_is_not_there_yet_is_made_by_one(client: Client) -> None:
    answers = at_once(client, "PUT", "/v1/segments/s", [{"name": "S", "rule": RULE}] * TIMES)
    assert statuses(answers) == {201: 1, 200: TIMES - 1}
    assert client.get("/v1/segments/s").json()["version"] == 1
    story = {"content_type": "story", "title": "A", "url": "https://example.org/a", "phase": "see"}
    assert statuses(at_once(client, "PUT", "/v1/content/a", [story] * TIMES)) == {
        201: 1,
        200: TIMES - 1,
    }


def test_a_circle_is_not_made_from_two_sides_at_once(client: Client) -> None:
    for key in ("a", "b"):
        client.put(f"/v1/segments/{key}", json={"name": key, "rule": RULE})
    begin = Barrier(2)

    def refer(ends: str) -> int:
        begin.wait()
        rule = {"type": "in_segment", "segment": ends[1]}
        body = {"name": ends, "rule": rule}
        return client.put(f"/v1/segments/{ends[0]}", json=body).status_code

    with ThreadPoolExecutor(2) as asking:
        assert sorted(asking.map(refer, ("ab", "ba"))) == [200, 409]
