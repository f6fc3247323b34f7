"""``kentering import``: what it says, how it ends, and what becomes of it when it is cut off."""

import csv
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from httpx import Client

from services.api.app import create_app
from services.api.door import Door
from services.api.imports.run import Importing
from services.api.jobs import work
from services.api.jobs.work import Worker
from services.cli import import_file
from services.cli.main import main
from services.contract.event import Event
from tests.contract.api.conftest import KEY
from tests.contract.api.test_imports import FILE, PEOPLE
from tests.contract.api.world import NOW_MS, World
from tests.servers.process import free_port, start, wait_until
from tests.servers.web import LOCAL, run_app

KENTERING = Path(sys.executable).parent / "kentering"
GOOD = "".join(FILE.splitlines(keepends=True)[:4])
BAD_ROWS = 45


@pytest.fixture
def database_url(sqlite: str) -> str:
    """One database is enough: the command speaks HTTP, and the jobs are tested on both."""
    return sqlite


class Line:
    """Between the command and the API: says "busy" instead of the API as often as it is told to."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.busy: dict[str, int] = {}
        """By method, the answers still to be withheld."""
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        method = scope.get("method", "")
        self.asked.append(method)
        if self.busy.get(method, 0) > 0:
            self.busy[method] -= 1
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b"busy"})
            return
        await self.app(scope, receive, send)


class Desk:
    """Somebody who calls the command."""

    def __init__(self, url: str, line: Line, world: World, folder: Path, worker: Worker) -> None:
        self.url, self.line, self.world, self.folder, self.worker = url, line, world, folder, worker
        self.file, self.asked = folder / "people.csv", folder / "people.json"
        self.write(FILE)
        self.ask(PEOPLE)

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def ask(self, body: Any) -> None:
        self.asked.write_text(json.dumps(body))

    def words(self, *more: str, key: str | None = None) -> list[str]:
        with_key = ["--url", self.url, "--key", key or self.world.made.api_key]
        return ["import", str(self.file), "--as", str(self.asked), *with_key, *more]

    def call(self, *more: str, key: str | None = None) -> Result:
        return CliRunner().invoke(main, self.words(*more, key=key))

    def jobs(self) -> list[Any]:
        headers = {"Authorization": f"Bearer {self.world.made.api_key}"}
        with Client(base_url=self.url, headers=headers, **LOCAL) as client:
            found: list[Any] = client.get("/v1/jobs").json()["jobs"]
            return found


@pytest.fixture
def desk(
    world: World,
    door: tuple[str, Callable[[], list[Event]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    monkeypatch.setattr(import_file, "_PAUSE_S", 0.01)
    monkeypatch.setattr(work, "PAUSE_S", 0.02)
    importing = Importing(Door(door[0], KEY), settled=lambda _hold, _ids: None)
    worker = Worker(world.engine, {"import": importing}, lambda: NOW_MS)
    line = Line(create_app(world.engine, KEY, "http://track.test", lambda: NOW_MS))
    with run_app(line, lifespan="off") as url:
        yield Desk(url, line, world, tmp_path, worker)


@pytest.fixture
def working(desk: Desk) -> Iterator[None]:
    """``kentering jobs``, as a thread."""
    thread = threading.Thread(target=desk.worker.run)
    thread.start()
    yield
    desk.worker.stop()
    thread.join()


@pytest.mark.usefixtures("working")
def test_it_shows_how_far_it_is_and_what_was_wrong(
    desk: Desk, door: tuple[str, Callable[[], list[Event]]]
) -> None:
    dry = desk.call("--dry-run")
    assert dry.exit_code == 0
    assert "        2  would be told\n" in dry.stdout
    found = desk.call()
    assert found.exit_code == 0, found.output
    assert "        2  told\n" in found.stdout
    assert "        0  rows with errors\n  row 6 (notice): This person says no" in found.stdout
    assert "sending" in found.stderr
    assert "importing" in found.stderr
    assert "3/3" in found.stderr
    assert len(door[1]()) == 2
    assert [job["file_name"] for job in desk.jobs()] == ["people.csv"] * 2
    again = desk.call()
    assert again.exit_code == 0
    assert "        2  repeated\n" in again.stdout
    desk.write(GOOD.replace("3,5", "many"))
    assert desk.call().exit_code == 1


@pytest.mark.usefixtures("working")
def test_all_errors_go_into_a_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_file, "_ERRORS_PAGE", 20)
    header, row = FILE.splitlines(keepends=True)[:2]
    desk.write(header + row.replace("01-02-2026", "soon") * BAD_ROWS)
    found = desk.call()
    assert found.exit_code == 1
    assert found.stdout.count("row ") == 20
    assert "and more: call it with --errors FILE" in found.stdout
    file = desk.folder / "errors.csv"
    found = desk.call("--errors", str(file))
    assert f"       {BAD_ROWS}  lines in {file}\n" in found.stdout
    with file.open() as opened:
        rows = list(csv.DictReader(opened))
    assert [int(one["row"]) for one in rows] == [*range(2, BAD_ROWS + 2)]
    assert {(one["column"], one["code"]) for one in rows} == {("Sinds", "not_a_date")}
    assert rows[0]["message"] == "Write dates as 22-11-2026, also with a time behind them."


@pytest.mark.usefixtures("working")
def test_how_it_ends_says_what_is_to_be_done(desk: Desk) -> None:
    assert desk.call("--nonsense").exit_code == 2
    wrong_key = desk.call(key="ka_0000000000000000")
    assert (wrong_key.exit_code, wrong_key.stderr[:10]) == (2, "Error: 401")
    unmapped = {name: value for name, value in PEOPLE.items() if name != "consent"}
    for body, said in (([], "is no JSON object"), (unmapped, "400: ")):
        desk.ask(body)
        refused = desk.call()
        assert refused.exit_code == 2
        assert said in refused.stderr
    desk.asked.write_text("{")
    assert desk.call().exit_code == 2
    assert desk.jobs() == []
    desk.ask({**PEOPLE, "identities": {"email": "Mail"}})
    failed = desk.call()
    assert failed.exit_code == 3
    assert "There is no column 'Mail'" in failed.stdout
    desk.url = f"http://127.0.0.1:{free_port()}"
    away = desk.call()
    assert away.exit_code == 4
    assert "--url" in away.stderr


def test_it_says_that_it_was_cancelled(desk: Desk) -> None:
    def cancel() -> None:
        there = ["waiting"]  # for a worker, and there is none
        wait_until(lambda: [one["status"] for one in desk.jobs()] == there, "the import")
        headers = {"Authorization": f"Bearer {desk.world.made.api_key}"}
        with Client(base_url=desk.url, headers=headers, **LOCAL) as client:
            client.post(f"/v1/jobs/{desk.jobs()[0]['id']}/cancel")

    with ThreadPoolExecutor(1) as other:
        other.submit(cancel)
        found = desk.call()
    assert found.exit_code == 3
    assert "The import was cancelled." in found.stdout


@pytest.mark.usefixtures("working")
def test_an_api_that_is_away_for_a_while_is_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(GOOD)
    desk.line.busy = {"PUT": 2, "GET": 3}
    assert desk.call().exit_code == 0
    assert desk.line.asked.count("PUT") == 3
    monkeypatch.setattr(import_file, "PATIENCE_S", 0)
    desk.write(FILE)
    desk.line.busy = {"GET": 1}
    away = desk.call()
    assert away.exit_code == 4
    assert "busy. The same command goes on with this import." in away.stderr


def test_killed_the_same_command_goes_on_with_the_same_import(desk: Desk) -> None:
    desk.write(GOOD)
    log, asked = desk.folder / "import.log", desk.line.asked
    for status, busy in (("awaiting_file", 1_000_000), ("waiting", 0)):
        desk.line.busy = {"PUT": busy}
        sent = asked.count("PUT")
        process = start([KENTERING, *desk.words()], log)
        wait_until(lambda sent=sent: asked.count("PUT") > sent, "the file", process=process)
        wait_until(lambda status=status: desk.jobs()[0]["status"] == status, "the job")
        process.send_signal(signal.SIGKILL)
        process.wait()
    looked = asked.count("GET")

    def work() -> None:
        wait_until(lambda: asked.count("GET") > looked, "the command to look at the job")
        desk.worker.run()

    thread = threading.Thread(target=work)
    thread.start()
    found = desk.call()
    desk.worker.stop()
    thread.join()
    assert found.exit_code == 0, found.output
    (job,) = desk.jobs()
    assert f"{job['id']} was begun before, and goes on." in found.stderr
    assert job["counts"]["told"] == 2
