"""Changes reach a real receiver: signed, each once where nothing fails, in order per person."""

import pytest
from httpx import Client
from standardwebhooks.webhooks import Webhook

from services.contract.phases import DAY_MS
from services.runtime import outbound
from services.runtime.clock import now_ms
from tests.contract.dispatch.conftest import Hook
from tests.contract.dispatch.feed import Feed, dispatching
from tests.servers.process import wait_until
from tests.servers.receiver import Got, Receiver, Reply

IN_DO = {"name": "In Do", "rule": {"type": "phase", "any_of": ["do"]}}


def test_what_it_asked_for_and_nothing_else(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    feed.tell(0)  # before it was there
    client.put("/v1/segments/in-do", json=IN_DO)
    made = hook(receiver.url, types=["phase", "segment"], segments=["in-do"])
    long_ago = now_ms() - 2 * DAY_MS
    feed.tell(0, 1, 2, 0, 1)
    feed.tell(0, kind="latency", before=None, after="active")
    feed.tell(0, kind="segment", key="other", before=None, after="member")
    feed.tell(0, kind="segment", key="in-do", before=None, after="member")
    feed.tell(1, kind="segment", key="in-do", before="member", after=None, reason="silence")
    feed.tell(2, valid_ms=long_ago)
    feed.tell(0, workspace=2)
    wanted = [p for p in feed.positions() if p not in {1, 7, 8, 11}]
    with dispatching(feed.engine):
        wait_until(lambda: len(receiver.accepted) >= len(wanted), "all messages")
    assert sorted(receiver.positions()) == wanted
    _assert_signed(receiver.accepted, [made["secret"]])
    by_type = {got.message["type"] for got in receiver.accepted}
    assert by_type == {"phase.moved", "segment.entered", "segment.left"}
    (told,) = [g.message for g in receiver.accepted if g.message["type"] == "segment.left"]
    (change,) = client.get("/v1/changes", params={"after": 9, "limit": 1}).json()["changes"]
    assert told["data"] == change
    assert told["timestamp"] == change["recorded_at"]
    page = client.get(f"/v1/webhooks/{made['id']}/deliveries", params={"limit": 200}).json()
    assert {d["status"] for d in page["deliveries"]} == {"delivered"}
    assert {d["id"] for d in page["deliveries"]} == {got.id for got in receiver.accepted}


def test_it_begins_behind_no_position_that_is_still_to_come(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    feed.tell(0, 1)
    newest = feed.positions()[-1]
    ahead = client.post("/v1/webhooks", json={"url": receiver.url, "after": newest + 1})
    assert (ahead.status_code, ahead.json()["code"]) == (400, "bad_position")
    hook(receiver.url, after=newest)


def test_a_segment_that_there_is_not_is_refused(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    client.put("/v1/segments/in-do", json=IN_DO)
    made = hook(receiver.url, segments=["in-do"])
    its, held = f"/v1/webhooks/{made['id']}", {"If-Match": "*"}

    def refusals(key: str) -> list[str]:
        asked = {"url": receiver.url, "segments": [key]}
        answers = [
            client.post("/v1/webhooks", json=asked),
            client.patch(its, json={"segments": ["in-do", key]}, headers=held),
            client.get("/v1/changes", params={"segment": key}),
            client.get("/v1/changes/stream", params={"segment": key}),
        ]
        told = [one.json() for one in answers]
        assert {(one.status_code, one.json()["code"]) for one in answers} == {
            (400, "unknown_segment")
        }, told
        return [one["detail"] for one in told]

    assert set(refusals("in-doo")) == {"There is no segment `in-doo`: did you mean `in-do`?"}
    assert set(refusals("zz")) == {"There is no segment `zz`: there are in-do."}
    # One that was deleted can still be read of, and stays where it was named.
    assert client.delete("/v1/segments/in-do", headers=held).status_code == 204
    feed.tell(0, kind="segment", key="in-do", before="member", after=None)
    (told,) = client.get("/v1/changes", params={"segment": "in-do"}).json()["changes"]
    assert told["segment"] == "in-do"
    assert client.patch(its, json={"segments": ["in-do"]}, headers=held).status_code == 200
    asked = {"url": receiver.url, "segments": ["in-do"]}
    refused = client.post("/v1/webhooks", json=asked).json()
    assert refused["detail"] == "There is no segment `in-do`, nor any other."


def test_what_was_long_valid_is_sent_to_who_asks(
    feed: Feed, hook: Hook, receiver: Receiver
) -> None:
    hook(f"{receiver.url}/new")
    hook(f"{receiver.url}/late", late=True)
    found = now_ms()
    feed.tell(0, now_ms=found)
    feed.tell(1, now_ms=found, valid_ms=found - DAY_MS - 1)
    feed.tell(2, now_ms=found, valid_ms=found - DAY_MS)
    gone = {"kind": "person", "before": None, "after": "erased", "reason": "erased"}
    feed.tell(2, now_ms=found, valid_ms=found - 2 * DAY_MS, **gone)
    with dispatching(feed.engine):
        wait_until(lambda: len(receiver.accepted) >= 7, "all messages")
    by_path = {
        path: sorted(g.position for g in receiver.accepted if g.path.endswith(path))
        for path in ("new", "late")
    }
    assert by_path == {"new": [1, 3, 4], "late": [1, 2, 3, 4]}


def test_a_persons_messages_wait_for_the_one_that_fails(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    made = hook(receiver.url)
    refused = {"still": True}

    def answer(got: Got) -> Reply:
        return (
            Reply(422) if got.message["data"]["person"] == "p_10" and refused["still"] else Reply()
        )

    receiver.answer = answer
    feed.tell(0, 1, 0, 2, 0)
    with dispatching(feed.engine):
        wait_until(lambda: len(receiver.accepted) >= 2, "the others")
        wait_until(lambda: any(got.position == 1 for got in receiver.got), "the one that fails")
        assert sorted(receiver.positions()) == [2, 4]
        refused["still"] = False
        wait_until(lambda: len(receiver.accepted) >= 5, "the rest")
    mine = [g.position for g in receiver.accepted if g.message["data"]["person"] == "p_10"]
    assert mine == [1, 3, 5]
    tries = [got for got in receiver.got if got.position == 1]
    assert len(tries) >= 2
    assert len({got.id for got in tries}) == 1, "repeats carry the same id"
    assert len({got.body for got in tries}) == 1
    told = client.get(f"/v1/webhooks/{made['id']}").json()
    assert (told["status"], told["waiting"], told["failing_since"]) == ("active", 0, None)


def test_a_slow_endpoint_holds_up_no_other(feed: Feed, hook: Hook, receiver: Receiver) -> None:
    hook(f"{receiver.url}/slow")
    hook(f"{receiver.url}/quick")
    receiver.answer = lambda got: Reply(after_s=20 if got.path.endswith("slow") else 0)
    feed.tell(*([0, 1, 2] * 20))
    with dispatching(feed.engine):
        wait_until(lambda: len(receiver.accepted) >= 60, "the quick one's", timeout_s=15)
        receiver.closing.set()
    assert {got.path for got in receiver.accepted[:60]} == {"/hook/quick"}


def test_a_message_that_hangs_holds_up_its_person_alone(
    feed: Feed,
    hook: Hook,
    receiver: Receiver,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbound, "WHOLE_S_MAX", 120)
    made = hook(receiver.url)
    receiver.answer = lambda got: Reply(after_s=100 * (got.message["data"]["person"] == "p_10"))
    feed.tell(0, 0, 1, 2)
    with dispatching(feed.engine):
        wait_until(lambda: len(receiver.accepted) == 2, "the others'")
        # So long that what is still on its way is written down as waiting.
        path = f"/v1/webhooks/{made['id']}"
        wait_until(lambda: client.get(path).json()["waiting"] == 2, "what came of them")
        feed.tell(1, 0, 2, 1)
        wait_until(lambda: len(receiver.accepted) == 5, "the others' next")
        assert {got.message["data"]["person"] for got in receiver.accepted} == {"p_11", "p_12"}
        receiver.closing.set()
        wait_until(lambda: len(receiver.accepted) == 8, "all")
        wait_until(lambda: client.get(path).json()["waiting"] == 0, "all to be written down")
    first = [got.position for got in receiver.got if got.message["data"]["person"] == "p_10"]
    assert first == [1, 2, 6]
    page = client.get(f"{path}/deliveries").json()["deliveries"]
    assert {(one["status"], one["attempts"]) for one in page} == {("delivered", 1)}
    assert {one["position"] for one in page} == set(feed.positions())


def test_secrets_are_rotated_without_a_gap(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    made = hook(receiver.url)
    rotated = client.post(f"/v1/webhooks/{made['id']}/secrets", json={}).json()
    assert rotated["secret"] != made["secret"]
    assert [one["until"] is None for one in rotated["secrets"]] == [True, False]
    feed.tell(0)
    with dispatching(feed.engine):
        wait_until(lambda: len(receiver.accepted) == 1, "the first")
        _assert_signed(receiver.accepted, [made["secret"], rotated["secret"]])
        last = client.post(f"/v1/webhooks/{made['id']}/secrets", json={"overlap_hours": 0}).json()
        feed.tell(0)
        wait_until(lambda: len(receiver.accepted) == 2, "the second")
    assert len(receiver.accepted[1].headers["webhook-signature"].split()) == 1
    _assert_signed(receiver.accepted[1:], [last["secret"]])
    assert "secret" not in client.get(f"/v1/webhooks/{made['id']}").json()


def _assert_signed(got: list[Got], secrets: list[str]) -> None:
    for secret in secrets:
        for one in got:
            Webhook(secret).verify(one.body, dict(one.headers))
