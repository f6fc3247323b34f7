"""Receivers that fail, hang, redirect, are gone: what is tried again, and when it is given up."""

import socket
import time
from dataclasses import replace
from email.utils import formatdate

from httpx import Client
from sqlalchemy import update

from services.contract.phases import DAY_MS, HOUR_MS
from services.contract.tables import webhook
from services.runtime.clock import now_ms
from tests.contract.dispatch.conftest import Hook
from tests.contract.dispatch.feed import Feed, dispatching
from tests.servers.process import wait_until
from tests.servers.receiver import Got, Receiver, Reply, run_receiver


class Clock:
    """The time, and as much more as the test says."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms


def test_a_dead_endpoint_is_paused_and_resumed_from_where_it_was(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    made = hook(receiver.url)
    path = f"/v1/webhooks/{made['id']}"
    clock = Clock()
    receiver.answer = lambda _got: Reply(500)
    feed.tell(0, 1, 0, 2)
    with dispatching(feed.engine, clock=clock):
        wait_until(lambda: client.get(path).json()["failing_since"], "the first failure")
        clock.ahead_ms += DAY_MS
        feed.tell(1)  # wakes nobody: the endpoint is unwell
        wait_until(lambda: client.get(path).json()["status"] == "dead", "its end")
        told = client.get(path).json()
        assert told["notice"] == "nothing arrived for a day: status 500"
        (noted, *_) = client.get("/v1/audit", params={"about": made["id"]}).json()["audit"]
        assert (noted["who"], noted["what"]) == ("dispatcher", "webhook.died")
        assert noted["after"] == {"status": "dead", "notice": told["notice"]}
        tries = len(receiver.got)
        feed.tell(2)
        time.sleep(0.5)
        assert len(receiver.got) == tries, "nothing is sent to who is dead"
        waiting = client.get(f"{path}/deliveries", params={"status": "waiting"}).json()
        assert {one["next_attempt"] for one in waiting["deliveries"]} == {None}

        asked = client.post(f"{path}/test").json()
        assert asked["next_attempt"] is not None
        wait_until(lambda: len(receiver.got) > tries, "a test is sent all the same")
        assert receiver.got[-1].id == asked["id"]
        receiver.answer = lambda _got: Reply()
        answer = client.patch(path, json={"status": "active"}, headers={"If-Match": "*"})
        assert (answer.json()["status"], answer.json()["notice"]) == ("active", None)
        wait_until(lambda: len(receiver.accepted) >= 6, "what waited")
    in_order = [got for got in receiver.accepted if got.message["type"] != "webhook.test"]
    for person in ("p_10", "p_11", "p_12"):
        mine = [g.position for g in in_order if g.message["data"]["person"] == person]
        assert mine == sorted(mine)
    assert sorted(got.position for got in in_order) == feed.positions()


def test_who_answers_410_is_dead_at_once(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    made = hook(receiver.url)
    receiver.answer = lambda _got: Reply(410)
    feed.tell(0, 0, 0)
    with dispatching(feed.engine):
        path = f"/v1/webhooks/{made['id']}"
        wait_until(lambda: client.get(path).json()["status"] == "dead", "its end")
    assert client.get(path).json()["notice"] == "it answered 410 Gone"
    assert len(receiver.got) == 1


def test_what_waits_is_tried_again_no_sooner_than_its_endpoint(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    path = f"/v1/webhooks/{hook(receiver.url)['id']}"
    receiver.answer = lambda _got: Reply(500)
    feed.tell(0, 1)
    with dispatching(feed.engine):
        wait_until(lambda: client.get(path).json()["failing_since"], "the first failure")
    with feed.engine.begin() as db:
        db.execute(update(webhook).values(retry_ms=1_800_000_000_000))
    waiting = client.get(f"{path}/deliveries", params={"status": "waiting"}).json()
    told = {one["next_attempt"] for one in waiting["deliveries"]}
    assert told == {"2027-01-15T08:00:00.000Z"}


def test_who_asks_for_time_gets_it(feed: Feed, hook: Hook, receiver: Receiver) -> None:
    hook(receiver.url)
    replies = [
        Reply(429, {"Retry-After": "1"}),
        Reply(503, {"Retry-After": "DATE"}),
        Reply(),
    ]

    def answer(_got: Got) -> Reply:
        reply = replies.pop(0)
        if reply.headers.get("Retry-After") == "DATE":
            # To the second, and cut off: more than one of two are left.
            date = formatdate(time.time() + 2, usegmt=True)
            return replace(reply, headers={"Retry-After": date})
        return reply

    receiver.answer = answer
    feed.tell(0)
    with dispatching(feed.engine):
        wait_until(lambda: receiver.accepted, "the third time")
    first, second, third = (got.at_s for got in receiver.got)
    assert second - first >= 1
    assert third - second >= 0.9


def test_redirects_are_not_followed_and_long_answers_not_read(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    made = hook(receiver.url)
    with run_receiver() as elsewhere:
        replies = [Reply(307, {"Location": elsewhere.url}), Reply(200, body=b"x" * 2_000_000)]
        receiver.answer = lambda _got: replies.pop(0)
        feed.tell(0)
        with dispatching(feed.engine):
            wait_until(lambda: receiver.accepted, "the second time")
            path = f"/v1/webhooks/{made['id']}/deliveries"
            wait_until(
                lambda: client.get(path).json()["deliveries"][0]["status"] == "delivered",
                "it to be written down",
            )
        assert elsewhere.got == []
    (one,) = client.get(path).json()["deliveries"]
    assert (one["attempts"], one["http_status"], one["next_attempt"]) == (2, 200, None)


def test_nobody_listens_then_somebody_does(feed: Feed, hook: Hook, client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    made = hook(f"http://127.0.0.1:{port}/")
    feed.tell(0, 0)
    with dispatching(feed.engine):
        path = f"/v1/webhooks/{made['id']}"
        wait_until(lambda: client.get(path).json()["failing_since"], "the first failure")
        (*_, oldest) = client.get(f"{path}/deliveries").json()["deliveries"]
        assert (oldest["http_status"], oldest["error"]) == (None, "no connection")
        assert oldest["created_at"] <= oldest["last_attempt"]
        with run_receiver(port) as receiver:
            wait_until(lambda: len(receiver.accepted) == 2, "both")
            assert receiver.positions() == [1, 2]


def test_messages_are_sent_again_when_asked(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    made = hook(receiver.url)
    path = f"/v1/webhooks/{made['id']}"
    feed.tell(0)
    with dispatching(feed.engine):
        wait_until(lambda: receiver.accepted, "the first time")
        # It is not written down yet that it was sent.
        at_once = client.post(f"{path}/deliveries/{receiver.got[0].id}/redeliver")
        assert at_once.status_code == 202, at_once.text
        wait_until(lambda: len(receiver.accepted) == 2, "the second time")
        nobodys = client.post(f"{path}/deliveries/msg_{'0' * 32}/redeliver")
        assert nobodys.status_code == 404
        paused = client.patch(path, json={"status": "paused"}, headers={"If-Match": "*"})
        assert paused.json()["status"] == "paused"
        feed.tell(1)
        again = client.post(f"{path}/deliveries/{receiver.got[0].id}/redeliver")
        assert again.status_code == 202
        wait_until(lambda: len(receiver.accepted) == 3, "the third time")
        assert {got.id for got in receiver.accepted} == {receiver.got[0].id}
        tag = client.get(path).headers["etag"]
        assert client.patch(path, json={"late": True}, headers={"If-Match": tag}).is_success
        stale = client.patch(path, json={"status": "active"}, headers={"If-Match": tag})
        assert stale.status_code == 412
        client.patch(path, json={"status": "active"}, headers={"If-Match": "*"})
        wait_until(lambda: len(receiver.accepted) == 4, "what waited meanwhile")
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.get("/v1/webhooks").json() == {"webhooks": []}


def test_a_message_that_only_it_refuses_is_given_up_after_a_day(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    made = hook(receiver.url)
    clock = Clock()
    receiver.answer = lambda got: Reply(400 if got.position == 1 else 204)
    feed.tell(0, 0)
    with dispatching(feed.engine, clock=clock):
        wait_until(lambda: receiver.got, "the first try")
        clock.ahead_ms += HOUR_MS
        feed.tell(1)
        wait_until(lambda: receiver.accepted, "somebody else's")
        clock.ahead_ms += DAY_MS
        feed.tell(2)
        wait_until(lambda: len(receiver.accepted) == 3, "who waited behind it")
    page = client.get(f"/v1/webhooks/{made['id']}/deliveries?status=failed").json()
    assert [one["position"] for one in page["deliveries"]] == [1]


def test_a_name_that_leads_elsewhere_by_now_is_not_followed(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    """What was fine when it was saved is looked at again on connecting."""
    made = hook(receiver.url)
    with run_receiver() as inside:
        port = receiver.port
        for host in ("169.254.169.254", "[::ffff:10.0.0.1]", "192.168.1.1", "10.0.0.1"):
            feed.write(update(webhook).values(url=f"http://{host}:{port}/", version=9))
        feed.tell(0)
        with dispatching(feed.engine):
            path = f"/v1/webhooks/{made['id']}"
            wait_until(lambda: client.get(path).json()["failing_since"], "it to be refused")
        assert inside.got == receiver.got == []
    (one,) = client.get(f"{path}/deliveries").json()["deliveries"]
    assert one["error"].startswith("The host is inside a network that webhooks may not go to.")
