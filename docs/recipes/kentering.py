"""What the recipes have in common: Kentering's side, over its REST API.

``KENTERING_URL`` and ``KENTERING_API_KEY`` say where and who; ``KENTERING_SERVER_KEY`` is for
events. Needs httpx.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx


def api() -> httpx.Client:
    """A client of the API."""
    return httpx.Client(
        base_url=os.environ["KENTERING_URL"],
        headers={"Authorization": f"Bearer {os.environ['KENTERING_API_KEY']}"},
        timeout=60,
    )


def members(segment: str, use: str, attributes: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """The members of a segment now, of whoever agreed to the use: one export, line by line."""
    with api() as client:
        asked = {"use": use, "format": "ndjson", "attributes": list(attributes)}
        job = _answer(client.post(f"/v1/segments/{segment}/exports", json=asked))
        while job["status"] in {"waiting", "running"}:
            time.sleep(0.5)
            job = _answer(client.get(f"/v1/jobs/{job['id']}"))
        if job["status"] != "done":
            raise SystemExit(f"The export {job['status']}: {job['problem']}")
        with client.stream("GET", job["file"]["url"]) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                yield json.loads(line)


def collect(calls: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Tell events with the server key; what became of each, by its id."""
    key = os.environ["KENTERING_SERVER_KEY"]
    url = os.environ["KENTERING_URL"]
    answer = httpx.post(f"{url}/v1/batch", json={"batch": list(calls)}, auth=(key, ""), timeout=60)
    return _answer(answer)["results"]


def tell(client: httpx.Client, method: str, path: str, **more: Any) -> Any:
    """A request to any other system, tried again where it says that it is busy."""
    for pause_s in (1, 2, 4, 8, None):
        answer = client.request(method, path, **more)
        if answer.status_code not in {429, 502, 503, 504} or pause_s is None:
            break
        time.sleep(float(answer.headers.get("Retry-After", pause_s)))
    answer.raise_for_status()
    return answer.json() if answer.content else None


class HandedOver:
    """Who was handed over, kept in a file: what tells who is to be taken off again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.before: set[str] = set(json.loads(file.read_text())) if file.exists() else set()

    def keep(self, now: set[str]) -> None:
        """Remember them, readable by nobody else."""
        new = self._file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(sorted(now)))
        new.replace(self._file)


def _answer(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise SystemExit(f"{answer.request.url.path}: {answer.status_code} {answer.text}")
    return answer.json()
