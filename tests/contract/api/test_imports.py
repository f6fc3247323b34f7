"""Files come in: odd ones and broken ones, twice, in parts, and only of people who agreed."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from httpx import Client

from services.api.door import Door
from services.api.imports import run
from services.api.imports.run import Importing
from services.api.jobs.store import LEASE_MS, TURNS_MAX
from services.api.jobs.work import Worker
from services.contract.event import Event
from services.contract.phases import DAY_MS
from tests.contract.api.conftest import KEY
from tests.contract.api.world import NOW_MS, World

Arrive = Callable[[], list[Event]]
AS_OF = "2026-11-14T00:00:00Z"
PEOPLE: dict[str, Any] = {
    "kind": "people",
    "as_of": AS_OF,
    "identities": {"email": "E-mail", "user_id": "Nummer"},
    "attributes": {"region": {"column": "Regio"}, "years": {"column": "Jaren", "type": "number"}},
    "dialect": {"dates": "day_first", "decimal": ","},
    "consent": {
        "purposes": {"measure": {"column": "Volgen"}, "profile": {"value": True}},
        "given_at": {"column": "Sinds"},
        "text_version": {"value": "privacy 3"},
        "source": "the open day",
    },
}
FILE = (
    "E-mail;Nummer;Regio;Jaren;Volgen;Sinds\r\n"
    'Anna@Example.org;="0612";Utrecht;"3,5";ja;01-02-2026\r\n'
    'ben@example.org;0613;"\'s-Gravenhage; aan\r\nzee";1.200;ja;1-3-2026 9:05\r\n'
    ";;;;;\r\n\r\n"
    "carla@example.org;0614;Delft;;nee;01-02-2026\r\n"
)


class Files:
    """Brings files in, and works on them as the process beside the API does."""

    def __init__(self, client: Client, arrive: Arrive, worker: Worker) -> None:
        self.client, self.arrive, self.worker = client, arrive, worker

    def begin(self, asked: dict[str, Any], file: str | bytes) -> str:
        made = self.client.post("/v1/imports", json=asked)
        assert made.status_code == 201, made.text
        job: str = made.json()["id"]
        assert made.headers["Location"] == f"/v1/jobs/{job}"
        data = file.encode() if isinstance(file, str) else file
        put = self.client.put(f"/v1/imports/{job}/file", content=data)
        assert put.status_code == 202, put.text
        assert put.json()["status"] == "waiting"
        return job

    def job(self, job: str) -> Any:
        return self.client.get(f"/v1/jobs/{job}").json()

    def bring(self, asked: dict[str, Any], file: str | bytes) -> Any:
        job = self.begin(asked, file)
        assert self.worker.step()
        self.arrive()
        return self.job(job)

    def errors(self, job: Any) -> list[tuple[int, str | None, str]]:
        found = self.client.get(f"/v1/jobs/{job['id']}/errors").json()["errors"]
        return [(one["row"], one["column"], one["code"]) for one in found]

    def person(self, value: str, namespace: str = "email") -> Any:
        query = {"namespace": namespace, "value": value}
        return self.client.get("/v1/persons/lookup", params=query).json()


@pytest.fixture
def files(world: World, door: tuple[str, Arrive], api: tuple[Client, Arrive]) -> Files:
    importing = Importing(Door(door[0], KEY), settled=lambda _hold, _ids: None)
    return Files(*api, Worker(world.engine, {"import": importing}, lambda: NOW_MS))


def test_people_come_in_with_what_they_agreed_to(files: Files) -> None:
    job = files.bring(PEOPLE, "\ufeff" + FILE)
    assert job["status"] == "done"
    assert (job["done"], job["total"], job["progress"]) == (3, 3, 1.0)
    assert job["counts"] == {
        "told": 2,
        "repeated": 0,
        "can_be_scored": 2,
        "not_followed_no_consent": 1,
    }
    assert job["errors"] == 0
    assert files.errors(job) == [(6, None, "no_consent")]
    anna = files.person("anna@example.org")
    assert anna["attributes"] == {"region": "Utrecht", "years": 3.5}
    assert {one["value"] for one in anna["identities"]} == {"anna@example.org", "0612"}
    ben = files.person("0613", "user_id")
    assert ben["attributes"] == {"region": "'s-Gravenhage; aan\r\nzee", "years": 1200}
    said = files.client.get(f"/v1/persons/{anna['id']}/consent").json()["now"]["measure"]
    assert said["granted"]
    assert said["answered"]
    assert said["said_at"] == "2026-02-01T00:00:00.000Z"
    assert said["text_version"] == "privacy 3"
    assert said["asked_where"] == PEOPLE["consent"]["source"]
    assert files.person("carla@example.org")["code"] == "not_found"


def test_the_same_file_twice_changes_nothing(files: Files) -> None:
    files.bring(PEOPLE, FILE)
    before = files.person("anna@example.org")
    again = files.bring(PEOPLE, FILE)
    assert again["counts"]["repeated"] == 2
    assert "told" not in again["counts"]
    assert files.person("anna@example.org") == before


def test_a_later_file_changes_what_it_says_and_an_older_one_does_not(files: Files) -> None:
    files.bring(PEOPLE, FILE)
    files.bring({**PEOPLE, "as_of": "2026-11-15T00:00:00Z"}, FILE.replace("Utrecht", "Zwolle"))
    files.bring({**PEOPLE, "as_of": "2026-11-13T00:00:00Z"}, FILE.replace("Utrecht", "Breda"))
    assert files.person("anna@example.org")["attributes"]["region"] == "Zwolle"
    # And back again, as the file of another day says it.
    files.bring({**PEOPLE, "as_of": "2026-11-16T00:00:00Z"}, FILE)
    assert files.person("anna@example.org")["attributes"]["region"] == "Utrecht"


def test_a_no_with_its_date_is_an_answer_of_who_is_known(files: Files) -> None:
    files.bring(PEOPLE, FILE)
    rows = (
        "anna@example.org;;Zwolle;3;nee;10-02-2026\n"  # dated: she takes it back
        "ben@example.org;;;;nee;\n"  # since when, nobody says
        "dirk@example.org;;;;nee;10-02-2026\n"  # nobody knows him
        "eva@example.org;;;;;\n"
    )
    job = files.bring({**PEOPLE, "as_of": "2026-11-15T00:00:00Z"}, HEADER + rows)
    assert job["errors"] == 0
    assert job["counts"] == {
        "told": 1,
        "repeated": 0,
        "refusals": 1,
        "not_followed_no_consent": 3,
    }
    found = files.client.get(f"/v1/jobs/{job['id']}/errors").json()["errors"]
    assert sorted((one["row"], one["level"]) for one in found) == [
        (row, "notice") for row in (3, 4, 5)
    ]
    anna = files.person("anna@example.org")
    assert anna["attributes"] == {}
    said = files.client.get(f"/v1/persons/{anna['id']}/consent").json()["now"]["measure"]
    assert (said["granted"], said["answered"]) == (False, True)
    assert said["said_at"] == "2026-02-10T00:00:00.000Z"
    assert files.person("ben@example.org")["attributes"]["region"].startswith("'s")
    assert files.person("dirk@example.org")["code"] == "not_found"
    again = files.bring({**PEOPLE, "as_of": "2026-11-16T00:00:00Z"}, HEADER + rows)
    assert (again["counts"]["repeated"], again["counts"]["refusals"]) == (1, 1)


def test_who_says_yes_and_further_on_no_has_said_no(
    files: Files, world: World, door: tuple[str, Arrive], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the yes was told, and is not folded when the no is read."""
    monkeypatch.setattr(run, "BATCH_ROWS", 1)
    importing = Importing(Door(door[0], KEY), settled=lambda _hold, _ids: note(files.arrive()))
    files.worker = Worker(world.engine, {"import": importing}, lambda: NOW_MS)
    note = list[list[Event]]().append
    rows = (
        "guy@example.org;;;;nee;01-03-2026\n"
        "fay@example.org;;;;ja;01-02-2026\n"
        "fay@example.org;;;;nee;01-03-2026\n"
    )
    job = files.begin(PEOPLE, HEADER + rows)
    assert files.worker.step()
    told = files.job(job)
    assert (told["counts"]["refusals"], told["counts"]["not_followed_no_consent"]) == (1, 1)
    assert (told["errors"], files.errors(told)) == (0, [(2, None, "no_consent")])
    fay = files.person("fay@example.org")
    now = files.client.get(f"/v1/persons/{fay['id']}/consent").json()["now"]["measure"]
    assert (now["granted"], now["said_at"]) == (False, "2026-03-01T00:00:00.000Z")
    assert files.person("guy@example.org")["code"] == "not_found"


