"""Who is handed over reaches the tool that it is meant for, as a Standard Webhook."""

from httpx import Client

from tests.contract.dispatch.conftest import Hook
from tests.contract.dispatch.feed import Feed, dispatching
from tests.servers.process import wait_until
from tests.servers.receiver import Receiver


def test_a_trigger_tells_its_own_webhook_or_all(
    feed: Feed, hook: Hook, receiver: Receiver, client: Client
) -> None:
    mailer = hook(f"{receiver.url}/mailer", types=["trigger"])
    hook(f"{receiver.url}/ats", types=["trigger"])
    hook(f"{receiver.url}/other", types=["phase"])

    def made(**more: object) -> str:
        answer = client.post("/v1/triggers", json={"name": "T", "phase": "think", **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    for_mailer, for_all = made(webhook_id=mailer["id"]), made()
    for trigger in (for_mailer, for_all):
        feed.tell(0, kind="trigger", key=trigger, before=None, after="hackathon")
    client.delete(f"/v1/triggers/{for_mailer}")
    with dispatching(feed.engine):
        wait_until(lambda: len(receiver.accepted) >= 3, "the messages")
    got = {(g.path.rpartition("/")[2], g.message["data"]["trigger"]) for g in receiver.accepted}
    assert got == {("mailer", for_mailer), ("mailer", for_all), ("ats", for_all)}
    message = receiver.accepted[0].message
    assert message["type"] == "trigger.fired"
    assert (message["data"]["person"], message["data"]["content"]) == ("p_10", "hackathon")
    assert message["data"]["after"] is None
