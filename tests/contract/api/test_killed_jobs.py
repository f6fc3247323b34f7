"""``kentering jobs`` killed in the midst of an import and of an export, and followed by another.

Where its lease keeps the next one waiting for fifteen seconds, the lease is taken back by hand.
"""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx import Client
from sqlalchemy import func, select, update

from services.contract import tables
from services.contract.event import Event
from services.runtime.database import writing
from tests.contract.api.conftest import KEY
from tests.contract.api.world import World
from tests.servers.process import free_port, start, stop, wait_until
from tests.servers.web import LOCAL, run_app

KENTERING = Path(sys.executable).parent / "kentering"
ROWS = 700
BATCH = 500
PEOPLE = {
    "kind": "people",
    "as_of": "2026-11-01T00:00:00Z",
    "identities": {"user_id": "who"},
    "attributes": {"region": {"column": "region"}},
    "consent": {
        "purposes": {"measure": {"value": True}, "profile": {"value": True}},
        "given_at": {"value": "2026-01-01"},
        "text_version": {"value": "1"},
        "source": "the open day",
    },
}
FILE = "who,region\n" + "".join(f"p{i},Utrecht\n" for i in range(ROWS))


class Line:
    """Between the worker and the tracker: what is told goes through, and one answer stays away."""

    def __init__(self, tracker_url: str, silent: int) -> None:
        self._url, self._silent = tracker_url, silent
        self.told = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        async with httpx.AsyncClient(**LOCAL) as client:
            headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
            path = f"{self._url}{scope['path']}"
            answer = await client.post(path, content=body, headers=headers)
        self.told += 1
        if self.told == self._silent:
            await receive()  # until whoever asked is gone
            return
        kept = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
        await send({"type": "http.response.body", "body": answer.content})


class Site:
    """A worker at a time, and what it works on."""

    def __init__(self, client: Client, world: World, line: Line, url: str, log: Path) -> None:
        self.client, self.world, self.line = client, world, line
        self._log = log
        self._told = {
            "KENTERING_DATABASE_URL": world.engine.url.render_as_string(hide_password=False),
            "KENTERING_TRACKER_URL": url,
            "KENTERING_INTERNAL_KEY": KEY,
        }
        self.process: Any = None

    def work(self) -> None:
        health = ["--health-host", "127.0.0.1", "--health-port", str(free_port())]
        self.process = start([KENTERING, "jobs", *health], self._log, env=self._told)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def free(self, job: str) -> None:
        """As if the dead worker's lease were over."""
        own = tables.job.c.public_id == job
        with writing(self.world.engine).begin() as db:
            db.execute(update(tables.job).where(own).values(lease_ms=0))

    def job(self, job: str) -> Any:
        return self.client.get(f"/v1/jobs/{job}").json()

    def done(self, job: str) -> Any:
        wait_until(lambda: self.job(job)["status"] not in {"waiting", "running"}, "the job")
        found = self.job(job)
        assert found["status"] == "done", found
        return found

    def import_(self) -> str:
        job: str = self.client.post("/v1/imports", json=PEOPLE).json()["id"]
        assert self.client.put(f"/v1/imports/{job}/file", content=FILE).status_code == 202
        return job

    def export(self) -> str:
        moment = "2026-11-10T00:00:00Z"
        asked = {"use": "insight", "format": "ndjson", "as_of": moment, "attributes": ["region"]}
        made = self.client.post("/v1/segments/here/exports", json=asked)
        assert made.status_code == 202, made.text
        job: str = made.json()["id"]
        return job

    def kill_midway(self, job: str) -> None:
        """Once something of it is written down; it writes nothing while we look."""
        own = tables.job.c.public_id == job
        while True:
            with writing(self.world.engine).begin() as db:
                db.execute(update(tables.job).where(own).values(problem=None))
                row = db.execute(select(tables.job).where(own)).one()
                assert row.status in {"waiting", "running"}
                if row.done:
                    self.kill()
                    return
            time.sleep(0.002)


@pytest.fixture
def site(
    api: tuple[Client, Callable[[], list[Event]]],
    door: tuple[str, Callable[[], list[Event]]],
    world: World,
    tmp_path: Path,
) -> Iterator[Site]:
    line = Line(door[0], silent=2)
    with run_app(line, lifespan="off") as url:
        site = Site(api[0], world, line, url, tmp_path / "jobs.log")
        yield site
        if site.process is not None:
            stop(site.process, signal.SIGTERM, 10)


def test_a_killed_worker_is_followed_by_another(
    site: Site, world: World, api: tuple[Client, Callable[[], list[Event]]]
) -> None:
    client, arrive = api
    rule = {"type": "attribute", "name": "region", "op": "is", "value": "Utrecht"}
    client.put("/v1/segments/here", json={"name": "Here", "rule": rule})
    world.build()
    job = site.import_()
    site.work()
    wait_until(lambda: site.line.told == 2, "all rows to be told", process=site.process)
    site.kill()  # the tracker has the second batch, and the job does not know
    killed = site.job(job)
    assert (killed["status"], killed["done"], killed["counts"]["told"]) == ("running", BATCH, BATCH)
    site.free(job)
    site.work()
    wait_until(lambda: site.line.told == 3, "the rest to be told again", process=site.process)
    arrived: list[Event] = []
    while len(arrived) < ROWS + ROWS - BATCH:
        arrived += arrive()
    assert len({event.event_id for event in arrived}) == ROWS
    imported = site.done(job)
    assert (imported["done"], imported["errors"]) == (ROWS, 0)
    counts = imported["counts"]
    assert counts["told"] + counts["repeated"] == counts["can_be_scored"] == ROWS
    with world.engine.connect() as db:
        stored = select(func.count()).select_from(tables.event)
        assert db.execute(stored).scalar_one() == ROWS
    exported = site.export()
    site.kill_midway(exported)
    site.free(exported)
    site.work()
    files = [client.get(site.done(one)["file"]["url"]).content for one in (exported, site.export())]
    assert files[0] == files[1]
    found = [json.loads(line) for line in files[0].splitlines()]
    assert {one["user_id"] for one in found} == {f"p{i}" for i in range(ROWS)}
    assert len(found) == ROWS
