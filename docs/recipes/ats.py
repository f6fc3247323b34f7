"""An ATS on both sides: scores out, candidates and what became of them in.

    python ats.py scores SEGMENT             writes engagementScore at Carerix, and takes it back
    python ats.py events < events.ndjson     tells Kentering what happened at the ATS
    python ats.py merged AFTER               lists for the ATS whom Kentering merged, from AFTER on

``ATS_URL``, ``ATS_USER`` and ``ATS_KEY`` say where the ATS is. Candidates are known by the
namespace ``carerix``. The api key needs persons:erase for candidates that were deleted.
"""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx
from kentering import HandedOver, api, collect, members, tell

NAMESPACE = "carerix"
_TYPES = {"stage": "stage_changed", "rejected": "rejected", "hired": "hired", "applied": "applied"}


def score_document(score: int | None) -> bytes:
    """A candidate's score as Carerix's XML has it; None empties it."""
    employee = ET.Element("CREmployee")
    ET.SubElement(employee, "engagementScore").text = None if score is None else str(score)
    return ET.tostring(employee, encoding="utf-8", xml_declaration=True)


def scores(segment: str) -> tuple[int, int]:
    """Write how open each member is, 0 to 100, to their candidate; how many there were.

    Whoever left the segment, withdrew or was erased has no score at the ATS any more: how many.
    """
    now = {
        candidate: round(100 * person["openness"])
        for person in members(segment, "insight")
        if person["openness"] is not None
        for candidate in json.loads(person["other_ids"] or "{}").get(NAMESPACE, [])
    }
    kept = HandedOver(Path(f"ats-{segment}.json"))
    gone = (kept.there | kept.begun) - now.keys()
    kept.keep(kept.there, kept.begun | now.keys())
    auth = (os.environ["ATS_USER"], os.environ["ATS_KEY"])
    with httpx.Client(base_url=os.environ["ATS_URL"], auth=auth, timeout=60) as client:
        for candidate, score in [*now.items(), *((one, None) for one in sorted(gone))]:
            path = f"/CREmployee/{quote(candidate, safe='')}"
            headers = {"Content-Type": "application/xml"}
            # 404: deleted there; the ATS tells it by its own way.
            body = score_document(score)
            tell(client, "PUT", path, refusals=(404,), content=body, headers=headers)
    kept.keep(set(now))
    return len(now), len(gone)


def take(events: Iterable[dict[str, Any]]) -> None:
    """Tell Kentering what happened, one after the other, in the order in which it did."""
    with api() as client:
        for event in events:
            _take(client, event)


def _take(client: httpx.Client, event: dict[str, Any]) -> None:
    kind, candidate = event["kind"], str(event["candidate"])
    who = {"namespace": NAMESPACE, "value": candidate}
    if kind == "upsert":
        body = {key: event[key] for key in ("attributes", "consent", "at") if key in event}
        if event.get("email"):
            body["identities"] = [{"namespace": "email", "value": event["email"]}]
        _upsert(client, candidate, body)
    elif kind == "merged":  # two candidates turned out to be one
        into = {"namespace": NAMESPACE, "value": str(event["into"])}
        body = {"identities": [who, into], "decision": "same_person", "reason": "merged in the ATS"}
        path = "/v1/identities/decisions"
        if not tell(client, "POST", path, refusals=(404,), json=body).is_success:
            # One of the two is not known here: the known one gets the other's id.
            _upsert(client, candidate, {"identities": [into]})
    elif kind == "deleted":  # forgotten, and nobody will be known by it
        # What pages alone tied to them may be somebody else's, and stays.
        body = {**who, "by": "the ATS", "whole": False}
        tell(client, "POST", "/v1/erasures", json=body)
    else:
        call = {
            "type": "track",
            "event": _TYPES[kind],
            "messageId": f"ats-{event['id']}",
            "timestamp": event["at"],
            "properties": {**event.get("properties", {}), "channel": "ats"},
            "context": {"externalIds": [{"type": NAMESPACE, "id": candidate}]},
        }
        if "consent" in event:
            call["context"]["consent"] = event["consent"]
        result = collect([call])[call["messageId"]]
        if result["status"] != "stored":
            print(f"{call['messageId']}: {result['status']}, {result['reason']}", file=sys.stderr)


def _upsert(client: httpx.Client, candidate: str, body: dict[str, Any]) -> None:
    """Of somebody without consent nothing is kept: 409."""
    path = f"/v1/persons/{NAMESPACE}/{quote(candidate, safe='')}"
    tell(client, "PUT", path, refusals=(409,), json=body)


def merged(after: int) -> int:
    """Print who is one person since then by what Kentering knows; where to go on."""
    with api() as client:
        while True:
            asked = {"after": after, "types": "identity", "limit": 1000}
            page = tell(client, "GET", "/v1/changes", params=asked).json()
            for change in page["changes"]:
                if change["reason"] == "merged":
                    known = client.get(f"/v1/persons/{change['person']}", follow_redirects=True)
                    names = known.json().get("identities", [])
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
            take(json.loads(line) for line in sys.stdin if line.strip())
        case ["merged", number]:
            print(f"go on after {merged(int(number))}", file=sys.stderr)
        case _:
            sys.exit(__doc__)
