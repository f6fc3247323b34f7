"""``kentering import``: bring a file in, and watch it go in."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import httpx

from services.cli.progress import progress
from services.runtime.clock import now_ms

_PART_BYTES = 2**18
_PAUSE_S = 0.5
_ERRORS_SHOWN = 20
_OPEN = {"awaiting_file", "waiting", "running"}


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--as",
    "asked",
    required=True,
    type=click.File(),
    help="What the file is and which column means what: JSON, as POST /v1/imports takes it.",
)
@click.option("--url", default="http://localhost:8000", show_default=True, help="Of the API.")
@click.option("--key", required=True, envvar="KENTERING_API_KEY", help="An api key.")
@click.option("--dry-run", is_flag=True, help="Check every row, and tell nothing.")
def command(file: Path, asked: Any, url: str, key: str, *, dry_run: bool) -> None:
    """Import FILE, CSV or NDJSON, and show what is wrong with its rows.

    Ends with exit code 1 where a row was wrong. Interrupted, the import goes on by itself once
    the file is there; the same command again changes nothing.
    """
    try:
        body = json.load(asked)
    except ValueError as error:
        raise click.ClickException(f"{asked.name} is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise click.ClickException(f"{asked.name} is no JSON object")
    if body.get("kind") == "people":
        body.setdefault("as_of", _modified(file))
    if dry_run:
        body["dry_run"] = True
    with httpx.Client(base_url=url, auth=(key, ""), timeout=60) as client:
        try:
            job = _begin(client, file, body)
            job = _watch(client, job)
            _tell(client, job)
        except httpx.TransportError as error:
            raise click.ClickException(f"{url}: {error}") from None
    if job["errors"] or job["status"] != "done":
        raise click.exceptions.Exit(1)


def _modified(file: Path) -> str:
    """When a file was last written, as RFC 3339."""
    at_s = min(file.stat().st_mtime, now_ms() / 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def _begin(client: httpx.Client, file: Path, body: dict[str, Any]) -> Any:
    job = _answer(client.post("/v1/imports", json=body))
    with progress() as bar:
        task = bar.add_task("sending", total=file.stat().st_size)

        def parts() -> Iterator[bytes]:
            with file.open("rb") as opened:
                while part := opened.read(_PART_BYTES):
                    yield part
                    bar.advance(task, len(part))

        headers = {"Content-Type": "application/octet-stream"}
        return _answer(
            client.put(f"/v1/imports/{job['id']}/file", content=parts(), headers=headers)
        )


def _watch(client: httpx.Client, job: Any) -> Any:
    with progress() as bar:
        task = bar.add_task("importing", total=None)
        while job["status"] in _OPEN:
            time.sleep(_PAUSE_S)
            job = _answer(client.get(f"/v1/jobs/{job['id']}"))
            bar.update(task, completed=job["done"], total=job["total"])
    return job


def _tell(client: httpx.Client, job: Any) -> None:
    if job["problem"]:
        print(job["problem"])
    for name, number in sorted(job["counts"].items()):
        print(f"{number:>9,}  {name.replace('_', ' ')}")
    print(f"{job['errors']:>9,}  rows with errors")
    shown = _answer(client.get(f"/v1/jobs/{job['id']}/errors", params={"limit": _ERRORS_SHOWN}))
    for error in shown["errors"]:
        place = f"row {error['row']}" + (f", {error['column']}" if error["column"] else "")
        print(f"  {place}: {error['message']}")
    if shown["next"]:
        print(f"  and more: GET /v1/jobs/{job['id']}/errors")


def _answer(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json()
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = answer.text[:200]
    raise click.ClickException(f"{answer.status_code}: {detail}")
