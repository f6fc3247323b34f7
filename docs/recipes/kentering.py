"""What the recipes have in common: Kentering's side, over its REST API.

``KENTERING_URL`` and ``KENTERING_API_KEY`` say where and who. Events need ``KENTERING_SERVER_KEY``,
and ``KENTERING_TRACKER_URL`` where the tracker has another address than the API. Needs httpx.
"""

import json
import os
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

PATIENCE_S = 60.0
"""So long what was told is waited for."""
TRACKERS_HEAR_S = 3.0
"""By then every tracker has heard who was erased."""
API_SETTINGS = ("KENTERING_URL", "KENTERING_API_KEY")


def settings(*names: str) -> list[str]:
    """What the environment says of these; the end of the recipe where one is missing."""
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        asked = f"This needs the settings {', '.join(names)} in the environment."
        raise SystemExit(f"{asked} Missing: {', '.join(missing)}.")
    return [os.environ[name] for name in names]


def api() -> httpx.Client:
    """A client of the API."""
    url, key = settings(*API_SETTINGS)
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)


def members(segment: str, use: str, attributes: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """The members of a segment now, of whoever agreed to the use: one export, line by line."""
    with api() as client:
        asked = {"use": use, "format": "ndjson", "attributes": list(attributes)}
        job = _answer(client.post(f"/v1/segments/{segment}/exports", json=asked)).json()
        while job["status"] in {"waiting", "running"}:
            time.sleep(0.2)
            job = _answer(client.get(f"/v1/jobs/{job['id']}")).json()
        if job["file"] is None:  # it failed, or somebody in it was erased just now
            raise SystemExit(f"The export {job['status']}: {job['problem']}")
        with client.stream("GET", job["file"]["url"]) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                yield json.loads(line)


def collect(calls: Sequence[dict[str, Any]], expected: Sequence[int] = ()) -> httpx.Response:
    """Tell the tracker events: ``results`` of each by its id, and the ``position``."""
    url, key = settings("KENTERING_URL", "KENTERING_SERVER_KEY")
    url = os.environ.get("KENTERING_TRACKER_URL") or url
    with httpx.Client(base_url=url, auth=(key, ""), timeout=60) as tracker:
        return tell(tracker, "POST", "/v1/batch", expected=expected, json={"batch": list(calls)})


def known(client: httpx.Client, namespace: str, value: str, position: str | None = None) -> bool:
    """Whether Kentering knows somebody by an identity.

    What was told takes effect a moment later; with the ``position`` of it that is waited for.
    """
    asked = {"namespace": namespace, "value": value, **({"after": position} if position else {})}
    give_up_s = time.monotonic() + PATIENCE_S
    while True:
        found = tell(client, "GET", "/v1/persons/lookup", expected=(404,), params=asked)
        if found.is_success or position is None or time.monotonic() > give_up_s:
            return found.is_success
        time.sleep(0.5)


def wait_until_erased(client: httpx.Client, namespace: str, value: str, position: str) -> None:
    """Let an erasure take effect: from then on a consent from before it is refused."""
    asked = {"namespace": namespace, "value": value, "after": position}
    give_up_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_s:
        told = tell(client, "GET", "/v1/erasures/lookup", params=asked).json()
        if told["erased_at"] and not told["renewed_at"]:
            break
        time.sleep(0.5)
    time.sleep(TRACKERS_HEAR_S)


def tell(
    client: httpx.Client,
    method: str,
    path: str,
    refusals: Sequence[int] = (),
    expected: Sequence[int] = (),
    **more: Any,
) -> httpx.Response:
    """A request to any system, tried again where it says that it is busy.

    ``refusals`` are answers that mean this one thing alone: said, and left to the caller; those
    ``expected`` are left to the caller unsaid. Any other error ends the recipe; run it again.
    """
    for pause_s in (1, 2, 4, 8, None):
        answer = client.request(method, path, **more)
        if answer.status_code not in {429, 502, 503, 504} or pause_s is None:
            break
        wait_s = answer.headers.get("Retry-After", "")  # or a date, which is not worth reading
        time.sleep(float(wait_s) if wait_s.isdecimal() else pause_s)
    if answer.status_code in refusals:
        print(f"{answer.status_code} for {method} {path}", file=sys.stderr)
    elif answer.status_code not in expected:
        _answer(answer)
    return answer


class HandedOver:
    """Who was handed over, kept in a file: what tells who is to be taken off again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        kept = json.loads(file.read_text()) if file.exists() else {"there": [], "begun": []}
        self.there: set[str] = set(kept["there"])
        self.begun: set[str] = set(kept["begun"])
        """Who may be there too: the last run was cut off."""

    def keep(self, there: Collection[str], begun: Collection[str] = ()) -> None:
        """Remember them, readable by nobody else."""
        new = self._file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps({"there": sorted(there), "begun": sorted(begun)}))
        new.replace(self._file)


def _answer(answer: httpx.Response) -> httpx.Response:
    """The same, or the end of the recipe, which says why."""
    if not answer.is_success:
        raise SystemExit(f"{answer.request.url}: {answer.status_code} {answer.text[:1000]}")
    return answer
