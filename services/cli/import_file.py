"""``kentering import``: bring a file in, and watch it go in."""

import csv
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import click
import httpx

from services.cli.away import away
from services.cli.progress import progress
from services.contract.file_name import shown_name
from services.runtime.clock import now_ms

ROWS_WRONG, FAILED, AWAY, INTERRUPTED = 1, 3, 4, 130
"""Exit codes; 2 is click's own, for a command that was called wrongly."""
PATIENCE_S = 60.0
"""So long an API that does not answer is waited for, once an import was begun."""
_PART_BYTES = 2**18
_PAUSE_S, _PAUSE_S_MAX = 0.5, 8.0
_HINT_AFTER_S = 20.0
_ERRORS_SHOWN, _ERRORS_PAGE = 20, 200
_OPEN = {"awaiting_file", "waiting", "running"}
_BUSY = {429, 502, 503, 504}


class _WrongError(click.ClickException):
    """The API takes no such import, or not from us."""

    exit_code = 2


class _AwayError(click.ClickException):
    """The API does not answer, or takes nothing now."""

    exit_code = AWAY


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--as",
    "asked",
    required=True,
    type=click.File(encoding="utf-8"),
    help="What the file is and which column means what: JSON, as POST /v1/imports takes it.",
)
@click.option("--url", default="http://localhost:8000", show_default=True, help="Of the API.")
@click.option("--key", required=True, envvar="KENTERING_API_KEY", help="An api key.")
@click.option("--dry-run", is_flag=True, help="Check every row, and tell nothing.")
@click.option(
    "--errors",
    "errors_to",
    type=click.File("w", encoding="utf-8", lazy=False),
    help="Write all that is wrong with which row, or odd, into this file, as CSV.",
)
def command(
    file: Path, asked: TextIO, url: str, key: str, *, dry_run: bool, errors_to: TextIO | None
) -> None:
    """Import FILE, CSV or NDJSON, and show what is wrong with its rows.

    Interrupted or killed, the same command goes on with the same import; once it is done, the
    same file again changes nothing.

    Ends with exit code 0 where all rows are fine; 1 where some were wrong; 2 where the command, the
    key or the request is wrong; 3 where the import failed as a whole or was cancelled; 4 where the
    API is away: try again later.
    """
    body = _body(asked, file, dry_run=dry_run)
    with httpx.Client(base_url=url, auth=(key, ""), timeout=60) as client:
        try:
            job = _watch(client, _sent(client, file, _begun(client, file, body)))
            _tell(client, job, errors_to)
        except KeyboardInterrupt:
            click.echo("\nInterrupted. The same command goes on with this import.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
    if job["status"] != "done":
        raise click.exceptions.Exit(FAILED)
    if job["errors"]:
        raise click.exceptions.Exit(ROWS_WRONG)


def _body(asked: TextIO, file: Path, *, dry_run: bool) -> dict[str, Any]:
    try:
        body = json.load(asked)
    except ValueError as error:
        raise _WrongError(f"{asked.name} is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise _WrongError(f"{asked.name} is no JSON object")
    body.setdefault("file_name", shown_name(file.name))
    if body.get("kind") == "people":
        body.setdefault("as_of", _modified(file))
    return {**body, "dry_run": True} if dry_run else body


def _modified(file: Path) -> str:
    """When a file was last written, as RFC 3339."""
    at_s = min(file.stat().st_mtime, now_ms() / 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def _begun(client: httpx.Client, file: Path, body: dict[str, Any]) -> Any:
    """The job: the one that an earlier call began and that is still open, or a new one.

    Its name is made of the file and of what is asked, and of the ended jobs that had these before.
    """
    digest = hashlib.sha256(json.dumps(body).encode())
    with file.open("rb") as opened:
        while part := opened.read(_PART_BYTES):
            digest.update(part)
    name = digest.hexdigest()
    while True:
        headers = {"Idempotency-Key": name}
        try:
            job = _read(client.post("/v1/imports", json=body, headers=headers))
        except httpx.TransportError as error:
            raise _AwayError(away(str(client.base_url), error)) from None
        if job["status"] in _OPEN:
            return job
        name = hashlib.sha256(f"{name} {job['id']}".encode()).hexdigest()


def _sent(client: httpx.Client, file: Path, job: Any) -> Any:
    """The job, once its file is there."""
    if job["status"] != "awaiting_file":
        click.echo(f"{job['id']} was begun before, and goes on.", err=True)
        return job
    with progress() as bar:
        task = bar.add_task("sending", total=file.stat().st_size)

        def parts() -> Iterator[bytes]:
            bar.reset(task)
            with file.open("rb") as opened:
                while part := opened.read(_PART_BYTES):
                    yield part
                    bar.advance(task, len(part))

        headers = {"Content-Type": "application/octet-stream"}
        path = f"/v1/imports/{job['id']}/file"
        answer = _patiently(lambda: client.put(path, content=parts(), headers=headers))
    if answer.status_code == httpx.codes.CONFLICT:  # it had arrived, and only the answer had not
        job = _job(client, job)
        if job["status"] != "awaiting_file":
            return job
    return _read(answer)


def _watch(client: httpx.Client, job: Any) -> Any:
    hint_s = time.monotonic() + _HINT_AFTER_S
    with progress() as bar:
        task = bar.add_task("importing", total=None)
        while True:
            bar.update(task, completed=job["done"], total=job["total"])
            if job["status"] not in _OPEN:
                return job
            if job["status"] == "waiting" and time.monotonic() > hint_s:
                hint_s = math.inf
                bar.console.print("It waits for a worker: does `kentering jobs` run?")
            time.sleep(_PAUSE_S)
            job = _job(client, job)


def _tell(client: httpx.Client, job: Any, errors_to: TextIO | None) -> None:
    if job["problem"]:
        print(job["problem"])
    if job["status"] == "cancelled":
        print("The import was cancelled. What it told by then is told.")
    for name, number in sorted(job["counts"].items()):
        print(f"{number:>9,}  {name.replace('_', ' ')}")
    print(f"{job['errors']:>9,}  rows with errors")
    found = _errors(client, job)
    if errors_to is None:
        _show(job, found)
        return
    columns = ("row", "column", "level", "code", "message")
    rows = [[one[name] for name in columns] for one in found]
    writer = csv.writer(errors_to)
    writer.writerow(columns)
    writer.writerows(rows)
    print(f"{len(rows):>9,}  lines in {errors_to.name}")


def _show(job: Any, errors: Iterator[Any]) -> None:
    for number, error in enumerate(errors):
        if number == _ERRORS_SHOWN:
            print(f"  and more: call it with --errors FILE, or GET /v1/jobs/{job['id']}/errors")
            return
        place = f"row {error['row']}" + (f", {error['column']}" if error["column"] else "")
        kind = " (notice)" if error["level"] == "notice" else ""
        print(f"  {place}{kind}: {error['message']}")


def _errors(client: httpx.Client, job: Any) -> Iterator[Any]:
    """What was wrong with rows, page after page, as many as are kept."""
    path = f"/v1/jobs/{job['id']}/errors"
    asked: dict[str, Any] = {"limit": _ERRORS_PAGE}
    while True:
        page = _read(_patiently(lambda: client.get(path, params=asked)))
        yield from page["errors"]
        if page["next"] is None:
            return
        asked["cursor"] = page["next"]


def _job(client: httpx.Client, job: Any) -> Any:
    return _read(_patiently(lambda: client.get(f"/v1/jobs/{job['id']}")))


def _patiently(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer, waited for where the API is away for a while: the import itself goes on."""
    give_up_s = time.monotonic() + PATIENCE_S
    pause_s = _PAUSE_S
    while True:
        try:
            answer = ask()
        except httpx.TransportError as error:
            why = str(error) or type(error).__name__
        else:
            if answer.status_code not in _BUSY:
                return answer
            why = _detail(answer)
        if time.monotonic() + pause_s > give_up_s:
            raise _AwayError(f"{why}. The same command goes on with this import.")
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _PAUSE_S_MAX)


def _read(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json()
    busy = answer.status_code in _BUSY or answer.is_server_error
    raise (_AwayError if busy else _WrongError)(_detail(answer))


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = answer.text[:200]
    return f"{answer.status_code}: {detail}"
