"""One journey, four ways to run Kentering: the same numbers, bit for bit."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.product import PATIENCE_S, Product, run_distributed, run_up
from tests.servers.process import wait_until
from tests.servers.web import LOCAL

AGREED = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
MOMENTS = (
    "2026-01-20T12:00:00Z",
    "2026-02-17T12:00:00Z",
    "2026-03-10T20:00:00.000Z",
    "2026-03-12T08:00:00Z",
    "2026-09-01T00:00:00Z",
)
"""Before most of it, on the way, right after, and long after."""

# (moment, call, properties): by its cookie first, then by name, over several channels.
STORY = {"content_id": "story-vol-net", "content_type": "story"}
VACANCY = {"content_id": "vacancy-noord", "content_type": "vacancy"}
MAIL = {"campaign_id": "nieuwsbrief-1"}
JOURNEY: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("2026-01-05T19:02:11.250Z", "page", STORY),
    ("2026-01-12T07:30:00Z", "identify", {}),
    ("2026-01-19T07:00:00Z", "Email Sent", MAIL),
    ("2026-01-19T17:44:03.007Z", "Email Opened", MAIL),
    ("2026-01-19T17:44:41.900Z", "Email Link Clicked", {**MAIL, **STORY, "click_id": "k-1"}),
    ("2026-01-19T17:44:42.650Z", "page", {**STORY, "click_id": "k-1"}),
    ("2026-02-02T07:00:00Z", "Email Sent", {"campaign_id": "nieuwsbrief-2"}),
    ("2026-02-16T20:15:00Z", "play", {"content_id": "podcast-1", "channel": "podcast"}),
    ("2026-03-01T21:10:00Z", "vacancy_viewed", VACANCY),
    ("2026-03-01T21:12:30Z", "vacancy_viewed", VACANCY),
    ("2026-03-04T20:40:00Z", "click", {**VACANCY, "channel": "website"}),
    ("2026-03-07T22:05:00Z", "vacancy_viewed", {**VACANCY, "content_id": "vacancy-west"}),
    ("2026-03-09T19:00:00Z", "application_started", VACANCY),
    ("2026-03-10T19:30:00Z", "applied", VACANCY),
)
COOKIE = "cookie-of-anna"
EMAIL = "anna@post.example"


def _call(number: int, moment: str, name: str, properties: dict[str, Any]) -> dict[str, Any]:
    call = {
        "messageId": f"journey-{number}",
        "timestamp": moment,
        "context": AGREED,
        "anonymousId": COOKIE,
    }
    if name == "identify":
        traits = {"email": EMAIL, "region": "Noord", "profession": "monteur"}
        return call | {"type": "identify", "userId": "anna", "traits": traits}
    if name == "page":
        return call | {"type": "page", "properties": properties}
    if name.startswith("Email"):
        del call["anonymousId"]
        call["userId"] = "anna"
    return call | {"type": "track", "event": name, "properties": properties}


CALLS = [_call(number, *told) for number, told in enumerate(JOURNEY)]


def _numbers_of(product: Product) -> dict[str, Any]:
    """What REST says of the person, without the ids that are random in every database."""
    # Late, twice, and out of order: the answer must not depend on how events came.
    for part in (CALLS[8:], CALLS[:9], CALLS[4:6]):
        product.collect(part)
    person = product.await_events("user_id", "anna", len(CALLS))
    path = f"/v1/persons/{person['id']}"
    # Links are folded after the events that made them; wait until both are one person.
    wait_until(
        lambda: product.find("anonymous_id", COOKIE)["id"] == person["id"],
        "the cookie to belong to the person",
        timeout_s=PATIENCE_S,
    )
    said: dict[str, Any] = {"phases": product.get(f"{path}/phases")}
    for moment in MOMENTS:
        then = product.get(path, as_of=moment)
        said[f"person {moment}"] = {k: v for k, v in then.items() if k != "id"}
        why = product.get(f"{path}/explain", at=moment)
        said[f"explain {moment}"] = {k: v for k, v in why.items() if k != "person"}
    return said


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """By spool and SQLite, with which the others are compared."""
    with run_up(tmp_path_factory.mktemp("embedded")) as product:
        return _numbers_of(product)


def test_the_journey_goes_from_see_to_do(embedded: dict[str, Any]) -> None:
    phases = [stretch["phase"] for stretch in embedded["phases"]["phases"]]
    assert phases[0] == "see"
    assert "do" in phases
    latest = embedded[f"explain {MOMENTS[3]}"]
    for signal in ("active", "turning"):
        total = latest[signal]["prior"] + sum(c[signal] for c in latest["contributions"])
        assert total == pytest.approx(latest[signal]["score"], abs=1e-9)


def test_spool_and_postgres(embedded: dict[str, Any], tmp_path: Path, postgres: str) -> None:
    with run_up(tmp_path, postgres) as product:
        # The folder has no database: the setting leads to it.
        assert "workspace create NAME\n" in (tmp_path / "up.log").read_text()
        assert _numbers_of(product) == embedded
        metrics = httpx.get(f"{product.tracker_url}/metrics", **LOCAL).text.splitlines()
    # Each by the process that knows it: a count of events says so of the scorer.
    assert 'kentering_webhooks{status="active"} 0.0' in metrics
    (events,) = (line for line in metrics if line.startswith("kentering_scorer_events_total "))
    assert float(events.split()[1]) >= len(CALLS)


def test_kafka_and_postgres(
    embedded: dict[str, Any], tmp_path: Path, postgres: str, empty_kafka: str
) -> None:
    with run_distributed(tmp_path, postgres, empty_kafka) as product:
        assert _numbers_of(product) == embedded


def test_kafka_and_sqlite(
    embedded: dict[str, Any], tmp_path: Path, sqlite: str, empty_kafka: str
) -> None:
    with run_distributed(tmp_path, sqlite, empty_kafka) as product:
        assert _numbers_of(product) == embedded
