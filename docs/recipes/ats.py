"""An ATS on both sides: scores out, candidates and what became of them in.

    python ats.py scores SEGMENT             writes engagementScore at Carerix, and takes it back
    python ats.py events < events.ndjson     tells Kentering what happened at the ATS
    python ats.py merged AFTER               lists for the ATS whom Kentering merged, from AFTER on

``ATS_URL``, ``ATS_USER`` and ``ATS_KEY`` say where the ATS is. Candidates are known by the
namespace ``carerix``. The api key needs persons:erase for candidates that were deleted.

``events`` waits where a line needs what an earlier one told. A line that cannot be told is left out
and said with its number and the reason; the exit code is then 1. Of a line with a mail address that
is none the rest is taken, and that is said too.
"""

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx
from kentering import (
    API_SETTINGS,
    HandedOver,
    api,
    collect,
    known,
    members,
    settings,
    tell,
    wait_until_erased,
)

NAMESPACE = "carerix"
_TYPES = {"stage": "stage_changed", "rejected": "rejected", "hired": "hired", "applied": "applied"}
_NEEDS = {"upsert": (), "merged": ("into",), "deleted": (), **dict.fromkeys(_TYPES, ("id", "at"))}
"""What a line of each kind says besides the candidate."""
_REFUSALS = (400, 404, 409, 413)
_REFUSALS_OF_EVENTS = (400, 413)
"""Answers that are about one line; any other error is about all of them."""


def score_document(score: int | None) -> bytes:
    """A candidate's score as Carerix's XML has it; None empties it."""
    employee = ET.Element("CREmployee")
    ET.SubElement(employee, "engagementScore").text = None if score is None else str(score)
    return ET.tostring(employee, encoding="utf-8", xml_declaration=True)


def scores(segment: str) -> tuple[int, int]:
    """Write how open each member is, 0 to 100, to their candidate; how many there were.

    Whoever left the segment, withdrew or was erased has no score at the ATS any more: how many.
    """
    url, user, key, *_ = settings("ATS_URL", "ATS_USER", "ATS_KEY", *API_SETTINGS)
    now = {
        candidate: round(100 * person["openness"])
        for person in members(segment, "insight")
        if person["openness"] is not None
        for candidate in json.loads(person["other_ids"] or "{}").get(NAMESPACE, [])
    }
    kept = HandedOver(Path(f"ats-{segment}.json"))
    gone = (kept.there | kept.begun) - now.keys()
    kept.keep(kept.there, kept.begun | now.keys())
    with httpx.Client(base_url=url, auth=(user, key), timeout=60) as client:
        for candidate, score in [*now.items(), *((one, None) for one in sorted(gone))]:
            path = f"/CREmployee/{quote(candidate, safe='')}"
            headers = {"Content-Type": "application/xml"}
            # 404: deleted there; the ATS tells it by its own way.
            body = score_document(score)
            tell(client, "PUT", path, refusals=(404,), content=body, headers=headers)
    kept.keep(set(now))
    return len(now), len(gone)


class _LeftOutError(Exception):
    """A line cannot be told; why."""


def take(lines: Iterable[str]) -> int:
    """Tell what happened, one after the other, in the order in which it did; how many left out."""
    left_out = 0
    with api() as client:
        desk = _Desk(client)
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                notices = desk.take(_read(line))
            except _LeftOutError as why:
                left_out += 1
                notices = [f"left out: {why}"]
            for notice in notices:
                print(f"line {number}, {notice}", file=sys.stderr)
    return left_out


