"""Without consent nothing personal is written anywhere, and everything counts.

Withdrawn, it is the same at every tracker. On SQLite with its own log, and on PostgreSQL with
Kafka.
"""

import base64
import itertools
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from kafka.admin import KafkaAdminClient
from sqlalchemy import Engine, func, select

from services.contract import tables
from services.contract.token import Unsubscribe, sign_unsubscribe
from services.runtime.database import open_database
from services.tracker.routes import ROUTES
from tests.integration import canaries
from tests.integration.canaries import CANARIES, CONTROL, DOORS, HEADERS, WAYS, Door, Way, body_of
from tests.integration.product import Product, run_distributed, run_one_more_tracker, run_up
from tests.integration.tracker_process import stored
from tests.servers.process import wait_until
from tests.servers.web import LOCAL

_MAILER = {"username": "postmark", "password": "of-the-tests-and-long-enough"}
YES = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}


def test_no_door_is_left_out() -> None:
    named = {"open": "/o/x", "click": "/c/x", "unsubscribe": "/u/x", "hook": "/hooks/x"}
    tried = [door.path.format(**named) for door in DOORS]
    for route in ROUTES:
        whole = not route.path.endswith("/")
        assert any(path == route.path if whole else path.startswith(route.path) for path in tried)


def test_on_sqlite(tmp_path: Path) -> None:
    with run_up(tmp_path) as product:
        engine = open_database(f"sqlite:///{tmp_path / 'data' / 'kentering.db'}")
        _bring_to_every_door(product, engine)
        _assert_nowhere(tmp_path)
        engine.dispose()


@pytest.fixture
def kafka_folder(empty_kafka: str) -> Path:
    admin = KafkaAdminClient(bootstrap_servers=empty_kafka)
    described = admin.describe_log_dirs()
    admin.close()
    return Path(_log_dir(described))


def _log_dir(described: object) -> str:
    if isinstance(described, dict):
        for key, value in described.items():
            if key == "log_dir":
                return str(value)
            if found := _log_dir(value):
                return found
    elif isinstance(described, list | tuple):
        for value in described:
            if found := _log_dir(value):
                return found
    elif hasattr(described, "to_dict"):
        return _log_dir(described.to_dict())
    return ""


def test_on_postgres_and_kafka(
    tmp_path: Path, postgres: str, empty_kafka: str, kafka_folder: Path
) -> None:
    with run_distributed(tmp_path, postgres, empty_kafka) as product:
        engine = open_database(postgres)
        _bring_to_every_door(product, engine)
        _assert_nowhere(tmp_path)
        _assert_nowhere(kafka_folder)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CHECKPOINT")
            folder = connection.exec_driver_sql("SHOW data_directory").scalar_one()
        _assert_nowhere(Path(folder))
        _assert_a_withdrawal_reaches_other_trackers(product, tmp_path / "second")
        engine.dispose()


def _bring_to_every_door(product: Product, engine: Engine) -> None:
    places = _places(product, engine)
    control = {
        "type": "track", "event": "read", "userId": "agreed", "context": YES,
        "properties": {"title": CONTROL},
    }  # fmt: skip
    product.collect([control])
    expected = 0
    numbers = itertools.count()
    with httpx.Client(base_url=product.tracker_url, timeout=30, **LOCAL) as client:
        for door, way in itertools.product(DOORS, WAYS):
            answer = client.send(_request(client, product, places, door, way, next(numbers)))
            assert answer.status_code < 500, (door, way, answer.text)
            if door.counts:
                assert answer.status_code in {200, 302}, (door, way, answer.text)
            expected += door.counts
    # One wish, said again within a minute from the same mail, is one; a minute may have ended.
    least = expected - (len(WAYS) - 1)
    with suppress(AssertionError):  # which would not tell how many came
        wait_until(lambda: _counted(engine) >= least, f"{least} events counted")
    assert least <= _counted(engine) <= expected
    assert product.find("user_id", "agreed") is not None
    for namespace, value in (("user_id", canaries.ID), ("anonymous_id", canaries.COOKIE)):
        assert product.find(namespace, value) is None