def test_of_a_wrong_row_all_is_told_and_what_can_be_is_taken(files: Files) -> None:
    rows = (
        "anna@example.org;1;Utrecht;veel;ja;01-02-2026\n"
        "ben;4,7E+11;Delft;veel;ja;soon\n"
        "carla@example.org;3;Delft;2;misschien;soon\n"
    )
    job = files.bring({**PEOPLE, "file_name": "people.csv"}, HEADER + rows)
    assert files.errors(job) == [
        (2, "Jaren", "not_a_number"),
        (3, "E-mail", "not_an_address"),
        (3, "Nummer", "shortened"),
        (3, "Sinds", "not_a_date"),
        (3, "Jaren", "not_a_number"),
        (4, "Volgen", "not_yes_or_no"),
        (4, "Sinds", "not_a_date"),
    ]
    assert (job["errors"], job["counts"]["told"]) == (3, 1)
    assert files.person("anna@example.org")["attributes"] == {"region": "Utrecht"}
    listed = files.client.get("/v1/jobs").json()["jobs"][0]
    assert (listed["file_name"], listed["dry_run"], listed["errors"]) == ("people.csv", False, 3)


def test_a_dry_run_tells_nothing(files: Files) -> None:
    job = files.begin({**PEOPLE, "dry_run": True}, FILE)
    assert files.worker.step()
    assert files.job(job)["counts"]["would_be_told"] == 2
    assert files.arrive() == []
    assert files.errors(files.job(job)) == [(6, None, "no_consent")]


