"""The recipe for an ATS: scores out and taken back, candidates in, merged and deleted."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from httpx import Client

from services.contract.event import Event
from tests.contract.api.kitchen import Kitchen, Receiver

Api = tuple[Client, Callable[[], list[Event]]]
Door = tuple[str, Callable[[], list[Event]]]
AGREED = {
    "purposes": {"measure": True, "profile": True},
    "given_at": "2026-03-01T00:00:00Z",
    "text_version": "form 2",
}
AT = "2026-11-01T00:00:00Z"
AGREED_THERE = {
    "candidate": "C-1",
    "at": AT,
    "consent": {"categoryPreferences": {"measure": True, "profile": True}},
}


@pytest.fixture
def database_url(sqlite: str) -> str:
    """One database is enough: nothing of the recipes knows which it is."""
    return sqlite


class Ats:
    """What an ATS tells, and what of it can be read afterwards."""

    def __init__(self, kitchen: Kitchen, api: Api, door: Door) -> None:
        self.kitchen, self.client, self.arrive = kitchen, *api
        self._tracker = {
            "KENTERING_TRACKER_URL": door[0],
            "KENTERING_SERVER_KEY": kitchen.world.made.server_key,
        }

    def tells(self, *events: Any) -> None:
        """While a scorer takes what arrives."""
        lines = (one if isinstance(one, str) else json.dumps(one) for one in events)
        told = "\n".join(lines)
        with ThreadPoolExecutor(1) as other:
            running = other.submit(self.kitchen.run, "ats.py", "events", told=told, **self._tracker)
            while not running.done():
                self.arrive()
                wait([running], timeout=0.1)
        self.arrive()
        running.result()

    def knows(self, candidate: str) -> Any:
        query = {"namespace": "carerix", "value": candidate}
        return self.client.get("/v1/persons/lookup", params=query).json()


@pytest.fixture
def ats(kitchen: Kitchen, api: Api, door: Door) -> Ats:
    return Ats(kitchen, api, door)


def candidate(name: str) -> dict[str, Any]:
    told = {"kind": "upsert", "candidate": name, "email": f"{name}@example.org".lower()}
    return {**told, "at": AT, "attributes": {"region": "Delft"}, "consent": AGREED}


def test_an_ats_gets_scores_and_loses_them(kitchen: Kitchen, receiver: Receiver, ats: Ats) -> None:
    kitchen.person("anna")
    assert kitchen.run("ats.py", "scores", "readers") == "1 scores written, 0 taken back\n"
    ((method, path, headers, body),) = receiver.got
    assert (method, path) == ("PUT", "/CREmployee/C-anna")
    assert headers["content-type"] == "application/xml"
    text = body.decode()
    assert text.startswith("<?xml version='1.0' encoding='utf-8'?>\n<CREmployee><engagementScore>")
    assert 0 <= int(text.split("engagementScore>")[1].rstrip("</")) <= 100
    receiver.got.clear()
    ats.tells({"kind": "deleted", "candidate": "C-anna"})
    receiver.refusals = {"/CREmployee/C-anna": 404}  # deleted there as well
    assert kitchen.run("ats.py", "scores", "readers") == "0 scores written, 1 taken back\n"
    ((method, path, _, body),) = receiver.got
    assert (method, path) == ("PUT", "/CREmployee/C-anna")
    assert body.endswith(b"<CREmployee><engagementScore /></CREmployee>")
    assert kitchen.run("ats.py", "scores", "readers") == "0 scores written, 0 taken back\n"


def test_an_ats_tells_what_happened(ats: Ats) -> None:
    silent = {"kind": "upsert", "candidate": "C-0", "attributes": {"region": "Delft"}}
    with pytest.raises(SystemExit, match=r"^1 left out$"):  # who agreed to nothing stops nobody
        ats.tells(silent, candidate("C-1"))
    assert ats.knows("C-0")["code"] == "not_found"
    ats.tells(
        *(
            {"kind": kind, "id": number, **AGREED_THERE}
            for number, kind in enumerate(("applied", "stage", "rejected", "hired"))
        )
    )
    known = ats.knows("C-1")
    assert known["attributes"] == {"region": "Delft"}
    timeline = ats.client.get(f"/v1/persons/{known['id']}/timeline").json()["events"]
    types = sorted(one["type"] for one in timeline)
    assert types == ["applied", "hired", "identified", "rejected", "stage_changed"]


def test_a_line_that_says_nothing_stops_nobody(
    ats: Ats, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^5 left out$"):
        ats.tells(
            "{broken",
            ["C-1"],
            {"kind": "renamed", "candidate": "C-1"},
            {"kind": "stage", "candidate": "C-1", "at": AT},
            {"kind": "merged", "candidate": "C-1", "into": None},
            candidate("C-1"),
        )
    kinds = "upsert, merged, deleted, stage, rejected, hired, applied"
    assert capsys.readouterr().err.splitlines() == [
        "line 1, left out: this is no JSON",
        f"line 2, left out: its kind is none of {kinds}",
        f"line 3, left out: its kind is none of {kinds}",
        "line 4, left out: stage needs id",
        "line 5, left out: merged needs into",
    ]
    assert ats.knows("C-1")["attributes"] == {"region": "Delft"}


def test_a_mail_address_that_is_none_is_said(ats: Ats, capsys: pytest.CaptureFixture[str]) -> None:
    ats.tells({**candidate("C-1"), "email": "no mail"})
    address = "This is no mail address: write it as anna@example.org."
    said = f"line 1, taken without email 'no mail': {address}\n"
    assert capsys.readouterr().err == said
    assert ats.knows("C-1")["attributes"] == {"region": "Delft"}


def test_what_the_tracker_refuses_stops_nobody(
    ats: Ats, capsys: pytest.CaptureFixture[str]
) -> None:
    large = {"kind": "stage", "id": 1, **AGREED_THERE, "properties": {"stage": "x" * 5_000_000}}
    odd = {"kind": "stage", "id": 2, **AGREED_THERE, "properties": ["interview"]}
    undated = {"kind": "hired", "id": 4, **AGREED_THERE, "at": "gisteren"}
    hired = {"kind": "hired", "id": 3, **AGREED_THERE}
    with pytest.raises(SystemExit, match=r"^3 left out$"):
        ats.tells(large, odd, undated, hired, candidate("C-2"))
    assert capsys.readouterr().err.splitlines() == [
        "line 1, left out: 413, At most 4 MiB per request, after decompression.",
        "line 2, left out: its properties are no object",
        "line 3, left out: its at is no moment: write it as 2026-11-22T09:30:00Z",
    ]
    assert ats.knows("C-1")["id"] != ats.knows("C-2")["id"]


def test_a_line_waits_for_what_it_needs(ats: Ats) -> None:
    later = {"kind": "upsert", "candidate": "C-3", "at": "2026-11-02T00:00:00Z"}
    later |= {"attributes": {"grade": "senior"}}
    ats.tells(
        candidate("C-1"),
        {"kind": "merged", "candidate": "C-1", "into": "C-2"},
        {"kind": "merged", "candidate": "C-2", "into": "C-4"},
        candidate("C-3"),
        later,
        candidate("C-5"),
        {"kind": "deleted", "candidate": "C-5"},
    )
    assert ats.knows("C-4")["id"] == ats.knows("C-2")["id"] == ats.knows("C-1")["id"]
    assert ats.knows("C-3")["attributes"] == {"region": "Delft", "grade": "senior"}
    mail = {"namespace": "email", "value": "c-5@example.org"}
    assert ats.client.get("/v1/persons/lookup", params=mail).status_code == 404


def test_candidates_are_merged_both_ways(ats: Ats, capsys: pytest.CaptureFixture[str]) -> None:
    ats.tells(candidate("C-1"), candidate("C-2"), candidate("C-5"))
    with pytest.raises(SystemExit, match=r"^1 left out$"):
        ats.tells(
            {"kind": "merged", "candidate": "C-1", "into": "C-2"},
            # Into somebody who is not known here, and of two whom nobody knows.
            {"kind": "merged", "candidate": "C-5", "into": "C-6"},
            {"kind": "merged", "candidate": "C-7", "into": "C-8"},
        )
    said = capsys.readouterr().err
    assert said == "line 3, left out: neither C-7 nor C-8 is known\n"
    assert ats.knows("C-1")["id"] == ats.knows("C-2")["id"]
    assert ats.knows("C-6")["id"] == ats.knows("C-5")["id"]
    # What Kentering found to be one, the ATS is told.
    found = [json.loads(line) for line in ats.kitchen.run("ats.py", "merged", "0").splitlines()]
    assert [one["candidates"] for one in found] == [["C-1", "C-2"]]


def test_a_deleted_candidate_is_forgotten(ats: Ats) -> None:
    ats.tells(candidate("C-1"))
    known = ats.knows("C-1")["id"]
    ats.tells({"kind": "deleted", "candidate": "C-1"}, {"kind": "deleted", "candidate": "C-9"})
    for name in ("C-1", "C-9"):
        assert ats.knows(name)["code"] == "not_found"
        asked = {"namespace": "carerix", "value": name}
        erased = ats.client.get("/v1/erasures/lookup", params=asked).json()
        assert erased["reason"] == "erased"
    assert ats.client.get(f"/v1/persons/{known}").status_code == 404
    mail = {"namespace": "email", "value": "c-1@example.org"}
    assert ats.client.get("/v1/persons/lookup", params=mail).status_code == 404


def test_who_is_deleted_comes_back_by_a_later_consent_alone(
    ats: Ats, capsys: pytest.CaptureFixture[str]
) -> None:
    ats.tells(candidate("C-1"))
    with pytest.raises(SystemExit, match=r"^1 left out$"):
        ats.tells({"kind": "deleted", "candidate": "C-1"}, candidate("C-1"), candidate("C-2"))
    said = capsys.readouterr().err
    assert said.startswith("line 2, left out: 409, They took consent back, or were erased, after")
    assert ats.knows("C-1")["code"] == "not_found"
    assert ats.knows("C-2")["attributes"] == {"region": "Delft"}