def _read(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        raise _LeftOutError("this is no JSON") from None
    kind = event.get("kind") if isinstance(event, dict) else None
    if not isinstance(kind, str) or kind not in _NEEDS:
        raise _LeftOutError(f"its kind is none of {', '.join(_NEEDS)}")
    missing = [name for name in ("candidate", *_NEEDS[kind]) if event.get(name) in (None, "")]
    if missing:
        raise _LeftOutError(f"{kind} needs {' and '.join(missing)}")
    if not isinstance(event.get("properties", {}), dict):
        raise _LeftOutError("its properties are no object")
    if "at" in event and not _is_moment(event["at"]):
        raise _LeftOutError("its at is no moment: write it as 2026-11-22T09:30:00Z")
    return dict(event)


def _is_moment(told: object) -> bool:
    """Whether it can be read: an event without its time would count as happening now."""
    try:
        datetime.fromisoformat(str(told))
    except ValueError:
        return False
    return True


class _Desk:
    """Tells lines, and remembers of whom: what needs them waits until that has taken effect."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._told: dict[str, str] = {}
        """By candidate, the position of what was told last."""
        self._deleted: dict[str, str] = {}
        """By candidate, the position of their deletion."""

    def take(self, event: dict[str, Any]) -> list[str]:
        """Tell a line; what of it was not taken though the line was."""
        kind, candidate = event["kind"], str(event["candidate"])
        if kind != "deleted":
            self._wait_for_deletions(candidate, str(event.get("into")))
        if kind == "upsert":
            body = {key: event[key] for key in ("attributes", "consent", "at") if key in event}
            if event.get("email"):
                body["identities"] = [{"namespace": "email", "value": event["email"]}]
            if "consent" not in body and candidate in self._told:
                self._knows(candidate)  # what they agreed to has to be known by then
            return self._upsert(candidate, body)
        if kind == "merged":  # two candidates turned out to be one
            self._merge(candidate, str(event["into"]))
        elif kind == "deleted":  # forgotten, and nobody will be known by it
            if candidate in self._told:
                self._knows(candidate)
            # What pages alone tied to them may be somebody else's, and stays.
            body = {**_id(candidate), "by": "the ATS", "whole": False}
            self._deleted[candidate] = self._tell("POST", "/v1/erasures", body)["position"]
        else:
            self._track(candidate, event)
        return []

    def _wait_for_deletions(self, *candidates: str) -> None:
        """Else what they agreed to before would be taken, and come to nothing unsaid."""
        for candidate in candidates:
            if candidate in self._deleted:
                position = self._deleted.pop(candidate)
                wait_until_erased(self._client, NAMESPACE, candidate, position)

    def _knows(self, candidate: str) -> bool:
        """Whether Kentering knows them, with what this run told of them."""
        return known(self._client, NAMESPACE, candidate, self._told.pop(candidate, None))

    def _merge(self, candidate: str, into: str) -> None:
        knows = self._knows(candidate), self._knows(into)
        if not any(knows):
            raise _LeftOutError(f"neither {candidate} nor {into} is known")
        if all(knows):
            both = [_id(candidate), _id(into)]
            body = {"identities": both, "decision": "same_person", "reason": "merged in the ATS"}
            told = self._tell("POST", "/v1/identities/decisions", body)
            self._told[candidate] = self._told[into] = told["position"]
        else:  # the one that is known gets the other's id
            self._upsert(candidate, {"identities": [_id(into)]})
            self._told[into] = self._told[candidate]

    def _upsert(self, candidate: str, body: dict[str, Any]) -> list[str]:
        path = f"/v1/persons/{NAMESPACE}/{quote(candidate, safe='')}"
        told = self._tell("PUT", path, body)
        self._told[candidate] = told["position"]
        return [
            f"taken without {one['namespace']} {one['value']!r}: {one['detail']}"
            for one in told["left_out"]
        ]

    def _track(self, candidate: str, event: dict[str, Any]) -> None:
        call = {
            "type": "track",
            "event": _TYPES[event["kind"]],
            "messageId": f"ats-{event['id']}",
            "timestamp": event["at"],
            "properties": {**event.get("properties", {}), "channel": "ats"},
            "context": {"externalIds": [{"type": NAMESPACE, "id": candidate}]},
        }
        if "consent" in event:
            call["context"]["consent"] = event["consent"]
        told = _taken(collect([call], expected=_REFUSALS_OF_EVENTS))
        result = told["results"][call["messageId"]]
        if result["status"] != "stored":
            raise _LeftOutError(f"{result['status']}, {result['reason']}")
        self._told[candidate] = told["position"]

    def _tell(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _taken(tell(self._client, method, path, expected=_REFUSALS, json=body))


def _taken(answer: httpx.Response) -> dict[str, Any]:
    """What was answered; what is refused of a line stops no other."""
    told: dict[str, Any] = answer.json()
    if not answer.is_success:
        raise _LeftOutError(f"{answer.status_code}, {told['detail']}")
    return told


def _id(candidate: str) -> dict[str, str]:
    return {"namespace": NAMESPACE, "value": candidate}


def merged(after: int) -> int:
    """Print who is one person since then by what Kentering knows; where to go on."""
    with api() as client:
        while True:
            asked = {"after": after, "types": "identity", "limit": 1000}
            page = tell(client, "GET", "/v1/changes", params=asked).json()
            for change in page["changes"]:
                if change["reason"] == "merged":
                    person = client.get(f"/v1/persons/{change['person']}", follow_redirects=True)
                    names = person.json().get("identities", [])
                    ids = sorted(one["value"] for one in names if one["namespace"] == NAMESPACE)
                    if len(ids) > 1:
                        print(json.dumps({"candidates": ids, "at": change["valid_at"]}))
            if not page["changes"]:
                return after
            after = page["next"]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["scores", segment]:
            written, taken_back = scores(segment)
            print(f"{written} scores written, {taken_back} taken back")
        case ["events"]:
            left_out = take(sys.stdin)
            if left_out:
                sys.exit(f"{left_out} left out")
        case ["merged", number] if number.isdecimal():
            print(f"go on after {merged(int(number))}", file=sys.stderr)
        case _:
            sys.exit(__doc__)
