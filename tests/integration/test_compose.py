"""docker-compose.yml works: its commands and settings, a hit all the way to a segment's member."""

import re
import signal
from dataclasses import replace
from pathlib import Path

from tests.integration.product import PATIENCE_S, Product, with_workspace
from tests.servers.compose import kafka_properties, run_compose
from tests.servers.process import wait_until

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
SECOND_TRACKER = re.compile(r"In Docker Compose[^`]*```yaml\n(.*?)```", re.DOTALL)
# What a user writes into .env; `tracker:8000` becomes where that is on this machine.
ENV = {
    "POSTGRES_PASSWORD": "a-password",
    "KENTERING_INTERNAL_KEY": "an-internal-key",
    "KENTERING_PUBLIC_URL": "http://tracker:8000",
}
APPLIED = {
    "type": "track",
    "event": "applied",
    "messageId": "compose-1",
    "userId": "anna",
    "context": {"consent": {"categoryPreferences": {"measure": True, "profile": True}}},
}


def test_a_hit_becomes_a_member_and_a_change(tmp_path: Path) -> None:
    more = SECOND_TRACKER.search((ROOT / "docs" / "running.md").read_text())
    assert more, "how to have a second tracker"
    with run_compose(FILE, ENV, tmp_path, more[1]) as composition:
        api, tracker = (f"http://{composition.address(name, 8000)}" for name in ("api", "tracker"))
        product = with_workspace(api, tracker, composition.environment("api"))
        _follow_one_hit(product)
        second = replace(product, tracker_url=f"http://{composition.address('tracker-b', 8000)}")
        second.collect([{**APPLIED, "messageId": "compose-2", "userId": "ben"}])
        product.await_events("user_id", "ben", 1)
        statuses = composition.stop()
    trackers = {"tracker-0", "relay-0", "tracker-b-0", "relay-b-0"}
    assert statuses.keys() == {"api-0", "dispatch-0", "jobs-0", "scorer-0", "scorer-1"} | trackers
    # The web server, done with its requests, ends by the signal that it was sent.
    assert set(statuses.values()) <= {0, -signal.SIGTERM}, statuses


def _follow_one_hit(product: Product) -> None:
    rule = {"type": "phase", "any_of": ["do"]}
    product.post("/v1/segments", {"key": "in-do", "name": "In Do", "rule": rule})
    wait_until(
        lambda: product.get("/v1/segments/in-do/count")["status"] == "live",
        "the segment to be built",
        timeout_s=PATIENCE_S,
    )
    product.collect([APPLIED])
    person = product.await_events("user_id", "anna", 1)
    members = product.get("/v1/segments/in-do/members")["members"]
    assert [member["person"] for member in members] == [person["id"]]
    changes = product.get("/v1/changes")["changes"]
    assert ("phase", "do") in {(change["type"], change["after"]) for change in changes}
    assert "in-do" in {change["segment"] for change in changes}


def test_properties_are_made_as_the_image_makes_them() -> None:
    environment = {"KAFKA_LOG_DIRS": "/x", "KAFKA_A__B___C": "1", "KAFKA_OPTS": "-D", "OTHER": "2"}
    assert kafka_properties(environment) == {"log.dirs": "/x", "a_b-c": "1"}