def test_what_happened_before_consent_is_refused(files: Files) -> None:
    files.bring(PEOPLE, FILE)
    asked = {
        "kind": "events",
        "identities": {"user_id": "who"},
        "type": {"column": "what"},
        "at": {"column": "when"},
        "properties": {"content_id": {"column": "story"}},
    }
    rows = (
        "who,what,when,story\n"
        "0612,Article Read,2026-01-31,nachtdienst\n"
        "0612,Article Read,2026-05-01T10:00:00+02:00,nachtdienst\n"
        "0612,Article Read,2026-05-01T10:00:00+02:00,nachtdienst\n"
        "0699,Article Read,2026-05-01,nachtdienst\n"
        "0612,Article Read,2026-13-01,nachtdienst\n"
        "0612,Article Reed,2026-05-02,nachtdienst\n"
    )
    job = files.bring(asked, rows)
    assert files.errors(job) == [
        (2, None, "before_consent"),
        (5, None, "unknown_person"),
        (6, "when", "not_a_date"),
        (7, None, "doubt_misspelt_name"),
    ]
    assert job["counts"] == {"told": 2, "repeated": 1, "not_followed_before_consent": 1}
    assert job["errors"] == 2
    anna = files.person("0612", "user_id")
    events = files.client.get(f"/v1/persons/{anna['id']}/timeline").json()["events"]
    assert [one["type"] for one in events] == ["identified", "custom", "read"]
    assert events[-1]["at"] == "2026-05-01T08:00:00.000Z"


def test_sends_are_opportunities_of_a_mailing(files: Files) -> None:
    files.bring(PEOPLE, FILE)
    asked = {
        "kind": "sends",
        "format": "ndjson",
        "identities": {"email": "to"},
        "at": {"column": "sent"},
        "mailing": {"value": "2026-05"},
    }
    rows = (
        '{"to": "ANNA@example.org", "sent": "2026-05-04T09:00:00Z"}\n'
        "\n"
        "not json\n"
        '{"to": "ben@example.org", "sent": "2026-05-04"}\n'
        '{"to": ["x"], "sent": "2026-05-04"}'
    )
    job = files.bring(asked, rows)
    assert files.errors(job) == [(3, None, "not_json"), (5, "to", "not_text")]
    assert job["counts"] == {"told": 2, "repeated": 0}
    anna = files.person("anna@example.org")
    events = files.client.get(f"/v1/persons/{anna['id']}/timeline").json()["events"]
    assert [(one["type"], one["channel"]) for one in events][-1] == ("sent", "email")


def test_who_took_consent_back_is_not_followed_by_an_old_file(files: Files, world: World) -> None:
    files.bring(PEOPLE, FILE)
    no = {"namespace": "email", "value": "anna@example.org", "purposes": {"measure": False}}
    files.client.post("/v1/consent", json={**no, "given_at": "2026-11-15T00:00:00Z"})
    files.arrive()
    del world
    job = files.bring({**PEOPLE, "as_of": "2026-11-16T00:00:00Z"}, FILE)
    person = files.person("anna@example.org")
    assert person["attributes"] == {}
    assert not person["consent"]["measure"]
    assert job["status"] == "done"


HEADER = "E-mail;Nummer;Regio;Jaren;Volgen;Sinds\n"
GOOD = "anna@example.org;1;Utrecht;3;ja;01-02-2026\n"


def test_a_job_that_always_ends_its_worker_is_given_up(files: Files, world: World) -> None:
    job = files.begin(PEOPLE, FILE)
    at_ms = NOW_MS

    def dies(_hold: Any) -> None:
        raise KeyError

    worker = Worker(world.engine, {"import": dies}, lambda: at_ms)
    for _ in range(TURNS_MAX):
        with pytest.raises(KeyError):
            worker.step()
        at_ms += LEASE_MS
    assert not worker.step()
    assert files.job(job)["status"] == "failed"


