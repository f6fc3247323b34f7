"""Members go out as files: at any moment, and only of whoever agreed to the use."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from httpx import Client

from services.api.exports import run
from services.api.exports.run import Exporting
from services.api.in_force import InForce
from services.api.jobs.store import FILE_KEPT_MS, TURNS_MAX
from services.api.jobs.work import Worker
from services.api.wire import rfc3339
from services.contract.event import Agreement, Consent, Identity
from services.contract.phases import DAY_MS
from services.runtime.database import writing
from services.scorer.files import withdraw_files
from tests.contract.api.world import MODEL, NOW_MS, World

Export = Callable[..., tuple[Any, bytes]]
ALL_YES = Consent(measure=True, profile=True, contact=True)


@pytest.fixture
def worker(world: World) -> Worker:
    return Worker(world.engine, {"export": Exporting(InForce(world.engine, MODEL))}, lambda: NOW_MS)


@pytest.fixture
def export(client: Client, world: World, worker: Worker) -> Export:
    """Everybody with a page view; asked for, worked on, fetched."""
    rule = {"type": "events", "event": ["page"], "at_least": 1, "within_days": 30}
    client.put("/v1/segments/readers", json={"name": "Readers", "rule": rule})

    def fetch(**asked: Any) -> tuple[Any, bytes]:
        world.build()
        body = {"use": "insight", "format": "ndjson", **asked}
        made = client.post("/v1/segments/readers/exports", json=body)
        assert made.status_code == 202, made.text
        assert worker.step()
        job = client.get(f"/v1/jobs/{made.json()['id']}").json()
        assert job["status"] == "done", job
        answer = client.get(job["file"]["url"], headers={"Authorization": ""})
        assert answer.status_code == 200, answer.text
        assert len(answer.content) == job["file"]["bytes"]
        return job, answer.content

    return fetch


def reader(world: World, name: str, days_ago: float = 5, **more: Any) -> None:
    who = (Identity("user_id", name), Identity("email", f"{name}@example.org"))
    told = {"name": name, "formula": "=HYPERLINK(1)", "contract": {"hours": 36}}
    told["inside"] = "a;=1+1;b=2\n-3"
    world.score(
        [
            world.event(days_ago + 1, "identified", name, identities=who, properties=told, **more),
            world.event(days_ago, "page", name, **more),
        ]
    )


def lines(data: bytes) -> dict[str, Any]:
    found = [json.loads(line) for line in data.splitlines()]
    return {one["user_id"]: one for one in found}


def test_csv_has_no_formulas_and_spreadsheets_read_it(export: Export, world: World) -> None:
    reader(world, "anna")
    reader(world, "+31612345678")
    named = ["name", "formula", "inside", "contract", "absent", "a;=1+1"]
    _, data = export(format="csv", attributes=named)
    text = data.decode("utf-8-sig")
    assert data.startswith("\ufeff".encode())
    rows = {row["user_id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert rows["anna"]["attribute.formula"] == "'=HYPERLINK(1)"
    # A spreadsheet that goes by semicolons begins a cell inside of it.
    assert rows["anna"]["attribute.inside"] == "a;'=1+1;b=2\n'-3"
    assert rows["anna"]["attribute.contract"] == '{"hours":36}'
    assert rows["anna"]["attribute.absent"] == rows["anna"]["attribute.a;'=1+1"] == ""
    assert rows["'+31612345678"]["email"] == "'+31612345678@example.org"
    assert 0 < float(rows["anna"]["latency"]) < 1
    assert rows["anna"]["person"] == world.id_of("anna")


def test_the_job_tells_what_was_asked_and_what_may_be_a_slip(export: Export, world: World) -> None:
    reader(world, "a")
    job, _ = export(as_of="2026-11-16T00:00:00Z", attributes=["nmae", "name"])
    assert job["asked"] == {
        "segment": "readers",
        "version": 1,
        "use": "insight",
        "format": "ndjson",
        "as_of": "2026-11-16T00:00:00.000Z",
        "known_at": None,
        "attributes": ["nmae", "name"],
    }
    (warning,) = job["warnings"]
    assert (warning["attribute"], warning["meant"]) == ("nmae", "name")
    assert warning["message"].endswith("has an attribute 'nmae'. Did you mean 'name'?")


def test_parquet_is_read_by_another_tool(export: Export, world: World, tmp_path: Path) -> None:
    for name in ("anna", "ben"):
        reader(world, name)
    _, data = export(format="parquet", attributes=["name"])
    file = tmp_path / "readers.parquet"
    file.write_bytes(data)
    query = f"""
        SELECT user_id, epoch_ms(since), until IS NULL, latency + openness, "attribute.name"
        FROM '{file}' ORDER BY user_id
    """
    found = duckdb.sql(query).fetchall()
    since_ms = NOW_MS - 5 * DAY_MS
    assert [row[:2] for row in found] == [("anna", since_ms), ("ben", since_ms)]
    assert [row[4] for row in found] == ["anna", "ben"]
    assert found[0][3] == pytest.approx(1)


def test_at_any_moment(export: Export, world: World) -> None:
    reader(world, "then", 50)
    reader(world, "now", 5)
    world.score([world.event(1, "identified", "now", properties={"name": "renamed"})])
    _, now = export(attributes=["name"])
    assert lines(now).keys() == {"now"}
    assert lines(now)["now"]["attribute.name"] == "renamed"
    past = "2026-10-15T00:00:00Z"
    _, before = export(as_of=past, attributes=["name"])
    assert lines(before).keys() == {"then"}
    _, then = export(as_of="2026-11-16T00:00:00Z", attributes=["name"])
    assert lines(then)["now"]["attribute.name"] == "now"
    _, ahead = export(as_of="2026-12-25T00:00:00Z")
    assert ahead == b""


def test_before_it_was_filled_there_is_nothing_to_export(
    export: Export, client: Client, world: World
) -> None:
    def refused(**asked: Any) -> Any:
        answer = client.post("/v1/segments/readers/exports", json={"use": "insight", **asked})
        assert (answer.status_code, answer.json()["code"]) == (409, "segment_not_filled")
        return answer.json()["detail"]

    never = "Nothing was known of this segment at `known_at`: it had not been filled by then."
    assert "Ask again when `progress`" in refused()
    assert refused(known_at="2020-01-01T00:00:00Z") == never
    world.build()
    since = rfc3339(NOW_MS)
    assert refused(known_at="2020-01-01T00:00:00Z") == f"{never} Ask for {since} or later."
    assert export(known_at=since)[1] == b""


def test_only_whoever_agreed_to_the_use(export: Export, world: World) -> None:
    reader(world, "silent")
    reader(world, "mailed", consent=ALL_YES)
    given = Agreement(given_ms=NOW_MS - 5 * DAY_MS, purposes={"share": True})
    reader(world, "shared", agreement=given)
    mail = Agreement(given_ms=NOW_MS - 5 * DAY_MS, purposes={"contact_mail": True})
    reader(world, "by-mail", agreement=mail)
    reader(world, "no-more", consent=ALL_YES)
    no = Agreement(given_ms=NOW_MS - DAY_MS, purposes={"contact_mail": False})
    world.score([world.event(1, "consent_changed", "no-more", consent=Consent(), agreement=no)])
    everybody = {"silent", "mailed", "shared", "by-mail", "no-more"}
    job, insight = export()
    assert lines(insight).keys() == everybody
    job, contact = export(use="contact")
    assert lines(contact).keys() == {"mailed", "by-mail"}
    assert job["counts"] == {"written": 2, "left_out_no_consent": 3}
    _, audience = export(use="audience")
    assert lines(audience).keys() == {"shared"}
    # As consent stands now, whatever moment is asked about.
    _, then = export(use="contact", as_of="2026-11-16T00:00:00Z")
    assert lines(then).keys() == {"mailed", "by-mail"}


def test_who_withdrew_is_in_no_export(export: Export, world: World) -> None:
    reader(world, "gone")
    reader(world, "here")
    no = Consent(measure=False, profile=False)
    world.score([world.event(1, "consent_changed", "gone", consent=no)])
    _, data = export(as_of="2026-11-16T00:00:00Z")
    assert lines(data).keys() == {"here"}


def test_over_pages_everybody_once(
    export: Export, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAGE_PEOPLE", 3)
    for i in range(8):
        reader(world, f"p{i}")
    job, data = export()
    assert len(data.splitlines()) == len(lines(data)) == 8
    assert job["done"] == job["total"] == 8


def test_the_address_of_a_file_is_ours_and_ends(
    export: Export, client: Client, world: World, worker: Worker
) -> None:
    reader(world, "anna")
    job, _ = export()
    url = job["file"]["url"]
    for wrong in (
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace("expires=1", "expires=2"),
        url.replace(job["id"], "j_0000000000000000"),
        url.split("&")[0] + "&signature=é",
    ):
        assert client.get(wrong).status_code == 401, wrong
    other = {"Authorization": f"Bearer {world.workspace('Another').api_key}"}
    assert client.get(f"/v1/jobs/{job['id']}", headers=other).status_code == 404
    asked = client.post("/v1/segments/readers/exports", json={"use": "insight"}, headers=other)
    assert asked.status_code == 404
    del worker
    next_day = Worker(world.engine, {}, lambda: NOW_MS + FILE_KEPT_MS)
    next_day.step()
    assert client.get(url).status_code == 404
    assert client.get(f"/v1/jobs/{job['id']}").json()["file"] is None


def test_an_export_is_begun_anew_as_often_as_somebody_is_erased(
    export: Export, client: Client, world: World, worker: Worker
) -> None:
    reader(world, "anna")
    real = worker._runs["export"]
    left = [*range(TURNS_MAX + 2)]

    def interrupted(hold: Any) -> None:
        if left.pop():
            with writing(world.engine).begin() as db:
                withdraw_files(db, world.id)
        real(hold)

    worker._runs = {"export": interrupted}
    world.build()
    body = {"use": "insight", "format": "ndjson"}
    job = client.post("/v1/segments/readers/exports", json=body).json()
    for _ in [*left]:
        assert worker.step()
    assert left == []
    assert client.get(f"/v1/jobs/{job['id']}").json()["status"] == "done"