def _counted(engine: Engine) -> int:
    with engine.connect() as db:
        return int(db.execute(select(func.sum(tables.aggregate.c["count"]))).scalar() or 0)


def _places(product: Product, engine: Engine) -> dict[str, str]:
    made = product.post("/v1/links", {"target": "https://site.example/", "content_id": "story"})
    hook = product.post("/v1/hooks", {"esp": "postmark", "secrets": _MAILER})
    with engine.connect() as db:
        row = db.execute(select(tables.link_secret)).one()
    wish = sign_unsubscribe(
        Unsubscribe("0123456789abcdef", measure=False, message_id="mail-1"),
        row.workspace_id, row.number, bytes(row.secret),
    )  # fmt: skip
    wait_until(
        lambda: httpx.head(hook["url"], **LOCAL).status_code == 200, "the tracker to know the hook"
    )
    click = urlsplit(made["url"]).path
    return {
        "click": click,
        "open": "/o/" + click.removeprefix("/c/"),
        "unsubscribe": f"/u/{wish}",
        "hook": hook["url"],
    }


def _request(
    client: httpx.Client,
    product: Product,
    places: dict[str, str],
    door: Door,
    way: Way,
    number: int,
) -> httpx.Request:
    path = door.path.format(**places)
    query = (door.query + way.query).format(key=product.write_key) if door.query else ""
    headers = [*HEADERS.items(), *way.headers]
    content: bytes | None = door.form
    if door.body is not None:
        content = body_of(door, way, number)
        headers.append(("Authorization", f"Bearer {product.write_key}"))
    if door.form is not None:
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    url = path + ("?" + query if query else "")
    if door.raw is not None:
        content = json.dumps({**door.raw, "MessageID": f"{canaries.ID}-{number}"}).encode()
        pair = ":".join(_MAILER.values()).encode()
        headers.append(("Authorization", "Basic " + base64.b64encode(pair).decode()))
    return client.build_request(door.method, url, headers=httpx.Headers(headers), content=content)


def _assert_nowhere(folder: Path) -> None:
    """Looked through byte by byte: spool, database, write-ahead logs, segments, output."""
    hits = canaries.found_in(_files(folder), (*CANARIES, CONTROL))
    assert hits.pop(CONTROL, None), f"the search of {folder} finds nothing at all"
    assert hits == {}


def _files(folder: Path) -> Iterator[Path]:
    # Not by rglob, which fails where a server takes a folder away just then.
    found = (Path(at) / name for at, _, names in os.walk(folder) for name in names)
    return (file for file in found if file.is_file())


def _assert_a_withdrawal_reaches_other_trackers(product: Product, folder: Path) -> None:
    call = {"type": "track", "event": "read", "userId": "agreed", "context": YES}
    key = {"Authorization": f"Bearer {product.server_key}"}
    with run_one_more_tracker(folder, product) as url:
        answers: list[str] = []

        def tell(message_id: str) -> str:
            body = {"batch": [{**call, "messageId": message_id}]}
            answer = httpx.post(f"{url}/v1/batch", json=body, headers=key, **LOCAL)
            told = answer.json()["results"]
            return str(told[message_id]["status"] + ":" + (told[message_id].get("reason") or ""))

        wait_until(lambda: _try(tell, answers), "the second tracker to know the key")
        assert answers[-1] == "stored:"
        person = product.find("user_id", "agreed")
        no = {"purposes": {"measure": False}, "given_at": "2026-01-01T00:00:00Z"}
        product.post(f"/v1/persons/{person['id']}/consent", no)
        numbers = itertools.count()
        wait_until(
            lambda: tell(f"after-{next(numbers)}") == "counted:withdrawn",
            "the withdrawal to reach the second tracker",
        )
        # Only a later answer that is dated undoes it; old pages go on saying yes in vain.
        assert tell("again") == "counted:withdrawn"
        last = stored(folder)[-1]
        assert (last.identities, last.properties) == ((), {})


def _try(tell, answers: list[str]) -> bool:
    try:
        answers.append(tell("before"))
    except (KeyError, httpx.HTTPError):
        return False
    return True