def test_a_cancelled_job_ends_at_its_workers_next_word(files: Files, world: World) -> None:
    job = files.begin(PEOPLE, HEADER + GOOD)
    real = files.worker._runs["import"]

    def cancelled(hold: Any) -> None:
        assert files.client.post(f"/v1/jobs/{job}/cancel").json()["status"] == "cancelled"
        real(hold)

    assert Worker(world.engine, {"import": cancelled}, lambda: NOW_MS).step()
    assert files.job(job)["status"] == "cancelled"
    assert files.arrive() == []
    assert not files.worker.step()


def test_two_workers_do_one_job_once(files: Files, world: World) -> None:
    job = files.begin(PEOPLE, HEADER + GOOD)
    real, runs = files.worker._runs["import"], []

    def counted(hold: Any) -> None:
        runs.append(hold.row.turn)
        real(hold)

    workers = [Worker(world.engine, {"import": counted}, lambda: NOW_MS) for _ in range(4)]
    threads = [threading.Thread(target=worker.step) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs == [1]
    assert files.job(job)["status"] == "done"


def test_a_file_is_given_once_and_in_time(files: Files, world: World) -> None:
    job = files.begin(PEOPLE, FILE)
    again = files.client.put(f"/v1/imports/{job}/file", content=b"x")
    assert (again.status_code, again.json()["code"]) == (409, "no_file_awaited")
    files.worker.step()
    made = files.client.post("/v1/imports", json=PEOPLE).json()["id"]
    empty = files.client.put(f"/v1/imports/{made}/file", content=b"")
    assert empty.json()["code"] == "empty_file"
    next_day = Worker(world.engine, {}, lambda: NOW_MS + DAY_MS)
    assert not next_day.step()
    assert files.job(made)["status"] == "cancelled"


def test_open_jobs_are_bounded_and_listed(files: Files) -> None:
    made = [files.client.post("/v1/imports", json=PEOPLE) for _ in range(21)]
    assert [one.status_code for one in made] == [201] * 20 + [429]
    first = files.client.get("/v1/jobs", params={"limit": 15}).json()
    rest = files.client.get("/v1/jobs", params={"limit": 15, "cursor": first["next"]}).json()
    ids = [one["id"] for one in first["jobs"] + rest["jobs"]]
    assert ids == [one.json()["id"] for one in made[19::-1]]


def test_a_request_sent_twice_makes_one_job(files: Files) -> None:
    headers = {"Idempotency-Key": "once"}
    one = files.client.post("/v1/imports", json=PEOPLE, headers=headers).json()
    assert files.client.post("/v1/imports", json=PEOPLE, headers=headers).json() == one
    other = files.client.post("/v1/imports", json={**PEOPLE, "dry_run": True}, headers=headers)
    assert other.status_code == 409


def test_people_without_consent_cannot_even_be_asked_for(files: Files) -> None:
    for asked in (
        {name: value for name, value in PEOPLE.items() if name != "consent"},
        {**PEOPLE, "consent": {**PEOPLE["consent"], "purposes": {"profile": {"value": True}}}},
        {**PEOPLE, "as_of": "2099-01-01T00:00:00Z"},
    ):
        assert files.client.post("/v1/imports", json=asked).status_code == 400


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"value": 5}, ".value: give one text, true or false"),
        ({"value": ""}, ".value: a text has 1 to 200 characters"),
        ({"column": 5}, ".column: Input should be a valid string"),
        ({"value": "1", "more": 1}, " has no field 'more'. There is: value."),
        ({"column": "A", "value": "1"}, ": give an object with either `column` or `value`"),
        ({}, ": give an object with either `column` or `value`"),
        (5, ": give an object with either `column` or `value`"),
    ],
)
def test_a_wrong_source_is_told_as_what_it_was_meant_to_be(
    client: Client, source: object, said: str
) -> None:
    consent = {**PEOPLE["consent"], "text_version": source}
    answer = client.post("/v1/imports", json={**PEOPLE, "consent": consent})
    assert answer.json()["detail"] == f"body.consent.text_version{said}"


def test_jobs_of_another_workspace_are_not_there(files: Files, world: World) -> None:
    job = files.begin(PEOPLE, FILE)
    other = {"Authorization": f"Bearer {world.workspace('Another').api_key}"}
    for method, path in (
        ("GET", f"/v1/jobs/{job}"),
        ("GET", f"/v1/jobs/{job}/errors"),
        ("POST", f"/v1/jobs/{job}/cancel"),
        ("PUT", f"/v1/imports/{job}/file"),
    ):
        assert files.client.request(method, path, headers=other).status_code == 404
    assert files.client.get("/v1/jobs", headers=other).json()["jobs"] == []
